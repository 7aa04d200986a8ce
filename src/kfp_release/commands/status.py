"""``kfp-release status``."""

from __future__ import annotations

import click

from kfp_release.commands import options
from kfp_release.commands.invocation import Invocation
from kfp_release.commands.version_table import headline, notes, version_table
from kfp_release.console import Console
from kfp_release.report import Report
from kfp_release.status import status


@click.command("status", epilog=options.NETWORK)
@click.option("--no-scan", "no_scan", is_flag=True, help="Do not ask ECR what its scans found: a call an image.")
@options.as_json
@click.pass_obj
def command(invocation: Invocation, *, no_scan: bool, as_json: bool) -> int:
    """Hold every release tag against ECR and the index, and name what is missing or disagrees.

    A row a version, the newest first: in order, not released, incomplete, abandoned (an image, and no file that pins
    it), drift, withdrawn. What exists without a tag has a row too; snapshots are listed, and are no drift. Beside it
    stands what ECR's scan found in the images; what [tool.kfp-release.scan] refuses is something that is to be done.

    \b
    kfp-release status
    kfp-release status --json

    Reads git, ECR and the index; writes nothing. Exit codes: 0 all is in order or withdrawn, 1 something is not, or is
    refused for what a scan found, 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    config = invocation.config()
    with Console() as console:
        found = status(
            invocation.project,
            config,
            environ=invocation.environ,
            stores=invocation.stores(console),
            index=invocation.index(config.require_index(), console),
            progress=console,
            scan=None if no_scan else config.scan,
        )
    report = Report(headline(found), (version_table(found.rows),), tuple(notes(found)), good=found.is_good)
    invocation.tell(report, found.to_json(), as_json=as_json)
    invocation.annotate([problem for row in found.rows for problem in row.scan_problems])
    return 0 if found.is_good else 1
