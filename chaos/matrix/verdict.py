"""Whether a release that met a fault ended as promised, and whether what is public then is right.

Pure: what a program said and what was found are given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from chaos.matrix.kind import Damaged
from kfp_release.digest import Digest

Outcome = Literal["completed", "refused", "bug"]
_BUG = ("Traceback (most recent call last)", "internal error")


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of the program: its exit code, its stderr, and how long it took."""

    code: int
    said: str
    seconds: float

    @property
    def outcome(self) -> Outcome:
        """`refused` is an error with a remedy; whatever is neither that nor success is a bug."""
        if any(words in self.said for words in _BUG):
            return "bug"
        if self.code == 0:
            return "completed"
        clear = self.code == 1 and "\nerror: " in f"\n{self.said}" and "\n  → " in self.said
        return "refused" if clear else "bug"

    @property
    def message(self) -> str:
        """The first line of its error; empty where there is none."""
        _, _, text = f"\n{self.said}".rpartition("\nerror: ")
        return text.splitlines()[0] if self.code and text else ""


@dataclass(frozen=True, slots=True)
class Content:
    """A version, as it is public or as it should be."""

    image: Digest | None
    """Where its tag is."""
    files: Mapping[str, bytes]
    """What the index has, by file name."""
    spoiled: Sequence[Digest] = field(default=())
    """Blobs of the image that have other bytes than their digest says, or none."""


def broken_end(ran: Ran, *, bound: float, secrets: Sequence[str]) -> Iterator[str]:
    """What is wrong with how it ended, a line each; `bound` are the seconds that it may take."""
    if ran.outcome == "bug":
        yield f"a bug, exit code {ran.code}: {ran.said}"
    if ran.seconds > bound:
        yield f"it took {ran.seconds:.1f} s of {bound:.1f}"
    if any(secret in ran.said for secret in secrets):
        yield "it tells a secret"


def wrong_content(found: Content, expected: Content, *, completed: bool, damaged: Damaged = "nothing") -> Iterator[str]:
    """What must not be public, a line each, wherever it ended: wrong content, or a file without its image.

    Where it `completed` all must be there. What the other side did on its own is no fault of the release that says so:
    `damaged` names who keeps other bytes than were sent; but a file without a whole image is one.
    """
    if found.image not in {None, expected.image}:
        yield f"wrong content: the tag is at {found.image}"
    if found.spoiled and (completed or found.files or damaged != "registry"):
        yield f"wrong content: the image has other bytes of {', '.join(map(str, found.spoiled))}"
    for name, data in found.files.items():
        if data != expected.files.get(name) and (completed or damaged != "index"):
            yield f"wrong content: the index has other bytes of {name}"
    if found.image is None and found.files:
        yield f"wrong content: {', '.join(sorted(found.files))} is public, its image is not"
    if completed:
        lacking = [name for name in expected.files if name not in found.files]
        lacking += ["its image"] if found.image is None else []
        if lacking:
            yield f"wrong content: it says that all is public, and {', '.join(lacking)} is not"
