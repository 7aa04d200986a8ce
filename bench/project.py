"""The repositories that are released: this project's components, for this project's tool and for the shell script."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench import PROJECT
from bench.child import BenchError
from bench.git import commit_all, git
from kfp_release.compilation import compile_components
from kfp_release.config import PYPROJECT, Config

HERE: Final = Path(__file__).resolve().parent
PACKAGE: Final = "src/kubeflow_demo_components"
LOCK: Final = "requirements.lock"
IN: Final = "requirements.in"
_SHARED: Final = (PACKAGE, "README.md", "LICENSE", ".gitignore")
_OURS: Final = ("src/kfp_release", "yaml", "Dockerfile", "locks/builder.lock", "pyproject.toml", "MANIFEST.in")
"""The tool is in the tree as the build backend; its other files and the tests are no part of a team's repository."""
_DEFINITIONS: Final = f"{PACKAGE}/definitions.py"
_PROGRAM: Final = f"{PACKAGE}/programs/multiply.py"
_TRAINING: Final = re.compile(
    r"^\[tool\.kfp-release\.images\.training\]\n.*?(?=^\[tool\.kfp-release\.index)", re.MULTILINE | re.DOTALL
)
"""The second image, which this bench leaves out: the script that it compares with has one."""
_OF_TRAINING: Final = f"{PACKAGE}/training"

_BASELINE: Final = """\
[build-system]
requires = ["setuptools>=80", "setuptools-scm>=8"]
build-backend = "setuptools.build_meta"

[project]
name = "{name}"
description = "Kubeflow components"
readme = "README.md"
requires-python = ">=3.11"
license = "Apache-2.0"
dependencies = ["kfp>=2.17,<3"]
dynamic = ["version"]

[project.scripts]
{scripts}

[tool.setuptools]
package-dir = {{ "" = "src" }}

[tool.setuptools.packages.find]
where = ["src"]

[tool.setuptools.package-data]
kubeflow_demo_components = ["yaml/*.yaml"]

[tool.setuptools_scm]
"""


def our_repository(target: Path, *, name: str, repository: str) -> Path:
    """The components as this project releases them: distribution `name`, image `repository` without its registry."""
    declared = _declared()
    _copy(target, (*_SHARED, *_OURS), declared)
    project = (target / "pyproject.toml").read_text(encoding="utf-8")
    extra = ", ".join(f'"{line}"' for line in (HERE / IN).read_text(encoding="utf-8").split())
    project = _changed(project, 'name = "kubeflow-demo-components"', f'name = "{name}"')
    project = _changed(project, re.search(r"^image = \[.*\]$", project, re.MULTILINE), f"image = [{extra}]")
    project = _changed(project, re.search(r"^extra-projects = .*\n", project, re.MULTILINE), "")
    project = _changed(project, _TRAINING.search(project), "")
    project = _with_programs_of(target, project)
    project = _changed(project, declared, repository)
    (target / "pyproject.toml").write_text(project, encoding="utf-8")
    for path in [target / _DEFINITIONS, *(target / "yaml").glob("*.yaml")]:
        text = path.read_text(encoding="utf-8")
        path.write_text(_changed(text, declared, repository), encoding="utf-8")
    compile_components(target, Config.parse((target / PYPROJECT).read_bytes(), {}))
    return target


def baseline_repository(target: Path, *, name: str) -> Path:
    """The same components as a team packages them with setuptools alone; distribution `name`."""
    _copy(target, (*_SHARED, "yaml"), _declared())
    (target / "yaml").rename(target / PACKAGE / "yaml")
    ours = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    scripts = re.search(r"^\[project\.scripts\]\n((?:.+\n)+)", ours, re.MULTILINE)
    if scripts is None:
        raise BenchError("pyproject.toml has no [project.scripts]")
    text = _BASELINE.format(name=name, scripts=_with_programs_of(target, scripts[1]).strip())
    (target / "pyproject.toml").write_text(text, encoding="utf-8")
    shutil.copy2(HERE / "baseline.Dockerfile", target / "Dockerfile")
    (target / ".dockerignore").write_text(".git\ndist\n", encoding="utf-8")
    return target


def tag_version(repository: Path, version: str, versions: list[str]) -> None:
    """Commit a change of one component's code as `version`, and tag it. `versions` are those before, the last first."""
    program = repository / _PROGRAM
    text = program.read_text(encoding="utf-8")
    text = re.sub(r"\n# Version .*\n$", "\n", text) + f"\n# Version {version}\n"
    program.write_text(text, encoding="utf-8")
    today = datetime.now(UTC).date()
    sections = "".join(f"## [{one}] - {today}\n\n### Changed\n\n- `multiply`.\n\n" for one in (version, *versions))
    (repository / "CHANGELOG.md").write_text(f"# Changelog\n\n{sections}", encoding="utf-8")
    commit_all(repository, f"Version {version}")
    git(repository, "tag", f"v{version}")


def _copy(target: Path, names: tuple[str, ...], declared: str) -> None:
    """What git tracks of `names`, and the lock of the extra that both images are made of.

    Of the components those whose image is `declared`.
    """
    for name in git(PROJECT, "ls-files", "-z", "--", *names).split("\0"):
        if name and (PROJECT / name).is_file() and not name.startswith(f"{_OF_TRAINING}/"):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, target / name)
    shutil.copy2(HERE / LOCK, target / LOCK)
    for path in (target / "yaml").glob("*.yaml"):
        if f"image: {declared}\n" not in path.read_text(encoding="utf-8"):
            path.unlink()
            (target / PACKAGE / "programs" / f"{path.stem}.py").unlink()


def _with_programs_of(target: Path, text: str) -> str:
    """The lines of a pyproject.toml without those of programs that `target` does not have."""
    program = re.compile(r'"kubeflow_demo_components\.programs\.(\w+):main"$')
    found = ((line, program.search(line.strip())) for line in text.splitlines(keepends=True))
    return "".join(
        line for line, name in found if name is None or (target / PACKAGE / "programs" / f"{name[1]}.py").is_file()
    )


def _declared() -> str:
    """The repository that this project's component files name."""
    text = (PROJECT / "yaml/multiply.yaml").read_text(encoding="utf-8")
    found = re.search(r"^ *image: (\S+)$", text, re.MULTILINE)
    if found is None:
        raise BenchError("yaml/multiply.yaml names no image")
    return found[1]


def _changed(text: str, old: str | re.Match[str] | None, new: str) -> str:
    """`text` with `old` replaced wherever it stands. Raise `BenchError` where it does not."""
    wanted = old[0] if isinstance(old, re.Match) else old
    if not wanted or wanted not in text:
        raise BenchError(f"this project's files are not what the bench knows: there is no {wanted!r} in one of them")
    return text.replace(wanted, new)
