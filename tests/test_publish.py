"""Publishing to the ECR stand-in before a real registry, and to an index in memory that can be unhelpful."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from archives import INFO, NAME, sdist_packed_anew, wheel_packed_anew
from ecr_fixtures import LocalEcr, running_ecr
from publish_fixtures import KEY, SDIST, Place, component, move, packed_anew, place_at, record, write_distributions

from kfp_release.built import BadBuild, BuiltRelease
from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.index_session import PackageIndexError
from kfp_release.manifest import Manifest
from kfp_release.patience import Patience
from kfp_release.retry import Retry


@pytest.fixture(scope="module")
def ecr_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the registry keeps its files."""
    return tmp_path_factory.mktemp("ecr")


@pytest.fixture(scope="module")
def local(ecr_folder: Path) -> Iterator[LocalEcr]:
    with running_ecr(ecr_folder) as running:
        yield running


@pytest.fixture
def place(local: LocalEcr, tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    return place_at(local, tmp_path, request.node.name)


def test_the_image_comes_before_the_sdist_and_the_wheel_is_last(place: Place) -> None:
    published = place.publish()
    assert [outcome.state for outcome in published.outcomes] == ["sent"] * 5
    what = [outcome.what for outcome in published.outcomes[:3]]
    assert what == [record(place).pins.images[0].pin, "SBOM of demo", "provenance of demo"]
    assert place.index.uploaded == [SDIST, NAME]
    assert place.verify().problems == ()


def test_a_second_time_changes_nothing(place: Place) -> None:
    place.publish()
    again = place.publish()
    assert not again.changed
    assert again.bytes_sent == 0
    assert place.index.uploaded == [SDIST, NAME]


@pytest.mark.parametrize("which", ["config", "package layer"])
def test_no_file_is_public_while_ecr_hands_out_other_bytes_of_its_image(
    place: Place, ecr_folder: Path, which: str
) -> None:
    image = BuiltRelease.read(place.folder).image(record(place).pins.images[0])
    blob = (image.manifest.config if which == "config" else image.manifest.layers[-1]).digest
    place.index.loses = [ReleaseError("the index is down")]
    with pytest.raises(ReleaseError, match="the index is down"):
        place.publish()
    (path,) = ecr_folder.glob(f"registry/**/sha256/??/{blob.hex}/data")
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    try:
        for _ in range(2):
            with pytest.raises(ReleaseError, match=f"{blob} of .*have the digest(.|\n)*the image is damaged"):
                place.publish()
        assert place.index.uploaded == []
    finally:
        path.write_bytes(data)
    assert place.publish().changed


@pytest.fixture
def lose(place: Place, ecr_folder: Path) -> Callable[[Digest], None]:
    """Has the registry forget a blob of the place's repository, and keep the images that need it."""

    def forget(digest: Digest) -> None:
        within = f"registry/**/repositories/{place.store.repository.name}/_layers/sha256/{digest.hex}/link"
        (link,) = ecr_folder.glob(within)
        link.unlink()

    return forget


def cut_off_after_the_image(place: Place) -> Manifest:
    """Publish until the first file is to be uploaded; the image that is public then."""
    place.index.loses = [ReleaseError("the index is down")]
    with pytest.raises(ReleaseError, match="the index is down"):
        place.publish()
    return BuiltRelease.read(place.folder).image(record(place).pins.images[0]).manifest


def test_no_file_is_public_while_ecr_lacks_a_layer_of_its_image_that_the_build_has_not(
    place: Place, lose: Callable[[Digest], None]
) -> None:
    manifest = cut_off_after_the_image(place)
    lose(manifest.layers[0].digest)
    message = rf"1\.2@{manifest.digest} is in ECR and cannot be pulled: 1 of its layers .*: {manifest.layers[0].digest}"
    for _ in range(2):
        with pytest.raises(ReleaseError, match=message) as caught:
            place.publish()
        assert "push this image" in caught.value.remedy
    assert place.index.uploaded == []


@pytest.mark.parametrize("which", ["config", "package layer"])
def test_what_ecr_lost_of_an_image_that_is_there_is_sent_again(
    place: Place, lose: Callable[[Digest], None], which: str
) -> None:
    manifest = cut_off_after_the_image(place)
    blob = manifest.config if which == "config" else manifest.layers[-1]
    lose(blob.digest)
    published = place.publish()
    assert published.bytes_sent == blob.size
    assert [outcome.state for outcome in published.outcomes] == ["sent", *["already there"] * 2, "sent", "sent"]
    assert place.verify().problems == ()


def test_a_repository_whose_tags_may_move_is_refused_unless_that_is_meant(place: Place) -> None:
    place.store.call("put_image_tag_mutability", imageTagMutability="MUTABLE")
    with pytest.raises(ReleaseError, match=r"is MUTABLE: tag 1\.2 could be moved(.|\n)*mutable-tags = true"):
        place.publish()
    assert place.store.find("1.2") is None
    assert place.publish(mutable={"demo"}).changed
    assert place.verify().problems == ()


def test_a_tag_that_may_move_is_not_moved(place: Place) -> None:
    place.store.call("put_image_tag_mutability", imageTagMutability="MUTABLE")
    runtime = place.store.find(f"runtime-{KEY}")
    assert runtime is not None
    place.store.put(runtime, "1.2")
    with pytest.raises(ReleaseError, match=f"is public already as {runtime.digest}"):
        place.publish(mutable={"demo"})
    assert place.store.find("1.2") == runtime
    assert place.index.uploaded == []


def test_a_file_that_is_listed_late_is_waited_for(place: Place) -> None:
    waits: list[float] = []
    place.index.late = 2
    assert place.publish(retry=Retry(sleep=waits.append)).changed
    assert waits == [0.0, 0.5, 1.0, 0.0]


def test_a_file_that_is_never_listed_is_named_and_the_wheel_stays_behind(place: Place) -> None:
    waits: list[float] = []
    place.index.late = 100
    with pytest.raises(ReleaseError, match=f"the index took {SDIST} and does not list it, 30 s later\n.*publish again"):
        place.publish(retry=Retry(Patience(seconds=30), sleep=waits.append))
    assert place.index.uploaded == [SDIST]
    assert sum(waits) == 30


def test_an_upload_whose_answer_was_lost_is_done(place: Place) -> None:
    place.index.refuses = [ReleaseError("the answer was lost")] * 2
    assert place.publish().changed


def test_an_upload_that_fails_for_the_moment_is_sent_again_and_that_is_told(place: Place) -> None:
    waits: list[float] = []
    notes: list[str] = []
    place.index.loses = [PackageIndexError("busy", status=503, passing="answered 503", wait=wait) for wait in (0, 3)]
    assert place.publish(retry=Retry(note=notes.append, sleep=waits.append)).changed
    assert place.index.uploaded == [SDIST, NAME]
    assert waits == [0.5, 3.0, 0.0, 0.0]
    assert notes == [
        f"index: the upload of {SDIST} answered 503, tried again in 0.5 s (2 of 4)",
        f"index: the upload of {SDIST} answered 503, tried again in 3 s (3 of 4)",
    ]


def test_an_upload_that_fails_for_good_is_not_sent_again(place: Place) -> None:
    place.index.loses = [PackageIndexError("a teapot", status=418)]
    with pytest.raises(PackageIndexError, match="a teapot"):
        place.publish()
    assert place.index.uploaded == []


def test_an_upload_that_keeps_failing_ends_with_its_last_error(place: Place) -> None:
    waits: list[float] = []
    place.index.loses = [PackageIndexError(f"busy {n}", status=503, passing="answered 503") for n in range(9)]
    with pytest.raises(PackageIndexError, match="busy 2"):
        place.publish(retry=Retry(Patience(attempts=3), sleep=waits.append))
    assert waits == [0.5, 1.0]
    assert len(place.index.loses) == 6


def test_another_file_on_the_index_is_refused_before_anything_is_sent(place: Place) -> None:
    place.index.contents[NAME] = b"other"
    with pytest.raises(ReleaseError, match=f"the index has {NAME} with sha256 {Digest.of(b'other').hex}"):
        place.publish()
    assert place.store.find("1.2") is None
    assert place.index.uploaded == []


@pytest.mark.parametrize("pages_tell", [True, False])
def test_files_that_the_index_packed_anew_are_there(place: Place, *, pages_tell: bool) -> None:
    place.index.contents = {
        NAME: wheel_packed_anew((place.folder / NAME).read_bytes()),
        SDIST: sdist_packed_anew((place.folder / SDIST).read_bytes()),
    }
    place.index.tells = pages_tell
    hashes = {name: Digest.of(data).hex for name, data in place.index.contents.items()}
    published = place.publish()
    assert place.index.uploaded == []
    assert [(o.what, o.state, o.content) for o in published.outcomes[3:]] == [
        (name, "already there", hashes[name]) for name in (SDIST, NAME)
    ]
    assert place.verify().problems == ()
    assert place.verify().files == hashes


@pytest.mark.parametrize("name", [NAME, SDIST])
def test_an_index_that_packs_what_it_takes_anew_has_it(place: Place, name: str) -> None:
    anew = wheel_packed_anew if name == NAME else sdist_packed_anew
    place.index.packs = {name: anew}
    seen = Digest.of(anew((place.folder / name).read_bytes())).hex
    published = place.publish()
    assert [o.content for o in published.outcomes if o.what == name] == [seen]
    assert [o.state for o in published.outcomes] == ["sent"] * 5


def test_a_wheel_of_other_files_in_the_same_version_is_refused_before_anything_is_sent(place: Place) -> None:
    other = wheel_packed_anew((place.folder / NAME).read_bytes(), {f"{INFO}/METADATA": b"Name: other\n"})
    place.index.contents[NAME] = other
    with pytest.raises(
        ReleaseError, match=f"the index has {NAME} with sha256 {Digest.of(other).hex} and other content"
    ):
        place.publish()
    assert place.store.find("1.2") is None
    assert place.index.uploaded == []


@pytest.mark.parametrize("there", [(), (SDIST,), (NAME,)])
def test_an_index_that_takes_nothing_from_nobody_is_told_before_anything_is_sent(
    place: Place, there: tuple[str, ...]
) -> None:
    place.index.anonymous = True
    place.index.contents = {name: (place.folder / name).read_bytes() for name in there}
    with pytest.raises(ReleaseError, match="nothing can be uploaded without credentials"):
        place.publish()
    assert place.store.find("1.2") is None
    package = BuiltRelease.read(place.folder).image(record(place).pins.images[0]).manifest.layers[-1]
    assert place.store.missing({package.digest}) == {package.digest}
    assert place.index.uploaded == []


def test_what_is_public_already_needs_no_credentials_for_the_index(place: Place) -> None:
    place.publish()
    place.index.anonymous = True
    assert not place.publish().changed


def test_a_wheel_with_other_pins_than_the_record_is_refused_before_anything_is_sent(place: Place) -> None:
    pins, text = record(place).pins, component(place)
    image = pins.images[0]
    tag = replace(image, pin=image.pin.partition("@")[0], runtime_key="")
    write_distributions(place.folder, pins, text, carried=replace(pins, images=(tag,)))
    with pytest.raises(BadBuild, match=f"{NAME} carries other pins than release.json has"):
        place.publish()
    assert place.store.find("1.2") is None


def test_a_repository_that_is_missing_is_named_with_the_command_that_makes_it(place: Place) -> None:
    move(place, f"{place.store.repository.name}/elsewhere")
    with pytest.raises(ReleaseError, match=r"has no repository .*/elsewhere\n.*runtime --create-repository"):
        place.publish()
    assert place.local.repository(record(place).pins.images[0].ref.repository.name, create=False).describe() is None


def test_an_image_that_was_adopted_and_is_gone_is_no_fault_of_the_runtime(place: Place) -> None:
    packed_anew(place.folder)
    with pytest.raises(ReleaseError, match=r":1\.2@sha256:.* was adopted by this build") as caught:
        place.publish()
    assert "kfp-release build" in caught.value.remedy
    assert place.index.uploaded == []


def test_layers_of_the_runtime_that_ecr_lacks_are_named(place: Place) -> None:
    move(place, f"{place.store.repository.name}/elsewhere")
    place.local.repository(f"{place.store.repository.name}/elsewhere")
    with pytest.raises(ReleaseError, match=f"lacks 1 layers of runtime-{KEY}(.|\n)*kfp-release runtime"):
        place.publish()
    assert place.index.uploaded == []
