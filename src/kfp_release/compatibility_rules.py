"""What a release may change in the interfaces of the one that it follows: nothing that breaks, but in a major version.

The release that it follows is the highest final one that its commit contains: a maintenance branch keeps to its own.
Pre-releases promise nothing, and what was withdrawn no longer does; a pre-release counts as what it leads to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from kfp_release.committed_interfaces import released_interfaces
from kfp_release.component_folder import folder_bytes
from kfp_release.config import Config
from kfp_release.errors import Problem, Problems, ReleaseError
from kfp_release.git import Git
from kfp_release.interface_change import ChangeKind, InterfaceChange
from kfp_release.interface_diff import InterfaceDiff, InterfaceFiles, compare
from kfp_release.version import ReleaseVersion
from kfp_release.version_bump import is_enough

_KEEP: Mapping[ChangeKind, str] = {
    ChangeKind.OPERATOR_REMOVED: "keep its file until then",
    ChangeKind.OPERATOR_RENAMED: "keep a file of the old name too",
    ChangeKind.KEYWORDS_ONLY: "keep it as v1 component YAML",
    ChangeKind.EXIT_HANDLER_ONLY: "make a component of its own for that",
    ChangeKind.INPUT_REMOVED: "keep the input, with a default if nothing reads it",
    ChangeKind.INPUT_ADDED: "give the input a default",
    ChangeKind.INPUT_RETYPED: "keep its type, and add an input of another name with a default",
    ChangeKind.INPUT_REQUIRED: "keep its default",
    ChangeKind.INPUT_ORDER: "keep the order, and put new inputs last",
    ChangeKind.OUTPUT_REMOVED: "keep the output",
    ChangeKind.OUTPUT_RETYPED: "keep its type, and add an output of another name",
}


def compatibility_problems(
    project: Path, config: Config, git: Git, version: ReleaseVersion, *, earlier: Iterable[ReleaseVersion]
) -> list[Problem]:
    """A problem for each change that breaks pipelines of the highest of `earlier`, where `version` may break none.

    The interfaces are those of the working tree, so that all is told before it is committed. `earlier` are the releases
    that the commit contains, without those that were withdrawn.
    """
    finals = [release for release in earlier if not release.version.is_prerelease and release < version]
    if not finals:
        return []
    try:
        base = released_interfaces(git, max(finals), components=config.components)
        here = InterfaceFiles(str(version), folder_bytes(project, config.components), version)
    except Problems as error:
        # What is wrong here `check` tells of; what is wrong in a release cannot be mended.
        there = [problem for problem in error.problems if ":" in problem.path]
        return [_incomparable(max(finals), problem) for problem in there]
    except ReleaseError as error:
        return [Problem("git", 0, str(error.args[0]), error.remedy)]
    taken = [release for tag in git.tags() if (release := ReleaseVersion.of_tag(tag))]
    diff = compare(base, here, taken=taken)
    unread = [problem for problem in diff.problems if problem.path.startswith(base.prefix)]
    return [*(_incomparable(max(finals), problem) for problem in unread), *_breaks(diff)]


def _incomparable(base: ReleaseVersion, problem: Problem) -> Problem:
    message = f"cannot be compared with the interfaces of {base}: {problem.message}"
    remedy = f"see for yourself that pipelines of {base} go on to work"
    return Problem(problem.path, problem.line, message, remedy, severity="warning")


def _breaks(diff: InterfaceDiff) -> Iterator[Problem]:
    base, version = diff.before.version, diff.after.version
    if base is None or version is None or not diff.breaking or is_enough(base, version, diff.bump):
        return
    follows = diff.next_version
    for change in diff.breaking:
        message = f"{change.operator}: {_told(change)}; pipelines of {base} break, and {version} may break none"
        if base.version.major:
            yield Problem(change.path, change.line, message, f"{_KEEP[change.kind]}, or release it as {follows}")
        else:
            message = f"{change.operator}: {_told(change)}; pipelines of {base} break"
            remedy = f"{_KEEP[change.kind]}, or better release it as {follows}"
            yield Problem(change.path, change.line, message, remedy, severity="warning")


def _told(change: InterfaceChange) -> str:
    if change.before and change.after and not change.kind.startswith("operator"):
        return f"{change.what}, from {change.before} to {change.after}"
    return change.what + (f" to {change.after}" if change.kind is ChangeKind.OPERATOR_RENAMED else "")
