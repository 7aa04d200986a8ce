"""``kfp-release release``."""

from __future__ import annotations

import click
from rich.filesize import decimal

from kfp_release.commands import options, tables
from kfp_release.commands.invocation import Invocation
from kfp_release.console import Console
from kfp_release.release import Access, release
from kfp_release.report import Report
from kfp_release.runtimes import BuildOptions


@click.command("release", epilog=options.NETWORK)
@options.tag
@options.snapshot
@options.create_repository
@options.ssh
@options.secret
@options.jobs
@options.as_json
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    tag: str | None,
    snapshot: bool,
    create_repository: bool,
    ssh: tuple[str, ...],
    secret: tuple[str, ...],
    jobs: int,
    as_json: bool,
) -> None:
    """Do all of it: check, runtime, plan, build, publish, and look at the result from outside.

    Each step looks first, so a release that was cut off is completed by the same command, on another machine too.
    ECR, the index and git are all its state.

    \b
    git tag v1.2 && git push origin v1.2
    TWINE_USERNAME=... TWINE_PASSWORD=... kfp-release release v1.2

    Reads the checkout, which must be clean and at the tag; writes dist/, ECR and the index.
    Exit codes: 0 done or done before, 1 refused or failed, 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    asked = options.tag_or_snapshot(tag, snapshot=snapshot)
    config = invocation.config()
    with Console() as console:
        console.step("look at git")
        source = invocation.source(asked)
        released = release(
            invocation.project,
            config,
            source,
            invocation.project / options.DIST,
            access=Access(
                invocation.stores(console),
                invocation.index(config.require_index(), console),
                invocation.builder(len(config.images)),
                invocation.retry(console),
                invocation.attestor(config, console),
            ),
            options=BuildOptions(ssh, secret, create_repository, jobs),
            progress=console,
        )
    record = released.published.built.record
    report = Report(
        f"{record.pins.distribution} {record.pins.version} is released",
        (
            tables.images(record.pins.images),
            tables.runtimes(released.runtimes),
            tables.outcomes(released.published.outcomes),
            tables.steps(console.times),
        ),
        (
            tables.source_note(source),
            f"{decimal(released.bytes_sent)} pushed to ECR, in {tables.took(released.seconds)}",
            tables.signed_note(config.signing_key, released.published),
        ),
    )
    invocation.tell(report, released.to_json(), as_json=as_json)
