"""Which input takes which output, as kfp has it: kfp 2.17, kfp.dsl.types.type_utils.verify_type_compatibility."""

from __future__ import annotations

from kfp_release.interface import Port
from kfp_release.stub_types import schema_title, schema_version

_ANY = "system.Artifact"


def fits(output: Port, taker: Port) -> bool:
    """Whether the input `taker` takes `output`: parameters of one type, artifacts by their kind."""
    if output.is_artifact != taker.is_artifact:
        return False
    if not output.is_artifact:
        return output.plain_type == taker.plain_type
    if output.is_list != taker.is_list:
        return False
    kinds = schema_title(output), schema_title(taker)
    return _ANY in kinds or (kinds[0] == kinds[1] and _major(output) == _major(taker))


def _major(port: Port) -> str:
    return schema_version(port).partition(".")[0]
