"""``kfp-release compile``."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

import click

from kfp_release.commands import options
from kfp_release.commands.invocation import Invocation
from kfp_release.compilation import compile_components
from kfp_release.report import Report, Table


@click.command("compile")
@options.as_json
@click.pass_obj
def command(invocation: Invocation, *, as_json: bool) -> None:
    """Write the component files of components that are Python functions.

    Imports the modules that `python-components` in pyproject.toml names, in a process of its own, and writes
    FUNCTION.yaml into the components' folder for each @dsl.container_component function (and each @dsl.pipeline) that
    is defined in them. Underscored functions are left out. Needs kfp beside kfp-release; nothing else does. Commit what
    it writes: kfp-release check refuses a file that is not what its function gives.

    A file whose function is gone is removed. A file that was written by hand is never replaced, and @dsl.component
    functions are refused: they install kfp and packages when they run, and bypass the image.

    \b
    kfp-release compile
    kfp-release compile && git diff yaml

    Exit codes: 0 done, 1 refused or failed, and nothing is written but files that the refused ones are made of; 2 wrong
    use.
    """  # noqa: D301 - click reads the \\b
    files = compile_components(invocation.project, invocation.config())
    counts = Counter(file.state for file in files)
    title = ", ".join(f"{counts[state]} {state}" for state in ("written", "unchanged", "removed") if counts[state])
    table = Table.of(("file", "from", "is"), [(file.path, file.origin, file.state) for file in files])
    notes = ("next: kfp-release check, and commit them",) if counts["written"] or counts["removed"] else ()
    report = Report(title, (table,), notes)
    invocation.tell(report, {"files": [asdict(file) for file in files]}, as_json=as_json)
