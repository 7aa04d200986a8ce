"""Where the images of a release are to go, and what of it cannot be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kfp_release.digest import Digest
from kfp_release.errors import Problem, ReleaseError
from kfp_release.image_ref import Registry, Repository
from kfp_release.promotion import Deed, Promoted, PromotedImage, PromotedReferrer, Promotion, promotions
from kfp_release.record import PinnedImage, Pins
from kfp_release.version import ReleaseVersion

FIRST = "533211398604.dkr.ecr.eu-north-1.amazonaws.com"
SECOND = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
DIGEST = Digest("a" * 64)


def pinned(name: str, host: str = FIRST, pinned_at: str = "") -> PinnedImage:
    declared = Repository.parse(f"{host}/team/{name}")
    pin = f"{pinned_at or host}/team/{name}:1.2@{DIGEST}"
    return PinnedImage(name, declared, pin, "0" * 32, "linux/amd64")


def pins(*images: PinnedImage) -> Pins:
    return Pins("some-components", ReleaseVersion.parse("1.2"), "c" * 40, images, ())


def only(image: PinnedImage, to: str, source: str = "") -> Promotion:
    (found,) = promotions(pins(image), Registry.parse(to), Registry.parse(source) if source else None)
    return found


@pytest.mark.parametrize(
    ("to", "target", "account", "region"),
    [
        (SECOND, f"{SECOND}/team/demo", "111122223333", "eu-west-1"),
        (f"{SECOND}/mirror/eu", f"{SECOND}/mirror/eu/team/demo", "111122223333", "eu-west-1"),
        (f"{FIRST}/mirror", f"{FIRST}/mirror/team/demo", "533211398604", "eu-north-1"),
        ("127.0.0.1:5000", "127.0.0.1:5000/team/demo", "533211398604", "eu-north-1"),
    ],
)
def test_the_registry_takes_the_place_of_the_host_and_tag_and_digest_stay(
    to: str, target: str, account: str, region: str
) -> None:
    found = only(pinned("demo"), to)
    assert str(found.source) == f"{FIRST}/team/demo"
    assert str(found.target) == f"{target}:1.2@{DIGEST}"
    assert (found.target.repository.account, found.target.repository.region) == (account, region)
    assert found.target.repository.is_at_ecr is not to.startswith("127")
    assert not found.is_there


def test_the_source_is_where_the_pin_is_or_what_is_named() -> None:
    staged = pinned("demo", pinned_at="127.0.0.1:5000")
    assert str(only(staged, SECOND).source) == "127.0.0.1:5000/team/demo"
    assert str(only(staged, SECOND, f"{FIRST}/mirror").source) == f"{FIRST}/mirror/team/demo"
    assert only(staged, SECOND, f"{FIRST}/mirror").source.account == "533211398604"


@pytest.mark.parametrize(
    "to",
    [
        FIRST,
        "533211398604.dkr.ecr-fips.eu-north-1.amazonaws.com",
        "533211398604.dkr-ecr.eu-north-1.on.aws",
    ],
)
def test_where_they_are_already_there_is_nothing_to_copy(to: str) -> None:
    with pytest.raises(ReleaseError, match=r"nothing to copy: the images of some-components 1\.2 are in") as caught:
        only(pinned("demo"), to)
    assert "--to" in caught.value.remedy


def test_the_same_account_in_another_region_is_another_place() -> None:
    assert not only(pinned("demo"), FIRST.replace("eu-north-1", "eu-west-1")).is_there


def test_one_image_that_is_there_already_does_not_keep_the_others() -> None:
    found = promotions(pins(pinned("demo"), pinned("training", SECOND)), Registry.parse(SECOND))
    assert [(one.name, one.is_there) for one in found] == [("demo", False), ("training", True)]


def test_two_images_that_would_be_one_are_refused() -> None:
    other = replace(pinned("demo", SECOND), name="training")
    with pytest.raises(ReleaseError, match=r"images demo and training would both be 127\.0\.0\.1:5000/team/demo"):
        promotions(pins(pinned("demo"), other), Registry.parse("127.0.0.1:5000"))


def test_a_name_that_becomes_too_long_is_refused() -> None:
    with pytest.raises(ReleaseError, match="is not a repository"):
        only(pinned("d" * 100), f"{SECOND}/{'p' * 150}")


def test_what_was_done_is_told_to_programs() -> None:
    sbom = PromotedReferrer("application/sbom", DIGEST, Deed.COPIED, 30, 20)
    image = PromotedImage(
        only(pinned("demo"), SECOND), Deed.COPIED, 3, 2, 500, 400, is_new_repository=False, referrers=(sbom,)
    )
    warning = Problem(f"{SECOND}/team/demo", 0, "its rule", "remove it", severity="warning")
    assert Promoted([image], [warning]).to_json() == {
        "changed": True,
        "bytes_missing": 530,
        "bytes_copied": 420,
        "images": {
            "demo": {
                "state": "copied",
                "source": f"{FIRST}/team/demo@{DIGEST}",
                "target": f"{SECOND}/team/demo:1.2@{DIGEST}",
                "blobs": 3,
                "blobs_missing": 2,
                "bytes_missing": 500,
                "bytes_copied": 400,
                "new_repository": False,
                "referrers": [
                    {
                        "artifact_type": "application/sbom",
                        "digest": str(DIGEST),
                        "state": "copied",
                        "bytes_missing": 30,
                        "bytes_copied": 20,
                    }
                ],
            }
        },
        "warnings": [
            {
                "path": f"{SECOND}/team/demo",
                "line": 0,
                "message": "its rule",
                "remedy": "remove it",
                "severity": "warning",
            }
        ],
    }
    assert Promoted([replace(image, deed=Deed.LEFT)], []).changed
    assert not Promoted([replace(image, deed=Deed.LEFT, referrers=(replace(sbom, deed=Deed.LEFT),))], []).changed
