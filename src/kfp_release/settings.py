"""The settings of one owned image, read from its table and the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Self

from packaging.utils import InvalidName, canonicalize_name

from kfp_release.errors import Problem, ReleaseError
from kfp_release.image_ref import BadImageName, Repository
from kfp_release.interpreter import DEFAULT_INTERPRETER, Interpreter
from kfp_release.toml_table import Table

REGISTRY = "KFP_RELEASE_REGISTRY"
BUILD_ARG = "KFP_RELEASE_BUILD_ARG_"
DEFAULT_PLATFORM = "linux/amd64"
DEFAULT_DOCKERFILE = "Dockerfile"
DEFAULT_EXTRA = "image"
DEFAULT_LOCK = "requirements.lock"

_IMAGE_KEYS = (
    *("repository", "dockerfile", "context", "platform", "build-args", "interpreter", "mutable-tags"),
    *("extra", "lock"),
)
_IMAGE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_BUILD_ARG_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(?:/v[0-9]+)?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class BadSetting(ReleaseError):
    """A setting's value is not one that it can have."""


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """One owned image. Paths are relative to the project, with ``/``."""

    name: str
    declared: Repository
    """As component files name it."""
    repository: Repository
    """Where it is pushed to and pulled from: `declared`, or the same on ``KFP_RELEASE_REGISTRY``."""
    dockerfile: str = DEFAULT_DOCKERFILE
    context: tuple[str, ...] = ()
    platform: str = DEFAULT_PLATFORM
    build_args: Mapping[str, str] = field(default_factory=dict)
    interpreter: Interpreter = DEFAULT_INTERPRETER
    mutable_tags: bool = False
    """Whether it is meant that ECR lets its tags be moved."""
    extra: str = DEFAULT_EXTRA
    """The extra of the project that says what its programs import, in its normal form."""
    lock: str = DEFAULT_LOCK
    """What is installed in it: that extra, complete and exact."""

    @classmethod
    def read(cls, name: str, table: Table, environ: Mapping[str, str]) -> Self | None:
        """The image called `name` of the table; None where its repository cannot be read. Problems go to the file."""
        table.refuse_unknown(_IMAGE_KEYS)
        if not _IMAGE_NAME.fullmatch(name):
            table.report((), f"{name[:80]!r} is no name of an image", "letters, digits, _ . - and 64 at most")
        declared = table.read("repository", declared_repository, required=True)
        dockerfile = table.read("dockerfile", relative_path, default=DEFAULT_DOCKERFILE)
        platform = table.read("platform", _platform, default=DEFAULT_PLATFORM)
        interpreter = table.read("interpreter", Interpreter, default=DEFAULT_INTERPRETER)
        context = table.read_list("context", relative_path)
        build_args = _build_args(table, environ)
        mutable = table.read_flag("mutable-tags")
        extra = table.read("extra", _extra, default=DEFAULT_EXTRA) or DEFAULT_EXTRA
        lock = table.read("lock", relative_path, default=DEFAULT_LOCK) or DEFAULT_LOCK
        if declared is None or dockerfile is None or platform is None or interpreter is None:
            return None
        repository = _at_registry(table, declared, environ.get(REGISTRY, ""))
        return cls(
            *(name, declared, repository, dockerfile, context, platform, build_args, interpreter, mutable, extra, lock)
        )


def relative_path(text: str) -> str:
    """A path inside of the project, in its plain form. Raise `BadSetting` for one that may leave it."""
    path = PurePosixPath(text)
    plain = str(path)
    if plain == "." or path.is_absolute() or ".." in path.parts or _CONTROL.search(text) or "\\" in text:
        raise BadSetting(f"{text[:120]!r} is not a path inside of the project", remedy="write it relative, with /")
    if re.match(r"[A-Za-z]:", plain):
        raise BadSetting(f"{text[:120]!r} names a drive", remedy="write it relative to the project, with /")
    return plain


def declared_repository(text: str) -> Repository:
    """The repository of an image as a person declares it. Raise `ReleaseError` where it is none, or has a tag."""
    name, at, _ = text.partition("@")
    _, _, path = name.partition("/")
    if at or ":" in path:
        extra = "a digest" if at else "a tag"
        raise BadSetting(
            f"{text[:200]!r} carries {extra}",
            remedy="write the repository alone: a release gives it its tag and digest",
        )
    return Repository.parse(text)


def _extra(text: str) -> str:
    """In its normal form (PEP 685)."""
    try:
        return canonicalize_name(text, validate=True)
    except InvalidName as error:
        raise BadSetting(
            f"{text[:80]!r} is not the name of an extra",
            remedy="name one of [project.optional-dependencies]: letters, digits, . - and _",
        ) from error


def _platform(text: str) -> str:
    if not _PLATFORM.fullmatch(text):
        raise BadSetting(f"{text[:80]!r} is not a platform", remedy="write os/architecture, as in linux/amd64")
    return text


def _build_args(table: Table, environ: Mapping[str, str]) -> dict[str, str]:
    build_args = table.texts("build-args")
    for name, value in build_args.items():
        if not _BUILD_ARG_NAME.fullmatch(name):
            message = f"{name[:80]!r} is no name of a build argument"
            table.report(("build-args", name), message, "letters, digits and _, no digit first, as ARG names it")
        if _CONTROL.search(value):
            message = f"{table.name('build-args', name)} has control characters"
            table.report(("build-args", name), message, "write it on one line, without tabs")
    return {name: environ.get(BUILD_ARG + name) or value for name, value in build_args.items()}


def _at_registry(table: Table, declared: Repository, host: str) -> Repository:
    if not host:
        return declared
    try:
        return declared.at_host(host)
    except BadImageName as error:
        problem = Problem(REGISTRY, 0, str(error.args[0]), error.remedy)
        if problem not in table.file.problems:
            table.file.problems.append(problem)
        return declared
