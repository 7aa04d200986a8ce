"""``kfp-release catalog``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kfp_release.commands import options
from kfp_release.commands.invocation import Invocation
from kfp_release.console import Console
from kfp_release.index_settings import S3Folder
from kfp_release.report import Report

if TYPE_CHECKING:
    from kfp_release.built import BuiltRelease
    from kfp_release.catalog.bucket import Sent
    from kfp_release.catalog.facts import Facts
    from kfp_release.catalog.folder import WrittenSite
    from kfp_release.catalog.model import Catalog
    from kfp_release.config import Config

_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class _Result:
    """A site that was written."""

    catalog: Catalog
    folder: Path
    site: WrittenSite
    sent: Sent | None
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """For ``--json``; the shape is documented in docs/catalog.md."""
        newest = self.catalog.newest
        return {
            "schema": _SCHEMA,
            "distribution": self.catalog.distribution,
            "newest": str(newest.version) if newest else None,
            "versions": len(self.catalog.versions),
            "components": len(self.catalog.components),
            "written": len(self.site.written),
            "unchanged": len(self.site.unchanged),
            "removed": len(self.site.removed),
            "index": str((self.folder / "index.html").resolve()),
            "sent": self.sent.to_json() if self.sent else None,
            "seconds": round(self.seconds, 3),
        }

    def report(self) -> Report:
        """For people."""
        site, catalog = self.site, self.catalog
        newest = f", the newest is {catalog.newest.version}" if catalog.newest else ""
        counts = f"{_count(len(catalog.components), 'component')}, {_count(len(catalog.versions), 'version')}{newest}"
        files = f"{len(site.written)} written, {len(site.unchanged)} unchanged, {len(site.removed)} removed"
        notes = [f"files: {files}; {self.seconds:.1f} s"]
        if (sent := self.sent) is not None:
            would = "would be " if sent.dry_run else ""
            moved = f"{len(sent.written)} {would}sent, {sent.unchanged} unchanged, {len(sent.deleted)} {would}deleted"
            notes.append(f"{sent.target}: {moved}; {sent.bytes_sent:,} bytes")
        notes.append(f"open {self.folder / 'index.html'}")
        return Report(f"{catalog.distribution}: {counts}", notes=tuple(notes))


@click.command("catalog", epilog=options.NETWORK)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder of the site: new, empty, or from an earlier call.",
)
@click.option("--offline", is_flag=True, help="From git and a built release alone: nobody is asked.")
@click.option(
    "--dist",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="With --offline: the folder of the built release.  [default: dist, if there is one]",
)
@click.option("--to", "target", metavar="s3://BUCKET/PREFIX", help="Publish it to this S3 bucket, too.")
@click.option("--dry-run", is_flag=True, help="With --to: tell what would be published, and publish nothing.")
@click.option("--fresh", is_flag=True, help="Ask for everything again, also for what an earlier call found out.")
@options.as_json
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    out: Path,
    offline: bool,
    dist: Path | None,
    target: str | None,
    dry_run: bool,
    fresh: bool,
    as_json: bool,
) -> int:
    """Write a static site of what is released: components, versions, images, and what changed from one to the next.

    \b
    kfp-release catalog --out site
    kfp-release catalog --out site --to s3://catalog-bucket/components
    kfp-release catalog --out site --offline

    Open site/index.html: it needs no server and nothing from elsewhere. Everything comes from git tags, the index and
    ECR, as status sees them. A later call writes what has changed, removes what is no longer part of the site, and
    asks for what is new: what it found out of a commit, a wheel or an image it keeps in the cache, for that cannot
    change. With --offline the images and files are those of a built release, other versions are told from git, and
    nothing is said of their state. --to publishes what the command wrote, and nothing else that lies in the folder.

    Reads git, ECR and the index; writes into that folder, the cache and, with --to, the bucket alone. Exit codes:
    0 written, 1 refused or failed, 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    from kfp_release.catalog.folder import require_folder, write_site  # noqa: PLC0415 - see Invocation
    from kfp_release.catalog.site import render  # noqa: PLC0415 - likewise

    if dist is not None and not offline:
        raise click.UsageError("--dist names what --offline looks at; without it, ECR and the index are asked")
    if dry_run and target is None:
        raise click.UsageError("--dry-run is for --to: it tells what would be published")
    began, folder = time.monotonic(), invocation.project / out
    config = invocation.config()
    require_folder(folder)
    if target is not None:
        S3Folder.parse(target)  # before anything else is asked
    facts = _facts(invocation, config, offline=offline, fresh=fresh)
    with Console() as console:
        if offline:
            catalog = _offline(invocation, config, dist, facts, console)
        else:
            catalog = _online(invocation, config, facts, console)
        if not facts.write():
            console.note("what was found out could not be kept in the cache: the next call asks for all of it again")
        console.step("write the pages")
        site = write_site(folder, render(catalog))
        sent = None if target is None else _published(invocation, folder, target, console, dry_run=dry_run)
    result = _Result(catalog, folder, site, sent, time.monotonic() - began)
    invocation.tell(result.report(), result.to_json(), as_json=as_json)
    return 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _facts(invocation: Invocation, config: Config, *, offline: bool, fresh: bool) -> Facts:
    """Those that a call of this kind found out: what it does not ask for is gone after it."""
    from kfp_release.cache import cache_folder  # noqa: PLC0415 - see Invocation
    from kfp_release.catalog.facts import Facts  # noqa: PLC0415 - likewise

    project = f"{config.distribution} {config.source}{' offline' * offline}"
    return Facts.of(cache_folder(invocation.environ), project, fresh=fresh)


def _online(invocation: Invocation, config: Config, facts: Facts, console: Console) -> Catalog:
    from kfp_release.catalog.gather import gather  # noqa: PLC0415 - brings boto3

    return gather(
        invocation.project,
        config,
        environ=invocation.environ,
        stores=invocation.stores(console),
        index=invocation.index(config.require_index(), console),
        facts=facts,
        progress=console,
    )


def _offline(invocation: Invocation, config: Config, dist: Path | None, facts: Facts, console: Console) -> Catalog:
    from kfp_release.catalog.gather import gather_offline  # noqa: PLC0415 - see Invocation

    return gather_offline(
        invocation.project,
        config,
        environ=invocation.environ,
        built=_built(invocation.project, dist, console),
        facts=facts,
        progress=console,
    )


def _published(invocation: Invocation, folder: Path, target: str, console: Console, *, dry_run: bool) -> Sent:
    from kfp_release.catalog.bucket import publish_site  # noqa: PLC0415 - brings boto3

    return publish_site(folder, target, progress=console, retry=invocation.retry(console), dry_run=dry_run)


def _built(project: Path, dist: Path | None, console: Console) -> BuiltRelease | None:
    """What is to be read: the usual folder need not be there, one that is named must."""
    from kfp_release.built import BuiltRelease  # noqa: PLC0415 - see Invocation

    folder = project / (dist or options.DIST)
    if dist is None and not (folder / "release.json").exists():
        console.note(f"no release is built in {folder}: all is told from git")
        return None
    return BuiltRelease.read(folder)
