"""What a release of a repository with many component files and five images costs, against the sandbox.

    PYTHONPATH=tests python bench/scale.py [FILES]

Makes that repository (1000 files if no number is given), releases it, changes its package and one of its five
runtimes, and does the next release step by step. Prints the wall seconds and the CPU seconds of each command, with all
that it starts, and how many runtimes were built.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from conftest import commit_all, run_git
from many_components import change_runtime, many_components
from test_release import change_multiply

from kfp_release.console import Console
from kfp_release.sandbox import Sandbox

STEPS = (
    ("check", "--release", "1.1"),
    ("runtime", "--list"),
    ("runtime", "--json"),
    ("plan", "v1.1"),
    ("build",),
    ("publish",),
    ("release", "v1.1"),
)


def main() -> int:
    """Always 0: the figures are for a reader."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with (
        tempfile.TemporaryDirectory() as folder,
        Console() as console,
        Sandbox(Path(folder, "sandbox"), progress=console) as sandbox,
    ):
        project = many_components(Path(folder, "project"), files)
        run_git(project, "tag", "v1.0")
        run(console, sandbox, project, "release", "v1.0", "--create-repository")
        change_multiply(project)
        change_runtime(project, "serve", 2)
        commit_all(project, "Another runtime")
        run_git(project, "tag", "v1.1")
        for step in STEPS:
            run(console, sandbox, project, *step)
    return 0


def run(console: Console, sandbox: Sandbox, project: Path, *arguments: str) -> None:
    """Run one command, and print what it took."""
    console.step(f"kfp-release {' '.join(arguments)}")
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "kfp_release", *arguments],
        cwd=project,
        env={**os.environ, **sandbox.environ, "XDG_CACHE_HOME": str(project.with_name("cache"))},
        capture_output=True,
        text=True,
        check=False,
    )
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stderr)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    how = [item["how"] for item in json.loads(done.stdout)["runtimes"]] if "--json" in arguments else ""
    print(f"{' '.join(arguments):35} wall {wall:6.2f} s   cpu {cpu:6.2f} s   {how or ''}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
