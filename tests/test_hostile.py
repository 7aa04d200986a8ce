"""What means harm is data: no shell and no workflow runs it, no machine is taken by it, no terminal obeys it.

Paths that lead out are in `test_wheel`, `test_sdist`, `test_layout`, `test_plain_file`; all parsers in `test_parsers`.
"""

from __future__ import annotations

import ast
import gzip
import io
import resource
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from chaos.hostile.archives import ROOT as SDIST_ROOT
from conftest import commit_all, kfp_release, run_git
from small_project import component, make_project

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml")) + sorted(ROOT.glob(".github/actions/*/action.yml"))
MIB = 1 << 20

ORDERS = (
    *(
        "$(touch${IFS}x)",
        "`touch${IFS}x`",
        "a;touch${IFS}x",
        "a|touch${IFS}x",
        "a&touch${IFS}x&",
        "a>x",
        "'\"$(touch${IFS}x)",
    ),
    *("${{github.token}}", "-rf", "--output=x", "%0Ax", "a\u2028touch${IFS}x"),
)
"""What a shell, an option's parser, a workflow would obey, in the letters that git's refs may have."""


@pytest.mark.skipif(not WORKFLOWS, reason="the sdist has no workflows")
@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_no_workflow_puts_an_expression_into_a_command(file: Path) -> None:
    value = yaml.safe_load(file.read_text(encoding="utf-8"))
    steps = [step for job in value.get("jobs", {"": value.get("runs")}).values() for step in job["steps"]]
    assert steps
    commands = [text for step in steps for text in (step.get("run", ""), step.get("with", {}).get("script", ""))]
    assert [command for command in commands if "${{" in command] == []


@pytest.mark.parametrize("folder", ["src/kfp_release", ".ci", "examples"])
def test_no_program_is_started_by_a_shell(folder: str) -> None:
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                named = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                assert named.get("shell", "False") == "False", f"{path}:{node.lineno}"
                called = ast.unparse(node.func)
                assert called not in {"os.system", "os.popen", "subprocess.getoutput"}, f"{path}:{node.lineno}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if ".git" not in path.parts}


def is_harmless(output: str) -> bool:
    lines = output.split("\n")
    return all(line.isprintable() and not line.lstrip().startswith(("::", "##[")) for line in lines)


def test_names_of_tags_branches_and_files_are_data(project: Path) -> None:
    for number, order in enumerate(ORDERS):
        run_git(project, "update-ref", f"refs/heads/{number}/{order}", "HEAD")
        run_git(project, "update-ref", f"refs/tags/{order}", "HEAD")
        name = order.replace("/", "_")
        (project / f"yaml/{name}.yaml").write_bytes(component(name))
    (project / "yaml/a\n::error::x\n.yaml").write_bytes(component("$(touch x)\x1b[31m"))
    (project / "CHANGELOG.md").write_text("## [1.1] - $(touch x) `touch x` \x1b[2J\n::error::x\n", encoding="utf-8")
    commit_all(project, "Hostile")
    before = everything(project)
    done = kfp_release(["check", "--release", "1.1"], cwd=project, environ={})
    assert done.returncode == 1
    assert "touch" in done.stdout + done.stderr
    assert is_harmless(done.stdout + done.stderr)
    assert everything(project) == before


@pytest.mark.parametrize(
    "order", ["$(touch x)", "`touch x`", "v1.0;touch x", "v1.0\n::error::x", "\x1b[2Jv1.0", "v1.0\u2028x"]
)
@pytest.mark.parametrize("command", ["plan", "verify", "diff"])
def test_a_tag_that_is_an_order_is_refused(project: Path, command: str, order: str) -> None:
    before = everything(project)
    done = kfp_release([command, "--", order], cwd=project, environ={})
    assert done.returncode in {1, 2}
    assert is_harmless(done.stdout + done.stderr)
    assert everything(project) == before


SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIAHIDDENHIDDENHIDD",
    "AWS_SECRET_ACCESS_KEY": "hidden/secret/key/of/aws",
    "AWS_SESSION_TOKEN": "hidden-session-token",
    "TWINE_USERNAME": "hidden-user",
    "TWINE_PASSWORD": "hidden-password",
}
SILENT = {"AWS_ENDPOINT_URL_ECR": "http://127.0.0.1:1", "KFP_RELEASE_ATTEMPTS": "1", "KFP_RELEASE_TIMEOUT": "1"}
WITH_USER = {"TWINE_REPOSITORY_URL": "https://somebody:hidden-in-a-url@127.0.0.1:1/"}


@pytest.mark.parametrize("more", [{}, WITH_USER], ids=["variables", "a URL with a password"])
@pytest.mark.parametrize(
    "arguments",
    [("plan", "v1.0"), ("runtime", "--ref", "v1.0"), ("build",), ("publish",), ("release", "v1.0"), ("verify", "1.0")],
    ids=lambda arguments: arguments[0],
)
def test_no_secret_is_shown_where_a_command_fails(
    project: Path, tmp_path: Path, arguments: tuple[str, ...], more: dict[str, str]
) -> None:
    summary = tmp_path / "summary.md"
    environ = {**SECRETS, **SILENT, **more, "GITHUB_STEP_SUMMARY": str(summary)}
    done = kfp_release(["--debug", *arguments], cwd=project, environ=environ)
    assert done.returncode != 0
    written = [path.read_text(errors="replace") for path in project.rglob("*") if path.is_file()]
    written += [summary.read_text(encoding="utf-8")] if summary.exists() else []
    for secret in (*SECRETS.values(), "hidden-in-a-url"):
        assert secret not in done.stdout + done.stderr
        assert not any(secret in text for text in written)


def zipped(name: str, size: int) -> bytes:
    target = io.BytesIO()
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(name, "w", force_zip64=True) as file,
    ):
        for _ in range(size // MIB):
            file.write(bytes(MIB))
    return target.getvalue()


def tarred(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    target = io.BytesIO()
    with gzip.open(target, "wb", 1) as file:
        file.write(info.tobuf())
        for _ in range(size // MIB):
            file.write(bytes(MIB))
    return target.getvalue()


ALIASES = b"a0: &a0 [x, x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 40)
)
BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "YAML aliases": ("ComponentFile.parse('a.yaml', data)", lambda: ALIASES),
    "YAML that holds itself": ("ComponentFile.parse('a.yaml', data)", lambda: b"name: &a [*a]\nx: &b {y: *b}\n"),
    "YAML depth": ("ComponentFile.parse('a.yaml', data)", lambda: b"a: " + b"[" * 200_000),
    "YAML blocks": ("ComponentFile.parse('a.yaml', data)", lambda: b"- " * 200_000),
    "YAML size": ("ComponentFile.parse('a.yaml', data)", lambda: b"a: " + b"x, " * 10_000_000),
    "YAML nodes": ("ComponentFile.parse('a.yaml', data)", lambda: b"[" + b"a," * 3_000_000 + b"]"),
    "TOML keys": ("TomlFile.parse('a.toml', data)", lambda: b"a." * 300_000 + b"a = 1"),
    "Dockerfile arguments": (
        "Dockerfile.parse(data.decode()).base_images({})",
        lambda: b"ARG A=xx\n" + b"ARG A=$A$A\n" * 90 + b"FROM $A",
    ),
    "JSON depth": ("read_json(data, most=1 << 24)", lambda: b"[" * 4_000_000),
    "JSON size": ("Pins.parse(data)", lambda: b"[" + b"0," * 20_000_000 + b"0]"),
    "wheel": ("Wheel.parse('a-1-py3-none-any.whl', data)", lambda: zipped("a/a.py", 512 * MIB)),
    "sdist": (f"Sdist.parse('{SDIST_ROOT}.tar.gz', data)", lambda: tarred(f"{SDIST_ROOT}/a.py", 512 * MIB)),
    "archive to compare": (
        f"same_members('{SDIST_ROOT}.tar.gz', data, data)",
        lambda: tarred(f"{SDIST_ROOT}/a", 512 * MIB),
    ),
}
"""What reads each, and what would take the machine were it read as it asks to be."""
READ = """
import re, sys
from kfp_release.archive import same_members
from kfp_release.component import ComponentFile
from kfp_release.dockerfile import Dockerfile
from kfp_release.errors import ReleaseError
from kfp_release.json_text import read_json
from kfp_release.record import Pins
from kfp_release.sdist import Sdist
from kfp_release.toml_table import TomlFile
from kfp_release.wheel import Wheel
data = sys.stdin.buffer.read()
try:
    print({})
except ReleaseError as error:
    print("refused", file=sys.stderr)
# Not ru_maxrss, which begins with what the process had that this one was forked from.
print(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1])
"""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_neither_time_nor_memory(name: str) -> None:
    call, make = BOMBS[name]
    limit = lambda: resource.setrlimit(resource.RLIMIT_CPU, (20, 20))  # noqa: E731 - in the child
    data = make()
    done = subprocess.run(
        [sys.executable, "-c", READ.format(call)],
        input=data,
        preexec_fn=limit,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.split()[-1]) * 1024 < 400 * MIB + 2 * len(data)
    assert "refused" in done.stderr.decode() or name == "archive to compare"
