"""What ECR says of one image, in a word and a reason."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from ecr_fixtures import HOST

from kfp_release.digest import Digest
from kfp_release.ecr_errors import EcrError
from kfp_release.image import LABEL_REVISION, LABEL_VERSION
from kfp_release.image_origin import Place, Shelf, image_origin
from kfp_release.image_ref import Repository
from kfp_release.package_files._operators.image_name import ImageName
from kfp_release.release_image import ReleaseImage

AT = Repository.parse(f"{HOST}/team/demo")
DIGEST, OTHER = Digest.of(b"one"), Digest.of(b"other")
COMMIT = "c" * 40
LABELS = {LABEL_VERSION: "1.2", LABEL_REVISION: COMMIT}
IMAGE = ImageName.parse(f"{AT}:1.2@{DIGEST}")


def place(
    image: ReleaseImage | None, tags: Mapping[str, Digest] | None = None, *, is_home: bool = True, unasked: str = ""
) -> Place:
    shelf = Shelf(AT, {DIGEST: image} if image else {}, {"1.2": DIGEST} if tags is None else tags)
    return Place(shelf, is_home=is_home, unasked=unasked)


WHOLE = ReleaseImage(DIGEST, ("1.2",), labels=LABELS)
NEXT = ReleaseImage(DIGEST, (), labels={**LABELS, LABEL_VERSION: "1.3.dev4+gabc1234"})


@pytest.mark.parametrize(
    ("at", "state", "why"),
    [
        (place(WHOLE), "pinned", ""),
        (place(WHOLE, is_home=False), "mirrored", ""),
        (place(WHOLE, {}, is_home=False), "mirrored", ""),
        (place(WHOLE, unasked="m.example"), "mirrored", f"m.example is no ECR and was not asked; {AT} has it"),
        (place(WHOLE, {}), "drift", f"{AT} has no tag 1.2 any more"),
        (place(WHOLE, {"1.2": OTHER}), "drift", f"{AT}:1.2 is {OTHER} now"),
        (place(NEXT), "drift", "its tag is 1.2, and its labels say 1.3.dev4+gabc1234"),
        (place(None), "missing", f"{AT} has no image of this digest"),
        (place(ReleaseImage(DIGEST, (), labels=LABELS, lacking=[OTHER])), "incomplete", f"{AT} lacks 1 of its layers"),
        (place(ReleaseImage(DIGEST, ())), "unknown", "its labels name no version and commit, so no release made it"),
        (place(ReleaseImage(DIGEST, (), labels={LABEL_VERSION: "1.2", LABEL_REVISION: "main"})), "unknown", None),
        (place(ReleaseImage(DIGEST, (), labels={LABEL_VERSION: "x\n::", LABEL_REVISION: COMMIT})), "unknown", None),
    ],
)
def test_an_image_has_a_state_and_its_reason(at: Place, state: str, why: str | None) -> None:
    found = image_origin(IMAGE, at, {"v1.2": COMMIT})
    assert found.state == state
    assert why is None or found.why == why
    assert (found.version, found.commit) == (
        (found.version or "1.2", COMMIT) if state in {"pinned", "mirrored", "drift"} else ("", "")
    )


def test_a_snapshot_has_a_tag_of_its_own_and_none_of_gits() -> None:
    image = ImageName.parse(f"{AT}:1.3.dev4-gabc1234@{DIGEST}")
    assert image_origin(image, place(NEXT, {"1.3.dev4-gabc1234": DIGEST}), {}).state == "pinned"


def test_a_refusal_is_told() -> None:
    refused = Place(Shelf(AT, refusal=EcrError("ECR refused it", remedy="ask")), is_home=False)
    assert image_origin(IMAGE, refused, {})[:2] == ("unasked", "ECR refused it")
