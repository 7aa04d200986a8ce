"""The configuration: ``[tool.kfp-release]`` of pyproject.toml, and the environment for staging and the sandbox.

KFP_RELEASE_REGISTRY            replaces the registry host of every owned image
KFP_RELEASE_BUILD_ARG_<NAME>    replaces the value of the declared build argument <NAME>
KFP_RELEASE_SIMPLE_URL          replaces index.simple-url
TWINE_REPOSITORY_URL            replaces index.upload-url
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository

PYPROJECT = "pyproject.toml"
DEFAULT_INTERPRETER = "/opt/app/bin/python"


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """One owned image. Paths are relative to the project, with ``/``."""

    name: str
    declared: Repository
    """As component files name it."""
    repository: Repository
    """Where it is pushed to and pulled from: `declared`, or the same on ``KFP_RELEASE_REGISTRY``."""
    dockerfile: str = "Dockerfile"
    context: tuple[str, ...] = ()
    platform: str = "linux/amd64"
    build_args: Mapping[str, str] = field(default_factory=dict)
    interpreter: str = DEFAULT_INTERPRETER


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """The private index: where twine uploads to, and the simple API (PEP 503, PEP 691) that pip reads."""

    upload_url: str
    simple_url: str


@dataclass(frozen=True, slots=True)
class Config:
    """What ``[tool.kfp-release]`` says, with the environment's replacements made."""

    distribution: str
    """``project.name``."""
    package: str
    """The import package that the wheel pins, ``kubeflow_demo_components``."""
    components: str
    """The folder of component files, ``yaml``."""
    source: str
    """URL of the repository, for the images' label; never read from a git remote."""
    extra_projects: tuple[str, ...]
    """Folders of further Python projects of the repository, released unpinned under the same version."""
    images: tuple[ImageSettings, ...]
    index: IndexSettings | None

    @classmethod
    def parse(cls, pyproject: bytes, environ: Mapping[str, str]) -> Self:
        """Raise `Problems` with everything that is wrong, at once."""
        raise NotImplementedError

    def image(self, name: str) -> ImageSettings:
        """The owned image called `name`."""
        for image in self.images:
            if image.name == name:
                return image
        known = ", ".join(image.name for image in self.images)
        raise ReleaseError(
            f"no image is called {name[:80]!r} in [tool.kfp-release.images]", remedy=f"there is: {known}"
        )

    def require_index(self) -> IndexSettings:
        """The index; an error where none is configured."""
        if self.index is None:
            raise ReleaseError(
                f"{PYPROJECT} has no [tool.kfp-release.index]", remedy="add upload-url and simple-url of your index"
            )
        return self.index
