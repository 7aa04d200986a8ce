"""``python -m`` of the package: what is installed, and whose images a pipeline has. Needs PyYAML, not kfp."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ._operators.catalog import PACKAGE, installed

if TYPE_CHECKING:
    from ._operators.pipeline import Pipeline

_TRACE = """\
Each task of the pipeline with its component, version, commit and image digest. States:
  pinned    by digest, as this version of the package has it
  mirrored  the same digest, on another registry
  no image  an importer, which runs none
and flagged, with exit code 1:
  unpinned  no digest: what runs can change or be missing
  drift     the tag says another version than the digest
  unknown   of the package's repositories, and not of the installed version
  foreign   an image of others, which no component file of the package names

A task without a component runs a known image with a command that is none of the components'.
Exit codes: 0 all is known, 1 something is flagged or cannot be read, 2 wrong use.
"""
_REHOME = """\
HOST[/PREFIX] takes the place of the registry's host; path, tag and digest stay. Nothing else in the file changes, and
an image that is there already stays. Images of others stay, too, and are named.

  python -m {package} rehome pipeline.yaml --to mirror.example/team --output production.yaml

Exit codes: 0 done, 1 refused, 2 wrong use.
"""


def build_parser() -> argparse.ArgumentParser:
    """The options of all commands."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {PACKAGE}", description="List the components that are installed, or ask about a pipeline."
    )
    parser.add_argument("--json", action="store_true", help="everything in full, for another program")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands; without one, the listing")
    trace = _command(commands, "trace", "tell which version and commit a compiled pipeline's tasks are of", _TRACE)
    form = trace.add_mutually_exclusive_group()
    _json(form)
    form.add_argument("--markdown", action="store_true", help="a table for a pull request")
    rehome = _command(commands, "rehome", "write the same pipeline with its images on a mirror", _REHOME)
    rehome.add_argument("--to", required=True, metavar="REGISTRY", help="HOST[/PREFIX] that has the images")
    rehome.add_argument("--output", type=Path, metavar="FILE", help="default: FILE.rehomed.yaml, beside it")
    _json(rehome)
    rehome.add_argument("--force", action="store_true", help="replace another file that is at the output")
    return parser


def _json(command: argparse._ActionsContainer) -> None:
    # Where it is given before the command it stays.
    command.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="everything in full, for programs"
    )


def _command(commands: argparse._SubParsersAction, name: str, does: str, told: str) -> argparse.ArgumentParser:  # type: ignore[type-arg]
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=does,
        description=f"{does[0].upper()}{does[1:]}.",
        epilog=told.format(package=PACKAGE),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("file", type=Path, metavar="FILE", help="a pipeline or component that kfp 2 compiled")
    return command


def main(argv: Sequence[str] | None = None) -> None:
    """Print what is asked for; end with 1 where it cannot be had, or something is flagged."""
    parser = build_parser()
    options = parser.parse_args(argv)
    if options.json and getattr(options, "markdown", False):  # where the one is before the command
        parser.error("--json and --markdown are two forms of one result")
    try:
        is_good, text = _COMMANDS[options.command](options)
    except (ValueError, OSError) as error:
        _end(f"{PACKAGE}: {error}")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # what it cannot encode is told, too
    try:
        print(text, flush=True)  # noqa: T201 - the command's result
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # where Python writes what is left at its end
        if isinstance(error, BrokenPipeError):  # who reads it has seen enough
            sys.exit(1)
        _end(f"{PACKAGE}: its output cannot be written: {error.strerror}")
    if not is_good:
        sys.exit(1)


def _end(message: str) -> NoReturn:
    from ._operators.safe_text import printable  # noqa: PLC0415 - for an error alone

    sys.exit(printable(message))


def _list(options: argparse.Namespace) -> tuple[bool, str]:
    from ._operators.listing import listing  # noqa: PLC0415 - each command imports its own

    return True, listing(installed(), as_json=options.json)


def _trace(options: argparse.Namespace) -> tuple[bool, str]:
    from ._operators.trace_text import trace_json, trace_markdown, trace_table  # noqa: PLC0415 - see above
    from ._operators.tracing import trace  # noqa: PLC0415 - likewise

    catalog = installed()
    found = trace(_read(options.file), catalog)
    if options.json:
        return found.is_good, json.dumps(trace_json(found, catalog), indent=2)
    return found.is_good, (trace_markdown if options.markdown else trace_table)(found, catalog)


def _rehome(options: argparse.Namespace) -> tuple[bool, str]:
    from ._operators.image_name import Registry  # noqa: PLC0415 - see above
    from ._operators.known import Known  # noqa: PLC0415 - likewise
    from ._operators.pipeline import Pipeline  # noqa: PLC0415 - likewise
    from ._operators.rehoming import default_output, rehome, rehomed_json, write_rehomed  # noqa: PLC0415 - likewise
    from ._operators.safe_text import printable  # noqa: PLC0415 - likewise
    from ._operators.trace_text import trace_json, trace_table  # noqa: PLC0415 - likewise
    from ._operators.tracing import trace  # noqa: PLC0415 - likewise

    catalog, registry, pipeline = installed(), Registry.parse(options.to), _read(options.file)
    output = options.output or default_output(options.file)
    rehomed = rehome(str(options.file), pipeline, Known.of(catalog).owned, registry)
    is_new = write_rehomed(options.file, output, rehomed.text, force=options.force)
    found = trace(Pipeline.parse(str(output), rehomed.text.encode()), catalog)
    if options.json:
        value = rehomed_json(rehomed, str(output), registry, is_new=is_new)
        return True, json.dumps({**value, "trace": trace_json(found, catalog)}, indent=2)
    told = map(printable, rehomed.told(str(output), registry))
    return True, "\n".join([*told, "", trace_table(found, catalog)])


def _read(path: Path) -> Pipeline:
    from ._operators.pipeline import read_pipeline  # noqa: PLC0415 - imports YAML

    return read_pipeline(path)


_COMMANDS = {None: _list, "trace": _trace, "rehome": _rehome}

if __name__ == "__main__":
    main()
