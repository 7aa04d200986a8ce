"""``kfp-release trace``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kfp_release.commands import options
from kfp_release.commands.invocation import Invocation
from kfp_release.commands.pipelines import pipeline_of, trace_report
from kfp_release.console import Console
from kfp_release.package_files._operators.trace_text import tasks_json
from kfp_release.trace import trace


@click.command("trace", epilog=options.NETWORK)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--markdown", is_flag=True, help="Print the table as Markdown, for a pull request.")
@options.as_json
@click.pass_obj
def command(invocation: Invocation, *, file: Path, markdown: bool, as_json: bool) -> int:
    """Trace a compiled pipeline back to the versions and commits of its images.

    FILE is what kfp 2 compiled, of any version of the package. A row a task: its component, the version and commit
    that its image's labels in ECR name, and a state.

    \b
    pinned      the image is there, and its tag and labels agree
    mirrored    the same, on another registry
    no image    an importer, which runs none
    and flagged:
    unpinned    it has no digest, so what runs can change or be missing
    missing     ECR has no image of this digest
    archived    ECR has it, and does not hand it out
    incomplete  ECR lacks layers of it
    drift       a tag, of the pipeline, ECR or git, leads elsewhere than the labels
    unknown     its labels name no version and commit
    foreign     an image of others, which no component file names
    unasked     ECR gave no answer about it

    \b
    kfp-release trace pipeline.yaml
    kfp-release trace pipeline.yaml --markdown

    Reads git and ECR; writes nothing. The installed package does the same for its own version without either:
    python -m PACKAGE trace FILE. Exit codes: 0 all is known and there, 1 something is flagged, 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    if markdown and as_json:
        raise click.UsageError("--markdown and --json are two forms of one result")
    pipeline = pipeline_of(invocation.project / file)
    with Console() as console:
        found = trace(
            pipeline, project=invocation.project, config=invocation.config(), stores=invocation.stores(console)
        )
    report = trace_report(found)
    if markdown:
        sys.stdout.write(report.markdown())
    else:
        invocation.tell(report, tasks_json(found), as_json=as_json)
    return 0 if found.is_good else 1
