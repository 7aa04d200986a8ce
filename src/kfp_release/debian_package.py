"""Debian packages, as dpkg's status has them. Source: deb-control(5), dpkg-query(1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from typing import Final

_STANZAS = re.compile(r"\n[ \t]*\n")
_INSTALLED: Final = "installed"
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]{0,199}", re.ASCII)
_VERSION = re.compile(r"[A-Za-z0-9.+~:-]{1,200}", re.ASCII)
_WORD = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
_SOURCE = re.compile(r"(\S+)(?: \(([^()\s]+)\))?")


@dataclass(frozen=True, slots=True, order=True)
class DebianPackage:
    """One package that is installed."""

    name: str
    version: str
    architecture: str
    source: str
    """Its source package's name; its own where dpkg tells of no other."""
    source_version: str


def debian_packages(status: bytes) -> tuple[DebianPackage, ...]:
    """The packages that a status of dpkg tells to be installed, sorted; what is no such stanza is passed over.

    A stanza without a status counts: images without dpkg have those (``/var/lib/dpkg/status.d``).
    """
    stanzas = _STANZAS.split(status.decode(errors="replace").replace("\r\n", "\n").strip())
    return tuple(sorted({package for stanza in stanzas for package in _package(stanza.lstrip("\n"))}))


def _package(stanza: str) -> Iterator[DebianPackage]:
    fields = HeaderParser().parsestr(stanza)
    name, version, architecture = (str(fields.get(key, "")).strip() for key in ("Package", "Version", "Architecture"))
    status = str(fields.get("Status", _INSTALLED)).split()
    sound = _NAME.fullmatch(name) and _VERSION.fullmatch(version) and _WORD.fullmatch(architecture)
    if not sound or status[-1:] != [_INSTALLED]:
        return
    of = _SOURCE.fullmatch(str(fields.get("Source", "")).strip())
    source, source_version = (of[1], of[2] or version) if of else (name, version)
    if not _NAME.fullmatch(source) or not _VERSION.fullmatch(source_version):
        source, source_version = name, version
    yield DebianPackage(name, version, architecture, source, source_version)
