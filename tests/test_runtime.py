"""Runtimes in a real registry behind the ECR stand-in, built by a builder that is quick."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ecr_fixtures import LocalEcr, MemoryBlob, running_ecr

from kfp_release.buildah import BUILT, BuildRequest
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.errors import ReleaseError
from kfp_release.git_files import CommittedFile
from kfp_release.image import LABEL_RUNTIME_KEY, LABEL_VERSION, Image, with_package
from kfp_release.image_ref import Repository
from kfp_release.layer import Layer
from kfp_release.layout import Layout
from kfp_release.manifest import OCI_LAYER_GZIP, Descriptor, ImageConfig, Manifest
from kfp_release.member import Member
from kfp_release.progress import Progress, Silent
from kfp_release.referrer import EMPTY_CONFIG
from kfp_release.referrers import attached
from kfp_release.runtime import RuntimeResult, ensure_runtime, find_runtime, key_of
from kfp_release.runtime_sources import Files
from kfp_release.sbom import SBOM_TYPE
from kfp_release.settings import ImageSettings
from kfp_release.tar import tar_bytes
from kfp_release.upload import upload_blobs

STATUS = b"Package: base-files\nStatus: install ok installed\nArchitecture: amd64\nVersion: 12.4\n"
BASE = f"python:3.12@{Digest.of(b'base')}"


@dataclass
class QuickBuilder:
    """A `Builder` whose image has one layer: the Dockerfile and the context, as text, and a Debian package."""

    user: str = "65532:65532"
    leak: bytes = b""
    requests: list[BuildRequest] = field(default_factory=list)

    def build(self, request: BuildRequest, target: Path, *, progress: Progress) -> Layout:
        progress.note("STEP 1/1: FROM base")
        self.requests.append(request)
        layout = Layout.create(target)
        text = request.dockerfile + repr(sorted(request.context.items())).encode() + self.leak
        tar = tar_bytes([Member("sources", text), Member("var/lib/dpkg/status", STATUS)], mtime=0)
        data = gzip.compress(tar, mtime=0)
        layer = Descriptor(OCI_LAYER_GZIP, layout.write_blob(data), len(data))
        config = ImageConfig.of(
            {
                "created": "2026-11-22T12:00:00Z",
                "architecture": "amd64",
                "os": "linux",
                "config": {"User": self.user, "Env": ["PATH=/opt/app/bin:/usr/bin"]},
                "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(tar))]},
            }
        )
        layout.add(Image(Manifest.of(config.descriptor, (layer,), {"engine": "quick"}), config), name=BUILT)
        return layout


@dataclass
class Notes(Silent):
    """Progress that remembers its notes."""

    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture(scope="module")
def ecr_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ecr")


@pytest.fixture(scope="module")
def ecr(ecr_folder: Path) -> Iterator[LocalEcr]:
    with running_ecr(ecr_folder) as running:
        yield running


@pytest.fixture
def store(ecr: LocalEcr, tmp_path: Path) -> EcrRepository:
    return ecr.repository(f"runtimes/{tmp_path.name.replace('_', '-').lower().strip('-')}")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "locks").mkdir(parents=True)
    (folder / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\n", encoding="utf-8")
    (folder / "locks" / "a.lock").write_text("numpy==2.4.6\n", encoding="utf-8")
    (folder / "locks" / "untracked.lock").write_text("x\n", encoding="utf-8")
    return folder


def committed(project: Path) -> Files:
    """As git answers of a commit with the files of `project`, all but one."""

    def files(paths: Sequence[str]) -> dict[str, CommittedFile]:
        names = [name for name in ["Dockerfile", "locks/a.lock"] if any(name.startswith(path) for path in paths)]
        return {name: _file(project / name) for name in names if (project / name).exists()}

    return files


def _file(path: Path) -> CommittedFile:
    return CommittedFile(0o755 if path.stat().st_mode & 0o100 else 0o644, path.read_bytes())


def settings(store: EcrRepository) -> ImageSettings:
    declared = Repository.parse("example.com/demo")
    return ImageSettings("demo", declared, store.repository, context=("locks",), build_args={"BASE": BASE})


def ensure(
    project: Path, store: EcrRepository, builder: QuickBuilder, progress: Progress | None = None
) -> RuntimeResult:
    return ensure_runtime(
        settings(store), committed(project), store=store, builder=builder, progress=progress or Silent()
    )


def release(store: EcrRepository, runtime: Image, tag: str, key: str) -> Image:
    """Push a version's image, as `publish` does."""
    content = b"package " + tag.encode()
    layer = Layer(content, Descriptor(OCI_LAYER_GZIP, Digest.of(content), len(content)), Digest.of(content))
    labels = {LABEL_VERSION: tag, LABEL_RUNTIME_KEY: key}
    image = with_package(runtime, layer, labels=labels, created=1_790_000_000)
    blobs = [MemoryBlob(content), MemoryBlob(image.config.data, image.manifest.config)]
    upload_blobs(store, blobs, progress=Silent())
    store.put(image.manifest, tag)
    return image


def wanted_key(project: Path, store: EcrRepository) -> str:
    return key_of(settings(store), committed(project))


def found(store: EcrRepository, key: str) -> Image:
    image = find_runtime(store, key)
    assert image is not None
    return image


def test_a_new_runtime_is_built_and_pushed_and_then_found(project: Path, store: EcrRepository) -> None:
    builder = QuickBuilder()
    built = ensure(project, store, builder)
    assert (built.how, built.name, built.key) == ("built", "demo", wanted_key(project, store))
    runtime = found(store, built.key)
    assert runtime.manifest.digest == built.digest
    (sbom,) = attached(store, built.digest, SBOM_TYPE)
    sent = (*runtime.manifest.layers, runtime.manifest.config, *sbom.referrer.manifest.layers, EMPTY_CONFIG)
    assert built.bytes_sent == sum(blob.size for blob in sent)
    again = ensure(project, store, builder)
    assert (again.how, again.digest, again.bytes_sent) == ("found", built.digest, 0)
    assert len(builder.requests) == 1


def test_the_builder_gets_what_the_configuration_names_and_nothing_else(project: Path, store: EcrRepository) -> None:
    builder = QuickBuilder()
    (project / "locks" / "a.lock").chmod(0o775)
    ensure_runtime(
        settings(store),
        committed(project),
        store=store,
        builder=builder,
        progress=Silent(),
        ssh=["default"],
        secrets=["id=netrc,src=netrc"],
    )
    (request,) = builder.requests
    assert request.context == {"locks/a.lock": (0o755, b"numpy==2.4.6\n")}
    assert request.build_args == {"BASE": BASE}
    assert (request.ssh, request.secrets) == (("default",), ("id=netrc,src=netrc",))
    assert request.login is None


def test_a_base_image_of_the_same_registry_is_pulled_with_its_login(project: Path, store: EcrRepository) -> None:
    builder = QuickBuilder()
    base = f"{store.repository.host}/base/python@{Digest.of(b'base')}"
    (project / "Dockerfile").write_text(f"FROM {base}\n", encoding="utf-8")
    ensure(project, store, builder)
    (request,) = builder.requests
    assert request.login is not None
    assert request.login.host == store.repository.host
    assert request.login.password not in repr(request)


def test_another_lock_is_another_runtime(project: Path, store: EcrRepository) -> None:
    first = ensure(project, store, QuickBuilder())
    (project / "locks" / "a.lock").write_text("numpy==2.4.7\n", encoding="utf-8")
    second = ensure(project, store, QuickBuilder())
    assert (second.how, second.digest == first.digest, second.key == first.key) == ("built", False, False)


def test_a_file_that_is_not_tracked_does_not_matter(project: Path, store: EcrRepository) -> None:
    before = wanted_key(project, store)
    (project / "locks" / "untracked.lock").write_text("y\n", encoding="utf-8")
    assert wanted_key(project, store) == before


def forget(store: EcrRepository, tag: str) -> None:
    answer = store.call("batch_delete_image", imageIds=[{"imageTag": tag}])
    assert not answer["failures"]


def test_a_lost_runtime_tag_is_recovered_from_the_newest_image(project: Path, store: EcrRepository) -> None:
    built = ensure(project, store, QuickBuilder())
    runtime = found(store, built.key)
    release(store, runtime, "1.0", built.key)
    release(store, runtime, "1.1", built.key)
    forget(store, built.tag)
    assert find_runtime(store, built.key) is None
    builder, progress = QuickBuilder(), Notes()
    recovered = ensure(project, store, builder, progress)
    assert (recovered.how, recovered.digest, builder.requests) == ("recovered", built.digest, [])
    assert found(store, built.key) == runtime
    newest = store.find("1.1")
    assert newest is not None
    assert any(str(newest.digest) in note for note in progress.notes)


def test_an_image_that_lies_about_its_runtime_is_passed_over(project: Path, store: EcrRepository) -> None:
    other = ensure(project, store, QuickBuilder())
    runtime = found(store, other.key)
    (project / "locks" / "a.lock").write_text("numpy==2.4.7\n", encoding="utf-8")
    wanted = wanted_key(project, store)
    good = release(store, runtime, "1.0", wanted)
    annotations = {**good.manifest.annotations, "extra": "x"}
    store.put(Manifest.of(good.manifest.config, good.manifest.layers, annotations), "1.1")
    progress = Notes()
    assert ensure(project, store, QuickBuilder(), progress).how == "recovered"
    assert any("no runtime can be taken from" in note for note in progress.notes)


def test_a_version_whose_layers_are_gone_gives_none(project: Path, store: EcrRepository, ecr_folder: Path) -> None:
    built = ensure(project, store, QuickBuilder(leak=b"gone"))
    runtime = found(store, built.key)
    release(store, runtime, "1.0", built.key)
    forget(store, built.tag)
    (blob,) = ecr_folder.rglob(f"{runtime.manifest.layers[0].digest.hex}/data")
    blob.unlink()
    assert ensure(project, store, QuickBuilder()).how == "built"


def test_a_version_of_another_runtime_gives_none(project: Path, store: EcrRepository) -> None:
    first = ensure(project, store, QuickBuilder())
    release(store, found(store, first.key), "1.0", first.key)
    (project / "locks" / "a.lock").write_text("numpy==2.4.7\n", encoding="utf-8")
    assert ensure(project, store, QuickBuilder()).how == "built"


@dataclass
class SlowBuilder(QuickBuilder):
    """While it builds, another machine pushes the runtime of the same key."""

    store: EcrRepository | None = None
    project: Path = Path()

    def build(self, request: BuildRequest, target: Path, *, progress: Progress) -> Layout:
        assert self.store is not None
        ensure(self.project, self.store, QuickBuilder(leak=b"of the other machine"))
        return super().build(request, target, progress=progress)


def test_of_two_machines_that_build_the_same_runtime_the_first_wins(project: Path, store: EcrRepository) -> None:
    result = ensure(project, store, SlowBuilder(store=store, project=project))
    assert result.digest == found(store, result.key).manifest.digest
    tags = [summary.tags for summary in store.summaries() if summary.tags]
    assert tags == [(result.tag,)]
    assert len(attached(store, result.digest, SBOM_TYPE)) == 1


def test_a_runtime_that_no_cluster_runs_is_never_pushed(project: Path, store: EcrRepository) -> None:
    with pytest.raises(ReleaseError, match="USER is 'root'"):
        ensure(project, store, QuickBuilder(user="root"))
    assert store.summaries() == []


@pytest.mark.parametrize(
    ("dockerfile", "message"),
    [
        ("FROM python:3.12\n", r"the base image 'python:3\.12' has no digest"),
        ("# nothing\n", "image 'demo', Dockerfile: has no FROM"),
    ],
)
def test_a_dockerfile_that_gives_no_key_is_named(
    project: Path, store: EcrRepository, dockerfile: str, message: str
) -> None:
    (project / "Dockerfile").write_text(dockerfile, encoding="utf-8")
    with pytest.raises(ReleaseError, match=message):
        wanted_key(project, store)


def test_a_dockerfile_that_is_missing_is_named(project: Path, store: EcrRepository) -> None:
    (project / "Dockerfile").unlink()
    with pytest.raises(ReleaseError, match=r"image 'demo', Dockerfile: there is no such file in the commit\n.*git add"):
        wanted_key(project, store)


def test_a_dockerfile_of_other_bytes_than_text_is_named(project: Path, store: EcrRepository) -> None:
    (project / "Dockerfile").write_bytes(b"FROM \xff\n")
    with pytest.raises(ReleaseError, match=r"image 'demo', Dockerfile: .* byte 0xff in position 5") as caught:
        wanted_key(project, store)
    assert "UTF-8" in caught.value.remedy


def test_a_context_that_names_no_file_of_the_commit_is_refused(project: Path, store: EcrRepository) -> None:
    (project / "locks" / "a.lock").unlink()
    with pytest.raises(ReleaseError, match="its context 'locks' names no file of the commit") as caught:
        wanted_key(project, store)
    assert "git add locks" in caught.value.remedy
