"""``kfp-release verify``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from kfp_release.commands import options
from kfp_release.commands.invocation import Invocation
from kfp_release.commands.keys import UNCHECKED, public_keys
from kfp_release.commands.tables import evidence, images, provenances, scan_notes, scans
from kfp_release.console import Console
from kfp_release.index_settings import IndexUrls
from kfp_release.project_name import parse_project_name
from kfp_release.report import Report, Table
from kfp_release.scan_gate import scanned
from kfp_release.scan_rules import ScanRules
from kfp_release.verify import Verified, verify
from kfp_release.verify_provenance import VerifiedProvenance, verify_provenance
from kfp_release.version import ReleaseVersion

_OLDER = f"it was held against signing-key, of today; --key names another, and {UNCHECKED}"


@click.command("verify", epilog=options.NETWORK)
@click.argument("version", metavar="X.Y")
@options.name
@options.index_url
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="KEY",
    help="Its provenance must be signed with this key: a file with the public key as PEM, or awskms:ARN or"
    " awskms:alias/NAME for one in AWS KMS. Of several, one must have signed.  [default: signing-key of the"
    " configuration; with --name none]",
)
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
@click.option(
    "--wait-for-scan",
    "wait",
    type=click.IntRange(0, 3600),
    default=0,
    metavar="SECONDS",
    help="Wait so long for a scan that is to come, if [tool.kfp-release.scan] has a threshold.",
)
@options.as_json
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    version: str,
    name: str | None,
    index_url: str | None,
    keys: tuple[str, ...],
    rebuild: bool,
    anew: bool,
    ssh: tuple[str, ...],
    secret: tuple[str, ...],
    wait: int,
    as_json: bool,
) -> int:
    """Look at a published version from outside: download its files, read its pins, ask ECR for its images.

    Every disagreement is a line. With --name and --index-url it needs no project at all. Of each image it is told how
    many components its SBOM names; an image without one is no disagreement, for older versions of this tool made none.
    What ECR's scan found in the images is told too, and what [tool.kfp-release.scan] of the checkout refuses is
    refused; with --name there is none.

    With a key, of --key or else the configured one, it asks for a provenance besides, attached to each image and signed
    with that key, and holds what it says against what is public: commit and tag, each image and file, and what the
    runtimes are made of. Without, it tells what is attached, and checks no signature. KFP_RELEASE_SIGNING_KEY=none
    leaves the configured key out, for who may not ask KMS for it.

    With --rebuild it proves besides, in a clone that has the tag, that the version is what its tag gives: package
    layer, SBOMs, wheels and sdists are made again from the tag's commit and compared, whatever is checked out; no
    signature is checked then. Runtimes are those of ECR, or built anew with --rebuild-runtime. A verdict is identical,
    same content (in other container bytes), not attached (an SBOM, to an image of an older release), not rebuilt (an
    SBOM, where the runtime's layers cannot be read), or differs: then it is told what differs and what to do.

    \b
    kfp-release verify 1.2
    kfp-release verify 1.2 --name kubeflow-demo-components --index-url https://pypi.example/simple/
    kfp-release verify 1.2 --key awskms:alias/releases
    kfp-release verify 1.2 --rebuild
    kfp-release verify 1.2 --rebuild-runtime

    Reads the index and ECR, and git for --rebuild; writes nothing.
    Exit codes: 0 all is as the pins say, and as the tag gives it; 1 something is not, or is refused for what a scan
    found; 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    if name and (rebuild or anew):
        raise click.UsageError("--name cannot be had with --rebuild: the tag's commit names the distribution")
    if keys and (rebuild or anew):
        raise click.UsageError("--key cannot be had with --rebuild: run verify twice")
    if (ssh or secret) and not anew:
        raise click.UsageError("--ssh and --secret are for --rebuild-runtime")
    wanted = ReleaseVersion.parse(version)
    if rebuild or anew:
        from kfp_release.commands.rebuilding import prove  # noqa: PLC0415 - brings all that builds

        return prove(
            invocation, wanted, index_url=index_url, anew=anew, ssh=ssh, secrets=secret, wait=wait, as_json=as_json
        )
    return _look(invocation, wanted, name=name, index_url=index_url, keys=keys, wait=wait, as_json=as_json)


def _look(
    invocation: Invocation,
    wanted: ReleaseVersion,
    *,
    name: str | None,
    index_url: str | None,
    keys: tuple[str, ...],
    wait: int,
    as_json: bool,
) -> int:
    """Look from outside alone, and tell; the exit code."""
    index = IndexUrls.to_read(index_url) if index_url else invocation.config().require_index()
    distribution = parse_project_name(name) if name else invocation.config().distribution
    config = None if name else invocation.config()
    with Console() as console:
        asked = public_keys(invocation, keys, config.signing_key if config else None, console)
        console.step(f"look at {wanted} on the index and in ECR")
        opened, stores = invocation.index(index, console), invocation.stores(console)
        verified = verify(wanted, distribution=distribution, index=opened, stores=stores)
        console.step("look at its provenance")
        provenance = verify_provenance(verified, keys=[*asked.values()], index=opened, stores=stores)
        rules = config.scan if config else ScanRules()
        verified = scanned(verified, rules, stores=stores, progress=console, wait=wait)
    problems = (*verified.problems, *provenance.problems)
    is_good = verified.is_good and not problems
    report = Report(
        f"{verified.distribution} {verified.version}: {_state(verified, problems, [*asked])}",
        _tables(verified, provenance),
        (
            *(*problems, *verified.notes, *provenance.notes),
            *([_OLDER] if provenance.problems and not keys else []),
            *scan_notes(verified.scan_problems),
        ),
        good=is_good,
    )
    value = {**verified.to_json(), "provenance": provenance.to_json(), "problems": list(problems)}
    invocation.tell(report, value, as_json=as_json)
    invocation.annotate(verified.scan_problems)
    return 0 if is_good else 1


def _tables(verified: Verified, provenance: VerifiedProvenance) -> tuple[Table, ...]:
    pinned = verified.pins.images if verified.pins else ()
    files = Table.of(("file", "sha256"), list(verified.files.items()))
    return (images(pinned), evidence(verified), scans(verified.scans), files, provenances(provenance.seen))


def _state(verified: Verified, problems: Sequence[str], keys: Sequence[str]) -> str:
    count = len(problems)
    state = f"{count} disagreement{'s' * (count > 1)}" if count else "all is as its pins say"
    if keys and not count:
        state += f", and its provenance is signed with {' or '.join(keys)}"
    return f"{state}; refused for what a scan found" if verified.is_refused else state
