from __future__ import annotations

import pytest

from kfp_release.near_name import NearNames, listed


@pytest.mark.parametrize(
    ("name", "known", "remedy"),
    [
        ("trian", ["eval", "train"], "did you mean train?"),
        ("x", ["train", "eval"], "there is: train, eval"),
        ("x", [], "there is: none"),
        ("x" * 101, ["x" * 100, "y" * 200], f"there is: {'x' * 100}, {'y' * 100}…"),
        ("x" * 100, ["x" * 101], f"there is: {'x' * 100}…"),
    ],
)
def test_the_one_that_is_most_alike_is_told_or_what_there_is(name: str, known: list[str], remedy: str) -> None:
    assert NearNames().remedy(name, known, "there is") == remedy


def test_the_first_of_a_file_are_compared_and_the_others_told_what_there_is() -> None:
    names = NearNames()
    remedies = [names.remedy("trian", ["train"], "there is") for _ in range(30)]
    assert remedies == ["did you mean train?"] * 20 + ["there is: train"] * 10


def test_a_name_is_not_compared_with_very_many() -> None:
    known = [f"name_{number}" for number in range(400)]
    assert NearNames().remedy("nam_399", known, "there is") == "did you mean name_399?"
    told = NearNames().remedy("nam_399", [*known, "another"], "there is")
    assert told == f"there is: {', '.join(known[:20])}, and 381 more"


def test_twenty_names_are_listed_whole() -> None:
    assert listed([str(number) for number in range(20)]).endswith(", 18, 19")
