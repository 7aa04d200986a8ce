"""Many releases, made without building: a repository with tags, images pushed through the sandbox, files on its index.

Each is what a release leaves behind: an image of a runtime and a package layer with its labels, a wheel and an sdist
that pin it, and the same two of an extra project. Its component files are in the commit and, pinned, in the wheel.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import boto3
from archives import PURE
from ecr_fixtures import HOST, REGION, MemoryBlob, noise
from git_fixtures import IDENTITY, run
from packaging.utils import canonicalize_name
from publish_fixtures import COMPONENT, KEY, parts

from kfp_release.component import operator_of
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.image import LABEL_REVISION, LABEL_RUNTIME_KEY, LABEL_VERSION, Image, with_package
from kfp_release.image_ref import ImageRef, Repository
from kfp_release.layer import Layer
from kfp_release.manifest import OCI_LAYER_GZIP, Descriptor
from kfp_release.member import Member
from kfp_release.progress import Silent
from kfp_release.record import PinnedComponent, PinnedImage, Pins
from kfp_release.sandbox import Sandbox
from kfp_release.sdist import Sdist
from kfp_release.stored import gzip_stored
from kfp_release.upload import upload_blobs
from kfp_release.version import ReleaseVersion
from kfp_release.wheel import Wheel

PROJECT, EXTRA = "some-components", "more-components"
DECLARED = Repository.parse(f"{HOST}/team/many")
CREATED = 1_800_000_000
PYPROJECT = f"""\
[project]
name = "{PROJECT}"

[tool.kfp-release]
package = "some_components"
components = "yaml"
source = "https://example.com/some"
extra-projects = ["more"]

[tool.kfp-release.images.demo]
repository = "{DECLARED}"

[tool.kfp-release.index]
upload-url = "https://pypi.example/"
simple-url = "https://pypi.example/simple/"
"""
CHANGELOG = "# Changelog\n\n## [Unreleased]\n"


@dataclass(frozen=True)
class Release:
    """One version, and the commit of its tag."""

    version: ReleaseVersion
    commit: str
    components: Mapping[str, str] = field(default_factory=lambda: {"multiply.yaml": COMPONENT})
    """The component files by name, {} where their image stands."""

    def wheel(self, project: str = PROJECT) -> str:
        return f"{project.replace('-', '_')}-{self.version}-py3-none-any.whl"

    def sdist(self, project: str = PROJECT) -> str:
        return f"{project.replace('-', '_')}-{self.version}.tar.gz"


@dataclass(frozen=True)
class Content:
    """What is in the commit of one version: component files as `Release` has them, and other files."""

    components: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)


def make_repository(
    folder: Path, count: int, *, contents: Callable[[int], Content] = lambda _: Content({"multiply.yaml": COMPONENT})
) -> list[Release]:
    """A repository at `folder` with the tags v1.0, v1.1 and so on, each of a commit of its own."""
    folder.mkdir(parents=True)
    run(folder, "init", "--quiet", "--initial-branch=main")
    files = {
        "pyproject.toml": PYPROJECT,
        "more/pyproject.toml": f'[project]\nname = "{EXTRA}"\n',
        "CHANGELOG.md": CHANGELOG,
    }
    told = [contents(number) for number in range(count)]
    stream = "".join(_commit(number, {**files, **_committed(content)}) for number, content in enumerate(told))
    subprocess.run(["git", "-C", folder, "fast-import", "--quiet"], input=stream.encode(), env=IDENTITY, check=True)
    run(folder, "reset", "--quiet", "--hard", "main")
    versions = [ReleaseVersion.parse(f"1.{number}") for number in range(count)]
    return [
        Release(version, run(folder, "rev-parse", version.tag), content.components)
        for version, content in zip(versions, told, strict=True)
    ]


def _committed(content: Content) -> dict[str, str]:
    components = {f"yaml/{name}": text.replace("{}", str(DECLARED)) for name, text in content.components.items()}
    return {**components, **content.files}


def publish_all(sandbox: Sandbox, releases: Sequence[Release]) -> EcrRepository:
    """All of them public in `sandbox`; the repository with their images."""
    environ = sandbox.environ
    client = boto3.session.Session().client(
        "ecr",
        region_name=REGION,
        endpoint_url=environ["AWS_ENDPOINT_URL_ECR"],
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
    )
    store = EcrRepository(client, DECLARED.at_host(environ["KFP_RELEASE_REGISTRY"]))
    store.create()
    runtime, _ = parts()
    shared = [MemoryBlob(noise(1000)), MemoryBlob(runtime.config.data, runtime.manifest.config)]
    upload_blobs(store, shared, progress=Silent())
    store.put(runtime.manifest, f"runtime-{KEY}")
    publish_more(sandbox, store, releases)
    return store


def publish_more(sandbox: Sandbox, store: EcrRepository, releases: Sequence[Release]) -> None:
    """Those too, beside what is public already."""
    runtime, _ = parts()
    with ThreadPoolExecutor(4) as pool:
        digests = list(pool.map(lambda release: push_image(store, release, runtime), releases))
    for release, digest in zip(releases, digests, strict=True):
        write_files(sandbox.packages, release, pins_of(release, store.repository, digest))


def push_image(store: EcrRepository, release: Release, runtime: Image) -> Digest:
    """The image of `release`, public under its tag."""
    tar = noise(300, hash(release.version))
    data = b"".join(gzip_stored([tar]))
    layer = Layer(data, Descriptor(OCI_LAYER_GZIP, Digest.of(data), len(data)), Digest.of(tar))
    labels = {LABEL_VERSION: str(release.version), LABEL_REVISION: release.commit, LABEL_RUNTIME_KEY: KEY}
    image = with_package(runtime, layer, labels=labels, created=CREATED)
    blobs = [MemoryBlob(data), MemoryBlob(image.config.data, image.manifest.config)]
    upload_blobs(store, blobs, progress=Silent(), workers=1)
    store.call(
        "put_image",
        imageManifest=image.manifest.data.decode(),
        imageManifestMediaType=image.manifest.media_type,
        imageDigest=str(image.manifest.digest),
        imageTag=release.version.image_tag,
    )
    return image.manifest.digest


def pins_of(release: Release, repository: Repository, digest: Digest) -> Pins:
    """What a release of this image pins."""
    pin = str(ImageRef(repository, release.version.image_tag, digest))
    owned = PinnedImage("demo", DECLARED, pin, KEY, "linux/amd64")
    components = [
        PinnedComponent(operator_of(name), name, (pin,), Digest.of(text.replace("{}", pin).encode()).hex)
        for name, text in sorted(release.components.items())
    ]
    return Pins(PROJECT, release.version, release.commit, (owned,), tuple(components))


def write_files(folder: Path, release: Release, pins: Pins) -> None:
    """Wheel and sdist of `release`, with `pins`, and those of the extra project."""
    carried = pins.to_json()
    in_wheel = {
        f"some_components/yaml/{name}": text.replace("{}", pins.images[0].pin).encode()
        for name, text in release.components.items()
    }
    in_wheel["some_components/pins.json"] = carried
    for project, wheel, sdist in ((PROJECT, in_wheel, {"kfp-release-pins.json": carried}), (EXTRA, {}, {})):
        (folder / release.wheel(project)).write_bytes(wheel_of(release.wheel(project), wheel))
        (folder / release.sdist(project)).write_bytes(sdist_of(release.sdist(project), sdist))


def wheel_of(filename: str, files: dict[str, bytes]) -> bytes:
    info = f"{'-'.join(filename.split('-')[:2])}.dist-info"
    metadata = {f"{info}/METADATA": b"", f"{info}/WHEEL": PURE, f"{info}/RECORD": b""}
    name, version = filename.split("-")[:2]
    members = [Member(path, data) for path, data in {**files, **metadata}.items()]
    return Wheel(filename, canonicalize_name(name), version, tuple(members)).to_bytes()


def sdist_of(filename: str, files: dict[str, bytes]) -> bytes:
    root = filename.removesuffix(".tar.gz")
    name, _, version = root.partition("-")
    members = [Member(f"{root}/{path}", data) for path, data in {"PKG-INFO": b"", **files}.items()]
    return Sdist(filename, canonicalize_name(name), version, tuple(members)).to_bytes(CREATED)


def _commit(number: int, files: dict[str, str]) -> str:
    """A commit and its tag, in the stream of git-fast-import(1)."""
    changes = {**files, "number.txt": f"{number}\n"}  # all of them: what is in no commit any longer is gone
    who = f"Test <test@example.com> {CREATED + number} +0000"
    parent = "" if number == 0 else f"from :{number}\n"
    lines = [f"commit refs/heads/main\nmark :{number + 1}\ncommitter {who}\ndata 4\nNext\n{parent}deleteall\n"]
    lines += [f"M 644 inline {name}\ndata {len(text.encode())}\n{text}\n" for name, text in changes.items()]
    return "".join(lines) + f"\nreset refs/tags/v1.{number}\nfrom :{number + 1}\n\n"
