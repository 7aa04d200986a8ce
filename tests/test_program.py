import sys
from pathlib import Path

import pytest
from processes import process, still_running

from kfp_release.errors import ReleaseError
from kfp_release.program import ProgramFailed, find_program, run_program


def run(script: str, folder: Path, lines: list[str] | None = None) -> None:
    run_program(
        [sys.executable, "-c", script],
        what="the thing could not be made",
        folder=folder,
        on_line=(lines if lines is not None else []).append,
    )


def test_lines_come_from_output_and_errors_without_control_characters(tmp_path: Path) -> None:
    lines: list[str] = []
    run("import sys; print('\\x1b[31mred', flush=True); print(); print('bad', file=sys.stderr)", tmp_path, lines)
    assert lines == ["[31mred", "bad"]


def test_bytes_that_are_no_text_are_shown_all_the_same(tmp_path: Path) -> None:
    lines: list[str] = []
    run("import sys; sys.stdout.buffer.write(b'caf\\xe9\\n')", tmp_path, lines)
    assert lines == ["caf�"]


def test_a_failure_tells_the_exit_code_and_the_last_lines(tmp_path: Path) -> None:
    with pytest.raises(ProgramFailed, match=r"the thing could not be made: .* ended with exit code 3") as caught:
        run("for i in range(100): print('line', i)\nraise SystemExit(3)", tmp_path)
    assert caught.value.tail.splitlines()[-1].strip() == "line 99"
    assert "line 74" not in str(caught.value)


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="cannot be started: No such file"):
        run_program([tmp_path / "nothing"], what="it failed", folder=tmp_path, on_line=print)


def test_a_program_that_is_missing_has_a_remedy() -> None:
    with pytest.raises(ReleaseError, match="no-such-program is not installed") as caught:
        find_program("no-such-program", remedy="get it")
    assert caught.value.remedy == "get it"


def test_an_exception_stops_the_program_and_its_children_even_stubborn_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kfp_release.program._GRACE", 0.5)
    script = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child:
    print(os.getpid(), child, flush=True)
time.sleep(1000)
"""
    pids: list[int] = []

    def interrupt(line: str) -> None:
        pids.extend(int(word) for word in line.split())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_program([sys.executable, "-c", script], what="it failed", folder=tmp_path, on_line=interrupt)
    assert len(pids) == 2
    for pid in pids:
        assert still_running(process(pid)) == []


def test_a_second_ctrl_c_does_not_leave_the_program_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kfp_release.program._GRACE", 0.5)
    script = """
import os, signal, time
signal.signal(signal.SIGTERM, lambda *_: os.kill(os.getppid(), signal.SIGINT))
print(os.getpid(), flush=True)
while True:
    time.sleep(1000)
"""
    pids: list[int] = []

    def interrupt(line: str) -> None:
        pids.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_program([sys.executable, "-c", script], what="it failed", folder=tmp_path, on_line=interrupt)
    assert still_running(process(pids[0])) == []
