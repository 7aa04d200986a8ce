"""``kfp-release rehome``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from kfp_release.commands import options
from kfp_release.commands.invocation import Invocation
from kfp_release.commands.pipelines import pipeline_of, refused, trace_report
from kfp_release.console import Console
from kfp_release.image_ref import Registry
from kfp_release.package_files._operators.pipeline import BadPipeline, Pipeline
from kfp_release.package_files._operators.rehoming import Rehomed, default_output, rehomed_json, write_rehomed
from kfp_release.package_files._operators.trace_text import tasks_json
from kfp_release.package_files._operators.tracing import Trace
from kfp_release.rehome import move, require_there
from kfp_release.report import Report, Table
from kfp_release.trace import trace


@click.command("rehome", epilog=options.NETWORK)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", required=True, metavar="REGISTRY", help="HOST[/PREFIX] of the mirror.")
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="What is written.  [default: FILE.rehomed.yaml]"
)
@click.option("--force", is_flag=True, help="Replace another file that is at the output.")
@click.option("--no-check", is_flag=True, help="Do not ask the mirror's ECR whether it has the images.")
@options.as_json
@click.pass_obj
def command(
    invocation: Invocation, *, file: Path, to: str, output: Path | None, force: bool, no_check: bool, as_json: bool
) -> int:
    """Write a compiled pipeline anew with its images on a mirror, their digests kept.

    REGISTRY takes the place of the images' host; the repository's path stays behind PREFIX, and so do tag and digest.
    Nothing else in the file changes. Images of others stay as they are, and are named.

    \b
    kfp-release rehome pipeline.yaml --to 533211398604.dkr.ecr.eu-west-1.amazonaws.com
    kfp-release rehome pipeline.yaml --to mirror.example/team --output production.yaml

    Before anything is written the mirror is asked whether it has the images, where it is an ECR; what it answers is
    shown as by kfp-release trace. The installed package does the same without asking: python -m PACKAGE rehome FILE.
    Exit codes: 0 written, or there already; 1 refused or failed; 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    registry, config = Registry.parse(to), invocation.config()
    source = invocation.project / file
    compiled = pipeline_of(source)
    target = invocation.project / output if output else default_output(source)
    moved = move(str(file), compiled, registry, config=config)
    found = None
    if moved.has_ecr and not no_check:
        pipeline = Pipeline.parse(str(target), moved.rehomed.text.encode())
        with Console() as console:
            found = trace(
                pipeline,
                project=invocation.project,
                config=config,
                stores=invocation.stores(console),
                digests=moved.digests,
            )
        require_there(found)
    try:
        is_new = write_rehomed(source, target, moved.rehomed.text, force=force)
    except BadPipeline as error:
        raise refused(error) from error
    title = f"{target} {'written' if is_new else 'unchanged'}, with images on {registry}"
    asked = "" if moved.has_ecr else f"{registry} is no ECR: it was not asked whether it has them"
    report = _report(title, moved.rehomed, found, asked or f"{registry} was not asked whether it has them")
    value = {
        **rehomed_json(moved.rehomed, str(target), registry, is_new=is_new),
        "checked": found is not None,
        "trace": None if found is None else tasks_json(found),
    }
    invocation.tell(report, value, as_json=as_json)
    return 0


def _report(title: str, rehomed: Rehomed, found: Trace | None, unasked: str) -> Report:
    if found is not None:
        told = trace_report(found)
        return replace(told, title=title, notes=(told.title, *told.notes), good=True)
    rows = [
        *((new, "moved") for new in rehomed.moved.values()),
        *((image, "was there") for image in rehomed.stayed),
        *((image, "of others, left as it is") for image in rehomed.left),
    ]
    return Report(title, (Table.of(("image", "state"), rows),), (unasked,))
