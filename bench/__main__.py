"""Measure this project beside the shell script that teams release with today, in one run on this machine.

    python -m bench                                everything, as `make bench` does: 20 to 25 minutes
    python -m bench --only warm --pairs 2          one row, with two pairs
    python -m bench --publish                      put the last run into README and docs; measures nothing

It starts a registry behind a stand-in for ECR, an index and a Docker engine of its own on loopback, installs what is
missing of Debian's packages and says so, and stops all of it at the end. Both sides use the same machine, registry,
index, base image and lock, each with repositories and distributions of its own. Progress goes to stderr, the table to
stdout; every single measurement is in results.json. A goal that is missed is reported, and is no failure.

Exit codes: 0 measured, 1 something could not be measured, 2 wrong use, 130 stopped.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from bench import PROJECT
from bench.docker import Docker
from bench.figure import Values
from bench.git import git
from bench.goals import ROWS
from bench.machine import machine_facts
from bench.mounts import unmounted
from bench.pages import PLOT, RESULTS, TABLE, origin, publish
from bench.plot import draw
from bench.results import Results
from bench.stage import Stage
from bench.table import markdown
from kfp_release.console import Console
from kfp_release.errors import ReleaseError
from kfp_release.sandbox import Sandbox
from kfp_release.sandbox.packages import ensure
from kfp_release.signals import signals_end_the_block

_STOPPED = 130


def build_parser() -> argparse.ArgumentParser:
    """The options."""
    rows = "\n".join(f"  {name:10} {summary}" for name, summary in ROWS.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=f"{__doc__}\nrows:\n{rows}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", action="append", choices=list(ROWS), metavar="ROW", help="this row; may be given several times"
    )
    parser.add_argument("--pairs", type=_positive, metavar="N", help="pairs of each row, in place of its own number")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/bench"),
        metavar="FOLDER",
        help=f"where {RESULTS}, {TABLE} and {PLOT} go, or are taken from (default: build/bench)",
    )
    parser.add_argument("--publish", action="store_true", help="write the last run into README.md and docs/")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, or publish; the exit code."""
    options = build_parser().parse_args(arguments)
    out: Path = options.out.resolve()
    try:
        if options.publish:
            publish(out, PROJECT)
            return 0
        with signals_end_the_block():
            results = measure([row for row in ROWS if row in (options.only or ROWS)], out, pairs=options.pairs)
    except KeyboardInterrupt:
        sys.stderr.write("stopped; everything that was started is stopped too\n")
        return _STOPPED
    except ReleaseError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(f"{markdown(results)}\n{origin(results)}\n")
    sys.stderr.writelines(f"missed: {figure.goal.title}\n" for figure in results.missed)
    return 0


def measure(rows: Sequence[str], out: Path, *, pairs: int | None) -> Results:
    """Play the rows, and write what is known after each."""
    measured: dict[str, Values] = {}
    seconds: dict[str, float] = {}
    commit, today = _commit(), f"{datetime.now(UTC):%Y-%m-%d}"
    with tempfile.TemporaryDirectory(prefix="kfp-bench-", ignore_cleanup_errors=True) as name, Console() as console:
        folder = Path(name)
        ensure("buildah", "skopeo", progress=console)
        with unmounted(folder), Sandbox(folder / "sandbox", progress=console) as sandbox:
            registry = sandbox.environ["KFP_RELEASE_REGISTRY"]
            docker = Docker(folder / "docker", environ=sandbox.environ, registry=registry, progress=console)
            with docker:
                facts = machine_facts(docker.client)
                stage = Stage(folder, sandbox, docker, console, pairs)
                for row in rows:
                    console.step(f"{row}: {ROWS[row]}")
                    began = time.monotonic()
                    measured |= import_module(f"bench.rows.{row}").run(stage)
                    seconds[row] = time.monotonic() - began
                    results = Results(commit, today, facts, seconds, measured)
                    write(results, out)
    return results


def write(results: Results, out: Path) -> None:
    """results.json, table.md and bench.png, into the folder `out`."""
    results.write(out / RESULTS)
    (out / TABLE).write_text(f"{markdown(results)}\n{origin(results)}\n", encoding="utf-8")
    draw(results, out / PLOT)


def _commit() -> str:
    """The commit that is measured, in hex, with a ``+`` where the checkout is another."""
    changed = git(PROJECT, "status", "--porcelain")
    return git(PROJECT, "rev-parse", "HEAD") + ("+" if changed else "")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


if __name__ == "__main__":
    sys.exit(main())
