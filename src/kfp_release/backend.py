"""The build backend: setuptools, and every wheel pinned. Sources: PEP 517, PEP 660.

Wheels and sdists come out in one byte form. A wheel has the pinned component files and ``pins.json`` in its package;
an sdist carries its pins, and the SBOM of a release's wheel, so that the wheel built from it is the same. The setting
``kfp-release-pins`` gives the path of a release's pins, and an SBOM that lies there as in an sdist is taken with them;
without it the pin is the version's tag. The checkout is not written to. An editable install reads its component files
there, unpinned; it alone leaves something there, the operators, where git ignores them.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from setuptools import build_meta  # type: ignore[import-untyped] # it ships no types
from setuptools.build_meta import prepare_metadata_for_build_editable  # type: ignore[import-untyped]

from kfp_release.checkout_operators import CheckoutOperators
from kfp_release.config import PYPROJECT, Config
from kfp_release.errors import ReleaseError
from kfp_release.pinned import PINS_SETTING, BadPins, PinnedPackage, pinned_package, pins_at_hand, sbom_at_hand
from kfp_release.plain_file import read_plain
from kfp_release.sdist import Sdist
from kfp_release.source_tree import SourceTree, source_tree
from kfp_release.wheel import Wheel

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

_log = logging.getLogger(__name__)

Settings = Mapping[str, str | list[str] | None] | None

_NO_TIME = 315532800
"""1980-01-01: of an sdist that is built outside of git and without SOURCE_DATE_EPOCH."""


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Settings = None) -> str:
    """PEP 517: write the wheel's dist-info folder into `metadata_directory`, and give its name."""
    target = str(Path(metadata_directory).resolve())
    with _build(config_settings):
        name: str = build_meta.prepare_metadata_for_build_wheel(target, config_settings)
    return name


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    """PEP 517: write a pinned wheel into `wheel_directory`, and give its file name."""
    target = Path(wheel_directory).resolve()
    metadata = str(Path(metadata_directory).resolve()) if metadata_directory else None
    with _build(config_settings) as build:
        name: str = build_meta.build_wheel(str(build.made), config_settings, metadata)
        wheel = Wheel.parse(name, (build.made / name).read_bytes())
        wheel = build.pinned_package(wheel.version).in_wheel(wheel)
        (target / name).write_bytes(wheel.to_bytes())
    return name


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    """PEP 517: write an sdist that carries its pins into `sdist_directory`, and give its file name."""
    target = Path(sdist_directory).resolve()
    with _build(config_settings) as build:
        name: str = build_meta.build_sdist(str(build.made), config_settings)
        sdist = Sdist.parse(name, (build.made / name).read_bytes())
        # PKG-INFO tells the version; from this file setuptools-scm would compute it anew, with another day's date.
        computed = [path for path in sdist.paths if path.endswith(".egg-info/scm_version.json")]
        sdist = build.pinned_package(sdist.version).in_sdist(sdist.without(computed))
        (target / name).write_bytes(sdist.to_bytes(_epoch(build.tree)))
    return name


def build_editable(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    """PEP 660: write an editable wheel into `wheel_directory`, and give its file name."""
    name: str = build_meta.build_editable(wheel_directory, config_settings, metadata_directory)
    try:
        operators = CheckoutOperators.read(Path(), Config.parse(read_plain(Path(PYPROJECT)), {}))
        if seen := operators.seen_by_git:
            _log.warning("no operators are written, for git does not ignore %s", ", ".join(seen))
        else:
            operators.write()
    except (ReleaseError, OSError) as error:  # what is wrong may be what the install is for
        _log.warning("no operators are written: %s", error)
    return name


@dataclass(frozen=True, slots=True)
class _Build:
    tree: SourceTree
    made: Path
    """A folder for what setuptools makes."""
    pins_file: Path | None

    def pinned_package(self, version: str) -> PinnedPackage:
        project, commit = self.tree.project, self.tree.commit
        pins = pins_at_hand(project, version=version, commit=commit, pins_file=self.pins_file, environ=os.environ)
        sbom = sbom_at_hand(project, pins, commit=commit, pins_file=self.pins_file)
        return replace(pinned_package(project, pins=pins, version=version, commit=commit), sbom=sbom)


@contextmanager
def _build(settings: Settings) -> Iterator[_Build]:
    """A build of the project in the current folder; what is refused ends it with a message and no traceback."""
    try:
        pins_file = _pins_file(settings)
        with source_tree(Path.cwd()) as tree, tempfile.TemporaryDirectory() as made, chdir(tree.project):
            yield _Build(tree, Path(made), pins_file)
    except ReleaseError as error:
        raise SystemExit(f"error: {error}") from error


def _pins_file(settings: Settings) -> Path | None:
    match (settings or {}).get(PINS_SETTING):
        case None:
            return None
        case str(path) if path:
            return Path(path).resolve()
    raise BadPins(f"{PINS_SETTING} is given twice or empty", remedy=f"--config-setting={PINS_SETTING}=/path/pins.json")


def _epoch(tree: SourceTree) -> int:
    """Seconds since 1970. Source of SOURCE_DATE_EPOCH: reproducible-builds.org."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if given and not given.isdecimal():
        raise ReleaseError(f"SOURCE_DATE_EPOCH is {given[:40]!r}", remedy="it takes seconds since 1970")
    return int(given) if given else tree.committed if tree.committed is not None else _NO_TIME
