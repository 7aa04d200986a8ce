"""Put releases through all that can happen to them, and see what is public afterwards.

    python -m chaos                       all parts, as `make chaos` runs them
    python -m chaos --short --only kills  one of them, in seconds

Progress goes to stderr. The last line on stdout has the figures of all parts, results.json what each thing that was
tried came to. Exit 0: every promise of docs/reliability.md was kept; 1: one was not, or a part did not come to its end.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from conftest import PROJECT, run_git

from chaos.results import Results
from chaos.stage import Result, Stage
from kfp_release.console import Console
from kfp_release.errors import ReleaseError
from kfp_release.progress import Progress
from kfp_release.signals import signals_end_the_block

PARTS: Final = {
    "kills": "releases killed at any instant are completed by the same command, to the same end",
    "cuts": "releases whose network is lost or whose disk is full end clearly, and are completed likewise",
    "faults": "whatever ECR, the index and the network do wrong, a release ends right or in a clear error, in time",
    "parsers": "whatever is read, only an error with a remedy comes out of a parser",
    "pairs": "of two releases of one tag at the same time one wins whole, and both know which",
}
"""Each is the module ``chaos.NAME``, whose ``run(stage: Stage) -> Result`` plays it."""
_STOPPED = 130


def build_parser() -> argparse.ArgumentParser:
    """The options."""
    parts = "\n".join(f"  {name:10} {summary}" for name, summary in PARTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m chaos",
        description=f"{__doc__}\nparts:\n{parts}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--short", action="store_true", help="seconds for each part, as in `make test`; not minutes")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="what chance begins with (default: 1)")
    parser.add_argument(
        "--only", action="append", choices=list(PARTS), metavar="PART", help="this part; may be given several times"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/chaos"),
        metavar="FOLDER",
        help="where results.json goes, and what a part leaves that broke (default: build/chaos)",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts; the exit code."""
    options = build_parser().parse_args(arguments)
    out: Path = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.json").unlink(missing_ok=True)
    parts: dict[str, tuple[float, Result]] = {}
    results = Results(options.seed, _commit(), options.short, parts)
    try:
        with signals_end_the_block(), Console() as console:
            for name in [part for part in PARTS if part in (options.only or PARTS)]:
                began = time.monotonic()
                result = _play(name, out / name, seed=options.seed, short=options.short, progress=console)
                parts[name] = (time.monotonic() - began, result)
                results.write(out / "results.json")
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return _STOPPED
    for line in results.broken:
        sys.stderr.write(f"broken: {line}\n")
    sys.stdout.write(f"{results.line}\n")
    return 1 if results.broken else 0


def _play(name: str, folder: Path, *, seed: int, short: bool, progress: Progress) -> Result:
    """One part, in a folder that is made anew and stays where a promise was broken."""
    progress.step(f"{name}: {PARTS[name]}")
    try:
        _make_anew(folder)
        result: Result = import_module(f"chaos.{name}").run(Stage(folder, seed, short, progress))
    except ReleaseError as error:
        result = Result({}, (f"it did not come to its end: {error}",))
    except Exception:  # noqa: BLE001 - the other parts still run, and this is told
        result = Result({}, (f"it did not come to its end:\n{traceback.format_exc()}",))
    if not result.broken:
        shutil.rmtree(folder)
    return result


def _make_anew(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        raise ReleaseError(f"{folder} cannot be removed", remedy="unmount what is mounted there, and remove it")
    folder.mkdir()


def _commit() -> str:
    """The commit that is tried, in hex, with a ``+`` where the checkout is another."""
    changed = run_git(PROJECT, "status", "--porcelain")
    return run_git(PROJECT, "rev-parse", "HEAD").strip() + ("+" if changed else "")


if __name__ == "__main__":
    sys.exit(main())
