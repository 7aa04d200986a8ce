"""``kfp-release runtime``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

import click
from click.core import ParameterSource

from kfp_release.commands import options, tables
from kfp_release.commands.invocation import Invocation
from kfp_release.console import Console, write_output
from kfp_release.report import Report
from kfp_release.runtimes import BuildOptions, RuntimeState, ensure_runtimes, look_at_runtimes
from kfp_release.source import committed_source

_OF_BUILDS = {"create_repository", "ssh", "secret", "jobs"}


@click.command("runtime", epilog=options.NETWORK)
@click.option("--image", "images", multiple=True, metavar="NAME", help="Only this image; may be given again.")
@options.create_repository
@options.ssh
@options.secret
@options.jobs
@click.option("--list", "only_look", is_flag=True, help="Build nothing: tell which runtimes are in ECR, and which not.")
@options.as_json
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    images: tuple[str, ...],
    create_repository: bool,
    ssh: tuple[str, ...],
    secret: tuple[str, ...],
    jobs: int,
    only_look: bool,
    as_json: bool,
) -> None:
    """Make sure that the runtime of each image is in ECR: all of the image but the package.

    Its key is a hash of the Dockerfile, the files that the configuration names as its context, and the build
    arguments. A runtime with this key is found, or recovered from a released image, or else built with buildah and
    pushed under the tag runtime-KEY. Only what is new is sent. Several are made beside each other; where one fails,
    the others are stopped.

    \b
    kfp-release runtime
    kfp-release runtime --list
    kfp-release runtime --image demo --ssh default --secret id=netrc,src=$HOME/.netrc

    What is installed in it, Debian packages and Python distributions, is read from its layers and attached to it in ECR
    as an SBOM. A runtime that is there without one gets it.

    With --list in GitHub Actions the output `images` of its step is the list of images whose runtime ECR lacks, or has
    without its SBOM, as JSON for a job's matrix: each can be built on a machine of its own, with --image.

    Reads Dockerfile and context from the commit that is checked out; writes to ECR alone.
    Exit codes: 0 done, 1 refused or failed, 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    if only_look:
        _refuse_build_options()
    config = invocation.config()
    chosen = tuple(config.image(name) for name in dict.fromkeys(images)) or config.images
    git = invocation.git()
    commit = committed_source(git, [path for image in chosen for path in (image.dockerfile, *image.context)])
    files = partial(git.files, commit)
    with Console() as console:
        stores = invocation.stores(console)
        if only_look:
            states = look_at_runtimes(chosen, files, stores=stores)
        else:
            build = BuildOptions(ssh, secret, create_repository, jobs)
            builder = invocation.builder(len(config.images))
            results = ensure_runtimes(chosen, files, stores=stores, builder=builder, progress=console, options=build)
    if only_look:
        _tell_states(invocation, states, as_json=as_json)
        return
    report = Report(f"{len(results)} runtime{'s' * (len(results) > 1)} in ECR", (tables.runtimes(results),))
    invocation.tell(report, {"runtimes": [result.to_json() for result in results]}, as_json=as_json)


def _refuse_build_options() -> None:
    """Raise `click.UsageError` where an option is given that only a build would use."""
    context = click.get_current_context()
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name in _OF_BUILDS and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"{', '.join(given)} cannot be had with --list, which builds and creates nothing")


def _tell_states(invocation: Invocation, states: Sequence[RuntimeState], *, as_json: bool) -> None:
    missing = [state.name for state in states if not state.is_whole]
    write_output("images", json.dumps(missing), invocation.environ)
    absent = sum(state.digest is None for state in states)
    told = [f"{absent} of {len(states)} runtimes missing in ECR"] * (absent > 0)
    told += [f"{len(missing) - absent} of {len(states)} without SBOM"] * (len(missing) > absent)
    title = ", ".join(told) or "All runtimes are in ECR"
    value = {"runtimes": [state.to_json() for state in states], "missing": missing}
    invocation.tell(Report(title, (tables.runtime_states(states),)), value, as_json=as_json)
