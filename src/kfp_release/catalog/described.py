"""Components as a catalog describes them, from the files of a version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kfp_release.catalog.fit import fits
from kfp_release.catalog.model import CatalogComponent, CatalogEvent, CatalogInput, CatalogOutput
from kfp_release.component import ComponentFile
from kfp_release.config import Config
from kfp_release.interface import Port
from kfp_release.stub import UNREADABLE, Operator, default_value
from kfp_release.version import ReleaseVersion
from kfp_release.yaml_nodes import Table

_LONGEST = 500
"""Letters of a default."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a component is described from: its version, and what that pins and calls it."""

    version: ReleaseVersion
    config: Config
    pins: Sequence[str]
    """What the pinned file names; nothing where no release is known of."""
    snippet: str
    history: tuple[CatalogEvent, ...]
    is_gone: bool
    is_coming: bool


def takers(files: Iterable[ComponentFile]) -> Mapping[str, Sequence[Port]]:
    """What the components of a version can be given, by operator."""
    return {file.operator: Operator.of(file).inputs for file in files}


def described(file: ComponentFile, place: Place, taking: Mapping[str, Sequence[Port]]) -> CatalogComponent:
    """The component of `file`; its outputs may go to those inputs of `taking` that are not its own."""
    told = Operator.of(file)
    others = {operator: inputs for operator, inputs in taking.items() if operator != file.operator}
    return CatalogComponent(
        operator=file.operator,
        title=_title(file),
        description=file.description.strip(),
        file=file.name,
        image=_image(file, place.config),
        pins=tuple(place.pins or dict.fromkeys(image.value for image in file.images)),
        inputs=tuple(_input(port) for port in told.inputs),
        outputs=tuple(_output(port, others) for port in told.outputs),
        is_keyword_only=not told.has_order,
        snippet=place.snippet,
        version=place.version,
        is_gone=place.is_gone,
        history=place.history,
        is_coming=place.is_coming,
    )


def _title(file: ComponentFile) -> str:
    """v1's own name; a compiled one has that of its pipeline."""
    table: Table | None = file.root if file.kind == "v1" else file.root.table("pipelineInfo")
    return (table.text("name") if table else None) or file.stem


def _image(file: ComponentFile, config: Config) -> str:
    """The owned image's name; the image as the file has it where it is another's."""
    owned: Mapping[str, str] = {str(image.declared): image.name for image in config.images}
    names = [owned[image.repository] for image in file.images if image.repository in owned]
    return next(iter([*names, *(image.value for image in file.images)]), "")


def _input(port: Port) -> CatalogInput:
    return CatalogInput(
        name=port.name,
        parameter=port.kfp_name,
        type=port.plain_type,
        is_artifact=port.is_artifact,
        is_required=not port.is_optional,
        default=_default(port),
        description=port.description,
    )


def _default(port: Port) -> str:
    try:
        value = default_value(port)
    except UNREADABLE:
        return ""
    text = "" if value is None else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _output(port: Port, others: Mapping[str, Sequence[Port]]) -> CatalogOutput:
    found = [(operator, taker.kfp_name) for operator, inputs in others.items() for taker in inputs if fits(port, taker)]
    return CatalogOutput(
        name=port.name,
        attribute=port.kfp_name,
        type=port.plain_type,
        is_artifact=port.is_artifact,
        description=port.description,
        taken_by=tuple(sorted(found)),
    )
