"""The commands: parse, one call, print. Each is a module of this package, imported when it is run."""

from __future__ import annotations

import difflib
import importlib
from pathlib import Path

import click

from kfp_release.commands.invocation import Invocation

SUMMARIES = {
    "init": "Write all files of a repository for your own components.",
    "compile": "Write the component files of Python functions.",
    "check": "Say everything that is wrong in the sources.",
    "diff": "Say what changed for pipelines between two versions.",
    "runtime": "Make sure that the images' runtimes are in ECR.",
    "plan": "Look, and tell what a release would do.",
    "build": "Make images, wheel and sdist from a plan.",
    "publish": "Make public what build made.",
    "release": "Do all of it: check, runtime, plan, build, publish.",
    "verify": "Look at a published version from outside.",
    "status": "Hold all versions against ECR and the index.",
    "catalog": "Write a static site of what is released.",
    "reconcile": "Complete what status finds missing, from the tags.",
    "promote": "Copy the images of a version to another registry.",
    "trace": "Trace a compiled pipeline back to its commit.",
    "rehome": "Write a compiled pipeline with its images on a mirror.",
    "operators": "Write the operators and their types into the checkout.",
    "sandbox": "Run a local ECR and index to try things on.",
}
"""By command, in the order of a release; here, so that ``--help`` imports none of them."""


class Commands(click.Group):
    """Finds a command in the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order of a release."""
        return list(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, imported now."""
        if cmd_name not in SUMMARIES:
            return None
        found = importlib.import_module(f"kfp_release.commands.{cmd_name}").command
        return found if isinstance(found, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click has it, with the command that may have been meant in its error."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], SUMMARIES, 1)
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean '{near[0]}'?", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list in ``--help``."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


def _version(context: click.Context, _option: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's
    if value:
        from importlib import metadata  # noqa: PLC0415 - it brings the whole of email

        click.echo(f"kfp-release {metadata.version('kfp-release')}")
        context.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    *("-C", "--project"),
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    metavar="DIR",
    help="The project: the folder of pyproject.toml. Paths of options are relative to it.  [default: here]",
)
@click.option("--debug", is_flag=True, help="Show where in the program an error came from.")
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Say the version.")
@click.pass_obj
def cli(invocation: Invocation, project: Path, *, debug: bool) -> None:
    """One git tag, one image digest, one wheel that pins it.

    Tagging a release builds the image, pushes it to Amazon ECR, writes that exact image into every component
    definition, and publishes the definitions as a Python package.

    \b
    Cut a release:      git tag v1.2 && git push origin v1.2
                        kfp-release release v1.2
    Try it on nothing:  kfp-release sandbox -- kfp-release release v1.2 --create-repository

    Every step looks first and acts then, so what was interrupted is run again. Results go to stdout (--json for
    programs), progress to stderr. Exit codes: 0 done, 1 refused or failed, 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    invocation.project = project
    invocation.debug = debug
