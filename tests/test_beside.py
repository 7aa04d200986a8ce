"""Several things are looked at together, and all that refuse are told."""

from __future__ import annotations

import threading

import pytest

from kfp_release.beside import all_of, look_beside
from kfp_release.errors import Problems, ReleaseError


def refuse(message: str, remedy: str = "") -> str:
    raise ReleaseError(message, remedy=remedy)


def test_results_go_by_the_names_of_what_was_looked_at() -> None:
    assert look_beside({"b": lambda: 1, "a": lambda: 2}) == {"b": 1, "a": 2}
    assert list(look_beside({"b": lambda: 1, "a": lambda: 2})) == ["b", "a"]


def test_one_look_does_not_wait_for_another() -> None:
    together = threading.Barrier(3)
    assert look_beside(dict.fromkeys("abc", lambda: together.wait(60) < 3)) == dict.fromkeys("abc", True)


def test_the_only_error_is_raised_as_it_is() -> None:
    error = ReleaseError("no", remedy="mend it")

    def look() -> str:
        raise error

    with pytest.raises(ReleaseError) as caught:
        look_beside({"a": look, "b": lambda: "fine"})
    assert caught.value is error


def test_errors_that_agree_are_told_once() -> None:
    with pytest.raises(ReleaseError) as caught:
        look_beside({"a": lambda: refuse("no route", "wait"), "b": lambda: refuse("no route", "wait")})
    assert str(caught.value) == "no route\n  → wait"


def test_other_errors_are_all_told_with_what_they_are_of() -> None:
    with pytest.raises(Problems) as caught:
        look_beside({"b": lambda: refuse("no", "mend it"), "a": lambda: refuse("never"), "c": lambda: "fine"})
    assert str(caught.value) == "a: never\nb: no\n  → mend it"


def test_what_is_no_refusal_is_not_taken_for_one() -> None:
    def look() -> str:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        look_beside({"a": look, "b": lambda: refuse("no")})


def test_each_error_keeps_its_remedy() -> None:
    assert str(all_of({"a": ReleaseError("no", remedy="mend it")})) == "a: no\n  → mend it"
