"""A release that is built on a runtime in ECR, and an index in memory that can be unhelpful."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from archives import INFO, METADATA, NAME, PURE, sdist_bytes, wheel_bytes
from ecr_fixtures import HOST, LocalEcr, MemoryBlob, image_of, noise

from kfp_release.built import BuiltRelease
from kfp_release.cyclonedx_bom import BomImage, image_bom, runtime_bom, wheel_bom
from kfp_release.debian_package import DebianPackage
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.errors import ReleaseError
from kfp_release.image import LABEL_REVISION, LABEL_RUNTIME_KEY, LABEL_VERSION, Image, normal_runtime, with_package
from kfp_release.image_ref import ImageRef, Repository
from kfp_release.index import IndexFile
from kfp_release.interpreter import DEFAULT_INTERPRETER
from kfp_release.inventory import FoundDistribution, FoundPackage, Inventory
from kfp_release.layer import Layer
from kfp_release.layout import Layout
from kfp_release.manifest import OCI_LAYER_GZIP, Descriptor, ImageConfig, Manifest
from kfp_release.materials import Materials
from kfp_release.progress import Silent
from kfp_release.publish import Published, publish
from kfp_release.python_distribution import python_distribution
from kfp_release.record import Distribution, PinnedComponent, PinnedImage, Pins, ReleaseRecord
from kfp_release.runtime_key import RuntimeInputs
from kfp_release.sbom import Sbom
from kfp_release.stored import gzip_stored
from kfp_release.upload import upload_blobs
from kfp_release.verify import Verified, verify
from kfp_release.version import ReleaseVersion

PROJECT, VERSION, COMMIT = "some-components", ReleaseVersion.parse("1.2"), "c" * 40
BASE = f"docker.io/library/python:3.12@{Digest.of(b'base')}"
MATERIALS = Materials(
    "Dockerfile",
    (BASE,),
    RuntimeInputs.of(
        b"ARG BASE\nFROM ${BASE}\n",
        context={"requirements.lock": (0o644, b"numpy==2.4.6\n")},
        build_args={"BASE": BASE, "LOCK": "requirements.lock"},
        bases=(BASE,),
        platform="linux/amd64",
    ),
)
KEY = MATERIALS.key
SDIST = "some_components-1.2.tar.gz"
COMPONENT = "name: Multiply\nimplementation:\n  container:\n    image: {}\n    command: [multiply]\n"


@dataclass
class MemoryIndex:
    """An index that lists a file after it was asked `late` times.

    It raises each of `refuses` after it took an upload, and each of `loses` instead of taking one.

    It hands out a file, unless `errors` has another answer for it; its pages do not tell hashes unless it `tells`; what
    it takes it `packs` anew, by file name. Where nobody in particular asks, it is `anonymous`.
    """

    contents: dict[str, bytes] = field(default_factory=dict)
    late: int = 0
    refuses: list[ReleaseError] = field(default_factory=list)
    loses: list[ReleaseError] = field(default_factory=list)
    uploaded: list[str] = field(default_factory=list)
    errors: dict[str, ReleaseError] = field(default_factory=dict)
    tells: bool = True
    anonymous: bool = False
    packs: dict[str, Callable[[bytes], bytes]] = field(default_factory=dict)

    def files(self, project: str) -> Mapping[str, IndexFile]:
        assert project == PROJECT
        if self.uploaded and self.late:
            self.late -= 1
            return {}
        return {
            name: IndexFile(name, f"https://index/{name}", Digest.of(data).hex if self.tells else None)
            for name, data in self.contents.items()
        }

    def require_credentials(self) -> None:
        if self.anonymous:
            raise ReleaseError("nothing can be uploaded without credentials")

    def upload(self, path: Path) -> None:
        if self.loses:
            raise self.loses.pop(0)
        self.uploaded.append(path.name)
        self.contents[path.name] = self.packs.get(path.name, bytes)(path.read_bytes())
        if self.refuses:
            raise self.refuses.pop(0)

    def download(self, file: IndexFile) -> bytes:
        if file.filename in self.errors:
            raise self.errors[file.filename]
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


def place_at(local: LocalEcr, folder: Path, name: str) -> Place:
    """A place of its own for the test of that name."""
    store = local.repository("tests/" + re.sub("[^a-z0-9]+", "-", name.lower()).strip("-"))
    runtime, package = parts()
    blobs = [MemoryBlob(noise(1000)), MemoryBlob(runtime.config.data, runtime.manifest.config)]
    upload_blobs(store, blobs, progress=Silent())
    store.put(runtime.manifest, f"runtime-{KEY}")
    write_dist(folder / "dist", store.repository, runtime, package)
    return Place(local, store, folder / "dist", MemoryIndex())


def parts(package_size: int = 300) -> tuple[Image, Layer]:
    """A runtime, and the package layer of so many bytes, which no compression makes fewer."""
    manifest, (_, config) = image_of([MemoryBlob(noise(1000))])
    value = {**ImageConfig.parse(config.data).value, "config": {"User": "65532"}}
    made = ImageConfig.of(value)
    runtime = normal_runtime(Image(Manifest.of(made.descriptor, manifest.layers, {}), made))
    tar = noise(package_size, 1)
    data = b"".join(gzip_stored([tar]))
    return runtime, Layer(data, Descriptor(OCI_LAYER_GZIP, Digest.of(data), len(data)), Digest.of(tar))


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


def sbom_of(image: PinnedImage, *, packages: tuple[str, ...] = ("base-files",)) -> Sbom:
    """That of an image whose runtime has these Debian packages."""
    found = tuple(FoundPackage(DebianPackage(name, "1", "amd64", name, "1"), 1) for name in packages)
    ref, tools = image.ref, {"kfp-release": "1"}
    subject = BomImage(ref.repository, ref.digest, image.platform, 1_800_000_000, tools, ref.tag, image.runtime_key)
    runtime = runtime_bom(subject, Inventory({"ID": "debian", "VERSION_ID": "12"}, found, (), ()))
    package = FoundDistribution(python_distribution(METADATA), f"/opt/package/lib/{INFO}/METADATA", 2)
    return image_bom(subject, runtime, package, interpreter=DEFAULT_INTERPRETER, extra="image")


def wheel_sbom_of(pins: Pins) -> bytes:
    exact = [image for image in pins.images if image.is_exact]
    return wheel_bom(python_distribution(METADATA), exact, commit=pins.commit, created=1_800_000_000).data


def write_distributions(folder: Path, pins: Pins, component: bytes, *, carried: Pins | None = None) -> None:
    """Wheel, sdist, SBOMs and release.json of `pins`; the wheel carries `carried` instead, where it is given."""
    for image in pins.images:
        if image.is_exact:
            (folder / f"{image.name}.cdx.json").write_bytes(sbom_of(image).data)
    wheel = {"some_components/yaml/multiply.yaml": component, "some_components/pins.json": (carried or pins).to_json()}
    wheel |= {f"{INFO}/METADATA": METADATA, f"{INFO}/WHEEL": PURE, f"{INFO}/RECORD": b""}
    wheel |= {f"{INFO}/sboms/{PROJECT}.cdx.json": wheel_sbom_of(pins)}
    root = SDIST.removesuffix(".tar.gz")
    sdist = {f"{root}/PKG-INFO": METADATA, f"{root}/kfp-release-pins.json": pins.to_json()}
    sdist |= {f"{root}/kfp-release-sbom.cdx.json": wheel_sbom_of(pins)}
    contents = {SDIST: sdist_bytes(sdist), NAME: wheel_bytes(wheel)}
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    files = tuple(Distribution(PROJECT, name, Digest.of(data).hex, len(data)) for name, data in contents.items())
    materials = {image.name: MATERIALS for image in pins.images}
    (folder / "release.json").write_bytes(ReleaseRecord("v1.2", 1_800_000_000, pins, files, {}, materials).to_json())


def record(place: Place) -> ReleaseRecord:
    return BuiltRelease.read(place.folder).record


def component(place: Place) -> bytes:
    return COMPONENT.format(record(place).pins.images[0].pin).encode()


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


def packed_anew(dist: Path) -> None:
    """Pin the image as another tool left it in ECR: the same content, its package layer in other bytes."""
    layout = Layout(dist / "image")
    image = layout.image("demo")
    with layout.blob(image.manifest.layers[-1]).open() as file:
        packed = gzip.compress(gzip.decompress(file.read()), 9)
    layer = Descriptor(OCI_LAYER_GZIP, Digest.of(packed), len(packed))
    manifest = Manifest.of(image.config.descriptor, (*image.manifest.layers[:-1], layer), image.manifest.annotations)
    layout.add(replace(image, manifest=manifest), name="demo")
    pin_to(dist, manifest.digest)


def pin_to(dist: Path, digest: Digest) -> None:
    """Wheel, sdist and release.json with another digest of the image."""
    pins = ReleaseRecord.parse((dist / "release.json").read_bytes()).pins
    image = replace(pins.images[0], pin=f"{pins.images[0].pin.partition('@')[0]}@{digest}")
    text = COMPONENT.format(image.pin).encode()
    part = replace(pins.components[0], images=(image.pin,), sha256=Digest.of(text).hex)
    write_distributions(dist, replace(pins, images=(image,), components=(part,)), text)
