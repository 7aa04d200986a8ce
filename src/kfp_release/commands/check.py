"""``kfp-release check``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import TextIO

import click

from kfp_release.annotations import github_annotations, is_in_actions
from kfp_release.check import changelog_problems, check, check_component_files, check_release
from kfp_release.commands import options
from kfp_release.commands.invocation import Invocation
from kfp_release.config import Config
from kfp_release.console import write_summary
from kfp_release.errors import Problem, Problems, ReleaseError
from kfp_release.git import Git
from kfp_release.problem_report import ProblemReport
from kfp_release.source import Source, candidate_source
from kfp_release.version import BadVersion, ReleaseVersion


@click.command("check")
@click.option("--release", metavar="X.Y", help="Check what must hold for this version too, before or after its tag.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    show_default="text",
    help="For people, for programs, or as GitHub's annotations, which text has besides in GitHub Actions.",
)
@options.as_json
@click.pass_obj
def command(invocation: Invocation, *, release: str | None, form: str | None, as_json: bool) -> int:
    """Say everything that is wrong in the sources, each with its file, line and remedy.

    Reads pyproject.toml, component files, the functions that some are compiled from, Dockerfile, locks and programs.
    With --release also git and the CHANGELOG: whether the version's form, tag, commit and section are fit for a
    release, and whether it may break what it breaks in the interfaces of the one before. Needs no network and changes
    nothing. --json is --format json.

    \b
    kfp-release check
    kfp-release check --format github
    kfp-release check --release 1.2 && git tag v1.2

    A warning refuses nothing. Exit codes: 0 nothing is wrong, 1 something is, 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    if as_json and form not in {None, "json"}:
        raise click.UsageError(f"--json and --format {form} are two forms of one result")
    report = ProblemReport.of(_problems(invocation, release))
    stream = sys.stdout or sys.stderr  # who has closed stdout is told all the same
    _FORMS["json" if as_json else form or "text"](report, invocation, stream)
    if invocation.environ.get("GITHUB_STEP_SUMMARY"):
        write_summary(report.markdown(), invocation.environ)
    return 1 if report.errors else 0


def _text(report: ProblemReport, invocation: Invocation, stream: TextIO) -> None:
    environ = invocation.environ
    report.show(stream, colour=stream.isatty() and environ.get("TERM") != "dumb" and not environ.get("NO_COLOR"))
    if is_in_actions(environ):
        for line in github_annotations(report.problems, invocation.project, environ):
            sys.stderr.write(line + "\n")


def _json(report: ProblemReport, _: Invocation, stream: TextIO) -> None:
    stream.write(json.dumps(report.to_json(), indent=2) + "\n")


def _github(report: ProblemReport, invocation: Invocation, stream: TextIO) -> None:
    stream.writelines(
        line + "\n" for line in github_annotations(report.problems, invocation.project, invocation.environ)
    )


_FORMS: Mapping[str, Callable[[ProblemReport, Invocation, TextIO], None]] = {
    "text": _text,
    "json": _json,
    "github": _github,
}


def _problems(invocation: Invocation, release: str | None) -> list[Problem]:
    config: Config | None = None
    try:
        config = invocation.config()
        problems = check(invocation.project, config)
    except Problems as error:  # what of the rest does not depend on it
        problems = [*error.problems, *check_component_files(invocation.project)]
    if release is None:
        return problems
    try:
        version = ReleaseVersion.parse(release)
        ReleaseVersion.from_tag(version.tag)
        return [*problems, *_release_problems(invocation, config, version)]
    except BadVersion as error:
        return [*problems, Problem("--release", 0, str(error.args[0]), error.remedy)]


def _release_problems(invocation: Invocation, config: Config | None, version: ReleaseVersion) -> list[Problem]:
    git = invocation.git()
    refused: list[Problem] = []
    source: Source | None
    try:
        source = candidate_source(git, version.tag)
    except ReleaseError as error:
        refused = [Problem("git", 0, str(error.args[0]), error.remedy)]
        source = _as_it_is(git, version)
    if config is None or source is None:
        return [*refused, *changelog_problems(invocation.project, version)]
    return [*refused, *check_release(invocation.project, config, git, source)]


def _as_it_is(git: Git, version: ReleaseVersion) -> Source | None:
    """What would be released of a checkout that is not fit for it; None where its history cannot be told."""
    try:
        return None if git.is_shallow() else Source(version, version.tag, git.commit(), 0)
    except ReleaseError:
        return None
