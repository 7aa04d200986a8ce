"""``kfp-release plan``."""

from __future__ import annotations

from pathlib import Path

import click

from kfp_release.commands import options, tables
from kfp_release.commands.invocation import Invocation
from kfp_release.console import Console
from kfp_release.plan import make_plan
from kfp_release.report import Report


@click.command("plan", epilog=options.NETWORK)
@options.tag
@options.snapshot
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=options.PLAN,
    show_default=True,
    help="Where the plan is written.",
)
@options.as_json
@click.pass_obj
def command(invocation: Invocation, *, tag: str | None, snapshot: bool, output: Path, as_json: bool) -> None:
    """Look, and tell what a release of this tag would do.

    Refuses a checkout that is not exactly at the tag, with the command that mends it. Then asks ECR and the index what
    is there already, and writes it all down for build, which needs no credentials then.

    \b
    kfp-release plan v1.2
    kfp-release plan --snapshot --output /tmp/plan.json

    Reads git, ECR and the index; writes build/plan.json alone. Exit codes: 0 done, 1 refused or failed, 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    asked = options.tag_or_snapshot(tag, snapshot=snapshot)
    config = invocation.config()
    with Console() as console:
        console.step("look at git")
        source = invocation.source(asked)
        console.step("look at ECR and the index")
        index = invocation.index(config.require_index(), console)
        plan = make_plan(invocation.project, config, source, stores=invocation.stores(console), index=index)
    plan.write(invocation.project / output)
    missing = ", ".join(image.name for image in (*plan.missing_runtimes, *plan.missing_sboms))
    next_step = f"first: kfp-release runtime, for {missing}; then plan again" if missing else "next: kfp-release build"
    report = Report(
        f"Plan for {plan.distribution} {source.version}",
        (tables.planned_images(plan), tables.planned_files(plan)),
        (*map(str, plan.warnings), tables.source_note(source), f"written to {output}; {next_step}"),
    )
    invocation.tell(report, plan.to_json(), as_json=as_json)
