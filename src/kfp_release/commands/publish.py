"""``kfp-release publish``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.filesize import decimal

from kfp_release.built import BuiltRelease
from kfp_release.commands import options, tables
from kfp_release.commands.invocation import Invocation
from kfp_release.console import Console
from kfp_release.publish import publish
from kfp_release.report import Report


@click.command("publish", epilog=options.NETWORK)
@click.argument(
    "dist", type=click.Path(file_okay=False, path_type=Path), required=False, default=options.DIST, metavar="[DIST]"
)
@options.as_json
@click.pass_obj
def command(invocation: Invocation, *, dist: Path, as_json: bool) -> None:
    """Make public what build wrote to DIST (dist): images, their SBOMs, sdists, then wheels; and read all of it back.

    What is there unchanged is left alone; other content under the same version is refused before a byte is sent;
    nothing is overwritten. So an interrupted publish is run again. The wheel's upload is the moment of release.

    \b
    TWINE_USERNAME=... TWINE_PASSWORD=... kfp-release publish

    Reads DIST, and in pyproject.toml where the index is; writes to ECR, with AWS's usual credentials, and to the index.
    Exit codes: 0 done or done before, 1 refused or failed, 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    config = invocation.config()
    built = BuiltRelease.read(invocation.project / dist)
    built.require_registry(config)
    with Console() as console:
        published = publish(
            built,
            stores=invocation.stores(console),
            index=invocation.index(config.require_index(), console),
            progress=console,
            retry=invocation.retry(console),
            mutable=config.mutable_images,
            attestor=invocation.attestor(config, console),
        )
    pins = built.record.pins
    report = Report(
        f"{pins.distribution} {pins.version} is public" + ("" if published.changed else ", as it was before"),
        (tables.outcomes(published.outcomes), tables.steps(console.times)),
        (f"{decimal(published.bytes_sent)} pushed to ECR", tables.signed_note(config.signing_key, published)),
    )
    invocation.tell(report, published.to_json(), as_json=as_json)
