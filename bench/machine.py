"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

_VERSION = re.compile(r"[0-9]+\.[0-9]+(?:\.[0-9]+)*")


def machine_facts(docker: Path | None) -> dict[str, str]:
    """Processor, memory, system, and the versions of the programs that do the work; `docker` is the engine's client."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    found = {
        "processor": _line("/proc/cpuinfo", "model name"),
        "cores": str(os.cpu_count()),
        "memory": f"{memory / 1024**3:.0f} GiB",
        "system": _line("/etc/os-release", "PRETTY_NAME"),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }
    programs: dict[str, Sequence[str | Path]] = {
        "git": ("git", "--version"),
        "buildah": ("buildah", "--version"),
        "skopeo": ("skopeo", "--version"),
        "docker": (docker or "docker", "--version"),
    }
    return found | {name: _version(command) for name, command in programs.items()}


def _line(path: str, key: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = re.search(rf"^{key}\s*[:=]\s*(.*)$", text, re.MULTILINE)
    return found[1].strip().strip('"') if found else ""


def _version(command: Sequence[str | Path]) -> str:
    """The first version that it prints; empty where it is not installed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = _VERSION.search(done.stdout)
    return found[0] if found else ""
