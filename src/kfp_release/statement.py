"""In-toto statements: what is said, and of which files and images.

Source: in-toto Attestation Framework, spec/v1, statement.md and resource_descriptor.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.json_text import BadJson, read_json
from kfp_release.manifest import MAX_MANIFEST, canonical_json
from kfp_release.record_json import list_of, text_of
from kfp_release.terminal_text import one_line

STATEMENT: Final = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
MOST: Final = MAX_MANIFEST
"""Bytes of a statement: what ECR hands out as one piece."""


class BadStatement(ReleaseError):
    """Bytes that should have been a statement are none, or say something else than is asked for."""


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """What a statement is about: an image by its repository, or a file by its name."""

    name: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `predicate` is as it was read: whoever asks for its type reads it."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, Any]

    def to_bytes(self) -> bytes:
        """The same bytes for the same statement."""
        return canonical_json(
            {
                "_type": STATEMENT,
                "subject": [{"name": one.name, "digest": {"sha256": one.digest.hex}} for one in self.subjects],
                "predicateType": self.predicate_type,
                "predicate": self.predicate,
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raise `BadStatement` unless `data` is an in-toto statement of version 1, each subject with a sha256."""
        try:
            value = read_json(data, most=MOST)
            if value["_type"] != STATEMENT:
                raise BadStatement(f"its _type is {one_line(str(value['_type']), 80)!r}, and not {STATEMENT}")
            predicate = value["predicate"]
            if not isinstance(predicate, dict):
                raise BadStatement("its predicate is no object")
            subjects = tuple(
                Subject(text_of(one["name"]), Digest(text_of(one["digest"]["sha256"])))
                for one in list_of(value["subject"])
            )
            return cls(subjects, text_of(value["predicateType"]), predicate)
        except BadJson as error:
            raise BadStatement(f"it {error.args[0]}") from error
        except (KeyError, TypeError, AttributeError) as error:
            raise BadStatement(f"a part of it is missing or of another type: {one_line(str(error), 120)}") from error
