"""What can be wrong in what a runtime is built from: Dockerfile, context and locks."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from kfp_release.config import PYPROJECT, Config
from kfp_release.dockerfile import BadDockerfile, Dockerfile
from kfp_release.errors import Problem, Problems
from kfp_release.lock import Lock, lock_problems
from kfp_release.requirement import parse_requirement, parse_specifiers
from kfp_release.settings import ImageSettings
from kfp_release.toml_table import Table, TomlFile

LOCK = "requirements.lock"
"""The lock of the extra `image`."""
EXTRA = "image"


def runtime_problems(project: Path, config: Config, pyproject: TomlFile) -> list[Problem]:
    """Where the runtimes would not be what the sources say, or not the same each time.

    What is wrong in `pyproject` itself goes to the file's own problems.
    """
    problems = [problem for image in config.images for problem in _image(project, image)]
    requirements, requires_python = _declared(pyproject, config.distribution)
    platforms = sorted({image.platform for image in config.images})
    for path in sorted({path for image in config.images for path in image.context if path.endswith(".lock")} | {LOCK}):
        wanted = requirements if path == LOCK else []
        problems += _lock(project, path, wanted, platforms=platforms, requires_python=requires_python)
    return problems


def _image(project: Path, image: ImageSettings) -> Iterator[Problem]:
    for path in image.context:
        place = project / path
        if not place.is_file() and not (place.is_dir() and any(place.iterdir())):
            message = f"image {image.name} has {path} in its context, and there is no such file"
            yield Problem(PYPROJECT, 0, message, f"add it, or take it out of context of image {image.name}")
    text = _text(project, image.dockerfile)
    if isinstance(text, Problem):
        yield text
        return
    try:
        dockerfile = Dockerfile.parse(text)
        bases = dockerfile.base_images(image.build_args)
    except BadDockerfile as error:
        yield Problem(image.dockerfile, error.line, str(error.args[0]), error.remedy)
        return
    for base in bases:
        if not base.has_digest:
            message = f"draws on {base.image[:160]}, which carries no digest"
            remedy = f"write it with @sha256:…, here or in build-args of image {image.name} in {PYPROJECT}"
            yield Problem(image.dockerfile, base.line, message, remedy)
    for entrypoint in dockerfile.entrypoints():
        message = "has an ENTRYPOINT, which kfp.local keeps and a cluster replaces"
        yield Problem(image.dockerfile, entrypoint.line, message, "remove it: components name their command")


def _lock(
    project: Path,
    path: str,
    requirements: Sequence[Requirement],
    *,
    platforms: list[str],
    requires_python: SpecifierSet,
) -> Iterator[Problem]:
    if not (project / path).is_file():
        if requirements:
            message = f"is not there, and the extra `{EXTRA}` has requirements"
            yield Problem(path, 0, message, _compiled_from(requirements))
        return
    text = _text(project, path)
    if isinstance(text, Problem):
        yield text
        return
    try:
        lock = Lock.parse(path, text)
    except Problems as error:
        yield from error.problems
        return
    yield from lock_problems(lock, requirements, platforms=platforms, requires_python=requires_python)


def _declared(pyproject: TomlFile, distribution: str) -> tuple[list[Requirement], SpecifierSet]:
    """What the extra `image` asks for, and the Pythons that the project is for."""
    table = pyproject.table("project")
    if table is None:
        return [], SpecifierSet()
    extras = table.child("optional-dependencies")
    requirements = list(_requirements(extras, EXTRA, distribution)) if extras else []
    return requirements, table.read("requires-python", parse_specifiers) or SpecifierSet()


def _requirements(
    extras: Table, extra: str, distribution: str, seen: frozenset[str] = frozenset()
) -> Iterator[Requirement]:
    """The requirements of an extra, with those of the extras that it includes by the distribution's own name."""
    for requirement in extras.read_list(extra, parse_requirement):
        if canonicalize_name(requirement.name) != canonicalize_name(distribution):
            yield requirement
            continue
        for included in sorted(requirement.extras - seen):
            yield from _requirements(extras, included, distribution, seen | {extra, included})


def _compiled_from(requirements: Iterable[Requirement]) -> str:
    """The command that makes the lock, of the extra alone: with ``--extra`` it would bring the package's own too."""
    words = " ".join(shlex.quote(str(requirement)) for requirement in requirements)
    return f"printf '%s\\n' {words} | uv pip compile --universal --generate-hashes -o {LOCK} -"


def _text(project: Path, path: str) -> str | Problem:
    try:
        return (project / path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return Problem(path, 0, "is not there", f"add it, or name another in {PYPROJECT}")
    except OSError as error:
        remedy = "make it a file that the user who runs this may read"
        return Problem(path, 0, f"cannot be read: {error.strerror}", remedy)
    except UnicodeDecodeError:
        return Problem(path, 0, "is not UTF-8", "save the file as UTF-8")
