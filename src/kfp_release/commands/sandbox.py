"""``kfp-release sandbox``."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import click

from kfp_release.commands.invocation import Invocation
from kfp_release.console import Console
from kfp_release.errors import ReleaseError
from kfp_release.sandbox import Sandbox
from kfp_release.sandbox.environment import exports
from kfp_release.signals import signals_end_the_block, signals_wait

_CLEAN_UP = 10
"""Seconds that COMMAND has to end after Ctrl-C, and again after SIGTERM."""
_ADVICE = """
The sandbox runs until Ctrl-C. In another shell, in your project:

    . {file}
    kfp-release release --snapshot --create-repository
    PIP_INDEX_URL={index} pip install --pre <your distribution>
"""


@click.command("sandbox")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep the sandbox's content here, and continue with it.  [default: a folder that is gone at the end]",
)
@click.option("--engine/--no-engine", default=False, help="With a Docker engine, to run pipelines.  [default: without]")
@click.option("--base/--no-base", default=True, help="With a base image for Dockerfiles.  [default: with]")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
@click.pass_obj
def command(
    invocation: Invocation, *, folder: Path | None, engine: bool, base: bool, arguments: tuple[str, ...]
) -> int:
    """Run a local ECR and index to try things on: real parts on loopback, with random passwords.

    With COMMAND: run it against them, stop them, and end with its exit code. Without: print the environment that
    leads to them and wait for Ctrl-C.

    \b
    kfp-release sandbox -- kfp-release release v1.2 --create-repository
    kfp-release sandbox --folder build/sandbox --engine

    Installs what is missing (buildah, mmdebstrap, docker.io) with apt-get, as root or through sudo, and says so.
    Exit codes: 0 stopped, 1 a part did not start, 2 wrong use, 130 Ctrl-C while starting; with COMMAND, its own.
    """  # noqa: D301 - click reads the \\b
    with ExitStack() as stack:
        stack.enter_context(signals_end_the_block())
        console = stack.enter_context(Console())
        if folder is None:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kfp-release-"))) / "sandbox"
        else:
            home = invocation.project / folder
        with Sandbox(home, engine=engine, base=base, kms=True, progress=console) as sandbox:
            try:
                return _run(arguments, sandbox, invocation) if arguments else _wait(sandbox)
            finally:
                console.step("stop the sandbox")


def _run(arguments: tuple[str, ...], sandbox: Sandbox, invocation: Invocation) -> int:
    try:
        child = subprocess.Popen(  # noqa: S603 - what the user asks for, as a list
            arguments, cwd=invocation.project, env={**os.environ, **sandbox.environ}
        )
    except OSError as error:
        raise ReleaseError(
            f"{arguments[0]!r} cannot be run in {invocation.project.absolute()}: {error.strerror}",
            remedy="after -- comes a program on PATH and its arguments",
        ) from error
    try:
        code = child.wait()
    except KeyboardInterrupt:  # the terminal told it as well: it may take its time to clean up
        with signals_wait():
            code = _end(child, patience=_CLEAN_UP)
    except BaseException:
        with signals_wait():
            _end(child, patience=0)
        raise
    return 128 - code if code < 0 else code


def _end(child: subprocess.Popen[bytes], *, patience: float) -> int:
    for ask, seconds in ((None, patience), (child.terminate, _CLEAN_UP), (child.kill, None)):
        if ask is not None:
            ask()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.wait(seconds)
    return child.wait()


def _wait(sandbox: Sandbox) -> int:
    with contextlib.suppress(KeyboardInterrupt):
        click.echo(exports(sandbox.environ), nl=False)
        click.echo(_ADVICE.format(file=sandbox.folder / "environment", index=sandbox.pip_index_url), err=True)
        while True:  # not signal.pause, which a signal just before it would not end
            time.sleep(1)
    return 0
