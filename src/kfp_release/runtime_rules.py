"""What can be wrong in what a runtime is built from: Dockerfile, context and locks."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from kfp_release.config import PYPROJECT, Config
from kfp_release.dockerfile import BadDockerfile, Dockerfile
from kfp_release.errors import Problem, Problems
from kfp_release.lock import Lock, lock_problems
from kfp_release.requirement import parse_requirement, parse_specifiers
from kfp_release.settings import DEFAULT_EXTRA, ImageSettings
from kfp_release.toml_table import Table, TomlFile


def runtime_problems(project: Path, config: Config, pyproject: TomlFile) -> list[Problem]:
    """Where the runtimes would not be what the sources say, or not the same each time.

    What is wrong in `pyproject` itself goes to the file's own problems.
    """
    declared = _Declared.read(pyproject, config)
    problems: list[Problem] = []
    for image in config.images:
        dockerfile = _dockerfile(project, image)
        problems += _context(project, image)
        if isinstance(dockerfile, Problem):
            problems.append(dockerfile)
        else:
            problems += _image(image, dockerfile)
            problems += _other_lock(image, dockerfile, config.images, declared)
    paths = {path for image in config.images for path in image.context if path.endswith(".lock")}
    for path in sorted(paths | {image.lock for image in config.images}):
        problems += _lock(project, path, [image for image in config.images if image.lock == path], declared)
    return problems


@dataclass(frozen=True, slots=True)
class _Declared:
    """What a project says of the runtimes' contents: its extras, and the Pythons that it is for."""

    extras: Mapping[str, Sequence[Requirement]]
    """By the name of each extra that an image has; empty for one that is not there."""
    requires_python: SpecifierSet

    @classmethod
    def read(cls, pyproject: TomlFile, config: Config) -> Self:
        table = pyproject.table("project")
        if table is None:
            return cls({image.extra: () for image in config.images}, SpecifierSet())
        declared = table.child("optional-dependencies")
        extras = {
            extra: list(_requirements(declared, extra, config.distribution)) if declared else []
            for extra in sorted({image.extra for image in config.images})
        }
        there = {canonicalize_name(extra) for extra in declared.value} if declared else set()
        for image in config.images:
            if image.extra != DEFAULT_EXTRA and image.extra not in there:
                place = ("tool", "kfp-release", "images", image.name, "extra")
                message = f"image {image.name} has the extra {image.extra[:80]!r}, which the project does not have"
                pyproject.report(place, message, "add it to [project.optional-dependencies]")
        return cls(extras, table.read("requires-python", parse_specifiers) or SpecifierSet())


def _context(project: Path, image: ImageSettings) -> Iterator[Problem]:
    for path in image.context:
        place = project / path
        if not place.is_file() and not (place.is_dir() and any(place.iterdir())):
            message = f"image {image.name} has {path} in its context, and there is no such file"
            yield Problem(PYPROJECT, 0, message, f"add it, or take it out of context of image {image.name}")


def _dockerfile(project: Path, image: ImageSettings) -> Dockerfile | Problem:
    text = _text(project, image.dockerfile)
    if isinstance(text, Problem):
        return text
    try:
        return Dockerfile.parse(text)
    except BadDockerfile as error:
        return Problem(image.dockerfile, error.line, str(error.args[0]), error.remedy)


def _image(image: ImageSettings, dockerfile: Dockerfile) -> Iterator[Problem]:
    try:
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


def _other_lock(
    image: ImageSettings, dockerfile: Dockerfile, images: Sequence[ImageSettings], declared: _Declared
) -> Iterator[Problem]:
    """Where a Dockerfile names the lock of another image, and not that of `image`, which is held against its extra."""
    try:
        named = dockerfile.files_named(".lock", image.build_args)
    except BadDockerfile:  # told with its base images
        return
    if not named or not declared.extras[image.extra] or PurePosixPath(image.lock).name in named:
        return
    for other in images:
        if PurePosixPath(other.lock).name in named:
            built = f"is built with {other.lock} of image {other.name}"
            message = f"image {image.name} has the lock {image.lock}, and {built}"
            remedy = f"name {image.lock} in build-args of image {image.name}, or in {image.dockerfile}"
            yield Problem(PYPROJECT, 0, message, remedy, severity="warning")


def _lock(project: Path, path: str, images: Sequence[ImageSettings], declared: _Declared) -> Iterator[Problem]:
    """Of the lock at `path`, which is that of `images`, or of none and only has to be exact."""
    if not (project / path).is_file():
        for extra in sorted({image.extra for image in images}):
            if requirements := declared.extras[extra]:
                message = f"is not there, and the extra `{extra}` has requirements"
                yield Problem(path, 0, message, _compiled_from(requirements, path))
        return
    for image in images:
        if declared.extras[image.extra] and not any(f"{path}/".startswith(f"{name}/") for name in image.context):
            message = f"image {image.name} does not have its lock {path} in its context"
            remedy = f"add it to context of image {image.name}, or say with lock which one is installed in it"
            yield Problem(PYPROJECT, 0, message, remedy, severity="warning")
    text = _text(project, path)
    if isinstance(text, Problem):
        yield text
        return
    try:
        lock = Lock.parse(path, text)
        if not images or any(declared.extras[image.extra] for image in images):
            lock.require_entries()
    except Problems as error:
        yield from error.problems
        return
    for extra in sorted({image.extra for image in images}):
        platforms = sorted({image.platform for image in images if image.extra == extra})
        yield from lock_problems(
            lock,
            declared.extras[extra],
            extra=extra,
            platforms=platforms,
            requires_python=declared.requires_python,
        )


def _requirements(
    extras: Table, extra: str, distribution: str, seen: frozenset[str] = frozenset()
) -> Iterator[Requirement]:
    """The requirements of an extra, with those of the extras that it includes by the distribution's own name.

    `extra` and those `seen` are in their normal form, as extras of one are the same (PEP 685).
    """
    written = next((key for key in extras.value if canonicalize_name(key) == extra), extra)
    for requirement in extras.read_list(written, parse_requirement):
        if canonicalize_name(requirement.name) != canonicalize_name(distribution):
            yield requirement
            continue
        for included in sorted({canonicalize_name(name) for name in requirement.extras} - seen):
            yield from _requirements(extras, included, distribution, seen | {extra, included})


def _compiled_from(requirements: Iterable[Requirement], path: str) -> str:
    """The command that makes the lock, of the extra alone: with ``--extra`` it would bring the package's own too."""
    words = " ".join(shlex.quote(str(requirement)) for requirement in requirements)
    return f"printf '%s\\n' {words} | uv pip compile --universal --generate-hashes -o {shlex.quote(path)} -"


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
