"""Lifecycle policies of ECR: which rule decides on an image, by its tags.

Source: Amazon ECR User Guide, "Automate the cleanup of images by using lifecycle policies" and "Lifecycle policy
properties".
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self

from kfp_release.errors import ReleaseError
from kfp_release.terminal_text import one_line

_TAG_STATUS = ("tagged", "untagged", "any")
_ACTIONS = {"expire": "expires", "transition": "archives"}
_SINCE = {
    "sinceImagePushed": "after their push",
    "sinceImagePulled": "after their last pull",
    "sinceImageTransitioned": "after they were archived",
}


class BadLifecyclePolicy(ReleaseError):
    """A text that is no lifecycle policy, or one of a kind that this tool does not know."""


@dataclass(frozen=True, slots=True)
class LifecycleRule:
    """One rule: which images it selects, and what becomes of them."""

    priority: int
    """The rule of the lowest is applied first."""
    description: str
    """Empty where it has none."""
    tag_status: str
    """tagged, untagged or any."""
    prefixes: tuple[str, ...]
    patterns: tuple[str, ...]
    """``*`` stands for any characters, or none."""
    archived: bool
    """Whether it is about archived images alone."""
    effect: str
    """As in ``expires images 30 days after their push``."""

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Raise `BadLifecyclePolicy` unless `value`, from JSON, is a rule."""
        match value:
            case {"rulePriority": int(priority), "selection": dict(selection), "action": dict(action)} if (
                selection.get("tagStatus") in _TAG_STATUS
            ):
                prefixes, patterns = (_texts(selection.get(name, [])) for name in ("tagPrefixList", "tagPatternList"))
                if (selection["tagStatus"] == "tagged") is bool(prefixes or patterns):
                    return cls(
                        priority=priority,
                        description=one_line(str(value.get("description", "")), 200),
                        tag_status=str(selection["tagStatus"]),
                        prefixes=prefixes,
                        patterns=patterns,
                        archived=selection.get("storageClass") == "archive",
                        effect=f"{_verb(action)} images {_when(selection)}",
                    )
        raise BadLifecyclePolicy(f"{one_line(json.dumps(value), 160)} is not a rule of a lifecycle policy")

    def selects(self, tags: Collection[str]) -> bool:
        """Whether an image that has these tags, and is not archived, is one that the rule is about.

        Of several prefixes and patterns each must be that of some tag.
        """
        if self.archived:
            return False
        match self.tag_status:
            case "any":
                return True
            case "untagged":
                return not tags
            case _:
                return all(any(tag.startswith(prefix) for tag in tags) for prefix in self.prefixes) and all(
                    any(_is_like(tag, pattern) for tag in tags) for pattern in self.patterns
                )

    def __str__(self) -> str:
        about = f" ({self.description})" if self.description else ""
        return f"rule {self.priority}{about} {self.effect}"


@dataclass(frozen=True, slots=True)
class LifecyclePolicy:
    """The rules of one repository, in the order in which they are applied."""

    rules: tuple[LifecycleRule, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise `BadLifecyclePolicy` unless `text` is the JSON of a policy."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadLifecyclePolicy(f"it is not JSON: {one_line(str(error), 160)}") from error
        if not isinstance(value, dict) or not isinstance(value.get("rules"), list):
            raise BadLifecyclePolicy("it has no list of rules")
        rules = map(LifecycleRule.parse, value["rules"])
        return cls(tuple(sorted(rules, key=lambda rule: rule.priority)))

    def rule_for(self, tags: Collection[str]) -> LifecycleRule | None:
        """The rule that decides on an image with these tags, which is not archived; None where none does.

        What one rule selects no later one expires or archives, even where the first spares it.
        """
        return next((rule for rule in self.rules if rule.selects(tags)), None)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadLifecyclePolicy(f"{one_line(json.dumps(value), 160)} is not a list of tags")
    return tuple(value)


def _verb(action: Mapping[str, Any]) -> str:
    verb = _ACTIONS.get(str(action.get("type")))
    if verb is None:
        raise BadLifecyclePolicy(f"{one_line(json.dumps(action), 160)} is not an action of a lifecycle policy")
    return verb


def _when(selection: Mapping[str, Any]) -> str:
    match selection:
        case {"countType": "imageCountMoreThan", "countNumber": int(number)}:
            return f"beyond the newest {number}"
        case {"countType": str(kind), "countNumber": int(number), "countUnit": "days"} if kind in _SINCE:
            return f"{number} days {_SINCE[kind]}"
    raise BadLifecyclePolicy(f"{one_line(json.dumps(selection), 160)} does not count images or days")


def _is_like(tag: str, pattern: str) -> bool:
    """Without a regular expression: the pattern comes from outside, and some would take for ever."""
    head, *rest = pattern.split("*")
    if not rest:
        return tag == pattern
    *middle, tail = rest
    at, end = len(head), len(tag) - len(tail)
    if at > end or not tag.startswith(head) or not tag.endswith(tail):
        return False
    for part in middle:
        at = tag.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
