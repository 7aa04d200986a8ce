"""One figure: the values of all its measurements, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Self

from bench.goals import GOALS, Goal, Held

MET, MISSED = "met", "missed"


@dataclass(frozen=True, slots=True)
class Values:
    """What a row measured of one figure, in the order of its pairs. `baseline` may be empty."""

    ours: tuple[float, ...]
    baseline: tuple[float, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if not self.ours:
            raise ValueError("a figure without a measurement")


@dataclass(frozen=True, slots=True)
class Figure:
    """A goal, and what was measured of it."""

    goal: Goal
    values: Values

    @property
    def ours(self) -> float:
        """The median."""
        return median(self.values.ours)

    @property
    def baseline(self) -> float | None:
        """The median; None where there is no baseline."""
        return median(self.values.baseline) if self.values.baseline else None

    @property
    def ratio(self) -> float | None:
        """Of the medians; None where there is no baseline, or it is zero."""
        return self.ours / self.baseline if self.baseline else None

    @property
    def ratios(self) -> tuple[float, float] | None:
        """The least and the most of the single pairs: how far the ratio spreads. None where there is but one pair."""
        pairs = zip(self.values.ours, self.values.baseline, strict=False)
        found = [ours / baseline for ours, baseline in pairs if baseline]
        return (min(found), max(found)) if len(found) > 1 else None

    @property
    def held(self) -> float | None:
        """What is held against the goal; None where it is only reported."""
        match self.goal.held:
            case Held.OURS:
                return self.ours
            case Held.RATIO:
                return self.ratio
            case _:
                return None

    @property
    def verdict(self) -> str:
        """`MET` or `MISSED`, or that it is only reported."""
        if self.goal.held is Held.NOTHING:
            return str(Held.NOTHING)
        return MET if self.held is not None and self.held <= self.goal.most else MISSED

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "name": self.goal.name,
            "title": self.goal.title,
            "unit": str(self.goal.unit),
            "goal": None if self.goal.held is Held.NOTHING else {"of": str(self.goal.held), "most": self.goal.most},
            "verdict": self.verdict,
            "ratio": self.ratio,
            "ratios of the pairs": self.ratios,
            "note": self.values.note,
            **{side: _side(values) for side, values in self._sides().items()},
        }

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> Self:
        """The figure that `to_json` gave. Raise `KeyError` for one that is no goal any more."""
        goal = next((goal for goal in GOALS if goal.name == item["name"]), None)
        if goal is None:
            raise KeyError(item["name"])
        baseline = tuple(item["baseline"]["values"]) if "baseline" in item else ()
        return cls(goal, Values(tuple(item["ours"]["values"]), baseline, item["note"]))

    def _sides(self) -> dict[str, Sequence[float]]:
        sides = {"ours": self.values.ours, "baseline": self.values.baseline}
        return {name: values for name, values in sides.items() if values}


def _side(values: Sequence[float]) -> dict[str, Any]:
    return {"median": median(values), "least": min(values), "most": max(values), "values": list(values)}
