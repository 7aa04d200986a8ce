"""What is completed, what is refused, and what is left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kfp_release.finding import Finding, Kind
from kfp_release.progress import Progress, Silent
from kfp_release.reconcile import Deed, Reconciled, Reconciler
from kfp_release.runtimes import BuildOptions
from kfp_release.status_row import StatusRow
from kfp_release.version import ReleaseVersion

MISSING = Finding(Kind.WHEEL_MISSING, "parts", "parts: the index has no wheel")
MOVED = Finding(Kind.IMAGE_TAG_MOVED, "demo", "demo: the tag is elsewhere", "put it back")


def row(version: str, *findings: Finding, withdrawn: str = "") -> StatusRow:
    return StatusRow(ReleaseVersion.parse(version), "c" * 40, withdrawn, "parts", (), (), findings)


def reconciled(
    tmp_path: Path, *rows: StatusRow, dry_run: bool = True, progress: Progress | None = None
) -> list[Reconciled]:
    """With nothing that could be released to."""
    nowhere: Any = None
    reconciler = Reconciler(tmp_path, {}, nowhere, BuildOptions(), progress or Silent(), dry_run=dry_run)
    return list(reconciler.reconcile(rows))


def test_the_oldest_comes_first(tmp_path: Path) -> None:
    done = reconciled(tmp_path, row("1.10", MISSING), row("1.9", MISSING))
    assert [str(item.version) for item in done] == ["1.9", "1.10"]


@pytest.mark.parametrize(
    ("given", "deed", "details"),
    [
        (row("1.0"), Deed.LEFT, ()),
        (row("1.0", MISSING), Deed.PLANNED, ("parts: the index has no wheel",)),
        (row("1.0", MISSING, withdrawn="refs/heads/main"), Deed.LEFT, ("withdrawn on refs/heads/main",)),
        (row("1.0", MISSING, MOVED), Deed.REFUSED, ("demo: the tag is elsewhere", "put it back")),
        (row("1.0.dev1+gabc", MISSING), Deed.LEFT, ()),
    ],
    ids=["in order", "missing", "withdrawn", "drift", "snapshot"],
)
def test_what_is_done_comes_of_the_state(
    tmp_path: Path, given: StatusRow, deed: Deed, details: tuple[str, ...]
) -> None:
    (item,) = reconciled(tmp_path, given)
    assert (item.deed, item.details) == (deed, details)


class Told(Silent):
    """Keeps its notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_what_was_done_is_told_before_the_next_one_ends_in_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deed(_self: Reconciler, given: StatusRow) -> tuple[Deed, list[str]]:
        if given.version == ReleaseVersion.parse("1.2"):
            raise KeyboardInterrupt
        return (Deed.COMPLETED, ["sent parts-1.0.whl"]) if given.missing else (Deed.LEFT, [])

    monkeypatch.setattr(Reconciler, "_deed", deed)
    told = Told()
    with pytest.raises(KeyboardInterrupt):
        reconciled(tmp_path, row("1.0", MISSING), row("1.1"), row("1.2", MISSING), dry_run=False, progress=told)
    assert told.notes == ["1.0 completed: sent parts-1.0.whl"]


def test_what_cannot_be_released_is_refused_and_the_next_one_goes_on(tmp_path: Path) -> None:
    done = reconciled(tmp_path, row("1.0", MISSING), row("1.1", MISSING), dry_run=False)
    assert [item.deed for item in done] == [Deed.REFUSED] * 2
    assert "is not in a git repository" in done[0].details[0]
    assert "run it in a clone" in done[0].details[1]
