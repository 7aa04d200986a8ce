"""What all parts found: results.json, and one line of figures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos.stage import Result

_SHOWN = 4
"""Figures of a part that the line has; results.json has all."""

_MOST = 1200.0
"""Seconds that all parts may take together."""


@dataclass(frozen=True, slots=True)
class Results:
    """Of one run. `parts` has each part's seconds and what it found, by its name."""

    seed: int
    commit: str
    short: bool
    parts: Mapping[str, tuple[float, Result]]

    @property
    def broken(self) -> list[str]:
        """Every promise that was not kept, a line each."""
        late = [] if self.short or self.seconds <= _MOST else [f"all took {self.seconds:.0f} s, more than {_MOST:.0f}"]
        return [*(f"{name}: {line}" for name, (_, result) in self.parts.items() for line in result.broken), *late]

    @property
    def seconds(self) -> float:
        """Of all parts."""
        return sum(seconds for seconds, _ in self.parts.values())

    @property
    def line(self) -> str:
        """The figures of all parts in one line."""
        end = f"{len(self.broken)} promises broken, seed {self.seed}, {self.seconds:.0f} s"
        return "; ".join([*(f"{name}: {', '.join(_shown(one))}" for name, (_, one) in self.parts.items()), end])

    def write(self, path: Path) -> None:
        """Write results.json."""
        path.write_text(json.dumps(self.to_json(), indent=1, default=str) + "\n", encoding="utf-8")

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        parts = {
            name: {
                "seconds": round(seconds, 1),
                "figures": dict(result.figures),
                "broken": list(result.broken),
                "rows": [dict(row) for row in result.rows],
            }
            for name, (seconds, result) in self.parts.items()
        }
        return {
            "seed": self.seed,
            "commit": self.commit,
            "short": self.short,
            "broken": self.broken,
            "parts": parts,
        }


def _shown(result: Result) -> Iterator[str]:
    """The first figures that are numbers."""
    numbers = [(name, value) for name, value in result.figures.items() if isinstance(value, int | float)]
    yield from (f"{value} {name}" for name, value in numbers[:_SHOWN])
    if not numbers:
        yield "no figures"
