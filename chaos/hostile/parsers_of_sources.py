"""The parsers of source files: what lies in a repository, on whatever branch."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

from chaos.hostile.documents import (
    CHANGELOG,
    DEMO,
    DOCKERFILE,
    ENTRY_POINTS,
    HEX,
    LOCK,
    PIN,
    PYPROJECT,
)
from chaos.hostile.parser import Parser
from chaos.hostile.values import NAMES, chance, changed_bytes, changed_text
from kfp_release.changelog import Changelog, section_bodies, yanked_versions
from kfp_release.config import Config
from kfp_release.dockerfile import Dockerfile
from kfp_release.entry_points import ConsoleScript, console_scripts
from kfp_release.errors import ReleaseError
from kfp_release.git_files import CommittedFile
from kfp_release.lock import Lock, lock_problems
from kfp_release.program_rules import program_problems
from kfp_release.pyproject_addition import completed_pyproject, has_settings
from kfp_release.python_code import code_content
from kfp_release.requirement import parse_requirement, parse_specifiers
from kfp_release.runtime_rules import runtime_problems
from kfp_release.runtime_sources import RuntimeSources
from kfp_release.settings import ImageSettings
from kfp_release.toml_table import TomlFile
from kfp_release.version import ReleaseVersion

OWNED = {DEMO: PIN}
_CONFIG = Config.parse(PYPROJECT.encode(), {})
_NEW = PYPROJECT.replace("[build-system]\n", '[build-system]\nbuild-backend = "kfp_release.backend"\n')
_NOWHERE = Path(tempfile.gettempdir(), "kfp-release", "no such folder")
_TOML = (
    *("[", "]", "[[", "]]", "=", ".", '"', "'", '"""', "{", "}", "\\u0000", "\\", "#", "nan", "1979-05-27"),
    *("0x1", "\n", "[tool.kfp-release.images.x]\n", "a.b.c = 1\n", "x = " + "[" * 300, "a." * 300, "${X}"),
    *("\r",),
)
_LINES = ("## ", "## [1.3]", "[YANKED]", " - ", "```", "~~~~", "\n", "#", "]", "[", "9" * 4301, "2026-02-30", "\x0b")
_DOCKER = (
    *("FROM ", "ARG A=$A$A\n", "${A:-", "${A:+$A}", "}", "$", "\\", "\n", "<<EOF", "EOF\n", "COPY --from="),
    *("# escape=`\n", "--mount=from=", "AS ", "scratch", '"', "--", "RUN <<-'X'\n"),
)
_LOCKED = (" --hash=sha256:", HEX, "==", ";", "\\\n", "-r x\n", "-e .\n", "#", " @ ", "(", "'", " and ", "9" * 4301)
_CODE = 'def f(a, *b: "x", c=1) -> int:\n    """It works."""\n    return [a for a in b if f"{a!r:>{c}}"]  # a\n'
_PYTHON = (
    "(",
    ")",
    "[" * 300,
    "-" * 3000,
    "1+" * 3000,
    "\n",
    "\t",
    "  ",
    "#",
    '"""',
    "'",
    "\\",
    "9" * 4301,
    "1j",
    "\0",
)
_SCRIPTS = ("[", "]", "=", ":", "\n", "\n  ", "[console_scripts]\n", "[DEFAULT]\n", "%(x)s", ";", "#", "a.b:c")


def written(sound: str, words: tuple[str, ...]) -> Callable[[Random], bytes]:
    """Makes files of the text `sound`, changed with `words`, now and then not even UTF-8."""

    def make(random: Random) -> bytes:
        data = changed_text(random, sound, words).encode(errors="surrogatepass")
        return changed_bytes(random, data, most=2) if chance(random, 10) else data

    return make


def _toml(data: bytes) -> object:
    file = TomlFile.parse("pyproject.toml", data)
    for name in ("tool", "project"):
        if table := file.table(name):
            table.refuse_unknown(["kfp-release"])
            table.read_list("kfp-release", str)
            table.texts("kfp-release")
            table.tables("kfp-release")
            table.read("scripts", str, required=True)
    return [str(problem) for problem in file.problems]


def _config(case: tuple[bytes, Mapping[str, str]]) -> object:
    config = Config.parse(*case)
    return config.image("demo"), config.require_index()


def _settings(random: Random) -> tuple[bytes, Mapping[str, str]]:
    names = ("KFP_RELEASE_REGISTRY", "KFP_RELEASE_BUILD_ARG_BASE", "KFP_RELEASE_BUILD_ARG_X", "TWINE_REPOSITORY_URL")
    environ = {random.choice(names): random.choice((*NAMES, "127.0.0.1:9", "https://x/"))} if chance(random, 30) else {}
    return written(PYPROJECT, _TOML)(random), environ


def _checked(data: bytes) -> object:
    file = TomlFile.parse("pyproject.toml", data)
    programs = program_problems((), file, project=_NOWHERE, owned=OWNED)
    problems = [*programs, *runtime_problems(_NOWHERE, _CONFIG, file), *file.problems]
    return [str(problem) for problem in problems]


def _changelog(data: bytes) -> object:
    text = data.decode(errors="replace")
    yanked = yanked_versions(text)
    return yanked, section_bodies(text), Changelog.parse(text).section(ReleaseVersion.parse("1.2"))


def _dockerfile(case: tuple[bytes, Mapping[str, str]]) -> object:
    data, build_args = case
    settings = ImageSettings("demo", _CONFIG.images[0].declared, _CONFIG.images[0].declared, build_args=build_args)
    sources = RuntimeSources.read(settings, lambda _: {"Dockerfile": CommittedFile(0o644, data)})
    return sources.inputs(settings), Dockerfile.parse(data.decode()).entrypoints()


def _build(random: Random) -> tuple[bytes, Mapping[str, str]]:
    arguments = {"BASE": f"x@sha256:{HEX}"} if chance(random, 50) else {"BASE": random.choice(NAMES)}
    return written(DOCKERFILE, _DOCKER)(random), arguments


def _lock(data: bytes) -> object:
    lock = Lock.parse("requirements.lock", data.decode(errors="surrogateescape"))
    wanted = [parse_requirement("numpy>=2"), parse_requirement("pandas; os_name == 'posix'")]
    python = parse_specifiers(">=3.11")
    problems = lock_problems(lock, wanted, extra="image", platforms=["linux/amd64"], requires_python=python)
    return problems, [(entry.name, entry.version) for entry in lock.entries]


def _added(data: bytes) -> object:
    return completed_pyproject(data, _NEW) if not has_settings(data) else None


def _scripts(data: bytes) -> object:
    text = data.decode(errors="replace")
    for line in text.splitlines()[:3]:
        try:
            ConsoleScript.parse(*line.partition("=")[::2])
        except ReleaseError:
            continue
    return console_scripts(text)


PARSERS = {
    "TOML": Parser(("toml_table.TomlFile.parse",), written(PYPROJECT, _TOML), _toml),
    "configuration": Parser(
        (
            *("config.Config.parse", "config.read_distribution"),
            *("settings.ImageSettings.read", "index_settings.read_index", "scan_rules.ScanRules.read"),
        ),
        _settings,
        _config,
    ),
    "pyproject.toml of another project": Parser(
        ("pyproject_addition.completed_pyproject", "pyproject_addition.has_settings"),
        written(_NEW.partition("[tool.kfp-release]")[0], _TOML),
        _added,
    ),
    "pyproject.toml in check": Parser((), written(PYPROJECT, _TOML), _checked),
    "changelog": Parser(
        ("changelog.Changelog.parse", "changelog.yanked_versions", "changelog.section_bodies"),
        written(CHANGELOG, _LINES),
        _changelog,
    ),
    "Dockerfile": Parser(
        (
            "dockerfile.Dockerfile.parse",
            "dockerfile.base_images",
            "dockerfile.substitute",
            "runtime_sources.RuntimeSources.read",
        ),
        _build,
        _dockerfile,
    ),
    "lock": Parser(("lock.Lock.parse",), written(LOCK, _LOCKED), _lock),
    "Python code": Parser(("python_code.code_content",), written(_CODE, _PYTHON), code_content),
    "entry points": Parser(
        ("entry_points.ConsoleScript.parse", "entry_points.console_scripts"), written(ENTRY_POINTS, _SCRIPTS), _scripts
    ),
}
