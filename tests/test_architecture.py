"""docs/architecture.md is the map of the code, and the code keeps to it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from kfp_release.commands import SUMMARIES

PROJECT = Path(__file__).resolve().parent.parent
PACKAGE = PROJECT / "src/kfp_release"
PAGE = PROJECT / "docs/architecture.md"
PURE = ("Values", "Readers of sources", "Archives and images", "Versions from outside")

EFFECTS = {
    *("os", "pathlib", "shutil", "tempfile", "glob", "fcntl", "mmap", "fileinput"),
    *("subprocess", "multiprocessing", "threading", "concurrent", "asyncio", "signal", "ctypes", "importlib"),
    *("socket", "ssl", "http", "urllib.request", "requests", "urllib3", "boto3", "botocore", "twine", "pypi_simple"),
    *("time", "random", "secrets", "uuid", "locale", "platform", "sys", "rich", "click", "logging"),
}
"""Modules that bring files, processes, the network, the clock, chance or the machine."""
HARMLESS = {
    *("pathlib.PurePosixPath", "sys.stdlib_module_names"),
    *("uuid.NAMESPACE_URL", "uuid.UUID", "uuid.uuid5"),  # which are of names, and of no chance
}
EFFECTFUL_NAMES = {"open", "print", "input", "exec", "eval", "__import__"}
EFFECTFUL_METHODS = {"now", "today", "utcnow", "environ", "getenv", "read_bytes", "read_text", "write_bytes"}


def sections() -> dict[str, list[str]]:
    """The modules that the page names, by its headings and in its order."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        rows = re.findall(r"^\| (`.*?`) \|", part, re.MULTILINE)
        if rows:
            found[part.splitlines()[0]] = [row.strip("`") for row in rows]
    return found


def modules() -> dict[str, Path]:
    """Every module of the package by its name below it; a package's own is the folder's name."""
    files = (path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
    return {".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


@cache
def imported(path: Path) -> frozenset[str]:
    """Everything that a module imports anywhere in it, ``pathlib`` and ``pathlib.Path`` for the one from the other."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{module_of(node, path)}.{alias.name}" for alias in node.names}
    return frozenset(names)


def module_of(node: ast.ImportFrom, path: Path) -> str:
    """What it imports from, absolutely. Relative imports are for files that are copied elsewhere."""
    below = path.relative_to(PACKAGE).parent.parts
    is_copied = below[:1] == ("package_files",) and path != PACKAGE / "package_files/__init__.py"
    assert node.level == 0 or (is_copied and node.level == 1), f"{path} imports relatively"
    assert not (is_copied and (node.module or "").startswith("kfp_release")), f"{path} needs this tool"
    return ".".join(["kfp_release", *below, *filter(None, [node.module])]) if node.level else str(node.module)


def own_imports(name: str) -> set[str]:
    """The modules of the package that one of them imports."""
    known = modules()
    found = set()
    for text in imported(known[name]):
        if text.startswith("kfp_release."):
            dotted = text.removeprefix("kfp_release.")
            found |= {near for near in (dotted, dotted.rpartition(".")[0]) if near in known}
    # Of a package and a module in it, the module is what is meant.
    return {one for one in found if not any(other.startswith(f"{one}.") for other in found)} - {name}


def test_the_page_names_every_module_once_and_no_other() -> None:
    named = [name for names in sections().values() for name in names]
    assert sorted(named) == sorted(modules())


@pytest.mark.parametrize("name", [name for section in PURE for name in sections()[section]])
def test_a_pure_module_has_no_effects(name: str) -> None:
    path = modules()[name]
    reached = {
        text
        for text in imported(path) - HARMLESS
        if any(text == effect or text.startswith(f"{effect}.") for effect in EFFECTS)
    }
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            reached |= {node.func.id} & EFFECTFUL_NAMES
        elif isinstance(node, ast.Attribute):
            reached |= {node.attr} & EFFECTFUL_METHODS
    assert reached == set()


@pytest.mark.parametrize("name", sorted(modules()))
def test_a_module_imports_from_its_section_and_those_above(name: str) -> None:
    order = {one: number for number, names in enumerate(sections().values()) for one in names}
    assert {other for other in own_imports(name) if order[other] > order[name]} == set()


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {name: own_imports(name) for name in modules()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(graph)


BLOCKED = """
import sys
import packaging.version, setuptools.build_meta, setuptools_scm, yaml  # with what they bring themselves
allowed = {*sys.stdlib_module_names, "kfp_release", "packaging", "setuptools", "setuptools_scm", "yaml"}
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed:
            raise ModuleNotFoundError(f"{name} is not there", name=name)
sys.meta_path.insert(0, Blocker())
import kfp_release.backend
print(*sorted(name for name in sys.modules if name.startswith("kfp_release.")))
"""


def test_the_build_backend_needs_its_four_distributions_alone() -> None:
    done = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = {name.removeprefix("kfp_release.") for name in done.stdout.split()}
    pure = {name for section in PURE for name in sections()[section]}
    adapters = {"git", "git_command", "git_files", "plain_file"}
    assert loaded - pure <= {*sections()["Build backend"], *sections()["Package files"], *adapters}
    assert loaded >= {"backend", "pinned", "source_tree", "wheel", "sdist"}


@pytest.mark.parametrize("arguments", [(), ("--help",), ("--version",)])
def test_the_programs_help_imports_none_of_what_its_commands_need(arguments: tuple[str, ...]) -> None:
    code = "import sys; from kfp_release.__main__ import main; main(sys.argv[1:]); print('\\n', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert loaded.isdisjoint({"boto3", "botocore", "twine", "rich", "yaml", "build", "requests", "pypi_simple"})
    assert loaded.isdisjoint(f"kfp_release.commands.{name}" for name in SUMMARIES)
