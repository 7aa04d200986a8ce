"""A cell of the fault matrix can fail: whatever must not be is seen."""

from __future__ import annotations

import pytest
from chaos.faults import result
from chaos.matrix.trial import Row
from chaos.matrix.verdict import Content, Ran, broken_end, wrong_content

from kfp_release.digest import Digest

IMAGE, OTHER = Digest.of(b"the image"), Digest.of(b"another image")
SDIST, WHEEL = "some-1.2.tar.gz", "some-1.2-py3-none-any.whl"
FILES = {SDIST: b"sdist", WHEEL: b"wheel"}
EXPECTED = Content(IMAGE, FILES)
NOTHING = Content(None, {})
CLEAR = "busy\nerror: the index is away\n  → run this again\n"


@pytest.mark.parametrize(
    ("code", "said", "outcome"),
    [
        (0, "", "completed"),
        (1, CLEAR, "refused"),
        (1, "error: the index is away\n  → run this again\n", "refused"),
        (1, "error: the index is away\n", "bug"),
        (1, "  → run this again\n", "bug"),
        (1, "", "bug"),
        (2, CLEAR, "bug"),
        (-9, CLEAR, "bug"),
        (1, f"Traceback (most recent call last):\n{CLEAR}", "bug"),
        (0, "Traceback (most recent call last):\n", "bug"),
        (1, "error: internal error: KeyError\n  → report it\n", "bug"),
    ],
)
def test_an_end_is_success_or_an_error_with_a_remedy_or_a_bug(code: int, said: str, outcome: str) -> None:
    ran = Ran(code, said, 1.0)
    assert ran.outcome == outcome
    assert bool(list(broken_end(ran, bound=2.0, secrets=()))) == (outcome == "bug")


def test_the_message_is_the_errors_first_line() -> None:
    assert Ran(1, CLEAR, 1.0).message == "the index is away"
    assert Ran(0, CLEAR, 1.0).message == ""


@pytest.mark.parametrize(
    ("ran", "line"),
    [
        (Ran(0, "", 9.0), "it took 9.0 s of 5.0"),
        (Ran(1, CLEAR, 9.0), "it took 9.0 s of 5.0"),
        (Ran(1, CLEAR.replace("away", "at http://ann:the-secret@index"), 1.0), "it tells a secret"),
        (Ran(0, "pushed with the-secret", 1.0), "it tells a secret"),
    ],
)
def test_over_its_time_or_with_a_secret_it_is_not_as_promised(ran: Ran, line: str) -> None:
    assert list(broken_end(ran, bound=5.0, secrets=("the-secret",))) == [line]


@pytest.mark.parametrize(
    ("found", "completed"),
    [
        (EXPECTED, True),
        (EXPECTED, False),
        (NOTHING, False),
        (Content(IMAGE, {}), False),
        (Content(IMAGE, {SDIST: b"sdist"}), False),
    ],
)
def test_what_is_right_is_right_however_far_it_came(found: Content, *, completed: bool) -> None:
    assert list(wrong_content(found, EXPECTED, completed=completed)) == []


@pytest.mark.parametrize("completed", [True, False])
@pytest.mark.parametrize(
    ("found", "line"),
    [
        (Content(OTHER, FILES), f"the tag is at {OTHER}"),
        (Content(OTHER, {}), f"the tag is at {OTHER}"),
        (Content(IMAGE, FILES, [OTHER]), f"the image has other bytes of {OTHER}"),
        (Content(IMAGE, {}, [OTHER]), f"the image has other bytes of {OTHER}"),
        (Content(IMAGE, {**FILES, WHEEL: b"other"}), f"the index has other bytes of {WHEEL}"),
        (Content(IMAGE, {**FILES, "some-1.3.tar.gz": b"sdist"}), "the index has other bytes of some-1.3.tar.gz"),
        (Content(None, FILES), f"{WHEEL}, {SDIST} is public, its image is not"),
        (Content(None, {SDIST: b"sdist"}), f"{SDIST} is public, its image is not"),
    ],
)
def test_wrong_content_is_wrong_whether_or_not_it_completed(found: Content, line: str, *, completed: bool) -> None:
    assert f"wrong content: {line}" in list(wrong_content(found, EXPECTED, completed=completed))


@pytest.mark.parametrize(
    ("found", "what"),
    [
        (NOTHING, f"{SDIST}, {WHEEL}, its image"),
        (Content(IMAGE, {SDIST: b"sdist"}), WHEEL),
        (Content(None, FILES), "its image"),
    ],
)
def test_to_say_that_all_is_public_is_wrong_where_it_is_not(found: Content, what: str) -> None:
    line = f"wrong content: it says that all is public, and {what} is not"
    assert line in list(wrong_content(found, EXPECTED, completed=True))


def test_other_bytes_that_the_other_side_keeps_are_to_be_told_and_no_file_may_name_them() -> None:
    index, registry = Content(IMAGE, {**FILES, WHEEL: b"other"}), Content(IMAGE, {}, [OTHER])
    assert list(wrong_content(index, EXPECTED, completed=False, damaged="index")) == []
    assert list(wrong_content(index, EXPECTED, completed=True, damaged="index")) != []
    assert list(wrong_content(index, EXPECTED, completed=False, damaged="registry")) != []
    assert list(wrong_content(registry, EXPECTED, completed=False, damaged="registry")) == []
    assert list(wrong_content(registry, EXPECTED, completed=False, damaged="index")) != []
    named = Content(IMAGE, {SDIST: b"sdist"}, [OTHER])
    assert list(wrong_content(named, EXPECTED, completed=False, damaged="registry")) != []


def test_the_figures_count_the_cells_that_are_not_as_promised() -> None:
    rows = [
        Row("503", "index page", "first", "completed", 1.0, "", ()),
        Row("503", "index page", "every", "refused", 3.0, "the index is away", ("it took 30.0 s of 25.0",)),
        Row(
            "429", "index page", "first", "completed", 2.0, "", ("wrong content: the tag is at x", "it tells a secret")
        ),
    ]
    found = result(rows)
    assert list(found.figures.items())[:5] == [
        ("cells", 3),
        ("completed", 2),
        ("ended in a clear error", 1),
        ("not as promised", 2),
        ("wrong contents", 1),
    ]
    assert found.broken == (
        "index page: 503 (every): it took 30.0 s of 25.0",
        "index page: 429 (first): wrong content: the tag is at x",
        "index page: 429 (first): it tells a secret",
    )
