"""The parsers of what is installed in an image, and of SBOMs."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import BinaryIO

from chaos.hostile import archives as hostile_archives
from chaos.hostile.documents import DEMO, HEX, KEY, PIN, PINS
from chaos.hostile.parser import Parser
from chaos.hostile.values import chance, changed_bytes, changed_json, changed_text
from kfp_release.carried_pins import require_sbom_of
from kfp_release.cyclonedx_bom import BomImage, image_bom, runtime_bom, wheel_bom
from kfp_release.debian_package import debian_packages
from kfp_release.digest import Digest
from kfp_release.image_ref import ImageRef, Repository
from kfp_release.interpreter import DEFAULT_INTERPRETER
from kfp_release.inventory import FoundDistribution, Inventory
from kfp_release.manifest import OCI_LAYER_GZIP, Descriptor
from kfp_release.python_distribution import python_distribution
from kfp_release.record import Pins
from kfp_release.referrer import Referrer
from kfp_release.sbom import Sbom, is_marked

STATUS = """\
Package: base-files
Status: install ok installed
Architecture: amd64
Version: 12.4+deb12u15
Conffiles:
 /etc/issue f8ac
Description: files
 many of them
 .
 and more

Package: bash
Status: install ok installed
Source: bash (5.2.15-2)
Architecture: amd64
Version: 5.2.15-2+b13

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1:2-3
"""
METADATA = """\
Metadata-Version: 2.4
Name: numpy
Version: 2.1.0
License-Expression: BSD-3-Clause AND MIT
Requires-Dist: six>=1.5; python_version < "3.13"
Requires-Dist: pandas<4,>=3; extra == "image"

# numpy
"""
LAYER = {
    "./var/lib/dpkg/status": STATUS.encode(),
    "var/lib/dpkg/status.d/tzdata": b"Package: tzdata\nArchitecture: all\nVersion: 2025b\n",
    "etc/os-release": b'ID=debian\nVERSION_ID="12"\n',
    "opt/app/lib/python3.12/site-packages/numpy-2.1.0.dist-info/METADATA": METADATA.encode(),
    "usr/lib/python3/dist-packages/six-1.16.0.egg-info": b"Metadata-Version: 1.1\nName: six\nVersion: 1.16.0\n",
}
_SUBJECT = BomImage(Repository.parse(DEMO), Digest(HEX), "linux/amd64", 0, {"kfp-release": "1"})
_RELEASED = BomImage(Repository.parse(DEMO), Digest(HEX), "linux/amd64", 0, {}, "1.2", KEY)
_WORDS = (
    *("\n\n", ":", "Package: ", "Version: ", "Status: ", "Source: a (", "Requires-Dist: a;", " \n", "\n ", "installed"),
    *("License: ", "Name: ", "(", ")", "; extra == '", "and", "python_version", "\x85", "=?utf-8?q?a?=", "GPL-2.0 OR"),
)
_WHITEOUTS = (".wh.status", ".wh..wh..opq", "var/lib/.wh.dpkg", "opt", "opt/app/.wh.lib", "var/lib/dpkg/.wh..wh..opq")


@dataclass(frozen=True)
class _Layer:
    data: bytes

    @property
    def descriptor(self) -> Descriptor:
        return Descriptor(OCI_LAYER_GZIP, Digest.of(self.data), len(self.data))

    def open(self) -> BinaryIO:
        return io.BytesIO(self.data)


def _layers(random: Random) -> list[bytes]:
    files: Mapping[str, bytes] = {
        **LAYER,
        "var/lib/dpkg/status": changed_text(random, STATUS, _WORDS).encode(errors="surrogatepass"),
    }
    above = {random.choice(_WHITEOUTS): b"", **dict(random.sample(list(LAYER.items()), 2))}
    sound = hostile_archives.sdist_of
    return [hostile_archives.sdist(random, files) if chance(random, 60) else sound(files), sound(above)]


def _inventory(layers: list[bytes]) -> Inventory:
    return Inventory.of([_Layer(data) for data in layers])


def _listed(layers: list[bytes]) -> object:
    sbom = runtime_bom(_SUBJECT, _inventory(layers))
    assert sbom == runtime_bom(_SUBJECT, _inventory(layers))
    return sbom.listed


def _sbom(random: Random) -> bytes:
    return changed_json(random, _RUNTIME.data.decode(), most=random.choice((1, 3)))


def _read_sbom(data: bytes) -> object:
    marked = is_marked(data)
    sbom = Sbom.parse(data)
    assert sbom.agrees(data)
    assert marked == bool(sbom.part)
    whole = image_bom(_RELEASED, sbom, _PACKAGE, interpreter=DEFAULT_INTERPRETER, extra="image")
    return sbom.listed, whole.listed, sbom.link


def _packages(data: bytes) -> object:
    return debian_packages(data)


def _metadata(data: bytes) -> object:
    package = python_distribution(data)
    refs = Pins.parse(json.dumps(PINS).encode()).images
    sbom = wheel_bom(package, refs, commit="c" * 40, created=0)
    return package.required(python="3.12", machine="x86_64", extra="image"), sbom.listed


def _referrer(data: bytes) -> object:
    referrer = Referrer.parse(data)
    return referrer.blob.size, str(referrer.subject.digest)


def _carried(data: bytes) -> object:
    return require_sbom_of(Pins.parse(json.dumps(PINS).encode()), data)


_RUNTIME = runtime_bom(_SUBJECT, _inventory([hostile_archives.sdist_of(LAYER)]))
_PACKAGE = FoundDistribution(
    python_distribution(METADATA.encode()), "/opt/package/lib/numpy-2.1.0.dist-info/METADATA", 2
)
_BLOB = Descriptor(OCI_LAYER_GZIP, Digest(HEX), 5)
_REFERRER = Referrer.of("application/vnd.cyclonedx+json", _BLOB, _BLOB, {"a": "b"})
_OF_WHEEL = wheel_bom(
    python_distribution(b"Name: some-components\nVersion: 1.2\n"), (), commit=str(PINS["commit"]), created=0
)
assert ImageRef.parse(PIN).digest == _SUBJECT.digest

PARSERS = {
    "layers": Parser(
        (*("inventory.Inventory.of", "layered_files.layered_files", "tar_header.bounded_headers"),),
        _layers,
        _listed,
    ),
    "SBOM": Parser(("sbom.Sbom.parse", "sbom.is_marked"), _sbom, _read_sbom),
    "referrer": Parser(
        ("referrer.Referrer.parse",),
        lambda random: changed_json(random, _REFERRER.manifest.data.decode()),
        _referrer,
    ),
    "status of dpkg": Parser(
        ("debian_package.debian_packages",),
        lambda random: changed_text(random, STATUS, _WORDS).encode(errors="surrogatepass"),
        _packages,
    ),
    "METADATA": Parser(
        ("python_distribution.python_distribution",),
        lambda random: changed_bytes(
            random, changed_text(random, METADATA, _WORDS).encode(errors="surrogatepass"), most=random.choice((0, 2))
        ),
        _metadata,
    ),
    "SBOM that is carried": Parser(
        ("carried_pins.require_sbom_of",),
        lambda random: changed_json(random, _OF_WHEEL.data.decode(), most=1),
        _carried,
    ),
}
