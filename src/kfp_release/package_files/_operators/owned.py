"""Whose an image is: of a package's own repositories, there or on another registry. Needs no YAML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .catalog import Catalog
from .image_name import ImageName, path_of


class Owned(NamedTuple):
    """The repositories of a package's own images, and what of them is pinned."""

    repositories: tuple[str, ...]
    """With their host, without tag and digest."""
    digests: Mapping[str, str] = {}
    """The repository that a pinned digest is of."""

    def home(self, image: ImageName) -> str | None:
        """The repository that `image` is of, there or on another registry; None for an image of others.

        On another registry it is known by the repository's path, below any prefix, or by a pinned digest. A path of one
        word is too little: below a prefix it may be anybody's.
        """
        if image.repository in self.repositories:
            return image.repository
        fitting = [home for home in self.repositories if _is_copy(image.path, path_of(home))]
        return max(fitting, key=len, default=self.digests.get(image.digest))

    def namesake(self, image: ImageName) -> str | None:
        """The repository of one word that `image` ends with, below a prefix: a copy of it, or anybody's."""
        words = (home for home in self.repositories if "/" not in path_of(home))
        return next((home for home in words if image.path.endswith(f"/{path_of(home)}")), None)


def owned_by(catalog: Catalog, named: Iterable[str]) -> Owned:
    """The repositories of the package's own images: those that a build has pinned.

    In a checkout, which has no pins, those of the `named` images, component files', that have neither tag nor digest.
    """
    if catalog.pins is None:
        images = [ImageName.parse(text) for text in sorted(named)]
        return Owned(tuple(dict.fromkeys(one.repository for one in images if not one.tag and not one.digest)))
    images = [ImageName.parse(pin) for pin in catalog.pins.images.values()]
    digests = {one.digest: one.repository for one in images if one.digest}
    return Owned(tuple(dict.fromkeys(one.repository for one in images)), digests)


def _is_copy(path: str, home: str) -> bool:
    return path == home or ("/" in home and path.endswith(f"/{home}"))
