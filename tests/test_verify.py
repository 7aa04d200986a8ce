"""Verifying what is public: disagreements of the release are lines, whatever cannot be asked is an error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from archives import INFO, NAME, PURE, wheel_bytes
from ecr_fixtures import LocalEcr
from publish_fixtures import PROJECT, SDIST, VERSION, Place, component, move, place_at, record, write_distributions
from scripted import answering

from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.index_session import PackageIndexError
from kfp_release.verify import verify


@pytest.fixture
def place(local: LocalEcr, tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    return place_at(local, tmp_path, request.node.name)


def test_an_ecr_that_cannot_be_asked_is_no_fault_of_the_release(place: Place) -> None:
    place.publish()
    strangers = place.local.client(aws_secret_access_key="wrong")  # noqa: S106 - wrong on purpose
    with pytest.raises(EcrError, match="the secret access key does not belong"):
        verify(
            VERSION,
            distribution=PROJECT,
            index=place.index,
            stores=lambda repository: EcrRepository(strangers, repository),
        )


@pytest.mark.parametrize("status", [0, 403, 429, 503])
@pytest.mark.parametrize("name", [SDIST, NAME])
def test_an_index_that_cannot_be_asked_is_no_fault_of_the_release(place: Place, status: int, name: str) -> None:
    place.publish()
    place.index.errors[name] = PackageIndexError("no answer", remedy="try again later", status=status)
    with pytest.raises(PackageIndexError, match="no answer"):
        place.verify()


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("name", [SDIST, NAME])
def test_a_file_that_is_gone_is_a_line(place: Place, status: int, name: str) -> None:
    place.publish()
    place.index.errors[name] = PackageIndexError("it is gone", remedy="is the URL right?", status=status)
    assert place.verify().problems == (f"{name}: it is gone",)


@pytest.mark.parametrize("name", [SDIST, NAME])
def test_a_file_that_is_not_what_the_index_announced_is_a_line(place: Place, name: str) -> None:
    place.publish()
    place.index.errors[name] = ReleaseError("it has another sha256", remedy="try again")
    assert place.verify().problems == (f"{name}: it has another sha256",)


def test_an_sdist_that_is_none_is_a_line(place: Place) -> None:
    place.publish()
    place.index.contents[SDIST] = b"no archive"
    (line,) = place.verify().problems
    assert line.startswith(f"{SDIST}: {SDIST} cannot be read")
    assert "\n" not in line


def test_a_version_without_an_sdist_is_a_line(place: Place) -> None:
    place.publish()
    del place.index.contents[SDIST]
    assert place.verify().problems == ("the index has 0 sdists of some-components 1.2, not one",)


@pytest.mark.parametrize(("status", "message"), [(404, "is gone from"), (410, "is gone from")])
def test_a_config_that_is_gone_is_a_line(place: Place, status: int, message: str) -> None:
    place.publish()
    with answering(status) as url:
        (line,) = verify(
            VERSION,
            distribution=PROJECT,
            index=place.index,
            stores=lambda repository: elsewhere(place, repository, url),
        ).problems
    assert message in line
    assert "\n" not in line


def test_a_config_that_cannot_be_asked_for_is_no_fault_of_the_release(place: Place) -> None:
    place.publish()
    with answering(403) as url, pytest.raises(EcrError, match="HTTP 403"):
        verify(
            VERSION,
            distribution=PROJECT,
            index=place.index,
            stores=lambda repository: elsewhere(place, repository, url),
        )


def elsewhere(place: Place, repository: Repository, url: str) -> EcrRepository:
    """The repository, whose blobs are to be had at `url` alone."""
    client = place.local.client()
    client.meta.events.register(
        "after-call.ecr.GetDownloadUrlForLayer", lambda parsed, **_: parsed.update(downloadUrl=url)
    )
    return EcrRepository(client, repository)


def test_a_repository_that_is_gone_is_a_line(place: Place) -> None:
    move(place, f"{place.store.repository.name}/gone")
    place.index.contents = {name: (place.folder / name).read_bytes() for name in (SDIST, NAME)}
    (line,) = place.verify().problems
    assert "/gone:1.2@sha256:" in line
    assert "RepositoryNotFoundException" in line


def test_an_image_that_is_gone_is_two_lines(place: Place) -> None:
    place.publish()
    digest = record(place).pins.images[0].ref.digest
    place.store.call("batch_delete_image", imageIds=[{"imageDigest": str(digest)}])
    tag, image = place.verify().problems
    assert "ECR has no tag 1.2" in tag
    assert "ECR has no image of this digest" in image


def test_an_archived_image_is_a_line(place: Place) -> None:
    place.publish()
    digest = record(place).pins.images[0].ref.digest
    place.store.call("update_image_storage_class", imageId={"imageDigest": str(digest)}, targetStorageClass="ARCHIVE")
    (line,) = place.verify().problems
    assert "is ARCHIVED in ECR and cannot be pulled" in line


def test_an_sdist_with_other_pins_and_a_missing_image_are_told_at_once(place: Place) -> None:
    sdist = (place.folder / SDIST).read_bytes()
    move(place, f"{place.store.repository.name}/gone")
    place.index.contents = {SDIST: sdist, NAME: (place.folder / NAME).read_bytes()}
    first, second = place.verify().problems
    assert first == f"{SDIST}: its pins are not {NAME}'s"
    assert "RepositoryNotFoundException" in second


def test_a_wheel_that_is_none_is_a_line(place: Place) -> None:
    place.publish()
    place.index.contents[NAME] = b"PK"
    (line,) = place.verify().problems
    assert line.startswith(f"{NAME}: ")
    assert "\n" not in line


def test_an_image_that_an_sdist_alone_pins_is_looked_for(place: Place) -> None:
    place.index.contents = {SDIST: (place.folder / SDIST).read_bytes()}
    wheel, tag, image = place.verify().problems
    assert wheel == "the index has 0 wheels of some-components 1.2, not one"
    assert tag.endswith("ECR has no tag 1.2")
    assert image.endswith("ECR has no image of this digest")


def test_a_version_that_is_not_there_is_a_line(place: Place) -> None:
    assert place.verify().problems == ("the index has no file of some-components 1.2",)


def test_a_component_file_that_names_another_image_than_the_pins_is_a_line(place: Place) -> None:
    place.publish()
    pins, image = record(place).pins, record(place).pins.images[0]
    other = f"{image.pin.partition('@')[0]}@sha256:{'b' * 64}"
    text = component(place).replace(image.pin.encode(), other.encode())
    part = replace(pins.components[0], images=(other,), sha256=Digest.of(text).hex)
    write_distributions(place.folder, replace(pins, components=(part,)), text)
    place.index.contents = {name: (place.folder / name).read_bytes() for name in (SDIST, NAME)}
    assert place.verify().problems == (f"{NAME}: multiply.yaml names {other}, and demo is pinned to {image.pin}",)


def test_pins_without_an_image_are_a_line(place: Place) -> None:
    place.publish()
    write_distributions(place.folder, replace(record(place).pins, images=()), component(place))
    place.index.contents = {name: (place.folder / name).read_bytes() for name in (SDIST, NAME)}
    assert place.verify().problems == (f"{NAME}: its pins.json pins no image",)


def test_a_component_file_that_was_changed_is_named(place: Place) -> None:
    place.publish()
    wheel = wheel_bytes(
        {
            "some_components/yaml/multiply.yaml": component(place) + b"# more\n",
            "some_components/pins.json": record(place).pins.to_json(),
            f"{INFO}/METADATA": b"",
            f"{INFO}/WHEEL": PURE,
            f"{INFO}/RECORD": b"",
        }
    )
    place.index.contents[NAME] = wheel
    assert place.verify().problems == (f"{NAME}: multiply.yaml has other bytes than its pins.json says",)
