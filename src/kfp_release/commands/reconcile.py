"""``kfp-release reconcile``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from kfp_release.commands import options, tables
from kfp_release.commands.invocation import Invocation
from kfp_release.console import Console
from kfp_release.errors import ReleaseError
from kfp_release.reconcile import Deed, Reconciled, Reconciler
from kfp_release.release import Access
from kfp_release.report import Report, Table
from kfp_release.runtimes import BuildOptions
from kfp_release.status import Status, status
from kfp_release.version import ReleaseVersion


@click.command("reconcile", epilog=options.NETWORK)
@click.argument("versions", nargs=-1, metavar="[X.Y]...")
@click.option("--dry-run", is_flag=True, help="Tell what would be done, and do nothing: not even check.")
@options.create_repository
@options.ssh
@options.secret
@options.as_json
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    versions: tuple[str, ...],
    dry_run: bool,
    create_repository: bool,
    ssh: tuple[str, ...],
    secret: tuple[str, ...],
    as_json: bool,
) -> int:
    """Complete what status finds missing, of the versions X.Y or of all: each from its tag, in a clone of its own.

    The checkout is not touched. Nothing is overwritten: a version of which something else is public is refused, with
    what disagrees and what to do. A withdrawn version is left as it is. --dry-run does not run check, which may refuse
    what it says would be completed.

    \b
    kfp-release reconcile --dry-run
    kfp-release reconcile 1.2

    Reads git, ECR and the index; writes to ECR and the index.
    Exit codes: 0 nothing is missing any more (or would be), 1 something was refused, 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    config = invocation.config()
    with Console() as console:
        stores, index = invocation.stores(console), invocation.index(config.require_index(), console)
        asked = [ReleaseVersion.parse(version) for version in versions]
        found = status(
            invocation.project,
            config,
            environ=invocation.environ,
            stores=stores,
            index=index,
            progress=console,
            versions=asked or None,
        )
        _require_all(asked, found)
        reconciler = Reconciler(
            invocation.project,
            invocation.environ,
            Access(
                stores,
                index,
                invocation.builder(len(config.images)),
                invocation.retry(console),
                invocation.attestor(config, console),
            ),
            BuildOptions(ssh, secret, create_repository),
            console,
            dry_run=dry_run,
        )
        done = list(reconciler.reconcile(found.rows))
    report = _report(done, console, dry_run=dry_run)
    invocation.tell(report, {"versions": [item.to_json() for item in done]}, as_json=as_json)
    return 0 if report.good else 1


def _require_all(versions: Sequence[ReleaseVersion], found: Status) -> None:
    """Raise `ReleaseError` for a version that was asked for, and is nowhere or was not released with this tool."""
    if foreign := [version for version in found.foreign if version in versions]:
        raise ReleaseError(
            f"{foreign[0]} is not looked at: the commit of its tag {foreign[0].tag} has no [tool.kfp-release]",
            remedy="it was released otherwise; whatever it lacks is completed as it was released",
        )
    there = {row.version for row in found.rows}
    if unknown := [version for version in versions if version not in there]:
        raise ReleaseError(
            f"there is no version {unknown[0]}: neither a git tag nor an image or file of it",
            remedy="git fetch --tags brings tags that this clone lacks; kfp-release status lists the versions",
        )


def _report(done: Sequence[Reconciled], console: Console, *, dry_run: bool) -> Report:
    told = [item for item in done if item.deed is not Deed.LEFT or item.details]
    refused = sum(item.deed is Deed.REFUSED for item in done)
    completed = sum(item.deed in {Deed.COMPLETED, Deed.PLANNED} for item in done)
    verb = "would be completed" if dry_run else "completed"
    title = f"{completed} {verb}, {refused} refused" if completed or refused else "Nothing is missing."
    rows = [(str(item.version), item.state.value, item.deed.value, "; ".join(item.details)) for item in told]
    times = () if dry_run else (tables.steps(console.times),)
    return Report(title, (Table.of(("version", "was", "is", "details"), rows), *times), good=not refused)
