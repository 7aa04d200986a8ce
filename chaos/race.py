"""Two releases of one tag at once: what they are, how they end, and whether one content won as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos.attempt import error_in
from chaos.lanes import Lanes
from chaos.machine import Machine
from chaos.meeting import Meeting
from chaos.outside import pins_in
from chaos.project import IMAGES, NAME, make_one
from chaos.universe import Universe
from chaos.wires import Wires

_PATIENCE = 120.0
"""Seconds after which two releases are deadlocked."""


@dataclass(frozen=True, slots=True)
class Side:
    """How one release ended; `code` is None where it did not."""

    code: int | None
    said: str
    record: bytes
    """Its release.json; empty where it did not come so far."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One version, the images that each side configures in its order, and where the two meet."""

    version: str
    images: tuple[tuple[str, ...], tuple[str, ...]]
    runtime: str
    """What is in the runtimes, of both."""
    place: str
    late: tuple[float, float]
    """Seconds by which each goes on after they have met."""
    same: bool
    """Whether both are of one commit."""

    def __str__(self) -> str:
        images = " and ".join("+".join(side) for side in self.images)
        return f"{self.version} of {images}, {'the same' if self.same else 'other'} content, met at {self.place}"

    def race(self, folder: Path, universe: Universe, lanes: Lanes) -> tuple[list[Side], bool]:
        """Release both sides at once, in `folder`; and whether they met."""
        meeting = Meeting(self.place, self.late)
        sources = [folder / "source-0", folder / ("source-0" if self.same else "source-1")]
        for number in range(1 if self.same else 2):
            content, images = f"side {number}", self.images[number]
            make_one(sources[number], self.version, content=content, runtime=self.runtime, images=images)

        def release(number: int, wires: Wires) -> Side:
            environ = universe.environ | wires.environ
            machine = Machine(folder / f"machine-{number}", sources[number], f"v{self.version}", environ)
            attempt = machine.release()
            wires.begin(meeting.of(number, attempt))
            try:
                code = attempt.end(_PATIENCE)
            except TimeoutError:
                code = None
            meeting.end()
            wires.begin()
            return Side(code, attempt.said, machine.record)

        return lanes.each(release, [0, 1]), meeting.met

    def problems(self, sides: Sequence[Side], universe: Universe) -> Iterator[str]:
        """The promises that were not kept, a line each."""
        codes = [side.code for side in sides]
        if None in codes:
            yield f"a release did not end within {_PATIENCE:.0f} s"
        elif sorted(map(str, codes)) != (["0", "0"] if self.same else ["0", "1"]):
            yield f"exit codes {codes}: " + " | ".join(side.said[-1500:] for side in sides)
        else:
            winner = json.loads(sides[codes.index(0)].record)
            won = _contents(winner)
            yield from self._other(won, winner["commit"], universe)
            for loser in [side for side in sides if side.code]:
                if not _tells_both(loser, won):
                    yield f"the loser's error lacks a content, or what to do: {loser.said[-1500:]}"
                if "Traceback" in loser.said or "internal error" in loser.said:
                    yield f"the loser ended in an error of its own: {loser.said[-1500:]}"

    def _other(self, won: Mapping[str, str], commit: str, universe: Universe) -> Iterator[str]:
        """What is public under the version that is not of the winner, or is of it and missing."""
        everything = universe.everything([f"team/{image}" for image in IMAGES])
        beginning = f"{NAME.replace('-', '_')}-{self.version}"
        mine = {
            name: content
            for name, content in everything.items()
            if name.endswith(f":{self.version}") or name.startswith((f"{beginning}-", f"{beginning}.t"))
        }
        for name in sorted(won.keys() | mine.keys()):
            if won.get(name) != mine.get(name):
                yield f"{name} is {mine.get(name)}, and the winner's is {won.get(name)}"
        for name, data in universe.outside().contents().items():
            if name in won and (seen := pins_in(name, data)["commit"]) != commit:
                yield f"{name} is pinned for commit {seen}, the winner's is {commit}"


def _tells_both(loser: Side, won: Mapping[str, str]) -> bool:
    """Whether its error has the content of one image or file by the winner, and its own of the same, and a remedy.

    Its progress does not count: it shows digests of other things.
    """
    error, lost = error_in(loser.said), _contents(json.loads(loser.record)) if loser.record else {}
    both = [name for name in won.keys() & lost.keys() if won[name] != lost[name]]
    return "→" in error and any(won[name] in error and lost[name] in error for name in both)


def _contents(record: Mapping[str, Any]) -> dict[str, str]:
    """What a release.json says is public: digests by ``repository:tag``, sha256 by file name."""
    pins = [image["pin"].partition("/")[2] for image in record["images"].values()]
    images = dict(pin.split("@") for pin in pins)
    return images | {item["filename"]: item["sha256"] for item in record["distributions"]}
