"""The committed copy of a run: its picture in docs, its table in the pages that show it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

from bench.goals import GOALS
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
    for name, written in PAGES.items():
        page = project / name
        text = page.read_text(encoding="utf-8")
        block = f"{written(results)}\n{origin(results)}\n"
        changed, count = _PLACE.subn(lambda found, block=block: f"{found[1]}{block}{found[2]}", text)  # type: ignore[misc]
        if count != 1:
            raise ReleaseError(f"{name} has no place for the table", remedy="put <!-- bench: begin --> and end there")
        page.write_text(changed, encoding="utf-8")
    shutil.copyfile(out / PLOT, project / "docs" / PLOT)


def origin(results: Results) -> str:
    """What was measured, when, and on what: one paragraph."""
    facts = results.machine
    programs = ", ".join(
        f"{name} {facts[name]}" for name in ("docker", "buildah", "skopeo", "python") if facts.get(name)
    )
    minutes = sum(results.seconds.values()) / 60
    counts = [len(values.ours) for values in results.measured.values()]
    return (
        f"Medians of {min(counts)} to {max(counts)} measurements in one run of {minutes:.0f} minutes, "
        f"{results.when}, commit {results.commit[:12]}{results.commit[40:]}: "
        f"{facts['cores']} cores ({facts['processor']}), {facts['memory']}, {facts['system']}, {programs}."
    )
