"""All that one run found: results.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bench.figure import MISSED, Figure, Values
from bench.goals import GOALS
from kfp_release.errors import ReleaseError

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Results:
    """Of one run. `measured` has the values by the figure's name, `seconds` what each row took."""

    commit: str
    when: str
    machine: Mapping[str, str]
    seconds: Mapping[str, float]
    measured: Mapping[str, Values]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """In the order of the goals."""
        return tuple(Figure(goal, self.measured[goal.name]) for goal in GOALS if goal.name in self.measured)

    @property
    def pairs(self) -> Mapping[str, int]:
        """How many measurements each row has of a figure, by the row's name. Few figures have fewer than their row."""
        counts: dict[str, int] = {}
        for figure in self.figures:
            row = figure.goal.row
            counts[row] = max(counts.get(row, 0), len(figure.values.ours))
        return counts

    @property
    def missed(self) -> tuple[Figure, ...]:
        """Those that do not come to their goal."""
        return tuple(figure for figure in self.figures if figure.verdict == MISSED)

    def write(self, path: Path) -> None:
        """Write results.json."""
        value = {
            "schema": SCHEMA,
            "commit": self.commit,
            "when": self.when,
            "machine": dict(self.machine),
            "seconds": {name: round(seconds, 1) for name, seconds in self.seconds.items()},
            "figures": [figure.to_json() for figure in self.figures],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """What `write` wrote. Raise `ReleaseError` where there is none, or it is of another version of this."""
        try:
            value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if value["schema"] != SCHEMA:
                raise KeyError("schema")
            figures = [Figure.read(item) for item in value["figures"]]
            measured = {figure.goal.name: figure.values for figure in figures}
            return cls(value["commit"], value["when"], value["machine"], value["seconds"], measured)
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise ReleaseError(f"{path} has no results of this bench ({error!r})", remedy="make bench") from error
