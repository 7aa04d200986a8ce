"""``kfp-release verify``."""

from __future__ import annotations

import click

from kfp_release.commands import options
from kfp_release.commands.invocation import Invocation
from kfp_release.commands.tables import evidence, images
from kfp_release.console import Console
from kfp_release.index_settings import IndexUrls
from kfp_release.project_name import parse_project_name
from kfp_release.report import Report, Table
from kfp_release.verify import verify
from kfp_release.version import ReleaseVersion


@click.command("verify", epilog=options.NETWORK)
@click.argument("version", metavar="X.Y")
@options.name
@options.index_url
@click.option(
    "--rebuild", is_flag=True, help="Then make it again from its tag, and hold what comes out against what is public."
)
@click.option(
    "--rebuild-runtime",
    "anew",
    is_flag=True,
    help="The same, with runtimes built anew with buildah, without any cache, and compared too.",
)
@options.ssh
@options.secret
@options.as_json
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    version: str,
    name: str | None,
    index_url: str | None,
    rebuild: bool,
    anew: bool,
    ssh: tuple[str, ...],
    secret: tuple[str, ...],
    as_json: bool,
) -> int:
    """Look at a published version from outside: download its files, read its pins, ask ECR for its images.

    Every disagreement is a line. With --name and --index-url it needs no project at all. Of each image it is told how
    many components its SBOM names; an image without one is no disagreement, for older versions of this tool made none.

    With --rebuild it proves besides, in a clone that has the tag, that the version is what its tag gives: package
    layer, SBOMs, wheels and sdists are made again from the tag's commit and compared, whatever is checked out. Runtimes
    are those of ECR, or built anew with --rebuild-runtime. A verdict is identical, same content (in other container
    bytes), not attached (an SBOM, to an image of an older release), or differs: then it is told what differs and what
    to do.

    \b
    kfp-release verify 1.2
    kfp-release verify 1.2 --name kubeflow-demo-components --index-url https://pypi.example/simple/
    kfp-release verify 1.2 --rebuild
    kfp-release verify 1.2 --rebuild-runtime

    Reads the index and ECR, and git for --rebuild; writes nothing.
    Exit codes: 0 all is as the pins say, and as the tag gives it; 1 something is not; 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    if name and (rebuild or anew):
        raise click.UsageError("--name cannot be had with --rebuild: the tag's commit names the distribution")
    if (ssh or secret) and not anew:
        raise click.UsageError("--ssh and --secret are for --rebuild-runtime")
    wanted = ReleaseVersion.parse(version)
    if rebuild or anew:
        from kfp_release.commands.rebuilding import prove  # noqa: PLC0415 - brings all that builds

        return prove(invocation, wanted, index_url=index_url, anew=anew, ssh=ssh, secrets=secret, as_json=as_json)
    return _look(invocation, wanted, name=name, index_url=index_url, as_json=as_json)


def _look(
    invocation: Invocation, wanted: ReleaseVersion, *, name: str | None, index_url: str | None, as_json: bool
) -> int:
    """Look from outside alone, and tell; the exit code."""
    index = IndexUrls.to_read(index_url) if index_url else invocation.config().require_index()
    distribution = parse_project_name(name) if name else invocation.config().distribution
    with Console() as console:
        console.step(f"look at {wanted} on the index and in ECR")
        verified = verify(
            wanted,
            distribution=distribution,
            index=invocation.index(index, console),
            stores=invocation.stores(console),
        )
    count = len(verified.problems)
    state = f"{count} disagreement{'s' * (count > 1)}" if count else "all is as its pins say"
    files = Table.of(("file", "sha256"), list(verified.files.items()))
    report = Report(
        f"{verified.distribution} {verified.version}: {state}",
        (images(verified.pins.images if verified.pins else ()), evidence(verified), files),
        verified.problems,
        good=not verified.problems,
    )
    invocation.tell(report, verified.to_json(), as_json=as_json)
    return 1 if verified.problems else 0
