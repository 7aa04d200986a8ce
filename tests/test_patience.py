"""How long the other side is waited for: read from the environment, told in the documents, bounded."""

from __future__ import annotations

from pathlib import Path

import pytest

from kfp_release.commands.options import NETWORK
from kfp_release.errors import Problems
from kfp_release.patience import ATTEMPTS, DEFAULT, MOST_ATTEMPTS, MOST_SECONDS, TIMEOUT, Patience

PROJECT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, Patience(4, 60)),
        ({ATTEMPTS: "", TIMEOUT: ""}, Patience(4, 60)),
        ({ATTEMPTS: "1", TIMEOUT: "1"}, Patience(1, 1)),
        ({ATTEMPTS: "20", TIMEOUT: "600"}, Patience(20, 600)),
        ({ATTEMPTS: "007"}, Patience(7, 60)),
    ],
)
def test_it_is_what_the_environment_says(environ: dict[str, str], expected: Patience) -> None:
    assert Patience.from_environment(environ) == expected


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "60s", "many", "²", "\u0661", "9" * 5000, " 4"])
def test_what_is_no_number_in_the_range_is_named_with_variable_and_range(text: str) -> None:
    with pytest.raises(Problems) as caught:
        Patience.from_environment({ATTEMPTS: text, TIMEOUT: text})
    first, second = str(caught.value).split("\nKFP_RELEASE_TIMEOUT: ")
    assert first.startswith("KFP_RELEASE_ATTEMPTS: ")
    assert "is no whole number from 1 to 20\n  → set it to one, or unset it: it is 4 then" in first
    assert "is no whole number from 1 to 600\n  → set it to one, or unset it: it is 60 then" in second
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(("name", "text"), [(ATTEMPTS, "21"), (TIMEOUT, "601")])
def test_what_is_too_much_is_refused(name: str, text: str) -> None:
    with pytest.raises(Problems, match=f"{name}: '{text}' is no whole number"):
        Patience.from_environment({name: text})


def test_waits_double_up_to_eight_seconds() -> None:
    assert [DEFAULT.wait(attempt) for attempt in range(1, 8)] == [0.5, 1, 2, 4, 8, 8, 8]


def test_what_the_answer_asks_for_is_waited_and_no_longer_than_for_a_byte() -> None:
    assert [Patience(seconds=30).wait(1, asked_for) for asked_for in (3, 30, 31, 21600)] == [3, 30, 30, 30]


def test_a_connection_takes_ten_seconds_at_most() -> None:
    assert [Patience(seconds=seconds).connect for seconds in (1, 60)] == [1, 10]


@pytest.mark.parametrize("seconds", [1, 2, 60, 600])
def test_looks_take_as_long_as_a_byte_may_take(seconds: int) -> None:
    looks = Patience(seconds=seconds).looks
    assert sum(looks) == pytest.approx(seconds)
    assert max(looks) <= 8


@pytest.mark.parametrize("page", ["README.md", "src/kfp_release/README.md", "docs/reliability.md"])
def test_the_documents_tell_names_defaults_and_ranges(page: str) -> None:
    lines = (PROJECT / page).read_text(encoding="utf-8").splitlines()
    for name, default, most in (
        (ATTEMPTS, DEFAULT.attempts, MOST_ATTEMPTS),
        (TIMEOUT, DEFAULT.seconds, MOST_SECONDS),
    ):
        (row,) = [line for line in lines if line.startswith(f"| `{name}` |")]
        assert f"{default} unless set, 1 to {most}" in row


def test_the_help_tells_names_defaults_and_ranges() -> None:
    assert f"{ATTEMPTS} times (1 to 20; 4 if it is not set)" in NETWORK
    assert f"{TIMEOUT} seconds without a byte (1 to 600; 60)" in NETWORK
