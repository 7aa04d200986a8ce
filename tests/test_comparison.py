"""What should be, held against what is: the state of a version, and what is to be done about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pytest
from archives import NAME
from publish_fixtures import COMMIT, PROJECT, SDIST, VERSION
from test_release_file import DECLARED, PINS, read, sdist, wheel
from test_release_image import IMAGE, OTHER

from kfp_release.comparison import Seen, compare
from kfp_release.desired_release import DesiredRelease
from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.finding import Finding, Kind
from kfp_release.image import LABEL_REVISION
from kfp_release.image_ref import Repository
from kfp_release.release_file import ReleaseFile
from kfp_release.release_image import ReleaseImage
from kfp_release.status_row import State, StatusRow
from kfp_release.version import ReleaseVersion

DESIRED = DesiredRelease(VERSION, COMMIT, PROJECT, ("more-components",), (("demo", DECLARED),))
WHEEL, SOURCE = read(NAME, wheel()), read(SDIST, sdist())
MORE = tuple(
    ReleaseFile("more-components", f"more_components-1.2{suffix}", "e" * 64)
    for suffix in ("-py3-none-any.whl", ".tar.gz")
)
WHOLE = (WHEEL, SOURCE, *MORE)


def seen(images: Iterable[ReleaseImage] = (IMAGE,), files: Sequence[ReleaseFile] = WHOLE) -> Seen:
    keys: dict[tuple[Repository, str | Digest], ReleaseImage] = {}
    for image in images:
        keys[DECLARED, image.digest] = image
        keys |= {(DECLARED, tag): image for tag in image.tags}
    return Seen(keys, {VERSION: files} if files else {})


def row(
    *, images: Iterable[ReleaseImage] = (IMAGE,), files: Sequence[ReleaseFile] = WHOLE, **changed: object
) -> StatusRow:
    return compare(replace(DESIRED, **changed), seen(images, files))  # type: ignore[arg-type] # some fields of it


def without(*files: ReleaseFile) -> tuple[ReleaseFile, ...]:
    return tuple(file for file in WHOLE if file not in files)


ARCHIVED = replace(IMAGE, status="ARCHIVED", labels=None)
LACKING = replace(IMAGE, lacking=[Digest("c" * 64)])
TAGS_ALONE = read(SDIST, sdist(replace(PINS, images=(replace(PINS.images[0], pin=f"{DECLARED}:1.2"),))))
YANKED = replace(WHEEL, is_yanked=True)
GONE = ReleaseFile(PROJECT, NAME, "", findings=(Finding(Kind.FILE_GONE, NAME, f"{NAME}: HTTP 404"),))
UNTAGGED = replace(IMAGE, tags=())
CHANGED = read(NAME, wheel(replace(PINS, commit="d" * 40)))


@pytest.mark.parametrize(
    ("made", "state", "kinds"),
    [
        (row, State.IN_ORDER, []),
        (
            lambda: row(images=(), files=()),
            State.NOT_RELEASED,
            ["image missing", *["wheel missing", "sdist missing"] * 2],
        ),
        (lambda: row(files=()), State.ABANDONED, ["wheel missing", "sdist missing"] * 2),
        (lambda: row(files=MORE), State.ABANDONED, ["wheel missing", "sdist missing"]),
        (lambda: row(files=without(WHEEL)), State.INCOMPLETE, ["wheel missing"]),
        (
            lambda: row(files=without(WHEEL), images=(OTHER,)),
            State.DRIFT,
            ["image tag moved", "image missing", "wheel missing"],
        ),
        (lambda: row(files=without(WHEEL), commit="d" * 40), State.DRIFT, ["other commit", "wheel missing"]),
        (lambda: row(files=(TAGS_ALONE, *MORE)), State.DRIFT, ["wheel missing", "other pins"]),
        (lambda: row(files=without(SOURCE)), State.INCOMPLETE, ["sdist missing"]),
        (lambda: row(files=without(*MORE)), State.INCOMPLETE, ["wheel missing", "sdist missing"]),
        (lambda: row(images=(), files=MORE), State.INCOMPLETE, ["image missing", "wheel missing", "sdist missing"]),
        (lambda: row(images=()), State.INCOMPLETE, ["image tag missing", "image missing"]),
        (lambda: row(images=(UNTAGGED,)), State.INCOMPLETE, ["image tag missing"]),
        (lambda: row(images=(UNTAGGED, OTHER)), State.DRIFT, ["image tag moved"]),
        (lambda: row(images=(ARCHIVED,)), State.DRIFT, ["image archived"]),
        (lambda: row(files=(CHANGED, *without(WHEEL))), State.DRIFT, ["other commit", "other commit", "other pins"]),
        (lambda: row(commit="d" * 40), State.DRIFT, ["other commit"]),
        (
            lambda: row(commit="d" * 40, files=()),
            State.DRIFT,
            ["other commit", *["wheel missing", "sdist missing"] * 2],
        ),
        (lambda: row(commit=""), State.DRIFT, ["no git tag"]),
        (lambda: row(withdrawn="main"), State.WITHDRAWN, []),
        (
            lambda: row(withdrawn="main", images=(), files=without(WHEEL)),
            State.WITHDRAWN,
            ["image tag missing", "image missing", "wheel missing"],
        ),
        (lambda: row(withdrawn="main", images=(ARCHIVED,)), State.WITHDRAWN, ["image archived"]),
        (lambda: row(images=(LACKING,)), State.DRIFT, ["layers missing"]),
        (lambda: row(withdrawn="main", images=(LACKING,)), State.WITHDRAWN, ["layers missing"]),
        (lambda: row(files=(GONE, *without(WHEEL))), State.DRIFT, ["file gone"]),
        (lambda: row(withdrawn="main", files=(GONE, *without(WHEEL))), State.WITHDRAWN, ["file gone"]),
        (lambda: row(files=(YANKED, *without(WHEEL))), State.DRIFT, ["file yanked"]),
        (lambda: row(files=(YANKED, *MORE)), State.DRIFT, ["sdist missing", "file yanked"]),
        (lambda: row(withdrawn="main", files=(YANKED, *without(WHEEL))), State.WITHDRAWN, ["file yanked"]),
        (lambda: row(withdrawn="main", commit=""), State.WITHDRAWN, ["no git tag"]),
        (lambda: row(withdrawn="main", images=(UNTAGGED, OTHER)), State.DRIFT, ["image tag moved"]),
    ],
)
def test_a_version_has_the_state_that_its_findings_come_to(
    made: Callable[[], StatusRow], state: State, kinds: list[str]
) -> None:
    found = made()
    assert (found.state, [finding.kind.value for finding in found.findings]) == (state, kinds)
    assert bool(found.remedies) is not found.state.is_good
    assert {*found.missing, *found.disagreements} == set(found.findings)


def test_a_snapshot_is_never_drift() -> None:
    version = ReleaseVersion.parse("1.3.dev4+gabc1234")
    found = compare(replace(DESIRED, version=version, commit=""), Seen({}, {version: ()}))
    assert (found.state, found.remedies) == (State.SNAPSHOT, ())
    assert found.to_json()["tag"] is None


@pytest.mark.parametrize("files", [(), without(SOURCE)])
def test_what_can_be_completed_says_with_which_command(files: tuple[ReleaseFile, ...]) -> None:
    assert row(files=files).remedies == ("kfp-release reconcile",)


def test_a_tag_that_is_gone_comes_with_the_command_that_brings_it_back() -> None:
    (remedy,) = row(commit="").remedies
    assert remedy == f"git fetch --tags; if it was deleted: git tag v1.2 {COMMIT} && git push origin v1.2"


@pytest.mark.parametrize(
    ("labels", "commit"), [({LABEL_REVISION: COMMIT}, COMMIT), ({LABEL_REVISION: "$(id)"}, "COMMIT"), (None, "COMMIT")]
)
def test_a_tag_that_is_gone_is_where_an_image_says_if_no_file_does(labels: dict[str, str] | None, commit: str) -> None:
    remedies = row(commit="", files=(), images=(replace(IMAGE, labels=labels),)).remedies
    assert f"git tag v1.2 {commit} && git push origin v1.2" in remedies[0]


def test_two_tags_of_one_version_are_named_and_the_released_one_stays() -> None:
    twice = row(equal_tags=("v1.2.0",), commit="d" * 40)
    (finding,) = twice.findings
    assert (twice.state, finding.kind) == (State.DRIFT, Kind.EQUAL_TAGS)
    assert finding.text == "git has the tags v1.2.0 and v1.2, which are one version, 1.2"
    assert twice.remedies == ("git tag -d v1.2.0 && git push origin --delete refs/tags/v1.2.0",)
    released = replace(PINS, version=ReleaseVersion.parse("1.2.0"))
    (remedy,) = row(equal_tags=("v1.2.0",), files=(read(SDIST, sdist(released)),)).remedies
    assert remedy == "git tag -d v1.2 && git push origin --delete refs/tags/v1.2"


def test_an_image_tag_of_the_same_version_is_not_taken_for_its_own() -> None:
    other = replace(OTHER, tags=("1.2.0",))
    found = row(images=(IMAGE, other))
    assert [finding.kind for finding in found.findings] == [Kind.EQUAL_TAGS]
    assert f"{DECLARED}:1.2.0: ECR has this image" in found.findings[0].text
    assert "--image-ids imageTag=1.2.0" in found.remedies[0]
    pinned = row(images=(replace(IMAGE, tags=("1.2.0",)),))
    assert [finding.kind.value for finding in pinned.findings] == ["image tag missing", "equal tags"]
    assert not any("delete" in remedy for remedy in pinned.remedies)
    alone = row(images=(other,), files=())
    assert [finding.kind.value for finding in alone.findings][:2] == ["image missing", "equal tags"]
    assert row(images=(replace(IMAGE, tags=("1.2", "1.2.0")),)).state is State.IN_ORDER


@pytest.mark.parametrize("files", [(), MORE, WHOLE])
def test_of_a_repository_that_cannot_be_asked_nothing_is_said_to_be_missing(files: tuple[ReleaseFile, ...]) -> None:
    denied = ReleaseError("ECR refused DescribeImages", remedy="give the role this permission")
    known = Seen({}, {VERSION: files}, {DECLARED: denied})
    found = compare(DESIRED, known)
    assert (found.state, [finding.kind for finding in found.disagreements]) == (
        State.DRIFT,
        [Kind.REPOSITORY_NOT_ASKED],
    )
    assert found.disagreements[0].text == f"{DECLARED}: ECR refused DescribeImages"
    assert found.remedies == ("give the role this permission",)
    assert compare(replace(DESIRED, withdrawn="main"), known).state is State.WITHDRAWN


def test_a_file_that_is_yanked_on_the_index_is_withdrawn_in_the_changelog_or_taken_back() -> None:
    found = row(files=(YANKED, *without(WHEEL)))
    assert found.findings[0].text == f"{NAME}: the index has it as yanked (PEP 592)"
    assert found.remedies == ("withdraw 1.2 in CHANGELOG.md too, or take that back on the index",)


def test_no_tag_is_suggested_for_a_version_that_none_can_name() -> None:
    version = ReleaseVersion.parse("1.2+local")
    found = compare(replace(DESIRED, version=version, commit=""), Seen({}, {version: WHOLE}))
    assert Kind.NO_GIT_TAG in {finding.kind for finding in found.findings}
    assert not any("git tag" in remedy for remedy in found.remedies)


def test_a_remedy_of_one_disagreement_does_not_hide_that_of_another() -> None:
    restore, withdraw = row(files=(CHANGED, *without(WHEEL)), images=(ARCHIVED,), commit="d" * 40).remedies
    assert "update-image-storage-class" in restore
    assert "withdraw the version" in withdraw


def test_a_disagreement_without_a_remedy_of_its_own_says_how_to_go_on() -> None:
    (remedy,) = row(images=(replace(IMAGE, labels={}),)).remedies
    assert "kfp-release verify 1.2" in remedy
    assert "withdraw the version" in remedy


def test_a_wheel_that_pins_another_repository_is_drift_and_that_one_is_not_asked() -> None:
    elsewhere = Repository.parse("000000000000.dkr.ecr.eu-north-1.amazonaws.com/their/own")
    moved = compare(replace(DESIRED, images=(("demo", elsewhere),)), seen())
    assert [finding.kind.value for finding in moved.findings] == ["other pins"]
    assert f"{elsewhere}:1.2" in moved.findings[0].text
    renamed = compare(replace(DESIRED, images=(("other", DECLARED),)), seen())
    assert [(finding.what, finding.kind.value) for finding in renamed.findings] == [("demo", "other pins")]
    assert "names no such image" in renamed.findings[0].text


def test_versions_are_those_of_image_tags_and_files() -> None:
    tags = ("1.2", "runtime-0a", "latest", "1.3.dev4-gabc1234", "v1.4", "1.2-hotfix")
    found = seen(images=(replace(IMAGE, tags=tags),)).versions
    assert found == {VERSION, ReleaseVersion.parse("1.3.dev4+gabc1234")}


def test_a_row_as_json_has_what_is_seen_and_what_is_wrong() -> None:
    value = row(files=MORE, images=(OTHER,)).to_json()
    assert value == {
        "version": "1.2",
        "tag": "v1.2",
        "commit": COMMIT,
        "state": "abandoned",
        "withdrawn": None,
        "images": [
            {
                "name": "demo",
                "repository": str(DECLARED),
                "tag": "1.2",
                "digest": str(OTHER.digest),
                "pinned": None,
                "scan": None,
            }
        ],
        "files": [{"project": file.project, "filename": file.filename, "sha256": file.sha256} for file in MORE],
        "missing": [
            {
                "kind": f"{kind} missing",
                "what": PROJECT,
                "message": f"the index has 0 {kind}s of some-components 1.2, not one",
                "remedy": "",
            }
            for kind in ("wheel", "sdist")
        ],
        "disagreements": [],
        "remedies": ["kfp-release reconcile"],
        "refused": False,
        "scan_problems": [],
    }
