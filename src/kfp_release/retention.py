"""Whether a repository of ECR keeps what a release puts there: what its lifecycle policy would take away."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from kfp_release.errors import Problem, ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.lifecycle import LifecyclePolicy, LifecycleRule

_SHOWN = 3
"""Tags that a warning names."""
_ATTACHED = "what is attached to its images without a tag: SBOMs, provenance, signatures"


class PolicyHolder(Protocol):
    """What is asked of one repository."""

    @property
    def repository(self) -> Repository:
        """Which one it is."""

    def lifecycle_policy(self) -> str | None:
        """The text of its policy, None where it has none."""


def retention_warnings(store: PolicyHolder, images: Iterable[Collection[str]]) -> list[Problem]:
    """A warning for each rule that decides on one of `images`, which are given by all the tags that each has.

    What is attached to an image has no tag, so a rule for what has none is warned of where there are `images`.
    What cannot be read or understood is a warning too: a release does not depend on it.
    """
    try:
        text = store.lifecycle_policy()
        policy = LifecyclePolicy.parse(text) if text is not None else LifecyclePolicy(())
    except ReleaseError as error:
        message = f"its lifecycle policy cannot be read: {error.args[0]}"
        return [_warning(store.repository, message, error.remedy or _look(store.repository))]
    found: dict[LifecycleRule, list[str]] = {}
    images = list(images)
    for tags in images:
        if rule := policy.rule_for(tags):
            found.setdefault(rule, []).append(min(tags, default="untagged"))
    lost = {rule: f"would take away {_named(tags)}" for rule, tags in found.items()}
    if images and (untagged := policy.rule_for(())):
        lost.setdefault(untagged, f"may take away {_ATTACHED}")
    remedy = f"have the rule select other tags alone (tagPatternList), or remove it: {_look(store.repository)} shows it"
    return [_warning(store.repository, f"its lifecycle {rule}, and {effect}", remedy) for rule, effect in lost.items()]


def _named(tags: list[str]) -> str:
    more = len(tags) - _SHOWN
    return ", ".join(tags[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _look(repository: Repository) -> str:
    return f"aws ecr get-lifecycle-policy --repository-name {repository.name}"


def _warning(repository: Repository, message: str, remedy: str) -> Problem:
    return Problem(str(repository), 0, message, remedy, severity="warning")
