"""What a runtime is built from, read from a commit: the Dockerfile, the files that it sees, its base images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from kfp_release.buildah import BuildRequest
from kfp_release.dockerfile import base_images
from kfp_release.errors import ReleaseError
from kfp_release.git_files import CommittedFile
from kfp_release.materials import Materials
from kfp_release.registry_login import RegistryLogin
from kfp_release.runtime_key import RuntimeInputs
from kfp_release.settings import ImageSettings

Files = Callable[[Sequence[str]], Mapping[str, CommittedFile]]
"""The files of one commit, at and below paths that are relative to the project."""


@dataclass(frozen=True, slots=True)
class RuntimeSources:
    """The Dockerfile of one image, and all that it can draw on."""

    dockerfile: bytes
    context: Mapping[str, tuple[int, bytes]]
    """Mode and bytes by path."""
    bases: tuple[str, ...]
    """The images that the Dockerfile draws on, in its order."""

    @classmethod
    def read(cls, settings: ImageSettings, files: Files) -> Self:
        """`files` gives the files of a commit; nothing else gets into the context.

        Raise `ReleaseError` for a file that is missing or no file, or a Dockerfile that cannot be read.
        """
        try:
            dockerfile = _dockerfile(settings.dockerfile, files)
            bases = tuple(base_images(dockerfile.decode(), settings.build_args))
            return cls(dockerfile, _context(settings.context, files), bases)
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

    def materials(self, settings: ImageSettings) -> Materials:
        """What a release says of them. Raise `ReleaseError` where a base image has no digest."""
        return Materials(settings.dockerfile, self.bases, self.inputs(settings))

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


def _dockerfile(path: str, files: Files) -> bytes:
    found = files([path])
    if path not in found:
        raise ReleaseError("there is no such file in the commit", remedy=f"git add {path[:200]}, and commit it")
    return found[path].data


def _context(paths: Sequence[str], files: Files) -> dict[str, tuple[int, bytes]]:
    found = files(paths)
    for path in paths:
        if not any(name == path or name.startswith(f"{path}/") for name in found):
            raise ReleaseError(
                f"its context {path[:200]!r} names no file of the commit",
                remedy=f"git add {path[:200]} and commit it, or remove it from 'context'",
            )
    return {name: (file.mode, file.data) for name, file in found.items()}
