"""``kfp-release build``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.filesize import decimal

from kfp_release.build import build
from kfp_release.commands import options, tables
from kfp_release.commands.invocation import Invocation
from kfp_release.console import Console
from kfp_release.plan import Plan
from kfp_release.report import Report


@click.command("build")
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=options.PLAN,
    show_default=True,
    help="What kfp-release plan wrote.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=options.DIST,
    show_default=True,
    help="The folder that it becomes; an earlier build there is replaced.",
)
@options.as_json
@click.pass_obj
def command(invocation: Invocation, *, plan_file: Path, output: Path, as_json: bool) -> None:
    """Make images, wheel and sdist from a plan: package layer, digest, pinned definitions, in this order.

    Takes the plan's commit from the repository, not the files of the checkout, which stays as it is. Needs no
    credentials. The same commit gives the same bytes everywhere. Beside them lies the SBOM of each image, in
    IMAGE.cdx.json: what its runtime has installed, which the plan tells, and the package. The wheel has its own inside.

    \b
    kfp-release build
    kfp-release build --plan /tmp/plan.json --output /tmp/dist

    Reads build/plan.json and git; writes dist/: image/ (an OCI layout without the runtime's layers), wheels, sdists,
    release.json, notes.md. Exit codes: 0 done, 1 refused or failed, 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    plan = Plan.read(invocation.project / plan_file)
    with Console() as console:
        built = build(invocation.project, plan, invocation.project / output, progress=console)
    record = built.record
    report = Report(
        f"Built {record.pins.distribution} {record.pins.version}",
        (tables.images(record.pins.images), tables.distributions(record.distributions), tables.steps(console.times)),
        (
            tables.source_note(plan.source),
            f"written to {output}; at most {decimal(built.bytes_to_push)} are to be pushed to ECR",
            "next: kfp-release publish",
        ),
    )
    invocation.tell(report, built.to_json(), as_json=as_json)
