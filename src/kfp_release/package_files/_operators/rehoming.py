"""The same pipeline with its package's images on another registry."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from .image_name import BadRegistry, ImageName, Registry, path_of
from .owned import Owned
from .pipeline import BadPipeline, Pipeline

_OTHER = "name another file with --output"


class Rehomed(NamedTuple):
    """What became of a pipeline."""

    text: str
    moved: Mapping[str, str]
    """Each image that has another registry now, and how it is named there."""
    stayed: Sequence[str]
    """Those that were there already."""
    left: Sequence[str]
    """Those of others."""

    def told(self, output: str, registry: Registry) -> Iterator[str]:
        """What was done, a line each."""
        stayed = f"; {len(self.stayed)} already there" if self.stayed else ""
        yield f"{output}: {len(self.moved)} image{'s' * (len(self.moved) != 1)} moved to {registry}{stayed}"
        yield from (f"left as it is, an image of others: {image}" for image in self.left)


def rehome(file: str, pipeline: Pipeline, owned: Owned, registry: Registry) -> Rehomed:
    """The text of `pipeline`, which is that of `file`, with the images of the package on `registry`.

    Raise `BadPipeline` where it has none, where one has no digest to keep, or one cannot be changed alone.
    """
    images = {str(image): ImageName.parse(image) for image in pipeline.images}
    homes = {text: home for text, image in images.items() if (home := owned.home(image)) is not None}
    if not homes:
        raise BadPipeline(
            f"{file}: no image in it is of {' or '.join(owned.repositories) or 'the package'}",
            remedy="nothing is to be moved: use it as it is, or install the package that it was made with",
        )
    if loose := [text for text in homes if not images[text].digest]:
        raise BadPipeline(
            f"{file}: without a digest there is nothing to keep: {', '.join(text[:200] for text in loose)}",
            remedy="compile it with a released version of the package",
        )
    try:
        there = {text: images[text].at(registry.repository(path_of(home))) for text, home in homes.items()}
    except BadRegistry as error:
        raise BadPipeline(f"{file}: {error}", remedy="name a registry with a shorter prefix") from error
    moved = {text: new for text, new in there.items() if new != text}
    return Rehomed(
        pipeline.with_images(file, moved),
        moved,
        [text for text in homes if text not in moved],
        [text for text in images if text not in homes],
    )


def rehomed_json(rehomed: Rehomed, output: str, registry: object, *, is_new: bool) -> dict[str, Any]:
    """Everything in full. `is_new` is what `write_rehomed` gave."""
    return {
        "output": output,
        "registry": str(registry),
        "written": is_new,
        "moved": dict(rehomed.moved),
        "stayed": list(rehomed.stayed),
        "left": list(rehomed.left),
    }


def default_output(path: Path) -> Path:
    """Where it is written unless a name is given: ``pipeline.rehomed.yaml`` beside ``pipeline.yaml``."""
    return path.with_name(f"{path.stem}.rehomed{path.suffix or '.yaml'}")


def write_rehomed(source: Path, output: Path, text: str, *, force: bool = False) -> bool:
    """Write it, whole or not at all; whether that changed anything.

    A link stays one: what it leads to is written. Raise `BadPipeline` where `output` is `source`, no plain file, or
    holds something else and `force` does not say to replace it.
    """
    data = text.encode()
    try:
        if output.exists():
            if not output.is_file():
                raise BadPipeline(f"{output} cannot be written: it is no plain file", remedy=_OTHER)
            if output.read_bytes() == data:
                return False
            if output.samefile(source):
                raise BadPipeline(f"{output} is the pipeline itself, which stays as it is", remedy=_OTHER)
            if not force:
                raise BadPipeline(f"{output} is there, and is another", remedy=f"{_OTHER}, or replace it with --force")
        _write(Path(os.path.realpath(output)), data)
    except OSError as error:
        raise BadPipeline(f"{output} cannot be written: {error.strerror}", remedy=_OTHER) from error
    return True


def _write(output: Path, data: bytes) -> None:
    draft = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        draft.write_bytes(data)
        draft.replace(output)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
