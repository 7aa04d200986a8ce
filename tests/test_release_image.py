"""An image in ECR: is it what is pinned, or what its git tag says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from publish_fixtures import COMMIT, KEY
from test_release_file import DECLARED, PINS

from kfp_release.digest import Digest
from kfp_release.image import LABEL_REVISION, LABEL_RUNTIME_KEY, LABEL_VERSION
from kfp_release.release_image import ReleaseImage, pinned_findings, unpinned_findings

PINNED = PINS.images[0]
LABELS = {LABEL_VERSION: "1.2", LABEL_REVISION: COMMIT, LABEL_RUNTIME_KEY: KEY}
IMAGE = ReleaseImage(PINNED.ref.digest, ("1.2",), labels=LABELS)
OTHER = replace(IMAGE, digest=Digest("b" * 64))


def of_pins(tagged: ReleaseImage | None, exact: ReleaseImage | None) -> list[tuple[str, str]]:
    findings = pinned_findings(PINNED, PINS, tagged=tagged, exact=exact)
    return [(finding.kind.value, finding.text.removeprefix(f"{PINNED.pin}: ")) for finding in findings]


def of_tag(image: ReleaseImage | None) -> list[tuple[str, str]]:
    labels = {LABEL_VERSION: "1.2", LABEL_REVISION: COMMIT}
    findings = unpinned_findings("demo", DECLARED, "1.2", image, labels=labels)
    return [(finding.kind.value, finding.text.removeprefix(f"{DECLARED}:1.2: ")) for finding in findings]


def test_an_image_as_it_should_be_has_nothing_to_tell() -> None:
    assert of_pins(IMAGE, IMAGE) == of_tag(IMAGE) == []


@pytest.mark.parametrize(
    ("tagged", "exact", "told"),
    [
        (
            None,
            None,
            [("image tag missing", "ECR has no tag 1.2"), ("image missing", "ECR has no image of this digest")],
        ),
        (None, IMAGE, [("image tag missing", "ECR has no tag 1.2")]),
        (OTHER, IMAGE, [("image tag moved", f"in ECR the tag 1.2 is at {OTHER.digest}")]),
        (
            OTHER,
            None,
            [
                ("image tag moved", f"in ECR the tag 1.2 is at {OTHER.digest}"),
                ("image missing", "ECR has no image of this digest"),
            ],
        ),
    ],
)
def test_tag_and_digest_are_both_looked_for(
    tagged: ReleaseImage | None, exact: ReleaseImage | None, told: list[tuple[str, str]]
) -> None:
    assert of_pins(tagged, exact) == told


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"status": "ARCHIVED", "labels": None}, ("image archived", "it is ARCHIVED in ECR and cannot be pulled")),
        ({"labels": None}, ("other image", "ECR hands out no image for one platform")),
        (
            {"lacking": [Digest("c" * 64)]},
            ("layers missing", f"ECR lacks 1 of its layers, sha256:{'c' * 64} for one"),
        ),
        ({"labels": None, "lacking": [Digest("c" * 64)]}, ("layers missing", None)),
        ({"labels": {**LABELS, LABEL_VERSION: "1.3"}}, ("other image", None)),
        ({"labels": {**LABELS, LABEL_REVISION: "d" * 40}}, ("other commit", None)),
        ({"labels": {LABEL_VERSION: "1.2", LABEL_RUNTIME_KEY: KEY}}, ("other commit", None)),
    ],
    ids=str,
)
def test_what_is_wrong_with_the_image_is_told_with_a_wheel_and_without(
    changed: dict[str, object], told: tuple[str, str | None]
) -> None:
    image = replace(IMAGE, **changed)  # type: ignore[arg-type] # one field of each row
    for found in (of_pins(image, image), of_tag(image)):
        ((kind, text),) = found
        assert kind == told[0]
        assert told[1] in {None, text}


def test_a_label_that_disagrees_is_told_with_both_values() -> None:
    image = replace(IMAGE, labels={**LABELS, LABEL_REVISION: "d" * 40})
    assert (
        of_pins(image, image)[0][1] == f"its label {LABEL_REVISION} is {'d' * 40!r}, the published pins say {COMMIT!r}"
    )
    assert of_tag(image)[0][1] == f"its label {LABEL_REVISION} is {'d' * 40!r}, the git tag says {COMMIT!r}"


def test_an_image_that_no_wheel_pins_may_be_missing() -> None:
    assert of_tag(None) == [("image missing", "ECR has no such image")]


def test_an_archived_image_comes_with_the_command_that_restores_it() -> None:
    archived = replace(IMAGE, status="ARCHIVED", labels=None)
    (finding,) = pinned_findings(PINNED, PINS, tagged=archived, exact=archived)
    assert "aws ecr update-image-storage-class --repository-name team/demo" in finding.remedy
    assert f"--image-id imageDigest={PINNED.ref.digest} --target-storage-class STANDARD" in finding.remedy
