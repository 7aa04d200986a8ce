"""The program ``kfp-release``: runs a command, and turns every error into a message and an exit code.

0 done, 1 refused or failed, 2 wrong use, 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from kfp_release.annotations import github_annotations, is_in_actions
from kfp_release.errors import FULL, MAKE_ROOM, Problem, Problems, ReleaseError
from kfp_release.signals import signals_end_the_block
from kfp_release.terminal_text import printable

PROGRAM = "kfp-release"
FAILED, STOPPED = 1, 130
_EXTRAS = {
    "cli": ("boto3", "botocore", "build", "click", "pypi_simple", "pyproject_hooks", "requests", "rich", "twine"),
    "sandbox": ("bcrypt", "passlib", "pypiserver"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code. The one place where a `ReleaseError` ends."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # what it cannot encode is no reason to say nothing
    try:
        import click  # noqa: PLC0415 - of the extra cli, which may be missing

        from kfp_release.commands import cli  # noqa: PLC0415 - likewise
        from kfp_release.commands.invocation import Invocation  # noqa: PLC0415 - likewise
    except (ModuleNotFoundError, KeyboardInterrupt) as error:
        return _fail(error)
    invocation = Invocation()
    try:
        with signals_end_the_block():
            result = cli.main(arguments, prog_name=PROGRAM, standalone_mode=False, obj=invocation)
            if sys.stdout is not None:
                sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _fail(KeyboardInterrupt())
    except BrokenPipeError:  # who reads our output has seen enough
        _let_go_of_stdout()
        return FAILED
    except Exception as error:  # noqa: BLE001 - a bug of ours is told in one line, too
        _let_go_of_stdout()
        return _fail(error, project=invocation.project, debug=invocation.debug)
    return result if isinstance(result, int) else 0


def _let_go_of_stdout() -> None:
    """Python writes what is left once more when it ends; where that cannot be written, it goes nowhere."""
    if sys.stdout is None:  # closed before we began
        return
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(error: Exception | KeyboardInterrupt, *, project: Path = Path(), debug: bool = False) -> int:
    match error:
        case KeyboardInterrupt():
            _say("stopped")
            return STOPPED
        case ReleaseError():
            _refuse(error, project)
        case OSError() if error.filename or error.errno in FULL:
            _refuse(_of_machine(error), project)
        case ModuleNotFoundError() if extra := _extra(error):
            library = (error.name or "").partition(".")[0]
            _refuse(ReleaseError(f"{library} is not installed", remedy=f"pip install '{PROGRAM}[{extra}]'"), project)
        case _:
            _confess(error)
    if debug:
        traceback.print_exception(error)
    return FAILED


def _refuse(error: ReleaseError, project: Path) -> None:
    _say(f"error: {error}")
    problems = error.problems if isinstance(error, Problems) else [Problem("", 0, str(error))]
    _annotate(problems, project)


def _of_machine(error: OSError) -> ReleaseError:
    """What the user's machine does not give: room, a permission, a folder."""
    where = f"{error.filename}: " if error.filename else ""
    remedy = MAKE_ROOM if error.errno in FULL else "see that it can be read and written, or name another"
    return ReleaseError(f"{where}{error.strerror}", remedy=remedy)


def _extra(error: ModuleNotFoundError) -> str | None:
    """The extra of ours that brings the library; None for another, whose absence is a bug."""
    library = (error.name or "").partition(".")[0]
    return next((extra for extra, libraries in _EXTRAS.items() if library in libraries), None)


def _confess(error: Exception) -> None:
    message = f"internal error: {type(error).__name__}: {str(error)[:300]}"
    _say(f"{message}\n  → this is a bug of {PROGRAM}; report it with what `{PROGRAM} --debug ...` prints")
    _annotate([Problem("", 0, message)], Path())


def _say(text: str) -> None:
    sys.stderr.write(printable(text) + "\n")


def _annotate(problems: Sequence[Problem], project: Path) -> None:
    """Show them on the run, in GitHub Actions."""
    if is_in_actions(os.environ):
        for line in github_annotations(problems, project, os.environ):
            sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
