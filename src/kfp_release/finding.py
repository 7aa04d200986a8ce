"""One thing that a public version lacks, or that disagrees with another: in a word, and in a line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from kfp_release.errors import ReleaseError
from kfp_release.terminal_text import one_line


class Kind(StrEnum):
    """What it is. The words are for people and for programs."""

    IMAGE_MISSING = "image missing"
    IMAGE_TAG_MISSING = "image tag missing"
    WHEEL_MISSING = "wheel missing"
    SDIST_MISSING = "sdist missing"
    IMAGE_ARCHIVED = "image archived"
    IMAGE_TAG_MOVED = "image tag moved"
    OTHER_IMAGE = "other image"
    OTHER_COMMIT = "other commit"
    LAYERS_MISSING = "layers missing"
    FILE_CHANGED = "file changed"
    FILE_GONE = "file gone"
    FILE_YANKED = "file yanked"
    SEVERAL_FILES = "several files"
    OTHER_PINS = "other pins"
    NO_GIT_TAG = "no git tag"
    EQUAL_TAGS = "equal tags"
    REPOSITORY_NOT_ASKED = "repository not asked"


MISSING = frozenset({Kind.IMAGE_MISSING, Kind.IMAGE_TAG_MISSING, Kind.WHEEL_MISSING, Kind.SDIST_MISSING})
"""What a release run again would add; all others would have to be overwritten, or taken back by whoever did it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One of them. `what` is the image's name, or that of the project or file."""

    kind: Kind
    what: str
    text: str
    """One line, which names what it is about, and the values seen."""
    remedy: str = ""

    @classmethod
    def of(cls, kind: Kind, what: str, error: ReleaseError) -> Self:
        """What an error tells; its remedy is for whoever makes such a thing, and this one is public."""
        return cls(kind, what, f"{what}: {one_line(str(error.args[0]))}")

    @property
    def is_missing(self) -> bool:
        """Whether something is not there, and nothing is otherwise than it should be."""
        return self.kind in MISSING

    def to_json(self) -> dict[str, str]:
        """For ``--json``."""
        return {"kind": self.kind.value, "what": self.what, "message": self.text, "remedy": self.remedy}
