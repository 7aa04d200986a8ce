"""Programs that `demo.py` runs, and pipelines that it runs in containers."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from kfp_release.signals import signals_wait

PATIENCE = 30
"""Seconds that a program has to stop what it started."""

REMOVED = "409 Client Error"
"""What Docker's client says of a container that is being removed."""


class DemoError(Exception):
    """A step of the demo did not do what it is to show."""


def run(command: Sequence[str | Path], *, environ: Mapping[str, str], cwd: Path, log: TextIO | None = None) -> str:
    """What the command prints on stdout; its stderr goes to `log`, or is shown. Raise `DemoError` where it fails."""
    with subprocess.Popen(command, env=dict(environ), cwd=cwd, stdout=subprocess.PIPE, stderr=log, text=True) as child:
        try:
            stdout, _ = child.communicate()
        except BaseException as error:
            # A terminal's Ctrl-C has reached it as well: it may take its time to clean up.
            end(child, ask=not isinstance(error, KeyboardInterrupt))
            raise
    if child.returncode:
        told = Path(log.name).read_text(encoding="utf-8")[-4000:] if log else stdout[-2000:]
        raise DemoError(f"{' '.join(map(str, command))} ended with {child.returncode}\n{told}")
    return stdout


def end(child: subprocess.Popen[str], *, ask: bool) -> None:
    """Let it stop what it started, and kill it only where it does not."""
    with signals_wait():
        for tell in (child.terminate if ask else None, child.terminate, child.kill):
            if tell is not None:
                tell()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(PATIENCE)
                return


def run_pipeline(name: str, folder: Path, environ: Mapping[str, str], kept: Path) -> dict[str, Any]:
    """Compile a pipeline into `kept`, and run it in containers, the log beside it; its outputs by name."""
    python, compiled = folder / "bin/python", kept / f"{name}.yaml"
    environ = {name: value for name, value in environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    run([python, f"{name}.py", compiled], environ=environ, cwd=folder)
    return run_compiled(python, compiled, environ=environ, cwd=folder)


def run_compiled(python: Path, compiled: Path, *, environ: Mapping[str, str], cwd: Path) -> dict[str, Any]:
    """Run it in containers; its outputs by name. The log lies beside it, artifacts below `cwd`."""
    command: list[str | Path] = [python, "run_local.py", compiled, "--keep", compiled.stem]
    with compiled.with_suffix(".log").open("w", encoding="utf-8") as log:
        try:
            printed = run(command, environ=environ, cwd=cwd, log=log)
        except DemoError as error:
            # kfp.local asks for the log of a container that may be gone already, and then takes nothing for an answer.
            if REMOVED not in str(error):
                raise
            printed = run(command, environ=environ, cwd=cwd, log=log)
    results: dict[str, Any] = json.loads(printed)
    return results
