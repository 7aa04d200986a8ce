"""What a lifecycle policy would take away is warned of, and so is a policy that cannot be read; nothing is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from ecr_fixtures import HOST
from test_lifecycle import rule

from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.retention import retention_warnings

REPOSITORY = Repository.parse(f"{HOST}/team/demo")
ANY = rule(3, selection={"tagStatus": "any"}, description="the last ten")


@dataclass(frozen=True)
class Holder:
    """A repository with this policy, or one that is not handed out."""

    text: str | None
    repository: Repository = REPOSITORY

    def lifecycle_policy(self) -> str | None:
        if self.text == "refused":
            raise ReleaseError("access is denied", remedy="give the role this permission")
        return self.text


def holder(*rules: object) -> Holder:
    return Holder(json.dumps({"rules": rules}))


def test_a_rule_that_decides_on_a_tag_is_named_with_its_remedy() -> None:
    (warning,) = retention_warnings(holder(ANY), [{"1.2"}, {"runtime-0a"}])
    says = (
        "its lifecycle rule 3 (the last ten) expires images beyond the newest 10, and would take away 1.2, runtime-0a"
    )
    remedy = "have the rule select other tags alone (tagPatternList), or remove it"
    look = "aws ecr get-lifecycle-policy --repository-name team/demo"
    assert str(warning) == f"{REPOSITORY}: warning: {says}\n  → {remedy}: {look} shows it"


def test_each_rule_is_named_once_with_the_first_of_its_images() -> None:
    snapshots = rule(1, selection={"tagStatus": "tagged", "tagPatternList": ["*.dev*"]})
    ones = rule(2, selection={"tagStatus": "tagged", "tagPrefixList": ["1."]})
    images = [{f"1.{number}"} for number in range(9)] + [{"2.0"}, {"3.0.dev1-gabc"}]
    first, second = retention_warnings(holder(ones, snapshots), images)
    assert first.message.endswith("1.0, 1.1, 1.2 and 6 more")
    assert second.message.endswith("take away 3.0.dev1-gabc")


SNAPSHOTS = rule(1, selection={"tagStatus": "tagged", "tagPatternList": ["*.dev*"]})
UNTAGGED = rule(2, selection={"tagStatus": "untagged"})


def test_a_rule_for_what_has_no_tag_is_named_for_what_is_attached_has_none() -> None:
    (warning,) = retention_warnings(holder(SNAPSHOTS, UNTAGGED), [{"1.2"}])
    attached = "may take away what is attached to its images without a tag: SBOMs, provenance, signatures"
    assert warning.message == f"its lifecycle rule 2 expires images beyond the newest 10, and {attached}"
    assert "get-lifecycle-policy" in warning.remedy


def test_one_rule_for_both_is_named_once_and_none_where_there_is_no_image() -> None:
    (warning,) = retention_warnings(holder(ANY, rule(9, selection={"tagStatus": "untagged"})), [{"1.2"}])
    assert warning.message.endswith("would take away 1.2")
    assert retention_warnings(holder(UNTAGGED), []) == []


@pytest.mark.parametrize("seen", [Holder(None), holder(), holder(SNAPSHOTS)], ids=str)
def test_there_is_nothing_to_warn_of_where_nothing_decides(seen: Holder) -> None:
    assert retention_warnings(seen, [{"1.2"}, {"runtime-0a"}]) == []


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("{", "its lifecycle policy cannot be read: it is not JSON", "aws ecr get-lifecycle-policy"),
        ('{"rules": [1]}', "its lifecycle policy cannot be read: 1 is not a rule", "aws ecr get-lifecycle-policy"),
        ("refused", "its lifecycle policy cannot be read: access is denied", "give the role this permission"),
    ],
)
def test_a_policy_that_cannot_be_read_is_a_warning(text: str, message: str, remedy: str) -> None:
    (warning,) = retention_warnings(Holder(text), [{"1.2"}])
    assert warning.severity == "warning"
    assert warning.message.startswith(message)
    assert warning.remedy.startswith(remedy)
