"""What is measured, and what it should come to: the list that the table, the plot and the verdicts follow."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Unit(StrEnum):
    """Of a figure's values."""

    SECONDS = "s"
    MILLISECONDS = "ms"
    MICROSECONDS = "µs"
    BYTES = "bytes"
    MIB = "MiB"
    SECONDS_PER_GB = "CPU s/GB"
    COUNT = ""


class Held(StrEnum):
    """What is held against the goal."""

    OURS = "ours"
    RATIO = "ours / baseline"
    NOTHING = "reported"


@dataclass(frozen=True, slots=True)
class Goal:
    """One figure: the row that measures it, what it is, and the most that it may be."""

    name: str
    """``ROW.FIGURE``"""
    title: str
    unit: Unit
    held: Held = Held.NOTHING
    most: float = 0.0

    @property
    def row(self) -> str:
        """Which of `ROWS` measures it."""
        return self.name.partition(".")[0]


ROWS: Final = {
    "first": "first release, runtime and all, everything cold",
    "fresh": "code-only releases on a fresh machine without any cache, and what a node pulls of them",
    "warm": "code-only releases on a machine that has released before",
    "rerun": "the command of a finished release, once more",
    "container": "a component program inside the image",
    "push": "400 MB in 6 layers, beside skopeo",
    "memory": "one layer of 4 GiB, one of 400 MB",
    "pin": "1,000 and 10,000 component files, beside sed",
    "operators": "a package with 1,000 components, beside one that loads them all",
    "commands": "commands that only look at this repository",
    "scale": "1,000 component files and 5 images, one of them changed",
}
"""Each is the module ``bench.rows.NAME``, whose ``run(stage: Stage)`` gives the values of its figures."""

KIB, MIB = 1024, 1024 * 1024
TOLERANCE: Final = 1.05
"""How far two figures that should be equal may be apart."""
LINEAR: Final = 1.1
"""How much more a file may cost among 10,000 than among 1,000."""

_FRESH = "code-only release, fresh machine, no cache"

GOALS: Final = (
    Goal("fresh.bytes", f"{_FRESH}: bytes uploaded", Unit.BYTES, Held.OURS, 64 * KIB),
    Goal("fresh.registry", f"{_FRESH}: of them, to the registry", Unit.BYTES, Held.OURS, 64 * KIB),
    Goal("fresh.index", f"{_FRESH}: of them, to the index", Unit.BYTES),
    Goal("fresh.wire", f"{_FRESH}: bodies of the calls to ECR", Unit.BYTES),
    Goal("fresh.seconds", f"{_FRESH}: tag to verified", Unit.SECONDS, Held.RATIO, 0.08),
    Goal("warm.seconds", "code-only release, warm machine: tag to verified", Unit.SECONDS, Held.RATIO, 0.35),
    Goal("warm.bytes", "code-only release, warm machine: bytes uploaded", Unit.BYTES),
    Goal("first.seconds", "first release, everything cold: tag to verified", Unit.SECONDS, Held.RATIO, 0.6),
    Goal("first.bytes", "first release, everything cold: bytes uploaded", Unit.BYTES),
    Goal("rerun.seconds", "re-run of a finished release", Unit.SECONDS, Held.OURS, 2.0),
    Goal("rerun.layers", "re-run of a finished release: bytes of layers", Unit.BYTES, Held.OURS, 0),
    Goal("fresh.pull", "bytes that a node with the previous version pulls", Unit.BYTES, Held.OURS, 64 * KIB),
    Goal("push.cpu", "push of 400 MB in 6 layers, baseline is skopeo", Unit.SECONDS_PER_GB),
    Goal("push.seconds", "push of 400 MB in 6 layers, baseline is skopeo: wall", Unit.SECONDS),
    Goal("memory.large", "peak memory of a push with a 4 GiB layer", Unit.MIB, Held.OURS, 256),
    Goal("memory.growth", "peak memory with a 4 GiB layer, baseline is one of 400 MB", Unit.MIB, Held.RATIO, TOLERANCE),
    Goal("pin.thousand", "pin 1,000 component files: CPU", Unit.MILLISECONDS, Held.OURS, 150),
    Goal("pin.process", "pin 1,000 component files, whole process, baseline is sed: CPU", Unit.MILLISECONDS),
    Goal("pin.linear", "CPU a file of 10,000, baseline is of 1,000", Unit.MICROSECONDS, Held.RATIO, LINEAR),
    Goal("operators.import", "import of 1,000 operators, over bare Python: CPU", Unit.MILLISECONDS, Held.OURS, 10),
    Goal("operators.kfp", "modules of kfp that this import brings", Unit.COUNT, Held.OURS, 0),
    Goal("operators.first", "first operator used, over import kfp: CPU", Unit.MILLISECONDS, Held.OURS, 10),
    Goal("container.cpu", "start of multiply in the image: CPU", Unit.MILLISECONDS, Held.OURS, 60),
    Goal("commands.help", "kfp-release --help", Unit.MILLISECONDS, Held.OURS, 150),
    Goal("commands.check", "kfp-release check of this repository", Unit.MILLISECONDS, Held.OURS, 1000),
    Goal("scale.seconds", "1,000 components, 5 images, one changed: release", Unit.SECONDS),
    Goal("scale.bytes", "1,000 components, 5 images, one changed: to the registry", Unit.BYTES),
    Goal("scale.first", "1,000 components, 5 images, all of them new: release", Unit.SECONDS),
)
