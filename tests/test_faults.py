"""Releases that meet each fault of the other side end with the right content or in a clear error, and in time.

The short version of what ``python -m chaos faults`` does with every call.
"""

from __future__ import annotations

from pathlib import Path

from chaos.faults import run
from chaos.matrix.cells import names
from chaos.stage import Stage

from kfp_release.progress import Silent

ASKED_FOR = {
    "throttling": {"throttled", "429"},
    "5xx": {"503", "a fault of its own"},
    "reset connections": {"reset before it arrived", "reset after it arrived"},
    "hung connections": {"silent before it arrived", "silent after it arrived"},
    "truncated answers": {"answer cut off", "answer cut short", "empty answer"},
    "duplicated answers": {"answered twice", "sent twice"},
    "a vanished upload id": {"upload forgotten"},
    "a token that expires midway": {"token expired", "login expired"},
    "clock skew": {"clock an hour off"},
    "a registry that stores other bytes": {
        "layer kept wrong",
        "part stored wrong",
        "manifest stored wrong",
        "stored wrong",
    },
    "an index that accepts and does not serve": {"taken and not kept", "not listed", "not there"},
    "an index that serves something else": {"file stored wrong", "answered wrong", "listed with another sha256"},
}


def test_every_release_that_meets_a_fault_completes_or_ends_in_a_clear_error_in_time(tmp_path: Path) -> None:
    found = run(Stage(tmp_path, seed=1, short=True, progress=Silent()))
    assert found.broken == ()
    assert {row["fault"] for row in found.rows} >= {name for kinds in ASKED_FOR.values() for name in kinds}
    assert found.figures["completed"]
    assert found.figures["ended in a clear error"]


def test_the_matrix_has_each_fault_that_is_asked_for_and_the_short_one_some_of_each(tmp_path: Path) -> None:
    stage = Stage(tmp_path, seed=1, short=True, progress=Silent())
    everything, short = (names(short=one, chance=stage.random()) for one in (False, True))
    assert len(everything) == len(set(everything))
    assert set(short) < set(everything)
    for what, kinds in ASKED_FOR.items():
        for kind in kinds:
            assert any(f": {kind} (" in name for name in everything), what
    assert "ecr any call: token expired (from the middle on)" in everything
    assert "ecr UploadLayerPart: silent after it arrived (every)" in everything
    assert all(any(f": {name.partition(': ')[2].rpartition(' (')[0]} (" in one for one in short) for name in everything)
