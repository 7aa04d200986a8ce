"""How long `kfp-release status` takes for many versions, against the sandbox.

    python -m bench.status [VERSIONS]

Makes a repository with that many release tags (200 if none is given), puts an image, a wheel and an sdist of each, and
the wheel and sdist of an extra project, into a sandbox, and runs the command three times, in a process of its own, as
a user does. Prints each time, and ends with one line of figures.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from many_releases import make_repository, publish_all

from kfp_release.console import Console
from kfp_release.sandbox import Sandbox

RUNS = 3
LIMIT = 10.0
"""Seconds that it may take for 200 versions."""


def main() -> int:
    """The exit code: 0 where the slowest run was quick enough."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with (
        tempfile.TemporaryDirectory() as folder,
        Console() as console,
        Sandbox(Path(folder, "sandbox"), base=False, progress=console) as sandbox,
    ):
        console.step(f"make {count} releases")
        project = Path(folder, "project")
        publish_all(sandbox, make_repository(project, count))
        times = [run(sandbox, project, count, console) for _ in range(RUNS)]
    told = ", ".join(f"{seconds:.1f}" for seconds in times)
    print(f"status of {count} versions: {told} s; {LIMIT:.0f} s are allowed")
    return 0 if max(times) <= LIMIT else 1


def run(sandbox: Sandbox, project: Path, count: int, console: Console) -> float:
    """Seconds of one call, which must find everything in order."""
    console.step("kfp-release status")
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "kfp_release", "status", "--json"],
        cwd=project,
        env={**os.environ, **sandbox.environ},
        stdout=subprocess.PIPE,
        check=True,
    )
    seconds = time.monotonic() - began
    counts = json.loads(done.stdout)["counts"]
    if counts != {"in order": count}:
        raise SystemExit(f"not all is in order: {counts}")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
