"""Writing exact images into component files, at the image's value and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kfp_release.component import ComponentFile, ImageText
from kfp_release.errors import Problem, Problems, ReleaseError

_PIN = re.compile(r"[\w\[][\w.:/@\[\]-]*", re.ASCII)
_NEEDS_QUOTES = re.compile(r"[\[\]]")


def pin(file: ComponentFile, pins: Mapping[str, str]) -> bytes:
    """The file's bytes with each owned image replaced by its pin; every other byte stays.

    `pins` maps a declared repository to ``repository:tag@sha256:…`` (or ``repository:tag``). An image of no declared
    repository is left alone, and so is one that carries its pin already.

    Raise `Problems` where owned images carry another tag or digest, all of them at once.
    """
    changed = [image for image in file.images if image.value != pins.get(image.repository, image.value)]
    problems = [_carries(file, image, pins[image.repository]) for image in changed if image.value != image.repository]
    if problems:
        raise Problems(problems)
    if not changed:
        return file.text.encode()
    parts: list[str] = []
    done = 0
    for image in changed:
        parts += (file.text[done : image.start], _written(pins[image.repository], image))
        done = image.end
    pinned = "".join([*parts, file.text[done:]]).encode()
    if any(file.text[image.start : image.end] != image.value for image in changed):
        # Written with escapes or as an alias: what stood there was not the value itself.
        _verify(file, pins, pinned)
    return pinned


def _written(text: str, image: ImageText) -> str:
    if not _PIN.fullmatch(text):
        raise ReleaseError(f"{text[:200]!r} cannot be a pin: it names no image", remedy="write repository:tag@sha256:…")
    # An IPv6 host begins with a bracket, which YAML would take for a list.
    return f"'{text}'" if image.is_bare and _NEEDS_QUOTES.search(text) else text


def _carries(file: ComponentFile, image: ImageText, wanted: str) -> Problem:
    extra = image.value.removeprefix(image.repository)
    return Problem(
        file.name,
        image.line,
        f"owned image {image.repository} carries {extra[:160]}, and this release's pin is {wanted}",
        f"write the image by its repository alone: {image.repository}",
    )


def _verify(file: ComponentFile, pins: Mapping[str, str], pinned: bytes) -> None:
    """Read the result back: a wheel with a wrong image in it must never be built."""
    wanted = [pins.get(image.repository, image.value) for image in file.images]
    found = [image.value for image in ComponentFile.parse(file.name, pinned).images]
    if found != wanted:
        raise ReleaseError(
            f"{file.name}: after pinning it names {found}, and should name {wanted}",
            remedy="write the image on one line, without quotes, and report the file",
        )
