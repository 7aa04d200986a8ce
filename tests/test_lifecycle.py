"""Lifecycle policies: which rule decides on an image, and what is no policy."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfp_release.lifecycle import BadLifecyclePolicy, LifecyclePolicy

COUNT = {"countType": "imageCountMoreThan", "countNumber": 10}
DAYS = {"countType": "sinceImagePushed", "countUnit": "days", "countNumber": 30}


def rule(
    priority: int = 1, *, selection: dict[str, Any], action: str = "expire", description: str = ""
) -> dict[str, Any]:
    about = {"description": description} if description else {}
    target = {"targetStorageClass": "archive"} if action == "transition" else {}
    return {
        "rulePriority": priority,
        **about,
        "selection": {**COUNT, **selection},
        "action": {"type": action, **target},
    }


def policy(*rules: Any) -> LifecyclePolicy:
    return LifecyclePolicy.parse(json.dumps({"rules": list(rules)}))


@pytest.mark.parametrize(
    ("selection", "chosen", "spared"),
    [
        ({"tagStatus": "any"}, [{"1.2"}, {"runtime-0a"}, set()], []),
        ({"tagStatus": "untagged"}, [set()], [{"1.2"}]),
        ({"tagStatus": "tagged", "tagPrefixList": ["1."]}, [{"1.2"}, {"x", "1.0"}], [{"2.1"}, {"11"}, set()]),
        ({"tagStatus": "tagged", "tagPrefixList": ["1", "runtime-"]}, [{"1.2", "runtime-0a"}], [{"1.2"}]),
        ({"tagStatus": "tagged", "tagPatternList": ["1.2"]}, [{"1.2"}], [{"1.2.1"}, {"1"}]),
        ({"tagStatus": "tagged", "tagPatternList": ["*"]}, [{"1.2"}, {"runtime-0a"}], [set()]),
        ({"tagStatus": "tagged", "tagPatternList": ["1.*"]}, [{"1.2"}, {"1."}], [{"1"}, {"11.2"}]),
        ({"tagStatus": "tagged", "tagPatternList": ["*.dev*"]}, [{"1.3.dev4-gabc"}], [{"1.3"}, {"dev"}]),
        ({"tagStatus": "tagged", "tagPatternList": ["*2*2"]}, [{"2.2"}, {"1222"}], [{"2"}, {"12"}]),
        ({"tagStatus": "tagged", "tagPatternList": ["1.2*.2"]}, [{"1.2.2"}, {"1.2.3.2"}], [{"1.2"}]),
        ({"tagStatus": "tagged", "tagPatternList": ["[0-9]?."]}, [], [{"1.2"}, {"1a."}]),
        ({"tagStatus": "tagged", "tagPatternList": ["1*", "2*"]}, [{"1.2", "2.1"}], [{"1.2"}, {"2.1"}]),
        ({"tagStatus": "any", "storageClass": "archive"}, [], [{"1.2"}]),
        ({"tagStatus": "any", "storageClass": "standard"}, [{"1.2"}], []),
    ],
    ids=lambda given: json.dumps(given) if isinstance(given, dict) else "",
)
def test_a_rule_selects_by_tags(selection: dict[str, Any], chosen: list[set[str]], spared: list[set[str]]) -> None:
    seen = policy(rule(selection=selection))
    assert [tags for tags in chosen + spared if seen.rule_for(tags)] == chosen


def test_the_first_rule_that_selects_an_image_decides_on_it() -> None:
    seen = policy(
        rule(9, selection={"tagStatus": "any", **DAYS}),
        rule(2, selection={"tagStatus": "tagged", "tagPatternList": ["1.*"], **COUNT}),
    )
    assert [found.priority for tags in ({"1.2"}, {"2.1"}) if (found := seen.rule_for(tags))] == [2, 9]


def test_no_rule_decides_where_there_is_none() -> None:
    assert policy().rule_for({"1.2"}) is None


@pytest.mark.parametrize(
    ("selection", "action", "says"),
    [
        (COUNT, "expire", "expires images beyond the newest 10"),
        (DAYS, "expire", "expires images 30 days after their push"),
        ({**DAYS, "countType": "sinceImagePulled"}, "transition", "archives images 30 days after their last pull"),
        (
            {**DAYS, "countType": "sinceImageTransitioned"},
            "expire",
            "expires images 30 days after they were archived",
        ),
    ],
)
def test_a_rule_says_what_it_does(selection: dict[str, Any], action: str, says: str) -> None:
    given_rule = rule(7, selection={"tagStatus": "any", **selection}, action=action, description="Tidy\nup")
    assert str(policy(given_rule).rules[0]) == f"rule 7 (Tidy up) {says}"
    assert str(policy(rule(selection={"tagStatus": "any"})).rules[0]).startswith("rule 1 expires")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("1" * 5000, "it is not JSON"),
        ("[]", "it has no list of rules"),
        ("{}", "it has no list of rules"),
        ('{"rules": {}}', "it has no list of rules"),
        ('{"rules": [null]}', "null is not a rule"),
        ('{"rules": [{}]}', "{} is not a rule"),
        (json.dumps({"rules": [rule(selection={"tagStatus": "all"})]}), "is not a rule"),
        (json.dumps({"rules": [rule(selection={"tagStatus": ["any"]})]}), "is not a rule"),
        (json.dumps({"rules": [rule(selection={"tagStatus": "tagged"})]}), "is not a rule"),
        (json.dumps({"rules": [rule(selection={"tagStatus": "any", "tagPrefixList": ["1"]})]}), "is not a rule"),
        (json.dumps({"rules": [rule(selection={"tagStatus": "tagged", "tagPrefixList": "1"})]}), "is not a list"),
        (json.dumps({"rules": [rule(selection={"tagStatus": "tagged", "tagPatternList": [1]})]}), "is not a list"),
        (json.dumps({"rules": [rule(selection={"tagStatus": "any"}, action="keep")]}), "is not an action"),
        (json.dumps({"rules": [rule(selection={"tagStatus": "any", "countType": "x"})]}), "does not count"),
        (json.dumps({"rules": [rule(selection={"tagStatus": "any", "countNumber": "9"})]}), "does not count"),
        (json.dumps({"rules": [rule(selection={"tagStatus": "any", **DAYS, "countUnit": "years"})]}), "does not count"),
    ],
    ids=lambda text: text[:40],
)
def test_what_is_no_policy_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadLifecyclePolicy, match=message):
        LifecyclePolicy.parse(text)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["any", "tagged"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
_SELECTION = st.fixed_dictionaries(
    {},
    optional={
        "tagStatus": _JSON,
        "tagPrefixList": _JSON,
        "tagPatternList": _JSON,
        "storageClass": _JSON,
        "countType": _JSON | st.sampled_from(["imageCountMoreThan", "sinceImagePushed"]),
        "countUnit": _JSON | st.just("days"),
        "countNumber": _JSON,
    },
)
_RULE = st.fixed_dictionaries(
    {},
    optional={
        "rulePriority": _JSON | st.integers(),
        "description": _JSON,
        "selection": _JSON | _SELECTION,
        "action": _JSON | st.just({"type": "expire"}),
    },
)


@given(st.lists(_JSON | _RULE, max_size=3), st.sets(st.text(max_size=8), max_size=3))
def test_whatever_the_rules_are_they_are_read_or_refused(rules: list[Any], tags: set[str]) -> None:
    with contextlib.suppress(BadLifecyclePolicy):
        policy(*rules).rule_for(tags)


@given(st.text(alphabet="ab*", max_size=12), st.text(alphabet="ab", max_size=12))
def test_patterns_are_those_of_a_shell_with_one_wildcard(pattern: str, tag: str) -> None:
    from fnmatch import fnmatchcase  # noqa: PLC0415 - the oracle of this test alone

    seen = policy(rule(selection={"tagStatus": "tagged", "tagPatternList": [pattern]}))
    assert (seen.rule_for({tag}) is not None) is fnmatchcase(tag, pattern)
