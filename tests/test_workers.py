"""Threads that do the same to many things: in order, bounded, and ended by the first error."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from processes import Running, alive, process

from kfp_release.program import run_program
from kfp_release.workers import in_parallel


def test_results_stand_in_the_order_of_the_items() -> None:
    first = threading.Event()

    def do(number: int) -> int:
        if number == 0:
            first.wait(30)
        first.set()
        return number * number

    assert in_parallel(do, range(9), workers=2) == [number * number for number in range(9)]
    assert in_parallel(do, [], workers=2) == []


def test_no_more_are_done_at_once_than_there_are_workers() -> None:
    lock, running, most = threading.Lock(), set[int](), [0]
    together = threading.Barrier(3)

    def do(number: int) -> None:
        with lock:
            running.add(number)
            most[0] = max(most[0], len(running))
        together.wait(30)
        with lock:
            running.remove(number)

    in_parallel(do, range(12), workers=3)
    assert most == [3]


def test_the_first_error_ends_it_without_waiting_for_what_hangs() -> None:
    hanging, done = threading.Event(), list[int]()

    def do(number: int) -> None:
        if number == 0:
            hanging.wait(60)
        if number == 1:
            raise ValueError("no answer")
        done.append(number)

    with pytest.raises(ValueError, match="no answer"):
        in_parallel(do, range(100), workers=2)
    hanging.set()
    assert len(done) < 99


def test_who_works_is_told_to_stop_at_the_end() -> None:
    stop = threading.Event()
    in_parallel(str, [1], workers=1, stop=stop)
    assert stop.is_set()


def sleeper(started: Path) -> list[str]:
    """A program that says that it runs, and then does nothing for a long time."""
    code = f"import pathlib, os, time; pathlib.Path({str(started)!r}).write_text(str(os.getpid())); time.sleep(600)"
    return [sys.executable, "-c", code]


def run(command: list[str], folder: Path) -> None:
    run_program(command, what="it failed", folder=folder, on_line=lambda _: None)


def wait_for(path: Path) -> int:
    """The process that has written its number there."""
    end = time.monotonic() + 60
    while not path.exists() or not path.read_text():
        assert time.monotonic() < end
        time.sleep(0.01)
    return int(path.read_text())


def test_an_orderly_end_stops_the_programs_of_the_others_and_waits_for_them(tmp_path: Path) -> None:
    started, unwound, running = tmp_path / "started", list[str](), list[Running]()

    def do(number: int) -> None:
        if number:
            running.extend(process(wait_for(started)))
            raise ValueError("no answer")
        try:
            run(sleeper(started), tmp_path)
        finally:
            unwound.append("unwound")

    with pytest.raises(ValueError, match="no answer"):
        in_parallel(do, [0, 1], workers=2, orderly=True)
    assert unwound == ["unwound"]
    assert len(running) == 1
    assert alive(set(running)) == []


def test_what_the_others_do_in_parallel_themselves_ends_with_them() -> None:
    begun, unwound = threading.Event(), list[str]()

    def hang(_: int) -> None:
        begun.set()
        threading.Event().wait(60)

    def do(number: int) -> None:
        if number:
            begun.wait(60)
            raise ValueError("no answer")
        try:
            in_parallel(hang, range(3), workers=3)
        finally:
            unwound.append("unwound")

    with pytest.raises(ValueError, match="no answer"):
        in_parallel(do, [0, 1], workers=2, orderly=True)
    assert unwound == ["unwound"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_programs_and_unwinds_all_threads(number: signal.Signals, tmp_path: Path) -> None:
    commands = [sleeper(tmp_path / f"started-{one}") for one in range(2)]
    program = tmp_path / "program.py"
    program.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from tempfile import TemporaryDirectory\n"
        "from kfp_release.program import run_program\n"
        "from kfp_release.signals import signals_end_the_block\n"
        "from kfp_release.workers import in_parallel\n"
        "def do(command):\n"
        "    with TemporaryDirectory(dir=sys.argv[1]) as folder:\n"
        "        run_program(command, what='it failed', folder=Path(folder), on_line=print)\n"
        "with signals_end_the_block():\n"
        f"    in_parallel(do, {commands!r}, workers=2, orderly=True)\n"
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    child = subprocess.Popen([sys.executable, program, scratch], stderr=subprocess.DEVNULL)
    try:
        running = {one for part in range(2) for one in process(wait_for(tmp_path / f"started-{part}"))}
        child.send_signal(number)
        code = child.wait(60)
    finally:
        child.kill()
        child.wait()
    assert code == (-number if number is signal.SIGINT else 128 + number)
    assert len(running) == 2
    assert alive(running) == []
    assert list(scratch.iterdir()) == []
