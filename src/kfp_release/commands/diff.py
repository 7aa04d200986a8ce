"""``kfp-release diff``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import click

from kfp_release.commands import options
from kfp_release.commands.invocation import Invocation
from kfp_release.interface_change import InterfaceChange
from kfp_release.interface_diff import InterfaceDiff, compare
from kfp_release.interface_notes import interface_notes
from kfp_release.interface_source import WORKING_TREE, InterfaceSource, require_one_project
from kfp_release.report import Report, Table

if TYPE_CHECKING:
    from kfp_release.released_files import PackageIndex


@click.command("diff", epilog=options.NETWORK)
@click.argument("before", required=False, metavar="[A]")
@click.argument("after", required=False, default=WORKING_TREE, metavar="[B]")
@click.option("--markdown", is_flag=True, help="Print entries for CHANGELOG.md: Added, Changed, Removed.")
@click.option("--descriptions", is_flag=True, help="Tell of changed descriptions too.")
@click.option("--exit-code", is_flag=True, help="End with 1 where the interfaces differ.")
@options.as_json
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    before: str | None,
    after: str,
    markdown: bool,
    descriptions: bool,
    exit_code: bool,
    as_json: bool,
) -> int:
    """Say what changed for pipelines from A to B: operators, inputs, outputs, defaults, and the version it needs.

    \b
    A and B are each one of
      1.2, v1.2               a release, by its tag
      HEAD, main, ab12cd3     whatever git calls a commit
      dist/parts-1.2-….whl    a wheel, or an sdist (.tar.gz)
      index:1.2               a version on the index
      .                       the working tree
    A is the last release before HEAD unless it is given, B the working tree.

    \b
    kfp-release diff
    kfp-release diff 1.2 --markdown
    kfp-release diff index:1.2 index:1.3 --json

    A file is taken for one by its ending; refs/heads/1.2 is a branch that is called like a version. Images, output
    order and the ways to write one type make no difference. Needs the network for index: alone, and changes nothing.
    Exit codes: 0 compared; 1 refused or failed, and with --exit-code where something changed; 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    if markdown and as_json:
        raise click.UsageError("--markdown and --json are two forms of one result")
    source = InterfaceSource(invocation.project, invocation.git(), invocation.config, partial(_index, invocation))
    sides = source.last_release() if before is None else source.read(before), source.read(after)
    require_one_project(*sides)
    diff = compare(*sides, descriptions=descriptions, taken=source.taken(sides[1])).require_parsed()
    if markdown:
        sys.stdout.write(interface_notes(diff.changes))
    else:
        invocation.tell(_report(diff), diff.to_json(), as_json=as_json)
    return 1 if exit_code and diff.changes else 0


def _index(invocation: Invocation) -> PackageIndex:
    from kfp_release.console import Console  # noqa: PLC0415 - for index: alone

    with Console() as console:
        return invocation.index(invocation.config().require_index(), console)


def _report(diff: InterfaceDiff) -> Report:
    breaking, others = len(diff.breaking), len(diff.harmless)
    counted = [f"{breaking} breaking change{'s' * (breaking != 1)}"] * bool(breaking)
    counted += [f"{others} {'other' if breaking else 'change'}{'s' * (others != 1)}"] * bool(others)
    title = f"{diff.before.name} → {diff.after.name}: {', '.join(counted) or 'the same interfaces'}"
    tables = _table("breaking", diff.breaking), _table("not breaking", diff.harmless)
    return Report(title, tables, tuple(_notes(diff)), good=diff.is_enough is not False)


def _table(heading: str, changes: Iterable[InterfaceChange]) -> Table:
    """A row a change: of which operator, what it is, what was, and what is now."""
    rows = [(change.operator, change.what, change.before, change.after) for change in changes]
    return Table.of((heading, "change", "before", "after"), rows)


def _notes(diff: InterfaceDiff) -> Iterator[str]:
    base, version, follows = diff.before.version, diff.after.version, diff.next_version
    if not diff.changes:
        return
    if base is None or follows is None:
        yield f"needs: a {diff.bump} version"
    elif base.version.is_prerelease:
        yield f"{base} is a pre-release, which promises nothing: {follows} may follow"
    else:
        yield f"needs: a {diff.bump} version, which after {base} is {follows}"
    if diff.is_enough is False:
        yield f"{version} is too low for that: pipelines that were written for {base} may not compile with it"
