"""Child processes: started, awaited, and ended, whatever they do."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from processes import process as process_of
from processes import still_running

from kfp_release.errors import ReleaseError
from kfp_release.sandbox.process import PortTaken, Process, free_port, start_on_free_port
from kfp_release.signals import signals_end_the_block, signals_wait

STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"


def python(script: str, log: Path) -> Process:
    return Process.start([sys.executable, "-c", script], name="the child", log=log)


def is_ready(process: Process) -> bool:
    return b"ready" in process.log.read_bytes()


def test_a_child_runs_until_it_is_stopped(tmp_path: Path) -> None:
    process = python("import time; print('ready', flush=True); time.sleep(600)", tmp_path / "log")
    process.wait_until(lambda: is_ready(process), seconds=30)
    assert process.running
    process.stop()
    assert not process.running
    process.stop()


def test_a_child_that_will_not_end_is_killed(tmp_path: Path) -> None:
    process = python(STUBBORN, tmp_path / "log")
    process.wait_until(lambda: is_ready(process), seconds=30)
    process.stop(grace=0.1)
    assert not process.running


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can have a child of another user")
def test_a_child_that_root_alone_can_end_is_no_reason_to_fail(tmp_path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from kfp_release.sandbox.process import Process
process = Process.start(["sleep", "600"], name="sleep", log=Path(sys.argv[1]))
os.setresuid(65534, 65534, 65534)
process.stop(grace=0.1)
print(process.running, process.pid)
"""
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "log"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    running, pid = done.stdout.split()
    assert running == "True"
    with contextlib.suppress(ProcessLookupError):  # it may have ended with its parent
        os.kill(int(pid), signal.SIGKILL)


def test_a_child_that_ends_shows_the_end_of_its_log(tmp_path: Path) -> None:
    process = python("print('line\\n' * 50 + 'bad \\x1b[31mthing'); raise SystemExit(3)", tmp_path / "log")
    with pytest.raises(
        ReleaseError, match=r"the child ended with exit code 3(.|\n)*bad \[31mthing(.|\n)*read /"
    ) as caught:
        process.wait_until(lambda: False, seconds=30)
    assert str(caught.value).count("line") == 14


def test_a_child_that_does_not_get_ready_is_stopped(tmp_path: Path) -> None:
    process = python("import time; time.sleep(600)", tmp_path / "log")
    with pytest.raises(ReleaseError, match="the child did not answer in time"):
        process.wait_until(lambda: False, seconds=0.2)
    assert not process.running


def test_a_child_that_is_waited_for_is_stopped_by_ctrl_c(tmp_path: Path) -> None:
    process = python("import time; time.sleep(600)", tmp_path / "log")

    def interrupt() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        process.wait_until(interrupt, seconds=30)
    assert not process.running


def test_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    def run() -> None:
        process = Process.start(["/missing/program"], name="the child", log=tmp_path / "log")
        process.wait_until(lambda: False, seconds=30)

    with pytest.raises(ReleaseError, match=r"the child (.|\n)*/missing/program"):
        run()


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from kfp_release.sandbox.process import Process
process = Process.start(["sleep", "600"], name="sleep", log=Path(sys.argv[1]))
process.wait_until(lambda: Path(f"/proc/{process.pid}/comm").read_text() == "sleep\\n", seconds=30)
print(process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "log"], capture_output=True, text=True, check=False)
    assert still_running(process_of(int(done.stdout))) == []


def test_a_preferred_port_is_taken_only_if_it_is_free() -> None:
    # Below those that the kernel hands out, for somebody else may be given one just now.
    for port in range(21_000, 22_000):
        with socket.socket() as other:
            try:
                other.bind(("127.0.0.1", port))
            except OSError:
                continue
            other.listen()
            assert free_port(port) != port
        assert free_port(port) == port
        return
    pytest.fail("a thousand ports are taken")


def test_a_port_that_someone_else_took_meanwhile_is_left_to_them(tmp_path: Path) -> None:
    tried: list[int] = []

    def start(port: int) -> Process:
        tried.append(port)
        if len(tried) < 3:
            raise PortTaken("address already in use")
        return python(STUBBORN, tmp_path / "log")

    memory = tmp_path / "port"
    process, port = start_on_free_port(start, memory=memory)
    process.stop(grace=0)
    assert tried[-1] == port
    assert memory.read_text(encoding="ascii") == str(port)
    tried[:] = []
    with pytest.raises(PortTaken):
        start_on_free_port(start, memory=memory, attempts=2)


@pytest.mark.parametrize("text", ["", "no port", "70000", "-1", "\xff"])
def test_a_port_that_cannot_be_remembered_is_chosen_anew(tmp_path: Path, text: str) -> None:
    memory = tmp_path / "port"
    memory.write_text(text, encoding="utf-8")
    process, port = start_on_free_port(lambda _: python(STUBBORN, tmp_path / "log"), memory=memory)
    process.stop(grace=0)
    assert memory.read_text(encoding="ascii") == str(port)


def test_the_word_of_a_taken_port_is_understood(tmp_path: Path) -> None:
    process = python("raise OSError('[Errno 98] Address already in use')", tmp_path / "log")
    with pytest.raises(PortTaken):
        process.wait_until(lambda: False, seconds=30)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_unwinds_the_block(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as caught, signals_end_the_block():
        os.kill(os.getpid(), number)
    assert caught.value.code == 128 + number
    assert signal.getsignal(number) == before


def test_stopping_is_not_interrupted() -> None:
    with signals_wait():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(os.getpid(), number)
