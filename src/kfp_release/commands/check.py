"""``kfp-release check``."""

from __future__ import annotations

from dataclasses import asdict

import click

from kfp_release.check import changelog_problems, check, check_release
from kfp_release.commands import options
from kfp_release.commands.invocation import Invocation
from kfp_release.config import Config
from kfp_release.errors import Problem, Problems, ReleaseError
from kfp_release.report import Report
from kfp_release.source import candidate_source
from kfp_release.version import ReleaseVersion


@click.command("check")
@click.option("--release", metavar="X.Y", help="Check what must hold for this version too, before or after its tag.")
@options.as_json
@click.pass_obj
def command(invocation: Invocation, *, release: str | None, as_json: bool) -> int:
    """Say everything that is wrong in the sources, each with its file, line and remedy.

    Reads pyproject.toml, component files, the functions that some are compiled from, Dockerfile, locks and programs.
    With --release also git and the CHANGELOG: whether the version's form, tag, commit and section are fit for a
    release. Needs no network and changes nothing.

    \b
    kfp-release check
    kfp-release check --release 1.2 && git tag v1.2

    Exit codes: 0 nothing is wrong, 1 something is, 2 wrong use.
    """  # noqa: D301 - click reads the \\b
    version = ReleaseVersion.parse(release) if release else None
    problems = sorted(_problems(invocation, version))
    failed = any(problem.severity == "error" for problem in problems)
    if failed and not as_json:
        raise Problems(problems)
    title = "Something is wrong." if failed else "Nothing is wrong."
    report = Report(title, notes=tuple(map(str, problems)), good=not failed)
    invocation.tell(report, {"problems": [asdict(problem) for problem in problems]}, as_json=as_json)
    return 1 if failed else 0


def _problems(invocation: Invocation, version: ReleaseVersion | None) -> list[Problem]:
    try:
        config = invocation.config()
    except Problems as error:
        return list(error.problems)
    problems = check(invocation.project, config)
    return problems + _release_problems(invocation, config, version) if version else problems


def _release_problems(invocation: Invocation, config: Config, version: ReleaseVersion) -> list[Problem]:
    git = invocation.git()
    try:
        source = candidate_source(git, version.tag)
    except ReleaseError as error:
        refused = Problem("git", 0, str(error.args[0]), error.remedy)
        return [refused, *changelog_problems(invocation.project, version)]
    return check_release(invocation.project, config, git, source)
