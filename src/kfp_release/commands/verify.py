"""``kfp-release verify``."""

from __future__ import annotations

import click

from kfp_release.commands import options
from kfp_release.commands.invocation import Invocation
from kfp_release.commands.tables import images
from kfp_release.config import IndexSettings
from kfp_release.console import Console
from kfp_release.report import Report, Table
from kfp_release.settings import SIMPLE_URL
from kfp_release.url import parse_url
from kfp_release.verify import verify
from kfp_release.version import ReleaseVersion


@click.command("verify", epilog=options.NETWORK)
@click.argument("version", metavar="X.Y")
@click.option("--name", metavar="DISTRIBUTION", help="Another distribution than that of pyproject.toml.")
@click.option(
    "--index-url",
    metavar="URL",
    envvar=SIMPLE_URL,
    show_envvar=True,
    help="Another simple index than that of pyproject.toml.",
)
@options.as_json
@click.pass_obj
def command(invocation: Invocation, *, version: str, name: str | None, index_url: str | None, as_json: bool) -> int:
    """Look at a published version from outside: download its files, read its pins, ask ECR for its images.

    Every disagreement is a line. With --name and --index-url it needs no project at all.

    \b
    kfp-release verify 1.2
    kfp-release verify 1.2 --name kubeflow-demo-components --index-url https://pypi.example/simple/

    Reads the index and ECR; writes nothing. Exit codes: 0 all is as the pins say, 1 something is not, 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    wanted = ReleaseVersion.parse(version)
    url = parse_url(index_url) if index_url else invocation.config().require_index().simple_url
    distribution = name or invocation.config().distribution
    with Console() as console:
        console.step(f"look at {version} on the index and in ECR")
        verified = verify(
            wanted,
            distribution=distribution,
            index=invocation.index(IndexSettings(upload_url=url, simple_url=url), console),
            stores=invocation.stores(console),
        )
    count = len(verified.problems)
    state = f"{count} disagreement{'s' * (count > 1)}" if count else "all is as its pins say"
    files = Table.of(("file", "sha256"), list(verified.files.items()))
    report = Report(
        f"{verified.distribution} {verified.version}: {state}",
        (images(verified.pins.images if verified.pins else ()), files),
        verified.problems,
        good=not verified.problems,
    )
    invocation.tell(report, verified.to_json(), as_json=as_json)
    return 1 if verified.problems else 0
