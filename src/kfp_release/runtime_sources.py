"""What a runtime is built from, read from the project: the Dockerfile, the files that it sees, its base images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from kfp_release.buildah import BuildRequest
from kfp_release.dockerfile import base_images
from kfp_release.ecr import RegistryLogin
from kfp_release.errors import ReleaseError
from kfp_release.runtime_key import RuntimeInputs
from kfp_release.settings import ImageSettings


@dataclass(frozen=True, slots=True)
class RuntimeSources:
    """The Dockerfile of one image, and all that it can draw on."""

    dockerfile: bytes
    context: Mapping[str, tuple[int, bytes]]
    """Mode and bytes by path."""
    bases: tuple[str, ...]
    """The images that the Dockerfile draws on, in its order."""

    @classmethod
    def read(cls, project: Path, settings: ImageSettings, tracked: Callable[[Sequence[str]], Sequence[str]]) -> Self:
        """`tracked` gives the files under version control at and below paths; nothing else gets into the context.

        Raise `ReleaseError` for a file that is missing or no file, or a Dockerfile that cannot be read.
        """
        try:
            dockerfile = _read(project, settings.dockerfile)
            bases = tuple(base_images(dockerfile.decode(), settings.build_args))
            return cls(dockerfile, _context(project, settings.context, tracked), bases)
        except (ReleaseError, UnicodeDecodeError) as error:
            what, remedy = (
                (error.args[0], error.remedy) if isinstance(error, ReleaseError) else (error, "save it as UTF-8")
            )
            raise ReleaseError(f"image {settings.name!r}, {settings.dockerfile}: {what}", remedy=remedy) from error

    def inputs(self, settings: ImageSettings) -> RuntimeInputs:
        """What the key is made of. Raise `ReleaseError` where a base image has no digest."""
        return RuntimeInputs.of(
            self.dockerfile,
            context=self.context,
            build_args=settings.build_args,
            bases=self.bases,
            platform=settings.platform,
        )

    def request(
        self, settings: ImageSettings, *, ssh: Sequence[str], secrets: Sequence[str], login: RegistryLogin | None
    ) -> BuildRequest:
        """What a builder is asked for."""
        return BuildRequest(
            dockerfile=self.dockerfile,
            context=self.context,
            build_args=settings.build_args,
            platform=settings.platform,
            ssh=tuple(ssh),
            secrets=tuple(secrets),
            login=login,
        )

    def draws_on(self, host: str) -> bool:
        """Whether a base image is of the registry `host`."""
        return any(base.startswith(f"{host}/") for base in self.bases)


def _context(
    project: Path, paths: Sequence[str], tracked: Callable[[Sequence[str]], Sequence[str]]
) -> dict[str, tuple[int, bytes]]:
    files = sorted(tracked(paths))
    for path in paths:
        folder = path.rstrip("/")
        if folder != "." and not any(file == folder or file.startswith(f"{folder}/") for file in files):
            raise ReleaseError(
                f"its context {path[:200]!r} names no file under version control",
                remedy=f"git add {path[:200]}, or remove it from 'context'",
            )
    return {file: _with_mode(project, file) for file in files}


def _with_mode(project: Path, name: str) -> tuple[int, bytes]:
    data = _read(project, name)
    # git knows of a mode only whether the owner may execute the file; no more of it can be in the key.
    return 0o755 if (project / name).stat().st_mode & 0o100 else 0o644, data


def _read(project: Path, name: str) -> bytes:
    path = project / name
    if path.is_symlink():
        raise ReleaseError(f"{name[:200]!r} is a symbolic link", remedy="name the file itself")
    try:
        return path.read_bytes()
    except OSError as error:
        raise ReleaseError(
            f"{name[:200]!r} cannot be read: {error.strerror}", remedy="is it in the checkout?"
        ) from error
