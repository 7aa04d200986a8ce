"""What runs on this machine, as /proc tells it: to see that a program that ended left nothing behind."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

PATIENCE = 30
"""Seconds that what was told to end may take on a busy machine."""


class Running(NamedTuple):
    """A process; its number may be another's later, with its start it is not."""

    pid: int
    start: str


def _stat(pid: int) -> tuple[int, str, str] | None:
    """Parent, state and start, where the process is there. proc(5)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1]), fields[0], fields[19]


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]


def descendants(pid: int) -> set[Running]:
    """All that `pid` has started, itself left out."""
    stats = {other: stat for other in _pids() if (stat := _stat(other))}
    found: set[Running] = set()
    parents = {pid}
    while parents:
        children = {other for other, (parent, _, _) in stats.items() if parent in parents}
        found |= {Running(child, stats[child][2]) for child in children}
        parents = children
    return found


def alive(processes: Iterable[Running]) -> list[str]:
    """The command lines of those that have not ended."""
    pids = [one.pid for one in processes if (stat := _stat(one.pid)) and stat[2] == one.start and stat[1] != "Z"]
    return [command_line(pid) for pid in pids]


def still_running(processes: Iterable[Running]) -> list[str]:
    """The command lines of those that have not ended soon: nobody waits for a grandchild that was killed."""
    end = time.monotonic() + PATIENCE
    while (found := alive(processes)) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def process(pid: int) -> set[Running]:
    """The process of this number, if there is one."""
    stat = _stat(pid)
    return {Running(pid, stat[2])} if stat else set()


def naming(text: str | Path) -> set[Running]:
    """The processes that have `text` in their command line, but for this one."""
    pids = [pid for pid in _pids() if pid != os.getpid() and str(text) in command_line(pid)]
    return {one for pid in pids for one in process(pid)}


def everyone() -> list[str]:
    """All command lines."""
    return [command_line(pid) for pid in _pids()]


def marked(mark: str) -> set[Running]:
    """The processes that have `mark` in the environment that they were started with."""
    found = set()
    for pid in _pids():
        try:
            environ = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            continue
        stat = _stat(pid)
        if mark.encode() in environ and stat:
            found.add(Running(pid, stat[2]))
    return found


def inside(folder: str | Path) -> set[Running]:
    """The processes whose working directory is `folder`, or below it."""
    found = set()
    for pid in _pids():
        try:
            where = Path(f"/proc/{pid}/cwd").readlink()
        except OSError:
            continue
        if where.is_relative_to(folder):
            found |= process(pid)
    return found


def command_line(pid: int) -> str:
    """The words of a process's command."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def mounts_below(folder: str | Path) -> list[str]:
    """Where something is mounted, as this process sees it."""
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return sorted(point for point in points if point.startswith(f"{folder}/"))


def containers(docker: str | Path, host: str) -> list[str]:
    """All containers of the Docker engine at `host`, those that have ended too; `docker` is a client."""
    command = [docker, "--host", host, "ps", "--all", "--quiet"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
