"""The component files of this installation, and what the release that made it says of them."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

PACKAGE = __name__.rpartition("._operators.")[0]
"""The package's name, as it is imported."""
CHECKOUT = "_operators/checkout.json"
"""In a checkout: whose it is, and where its component files lie, from the package on."""
_SUFFIXES = (".yaml", ".yml")
_SCHEMA = 1


class BadPins(ValueError):
    """A pins.json that this version of the package cannot read."""


class Pins(NamedTuple):
    """What pins.json says of the release: its version and commit, and what its images are pinned to."""

    distribution: str
    """What pip installs."""
    version: str
    commit: str
    """40 hex digits; empty where it is not known."""
    images: Mapping[str, str]
    """``repository:tag@sha256:…`` by the image's name; ``repository:tag`` where no digest was at hand."""
    components: Mapping[str, Sequence[str]]
    """The images that each component file names, by its operator: those above, and others."""

    @classmethod
    def parse(cls, text: str) -> Pins:
        """Raise `BadPins` unless `text` is a pins.json of schema 1, kfp-release's."""
        try:
            value = json.loads(text)
            schema = value["schema"]
            if schema == _SCHEMA:
                images = {str(name): str(image["pin"]) for name, image in value["images"].items()}
                components = {name: item["images"] for name, item in value["components"].items()}
                pins = cls(str(value["distribution"]), str(value["version"]), str(value["commit"]), images, components)
                "".join(pins.named)  # a `TypeError` for what is no text
                return pins
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise BadPins(f"pins.json of this installation is damaged ({error!r}): install the package anew") from error
        raise BadPins(
            f"pins.json of this installation has schema {schema!r:.40}, and its code reads {_SCHEMA}: "
            "they are of two versions; install the package anew"
        )

    @property
    def named(self) -> frozenset[str]:
        """All images that component files name."""
        return frozenset(image for images in self.components.values() for image in images)


class Catalog(NamedTuple):
    """Names of component files by the operator's name, sorted; `pins` is None where no build has pinned them."""

    distribution: str
    folder: Path
    files: Mapping[str, str]
    pins: Pins | None

    @property
    def inexact(self) -> Mapping[str, Sequence[str]]:
        """The operators of which it is not certain what they run, each with the images that it names without a digest.

        That is none for one that `pins` do not tell of.
        """
        told = self.pins.components if self.pins is not None else {}
        # As mostly, and said in no time of a thousand components.
        if self.pins and told.keys() >= self.files.keys() and all("@sha256:" in image for image in self.pins.named):
            return {}
        images = {name: [image for image in told.get(name, ()) if "@sha256:" not in image] for name in self.files}
        return {name: without for name, without in images.items() if without or name not in told}

    def text(self, operator: str) -> str:
        """The component file of `operator`, as it is. Raise `ValueError` where it is no UTF-8."""
        try:
            return (self.folder / self.files[operator]).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"the definition of {operator} is no text in UTF-8: {error.reason}") from error

    @classmethod
    def of(cls, folder: Path, *, distribution: str, pins: Pins | None = None) -> Catalog:
        """The catalog of one folder of component files; without `pins` of sources, which are never pinned."""
        names = os.listdir(folder)  # noqa: PTH208 - half of the first operator's time with a thousand components
        files = {operator_name(name): name for name in names if name.endswith(_SUFFIXES)}
        return cls(distribution, folder, dict(sorted(files.items())), pins)


def operator_name(file: str) -> str:
    """The operator of a component file: ``make_table_op`` for ``make_table.yaml`` and ``make-table.yaml``."""
    return file.rpartition(".")[0].replace("-", "_") + "_op"


@functools.cache
def installed() -> Catalog:
    """The catalog inside the installed package; in a development checkout, of its folder of component files.

    Empty where there are none. Raise `BadPins` where what the build left in the package is damaged.
    """
    package = Path(__file__).resolve().parents[1]
    folder, pins, checkout = package / "yaml", package / "pins.json", package / CHECKOUT
    if folder.is_dir() and pins.is_file():
        read = Pins.parse(pins.read_text(encoding="utf-8"))
        return Catalog.of(folder, distribution=read.distribution, pins=read)
    distribution = PACKAGE
    if checkout.is_file():  # whose component files may lie there, too
        try:
            told = json.loads(checkout.read_text(encoding="utf-8"))
            distribution, folder = str(told["distribution"]), (package / told["components"]).resolve()
        except (ValueError, LookupError, TypeError) as error:
            raise BadPins(f"{checkout} is damaged ({error!r}): kfp-release operators writes it anew") from error
    return Catalog.of(folder, distribution=distribution) if folder.is_dir() else Catalog(distribution, folder, {}, None)
