"""``kfp-release promote``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from rich.filesize import decimal

from kfp_release.commands import options, tables
from kfp_release.commands.invocation import Invocation
from kfp_release.console import Console
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Registry
from kfp_release.index_settings import IndexUrls
from kfp_release.project_name import parse_project_name
from kfp_release.promote import Promoter
from kfp_release.promotion import Promoted, PromotedImage, promotions
from kfp_release.released_pins import ReleasedPins, released_pins
from kfp_release.report import Report, Table
from kfp_release.settings import REGISTRY
from kfp_release.version import ReleaseVersion
from kfp_release.withdrawn import withdrawn_versions


@click.command("promote", epilog=options.NETWORK)
@click.argument("version", metavar="X.Y")
@click.option("--to", "to", required=True, metavar="REGISTRY", help="Where the images go: HOST, or HOST/PREFIX.")
@click.option(
    "--from",
    "source",
    metavar="REGISTRY",
    envvar=REGISTRY,
    show_envvar=True,
    help="Where they are copied from.  [default: where the wheel pins them]",
)
@click.option("--to-profile", metavar="NAME", help="AWS profile for --to.  [default: AWS's usual credentials]")
@click.option("--from-profile", metavar="NAME", help="AWS profile for the other side.  [default: likewise]")
@options.create_repository
@click.option("--withdrawn", "withdrawn_too", is_flag=True, help="Also a version that is withdrawn.")
@click.option("--dry-run", is_flag=True, help="Tell what would be copied, and change nothing.")
@options.name
@options.index_url
@options.as_json
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    version: str,
    to: str,
    source: str | None,
    to_profile: str | None,
    from_profile: str | None,
    create_repository: bool,
    withdrawn_too: bool,
    dry_run: bool,
    name: str | None,
    index_url: str | None,
    as_json: bool,
) -> None:
    """Copy the images of a published version to another registry, account or region; the wheel stays as it is.

    REGISTRY takes the place of each image's registry host: `data-science/demo` becomes HOST/data-science/demo, or
    HOST/PREFIX/data-science/demo. Tag and digest stay. Layers are streamed, verified on their way and held nowhere;
    what is there already is not sent again; another image under the version's tag is refused before a byte is sent. So
    an interrupted promote is run again. What refers to an image (SBOM, provenance, signatures of any tool) is copied
    with it. What the version is, its wheel on the index tells: no checkout of its tag is
    needed, and with --name and --index-url no project at all.

    \b
    kfp-release promote 1.2 --to 111122223333.dkr.ecr.eu-west-1.amazonaws.com --dry-run
    kfp-release promote 1.2 --to 111122223333.dkr.ecr.eu-west-1.amazonaws.com --to-profile production

    Reads the index and ECR; writes to ECR at --to. Exit codes: 0 done or done before (or would be), 1 refused or
    failed, 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    registry, origin = Registry.parse(to), Registry.parse(source) if source else None
    with Console() as console:
        console.step(f"look at {version} on the index")
        released = _released(invocation, ReleaseVersion.parse(version), name, index_url, console)
        if not withdrawn_too:
            released.require_current("promote the version that follows it; or this one all the same, with --withdrawn")
        promoter = Promoter(
            sources=invocation.stores(console, from_profile),
            targets=invocation.stores(console, to_profile),
            progress=console,
            create=create_repository,
            mutable=None if name else invocation.config().mutable_images,
        )
        promoted = promoter.promote(promotions(released.pins, registry, origin), dry_run=dry_run)
    pins = released.pins
    value: dict[str, Any] = {"distribution": pins.distribution, "version": str(pins.version), "commit": pins.commit}
    value |= {"registry": str(registry), "dry_run": dry_run, "withdrawn": released.withdrawn, **promoted.to_json()}
    invocation.tell(_report(released, registry, promoted, console, dry_run=dry_run), value, as_json=as_json)


def _released(
    invocation: Invocation, version: ReleaseVersion, name: str | None, index_url: str | None, console: Console
) -> ReleasedPins:
    """What the index has of the version. Branches tell of versions of their own project, where git is at hand."""
    index = IndexUrls.to_read(index_url) if index_url else invocation.config().require_index()
    withdrawn: Mapping[ReleaseVersion, str] = {}
    if name is None:
        try:
            withdrawn = withdrawn_versions(invocation.git())
        except ReleaseError as error:
            console.note(f"the index alone tells whether {version} is withdrawn, for git does not: {error.args[0]}")
    return released_pins(
        version,
        distribution=parse_project_name(name) if name else invocation.config().distribution,
        index=invocation.index(index, console),
        withdrawn=withdrawn,
    )


def _report(
    released: ReleasedPins, registry: Registry, promoted: Promoted, console: Console, *, dry_run: bool
) -> Report:
    what = f"{released.pins.distribution} {released.pins.version}"
    missing = decimal(promoted.bytes_missing)
    if not promoted.changed:
        title, note = f"The images of {what} are in {registry}, as they were before", "nothing is missing"
    elif dry_run:
        title, note = f"The images of {what} would be copied to {registry}", f"{missing} would be copied; nothing was"
    else:
        sent = decimal(promoted.bytes_copied)
        title, note = f"The images of {what} are in {registry}", f"{sent} copied"
    notes = [f"withdrawn: {released.withdrawn}"] if released.withdrawn else []
    table = Table.of(
        ("image", "target", "digest", "state", "missing", "copied"), [_row(image) for image in promoted.images]
    )
    attached = Table.of(
        ("refers to", "type", "digest", "state", "missing"),
        [
            (image.promotion.name, one.artifact_type, str(one.digest), one.deed, decimal(one.bytes_missing))
            for image in promoted.images
            for one in image.referrers
        ],
    )
    return Report(title, (table, attached, tables.steps(console.times)), (*notes, *map(str, promoted.warnings), note))


def _row(image: PromotedImage) -> tuple[str, ...]:
    target = image.promotion.target
    if image.is_new_repository:
        missing = f"repository, {decimal(image.bytes_missing)}"
    else:
        missing = f"{image.blobs_missing} of {image.blobs} blobs, {decimal(image.bytes_missing)}"
    return (
        image.promotion.name,
        f"{target.repository}:{target.tag}",
        str(target.digest),
        image.deed,
        missing,
        decimal(image.bytes_copied),
    )
