"""What is installed in an image, read from the files of its layers: Debian packages and Python distributions."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kfp_release.debian_package import DebianPackage, debian_packages
from kfp_release.layer_tar import LayerBlob
from kfp_release.layered_files import LayeredFile, layered_files
from kfp_release.python_distribution import BadMetadata, PythonDistribution, python_distribution

_STATUS: Final = "var/lib/dpkg/status"
_STATUS_FOLDER: Final = "var/lib/dpkg/status.d/"
_OS_RELEASE: Final = ("etc/os-release", "usr/lib/os-release")
_METADATA = re.compile(
    r"(?:.+/)?(?:site|dist)-packages/[^/]+\.(?:dist-info/METADATA|egg-info/PKG-INFO|egg-info)", re.DOTALL
)
_INFO = re.compile(r"/[^/]*\.(?:dist|egg)-info(?:/|$)")
_MACHINE_FILES: Final = ".md5sums"
_FACT = re.compile(r"([A-Z_]{1,40})=(.{0,200})")
_PYTHON = re.compile(r"/python(3\.\d{1,3})/", re.ASCII)


@dataclass(frozen=True, slots=True)
class FoundPackage:
    """A Debian package, and the layer that brought it, from 1."""

    package: DebianPackage
    layer: int


@dataclass(frozen=True, slots=True)
class FoundDistribution:
    """A Python distribution, where its metadata is, from the root on, and in which layer, from 1."""

    distribution: PythonDistribution
    path: str
    layer: int

    @property
    def folder(self) -> str:
        """The folder that it is installed in: ``/opt/app/lib/python3.12/site-packages``."""
        return _INFO.split(self.path, 1)[0]

    @property
    def python(self) -> str:
        """The version of the Python that it is for, ``3.12``; ``3`` where its folder does not tell."""
        return self.python_of(self.path) or "3"

    @staticmethod
    def python_of(path: str) -> str:
        """The version of Python in the path of such metadata; empty where there is none."""
        found = _PYTHON.search(path)
        return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is installed."""

    os: Mapping[str, str]
    """The facts of os-release: ``ID``, ``VERSION_ID`` and others."""
    packages: tuple[FoundPackage, ...]
    distributions: tuple[FoundDistribution, ...]
    unread: tuple[str, ...]
    """Paths of metadata that is there and tells of no distribution: broken, or a symlink."""

    @classmethod
    def of(cls, layers: Iterable[LayerBlob]) -> Inventory:
        """That of an image with these layers, the lowest first. Raise `BadImage` where they cannot be read."""
        files = layered_files(layers, _tells)
        found: list[FoundDistribution] = []
        unread: list[str] = []
        for path, file in files.items():
            if not _METADATA.fullmatch(path):
                continue
            shown = "/" + path.encode(errors="backslashreplace").decode()
            try:
                found.append(FoundDistribution(python_distribution(file.data or b""), shown, file.layer))
            except BadMetadata:
                unread.append(shown)
        return cls(_os(files), tuple(_packages(files)), tuple(found), tuple(unread))


def _tells(path: str) -> bool:
    """Whether a file tells of something that is installed."""
    if path == _STATUS or path in _OS_RELEASE or _METADATA.fullmatch(path):
        return True
    return path.startswith(_STATUS_FOLDER) and not path.endswith(_MACHINE_FILES)


def _packages(files: Mapping[str, LayeredFile]) -> Iterator[FoundPackage]:
    """Each once, as dpkg has it, with the first layer from which on it was there in this version."""
    found: dict[tuple[str, str], FoundPackage] = {}
    for path, file in files.items():
        if path == _STATUS or path.startswith(_STATUS_FOLDER):
            for package, layer in sorted(_since(file)):
                found[package.name, package.architecture] = FoundPackage(package, layer)
    return (found[key] for key in sorted(found))


def _since(file: LayeredFile) -> Iterator[tuple[DebianPackage, int]]:
    states: Sequence[tuple[set[DebianPackage], int]] = [
        (set(debian_packages(each.data or b"")), each.layer) for each in _states(file)
    ]
    for package in states[0][0]:
        layer = states[0][1]
        for packages, number in states:
            if package not in packages:
                break
            layer = number
        yield package, layer


def _states(file: LayeredFile | None) -> Iterator[LayeredFile]:
    """What it is, and what it was, the newest first."""
    while file is not None:
        yield file
        file = file.replaced


def _os(files: Mapping[str, LayeredFile]) -> dict[str, str]:
    for path in _OS_RELEASE:
        file = files.get(path)
        if file and file.data is not None:
            lines = file.data.decode(errors="replace").splitlines()
            facts = [found for line in lines if (found := _FACT.fullmatch(line.strip()))]
            return {found[1]: _unquoted(found[2]) for found in facts}
    return {}


def _unquoted(text: str) -> str:
    """Source: os-release(5), which has the quotes of a shell."""
    try:
        return " ".join(shlex.split(text))
    except ValueError:
        return text
