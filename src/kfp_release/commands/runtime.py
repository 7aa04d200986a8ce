"""``kfp-release runtime``."""

from __future__ import annotations

from functools import partial

import click

from kfp_release.commands import options
from kfp_release.commands.invocation import Invocation
from kfp_release.commands.tables import runtimes
from kfp_release.console import Console
from kfp_release.report import Report
from kfp_release.runtime import RuntimeResult, ensure_runtime
from kfp_release.source import committed_source


@click.command("runtime", epilog=options.NETWORK)
@click.option("--image", "images", multiple=True, metavar="NAME", help="Only this image; may be given again.")
@options.create_repository
@options.ssh
@options.secret
@options.as_json
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    images: tuple[str, ...],
    create_repository: bool,
    ssh: tuple[str, ...],
    secret: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make sure that the runtime of each image is in ECR: all of the image but the package.

    Its key is a hash of the Dockerfile, the files that the configuration names as its context, and the build
    arguments. A runtime with this key is found, or recovered from a released image, or else built with buildah and
    pushed under the tag runtime-KEY. Only what is new is sent.

    \b
    kfp-release runtime
    kfp-release runtime --image demo --ssh default --secret id=netrc,src=$HOME/.netrc

    Reads Dockerfile and context from the commit that is checked out; writes to ECR alone.
    Exit codes: 0 done, 1 refused or failed, 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    config = invocation.config()
    chosen = tuple(config.image(name) for name in dict.fromkeys(images)) or config.images
    git = invocation.git()
    commit = committed_source(git, [path for settings in chosen for path in (settings.dockerfile, *settings.context)])
    builder = invocation.builder()
    results: list[RuntimeResult] = []
    with Console() as console:
        stores = invocation.stores(console)
        for settings in chosen:
            result = ensure_runtime(
                settings,
                partial(git.files, commit),
                store=stores(settings.repository),
                builder=builder,
                progress=console,
                ssh=ssh,
                secrets=secret,
                create_repository=create_repository,
            )
            results.append(result)
    report = Report(f"{len(results)} runtime{'s' * (len(results) > 1)} in ECR", (runtimes(results),))
    invocation.tell(report, {"runtimes": [result.to_json() for result in results]}, as_json=as_json)
