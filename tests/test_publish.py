"""Publishing to the ECR stand-in before a real registry, and to an index in memory that can be unhelpful."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from archives import INFO, NAME, PURE, sdist_bytes, wheel_bytes
from ecr_fixtures import HOST, LocalEcr, MemoryBlob, image_of, noise, running_ecr

from kfp_release.built import BadBuild, BuiltRelease
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.image import LABEL_REVISION, LABEL_RUNTIME_KEY, LABEL_VERSION, Image, normal_runtime, with_package
from kfp_release.image_ref import ImageRef, Repository
from kfp_release.index import IndexFile
from kfp_release.layer import Layer
from kfp_release.layout import Layout
from kfp_release.manifest import OCI_LAYER_GZIP, Descriptor, ImageConfig, Manifest
from kfp_release.progress import Silent
from kfp_release.publish import Published, publish
from kfp_release.record import Distribution, PinnedComponent, PinnedImage, Pins, ReleaseRecord
from kfp_release.upload import upload_blobs
from kfp_release.verify import Verified, verify
from kfp_release.version import ReleaseVersion

PROJECT, VERSION, COMMIT, KEY = "some-components", ReleaseVersion.parse("1.2"), "c" * 40, "0" * 32
SDIST = "some_components-1.2.tar.gz"
COMPONENT = "name: Multiply\nimplementation:\n  container:\n    image: {}\n    command: [multiply]\n"


@dataclass
class MemoryIndex:
    """An index that lists a file after it was asked `late` times, and refuses uploads where `refuses`."""

    contents: dict[str, bytes] = field(default_factory=dict)
    late: int = 0
    refuses: bool = False
    uploaded: list[str] = field(default_factory=list)

    def files(self, project: str) -> Mapping[str, IndexFile]:
        assert project == PROJECT
        if self.uploaded and self.late:
            self.late -= 1
            return {}
        return {
            name: IndexFile(name, f"https://index/{name}", Digest.of(data).hex) for name, data in self.contents.items()
        }

    def upload(self, path: Path) -> None:
        self.uploaded.append(path.name)
        self.contents[path.name] = path.read_bytes()
        if self.refuses:
            raise ReleaseError("the answer was lost")

    def download(self, file: IndexFile) -> bytes:
        return self.contents[file.filename]


@dataclass(frozen=True)
class Place:
    """A repository that holds a runtime, a release built on it, and an index."""

    local: LocalEcr
    store: EcrRepository
    folder: Path
    index: MemoryIndex

    def stores(self, repository: Repository) -> EcrRepository:
        return EcrRepository(self.local.client(), repository)

    def publish(self, **options: Any) -> Published:
        built = BuiltRelease.read(self.folder)
        return publish(built, stores=self.stores, index=self.index, progress=Silent(), **options)

    def verify(self) -> Verified:
        return verify(VERSION, distribution=PROJECT, index=self.index, stores=self.stores)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEcr]:
    with running_ecr(tmp_path_factory.mktemp("ecr")) as running:
        yield running


@pytest.fixture
def place(local: LocalEcr, tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    name = "tests/" + re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    store = local.repository(name)
    runtime, package = parts()
    blobs = [MemoryBlob(noise(1000)), MemoryBlob(runtime.config.data, runtime.manifest.config)]
    upload_blobs(store, blobs, progress=Silent())
    store.put(runtime.manifest, f"runtime-{KEY}")
    write_dist(tmp_path / "dist", store.repository, runtime, package)
    return Place(local, store, tmp_path / "dist", MemoryIndex())


def parts() -> tuple[Image, Layer]:
    manifest, (_, config) = image_of([MemoryBlob(noise(1000))])
    value = {**ImageConfig.parse(config.data).value, "config": {"User": "65532"}}
    made = ImageConfig.of(value)
    runtime = normal_runtime(Image(Manifest.of(made.descriptor, manifest.layers, {}), made))
    data = noise(300, 1)
    return runtime, Layer(data, Descriptor(OCI_LAYER_GZIP, Digest.of(data), len(data)), Digest.of(data))


def write_dist(folder: Path, repository: Repository, runtime: Image, package: Layer) -> None:
    labels = {LABEL_VERSION: "1.2", LABEL_REVISION: COMMIT, LABEL_RUNTIME_KEY: KEY}
    image = with_package(runtime, package, labels=labels, created=1_800_000_000)
    layout = Layout.create(folder / "image")
    layout.add(image, name="demo")
    layout.write_blob(package.data)
    declared = Repository.parse(f"{HOST}/{repository.name}")
    pin = str(ImageRef(repository, "1.2", image.manifest.digest))
    component = COMPONENT.format(pin).encode()
    pinned = PinnedComponent("multiply_op", "multiply.yaml", (pin,), Digest.of(component).hex)
    owned = PinnedImage("demo", declared, pin, KEY, "linux/amd64")
    write_distributions(folder, Pins(PROJECT, VERSION, COMMIT, (owned,), (pinned,)), component)


def write_distributions(folder: Path, pins: Pins, component: bytes, *, carried: Pins | None = None) -> None:
    """Wheel, sdist and release.json of `pins`; the wheel carries `carried` instead, where it is given."""
    wheel = {"some_components/yaml/multiply.yaml": component, "some_components/pins.json": (carried or pins).to_json()}
    wheel |= {f"{INFO}/METADATA": b"", f"{INFO}/WHEEL": PURE, f"{INFO}/RECORD": b""}
    root = SDIST.removesuffix(".tar.gz")
    sdist = {f"{root}/PKG-INFO": b"", f"{root}/kfp-release-pins.json": pins.to_json()}
    contents = {SDIST: sdist_bytes(sdist), NAME: wheel_bytes(wheel)}
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    files = tuple(Distribution(PROJECT, name, Digest.of(data).hex, len(data)) for name, data in contents.items())
    (folder / "release.json").write_bytes(ReleaseRecord("v1.2", 1_800_000_000, pins, files, {}).to_json())


def record(place: Place) -> ReleaseRecord:
    return BuiltRelease.read(place.folder).record


def component(place: Place) -> bytes:
    return COMPONENT.format(record(place).pins.images[0].pin).encode()


def test_the_image_comes_before_the_sdist_and_the_wheel_is_last(place: Place) -> None:
    published = place.publish()
    assert [outcome.state for outcome in published.outcomes] == ["sent"] * 3
    assert published.outcomes[0].what == record(place).pins.images[0].pin
    assert place.index.uploaded == [SDIST, NAME]
    assert place.verify().problems == ()


def test_a_second_time_changes_nothing(place: Place) -> None:
    place.publish()
    again = place.publish()
    assert not again.changed
    assert again.bytes_sent == 0
    assert place.index.uploaded == [SDIST, NAME]


def test_a_file_that_is_listed_late_is_waited_for(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kfp_release.publish._WAITS", (0.0,) * 4)
    place.index.late = 2
    assert place.publish().changed


def test_a_file_that_is_never_listed_is_named_and_the_wheel_stays_behind(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kfp_release.publish._WAITS", (0.0,) * 4)
    place.index.late = 100
    with pytest.raises(ReleaseError, match=f"the index took {SDIST} and does not list it\n.*publish again"):
        place.publish()
    assert place.index.uploaded == [SDIST]


def test_an_upload_whose_answer_was_lost_is_done(place: Place) -> None:
    place.index.refuses = True
    assert place.publish().changed


def test_another_file_on_the_index_is_refused_before_anything_is_sent(place: Place) -> None:
    place.index.contents[NAME] = b"other"
    with pytest.raises(ReleaseError, match=f"the index has {NAME} with sha256 {Digest.of(b'other').hex}"):
        place.publish()
    assert place.store.find("1.2") is None
    assert place.index.uploaded == []


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


def test_layers_of_the_runtime_that_ecr_lacks_are_named(place: Place) -> None:
    move(place, f"{place.store.repository.name}/elsewhere")
    place.local.repository(f"{place.store.repository.name}/elsewhere")
    with pytest.raises(ReleaseError, match=f"lacks 1 layers of runtime-{KEY}(.|\n)*kfp-release runtime"):
        place.publish()
    assert place.index.uploaded == []


def move(place: Place, name: str) -> None:
    """Build the release for another repository."""
    pins, text = record(place).pins, component(place)
    image = pins.images[0]
    repository = Repository.parse(f"{image.ref.repository.host}/{name}")
    declared = Repository.parse(f"{HOST}/{name}")
    pin = str(ImageRef(repository, image.ref.tag, image.ref.digest))
    text = text.replace(image.pin.encode(), pin.encode())
    part = replace(pins.components[0], images=(pin,), sha256=Digest.of(text).hex)
    moved = replace(pins, images=(replace(image, declared=declared, pin=pin),), components=(part,))
    write_distributions(place.folder, moved, text)


class TestVerify:
    def test_an_ecr_that_cannot_be_asked_is_no_fault_of_the_release(self, place: Place) -> None:
        place.publish()
        strangers = place.local.client(aws_secret_access_key="wrong")  # noqa: S106 - wrong on purpose
        with pytest.raises(EcrError, match="the secret access key does not belong"):
            verify(
                VERSION,
                distribution=PROJECT,
                index=place.index,
                stores=lambda repository: EcrRepository(strangers, repository),
            )

    def test_a_repository_that_is_gone_is_a_line(self, place: Place) -> None:
        move(place, f"{place.store.repository.name}/gone")
        place.index.contents = {name: (place.folder / name).read_bytes() for name in (SDIST, NAME)}
        (line,) = place.verify().problems
        assert "/gone:1.2@sha256:" in line
        assert "RepositoryNotFoundException" in line

    def test_an_image_that_is_gone_is_two_lines(self, place: Place) -> None:
        place.publish()
        digest = record(place).pins.images[0].ref.digest
        place.store.call("batch_delete_image", imageIds=[{"imageDigest": str(digest)}])
        tag, image = place.verify().problems
        assert "ECR has no tag 1.2" in tag
        assert "ECR has no image of this digest" in image

    def test_an_archived_image_is_a_line(self, place: Place) -> None:
        place.publish()
        digest = record(place).pins.images[0].ref.digest
        place.store.call(
            "update_image_storage_class", imageId={"imageDigest": str(digest)}, targetStorageClass="ARCHIVE"
        )
        (line,) = place.verify().problems
        assert "is ARCHIVED in ECR and cannot be pulled" in line

    def test_an_sdist_with_other_pins_and_a_missing_image_are_told_at_once(self, place: Place) -> None:
        sdist = (place.folder / SDIST).read_bytes()
        move(place, f"{place.store.repository.name}/gone")
        place.index.contents = {SDIST: sdist, NAME: (place.folder / NAME).read_bytes()}
        first, second = place.verify().problems
        assert first == f"{SDIST}: its pins are not the wheel's"
        assert "RepositoryNotFoundException" in second

    def test_a_wheel_that_is_none_is_a_line(self, place: Place) -> None:
        place.index.contents = {SDIST: (place.folder / SDIST).read_bytes(), NAME: b"PK"}
        (line,) = place.verify().problems
        assert line.startswith(f"{NAME}: ")

    def test_a_version_that_is_not_there_is_a_line(self, place: Place) -> None:
        assert place.verify().problems == ("the index has no file of some-components 1.2",)

    def test_a_component_file_that_was_changed_is_named(self, place: Place) -> None:
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
