"""Wheels and sdists of an index, read for their pins once: what has a sha256 never carries others."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace

from kfp_release.catalog.facts import Facts
from kfp_release.errors import ReleaseError
from kfp_release.index_page import IndexFile
from kfp_release.record import Pins
from kfp_release.release_file import ReleaseFile
from kfp_release.released_files import FileReader, PackageIndex, read_file
from kfp_release.version import ReleaseVersion

_FILES, _PINS = "files", "pins"


def kept_reader(facts: Facts) -> FileReader:
    """Reads files as `read_file`, but for those that were read before and had nothing wrong with them.

    A file whose sha256 the index does not tell is read each time.
    """

    def read(index: PackageIndex, file: IndexFile, *, project: str, version: ReleaseVersion) -> ReleaseFile:
        key = f"{file.sha256} {file.filename} {version}"
        if file.sha256 and (known := _known(facts, key, ReleaseFile(project, file.filename, file.sha256))):
            return known
        found = read_file(index, file, project=project, version=version)
        if file.sha256 and found.pins and not found.findings:
            text = found.pins.to_json().decode()
            pins = hashlib.sha256(text.encode()).hexdigest()
            facts.put(_PINS, pins, text)
            facts.put(_FILES, key, [pins, found.size])
        return found

    return read


def _known(facts: Facts, key: str, bare: ReleaseFile) -> ReleaseFile | None:
    with suppress(TypeError, ValueError, AttributeError, ReleaseError):
        pins, size = facts.get(_FILES, key)
        return replace(bare, pins=Pins.parse(facts.get(_PINS, pins).encode()), size=int(size))
    return None
