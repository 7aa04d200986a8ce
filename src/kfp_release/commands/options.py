"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

from kfp_release.index_settings import SIMPLE_URL
from kfp_release.patience import ATTEMPTS, DEFAULT, MOST_ATTEMPTS, MOST_SECONDS, TIMEOUT

JOBS = 4
"""As `kfp_release.runtimes` has it, which ``--help`` does not import."""
PLAN = Path("build/plan.json")
DIST = Path("dist")
NETWORK = (
    f"Each call to ECR and the index is tried {ATTEMPTS} times (1 to {MOST_ATTEMPTS}; {DEFAULT.attempts} if it is not"
    f" set), and ends after {TIMEOUT} seconds without a byte (1 to {MOST_SECONDS}; {DEFAULT.seconds})."
)
"""The end of the help of each command that uses the network."""

as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, for programs.")

name = click.option("--name", metavar="DISTRIBUTION", help="Another distribution than that of pyproject.toml.")

index_url = click.option(
    "--index-url",
    metavar="URL",
    envvar=SIMPLE_URL,
    show_envvar=True,
    help="Another simple index than that of pyproject.toml.",
)

create_repository = click.option(
    "--create-repository", is_flag=True, help="Create an ECR repository that does not exist, with immutable tags."
)

ssh = click.option(
    "--ssh",
    multiple=True,
    metavar="VALUE",
    help="An ssh agent or key for RUN --mount=type=ssh, as buildah takes it: default, or ID=/path/to/key.",
)

secret = click.option(
    "--secret",
    multiple=True,
    metavar="id=ID,src=PATH",
    help="A file for RUN --mount=type=secret, as buildah takes it; no layer holds it.",
)

jobs = click.option(
    "--jobs",
    type=click.IntRange(min=1, max=64),
    default=JOBS,
    show_default=True,
    metavar="N",
    help="Runtimes that are built at a time, where there are several images.",
)

snapshot = click.option(
    "--snapshot", is_flag=True, help="Instead of a tag: this clean, untagged commit, as 1.3.dev4+gabc1234."
)

tag = click.argument("tag", required=False, metavar="[vX.Y]")


def tag_or_snapshot(tag: str | None, *, snapshot: bool) -> str | None:
    """The tag, None for a snapshot. Raise `click.UsageError` unless exactly one of them is asked for."""
    if (tag is None) == (not snapshot):
        raise click.UsageError("say what is released: a tag, as in v1.2, or --snapshot for an untagged commit")
    return tag
