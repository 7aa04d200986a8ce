"""The committed copy of a run: its picture in docs, its table in the pages that show it."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

from bench.goals import GOALS
from bench.plot import draw
from bench.results import Results
from bench.table import markdown, short
from kfp_release.errors import ReleaseError

RESULTS, TABLE, PLOT = "results.json", "table.md", "bench.png"
"""What a run leaves in its folder."""
PAGES: Final = {"README.md": short, "docs/performance.md": markdown}
"""Each has the table between two comments."""
_PLACE: Final = re.compile(r"(<!-- bench: begin -->\n).*?(<!-- bench: end -->)", re.DOTALL)


def publish(out: Path, project: Path) -> None:
    """Write what the last run left in `out` into the pages of `project`. Raise `ReleaseError` where there is none."""
    results = Results.read(out / RESULTS)
    if lacking := [goal.title for goal in GOALS if goal.name not in results.measured]:
        raise ReleaseError(
            f"the run in {out} is not whole: it has no {lacking[0]}", remedy="run make bench, and publish that"
        )
    pages: dict[Path, str] = {}
    for name, written in PAGES.items():
        text = (project / name).read_text(encoding="utf-8")
        block = f"{written(results)}\n{origin(results)}\n"
        changed, count = _PLACE.subn(lambda found, block=block: f"{found[1]}{block}{found[2]}", text)  # type: ignore[misc]
        if count != 1:
            raise ReleaseError(f"{name} has no place for the table", remedy="put <!-- bench: begin --> and end there")
        pages[project / name] = changed
    draw(results, project / "docs" / PLOT)
    for page, text in pages.items():
        page.write_text(text, encoding="utf-8")


def origin(results: Results) -> str:
    """What was measured, when, and on what: one paragraph."""
    facts = results.machine
    programs = ", ".join(
        f"{name} {facts[name]}" for name in ("docker", "buildah", "skopeo", "python") if facts.get(name)
    )
    minutes = sum(results.seconds.values()) / 60
    return (
        f"{_measurements(results.pairs.values())} in one run of {minutes:.0f} minutes, "
        f"{results.when}, commit {results.commit[:12]}{results.commit[40:]}: "
        f"{facts['cores']} cores ({facts['processor']}), {facts['memory']}, {facts['system']}, {programs}."
    )


def _measurements(counts: Collection[int]) -> str:
    """Of how many the medians are, from the number of each row: the slow rows are those that have the fewest."""
    fewest, most = min(counts), max(counts)
    if most == 1:
        return "One measurement a row"
    usual = min((count for count in counts if count > fewest), default=fewest)
    more = " or more" if most > usual else ""
    slow = f" ({fewest} for the slow rows)" if usual > fewest else ""
    return f"Medians of {usual}{more} measurements{slow}"
