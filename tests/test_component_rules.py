"""All that is wrong in one component file."""

from __future__ import annotations

import pytest
from component_files import OWNED, V1, changed, errors


def test_all_that_is_wrong_is_told_at_once() -> None:
    text = changed(V1, "name: Train", "nam: Train")
    for old, new in (
        ("default:", "defualt:"),
        ("{A: b}", "{A: 5}"),
        ("[train, ", "[5, "),
        ("{inputPath: data}", "{inputPath: dat}"),
    ):
        text = changed(text, old, new)
    assert [problem.line for problem in sorted(errors(text))] == [1, 5, 14, 19, 25]


@pytest.mark.parametrize(
    ("image", "message", "remedy"),
    [
        (f"{OWNED}:1.0", f"owned image {OWNED} carries :1.0", f"write {OWNED} alone"),
        (f"{OWNED}@sha256:{'0' * 64}", f"owned image {OWNED} carries @sha256:000", f"write {OWNED} alone"),
        (f"{OWNED}s", f"image {OWNED}s is in no [tool.kfp-release.images]", f"did you mean {OWNED}?"),
        ("busybox:1", "image busybox:1 is in no [tool.kfp-release.images]", "write repository:tag@sha256:…"),
    ],
)
def test_an_image_is_owned_and_bare_or_foreign_and_exact(image: str, message: str, remedy: str) -> None:
    (problem,) = errors(changed(V1, OWNED, image))
    assert problem.line == 13
    assert problem.message.startswith(message)
    assert remedy in problem.remedy


def test_a_foreign_image_with_its_digest_is_fine() -> None:
    assert errors(changed(V1, OWNED, f"busybox@sha256:{'0' * 64}")) == []
