"""The SBOM of a runtime: made of its layers, wherever they are, and attached to it once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ecr_fixtures import LocalEcr, MemoryBlob, Told
from layer_fixtures import STATUS_PATH, info_path, layer, metadata, package, status
from test_runtime import QuickBuilder, ensure, found, project, settings  # noqa: F401 - project is a fixture

from kfp_release.attached_sbom import attached_sbom, sbom_attachment
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.image import Image, normal_runtime
from kfp_release.manifest import BadImage, ImageConfig, Manifest
from kfp_release.progress import Silent
from kfp_release.rebuilt_sbom import sbom_of_runtime
from kfp_release.referrers import Attachment, attach
from kfp_release.runtime import runtime_tag
from kfp_release.runtime_sbom import ensure_runtime_sbom, made_sbom, runtime_sbom
from kfp_release.sbom import PART, SBOM_TYPE, BadSbom, Sbom
from kfp_release.upload import upload_blobs

KEY = "1" * 32
LAYERS = [
    layer({STATUS_PATH: status(package("base-files"))}),
    layer({STATUS_PATH: status(package("base-files"), package("zlib1g"))}),
]


@pytest.fixture
def store(local: LocalEcr, tmp_path: Path) -> EcrRepository:
    return local.repository(f"sboms/{tmp_path.name.replace('_', '-').lower().strip('-')}")


def pushed(store: EcrRepository, layers: list[MemoryBlob], key: str = KEY) -> Image:
    """A runtime that was pushed before there were SBOMs."""
    config = ImageConfig.of(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"User": "65532"},
            "rootfs": {"type": "layers", "diff_ids": [str(one.descriptor.digest) for one in layers]},
        }
    )
    manifest = Manifest.of(config.descriptor, tuple(one.descriptor for one in layers), {})
    image = normal_runtime(Image(manifest, config))
    upload_blobs(store, [*layers, MemoryBlob(image.config.data, image.manifest.config)], progress=Silent())
    store.put(image.manifest, runtime_tag(key))
    return image


def listed(sbom: Sbom | None) -> tuple[str, ...]:
    assert sbom is not None
    return sbom.listed


def test_one_that_is_in_ecr_gets_it_from_its_layers_there(store: EcrRepository) -> None:
    image, told = pushed(store, LAYERS), Told()
    assert runtime_sbom(store, image.manifest.digest) is None
    sent = ensure_runtime_sbom(store, image, tag=runtime_tag(KEY), progress=told, layers=None)
    sbom = runtime_sbom(store, image.manifest.digest)
    assert listed(sbom) == ("base-files 1", "zlib1g 1")
    assert sent == len(made_sbom(store, image).data) + len(b"{}")
    assert f"read what is installed in {runtime_tag(KEY)}" in told.steps


def test_metadata_that_cannot_be_read_is_told(store: EcrRepository) -> None:
    paths = [info_path(name) for name in ("a", "b", "c", "d")]
    image, told = pushed(store, [layer({**dict.fromkeys(paths, b"?"), info_path("numpy"): metadata("numpy")})]), Told()
    ensure_runtime_sbom(store, image, tag="runtime-1", progress=told, layers=None)
    shown = ", ".join(f"/{path}" for path in paths[:3])
    said = "metadata of 4 Python distributions cannot be read, so it is not listed"
    assert told.notes == ["runtime-1: 1 components", f"runtime-1: {said}: {shown}"]


def refusing(store: EcrRepository, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """ECR hands out no blob, and answers with this code."""
    call = type(store).call

    def refuse(self: EcrRepository, operation: str, **parameters: Any) -> Any:
        if operation == "get_download_url_for_layer":
            raise EcrError("ECR refused it", code=code)
        return call(self, operation, **parameters)

    monkeypatch.setattr(type(store), "call", refuse)


def test_to_rebuild_it_is_made_anew(store: EcrRepository) -> None:
    image = pushed(store, LAYERS)
    assert sbom_of_runtime(store, image, progress=Silent()) == (made_sbom(store, image), True)


def test_where_its_layers_cannot_be_read_the_attached_one_stands_in(store: EcrRepository) -> None:
    image, told = pushed(store, [MemoryBlob(b"no layer at all")]), Told()
    with pytest.raises(BadImage, match="cannot be told"):
        sbom_of_runtime(store, image, progress=told)
    there = Sbom.parse(made_sbom(store, image, layers=LAYERS).data)
    attach(store, image.manifest, sbom_attachment(there), progress=Silent())
    assert sbom_of_runtime(store, image, progress=told) == (there, False)
    (note,) = told.notes
    assert note.startswith("the SBOM that is attached to the runtime stands in: what is installed in ")


def test_nothing_stands_in_where_ecr_cannot_be_asked(store: EcrRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    image = pushed(store, LAYERS)
    ensure_runtime_sbom(store, image, tag=runtime_tag(KEY), progress=Silent(), layers=None)
    refusing(store, monkeypatch, "AccessDeniedException")
    with pytest.raises(EcrError, match="ECR refused it"):
        sbom_of_runtime(store, image, progress=Silent())


def test_of_layers_that_are_at_hand_it_is_the_same(store: EcrRepository) -> None:
    image = pushed(store, LAYERS)
    assert made_sbom(store, image, layers=LAYERS) == made_sbom(store, image)


def test_a_second_time_nothing_is_read_or_sent(store: EcrRepository) -> None:
    image, told = pushed(store, LAYERS), Told()
    ensure_runtime_sbom(store, image, tag=runtime_tag(KEY), progress=Silent(), layers=None)
    assert ensure_runtime_sbom(store, image, tag=runtime_tag(KEY), progress=told, layers=None) == 0
    assert told.steps == []


def test_a_build_that_was_cut_off_before_it_is_completed_by_the_next(
    project: Path,  # noqa: F811 - it is the fixture
    store: EcrRepository,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cut(*_: object, **__: object) -> int:
        raise ReleaseError("the machine is gone")

    with monkeypatch.context() as patch:
        patch.setattr("kfp_release.runtime.ensure_runtime_sbom", cut)
        with pytest.raises(ReleaseError, match="the machine is gone"):
            ensure(project, store, QuickBuilder())
    builder = QuickBuilder()
    result = ensure(project, store, builder)
    assert (result.how, builder.requests) == ("found", [])
    assert listed(attached_sbom(store, found(store, result.key).manifest.digest)) == ("base-files 12.4",)
    assert settings(store).name == result.name


def test_runtimes_of_two_keys_with_the_same_bytes_have_one(store: EcrRepository) -> None:
    one, other = pushed(store, LAYERS), pushed(store, LAYERS, "2" * 32)
    assert one.manifest.digest == other.manifest.digest
    ensure_runtime_sbom(store, one, tag=runtime_tag(KEY), progress=Silent(), layers=LAYERS)
    assert ensure_runtime_sbom(store, other, tag=runtime_tag("2" * 32), progress=Silent(), layers=LAYERS) == 0


def beside(store: EcrRepository, image: Image, sbom: Sbom, old: bytes, new: bytes) -> None:
    """Attach a changed one as anybody can who may push."""
    data = sbom.data.replace(old, new)
    assert data != sbom.data
    wanted = Attachment("SBOM", SBOM_TYPE, SBOM_TYPE, data, lambda _: False, is_rival=lambda _: False)
    attach(store, image.manifest, wanted, progress=Silent())


def test_one_of_another_tool_is_left_alone(store: EcrRepository) -> None:
    image = pushed(store, LAYERS)
    beside(store, image, made_sbom(store, image), PART.encode(), b"another:part")
    assert runtime_sbom(store, image.manifest.digest) is None
    ensure_runtime_sbom(store, image, tag=runtime_tag(KEY), progress=Silent(), layers=None)
    assert runtime_sbom(store, image.manifest.digest) == made_sbom(store, image)


@pytest.mark.parametrize("name", [b"zlib1g", b"base-files"])
def test_a_forged_one_beside_it_is_refused(store: EcrRepository, name: bytes) -> None:
    image = pushed(store, LAYERS)
    ensure_runtime_sbom(store, image, tag=runtime_tag(KEY), progress=Silent(), layers=None)
    beside(store, image, made_sbom(store, image), name, b"harmless")
    with pytest.raises(BadSbom, match="has SBOMs attached that differ") as caught:
        ensure_runtime_sbom(store, image, tag=runtime_tag(KEY), progress=Silent(), layers=None)
    assert "remove it from ECR" in caught.value.remedy


def test_that_of_a_release_is_refused_with_what_to_do(store: EcrRepository) -> None:
    image = pushed(store, LAYERS)
    beside(store, image, made_sbom(store, image), b'"value":"runtime"', b'"value":"image"')
    with pytest.raises(BadSbom, match="is none that kfp-release made of a runtime") as caught:
        ensure_runtime_sbom(store, image, tag=runtime_tag(KEY), progress=Silent(), layers=None)
    assert "remove it from ECR" in caught.value.remedy


def test_a_runtime_whose_layers_cannot_be_read_is_named(store: EcrRepository) -> None:
    image = pushed(store, [MemoryBlob(b"no layer at all")])
    with pytest.raises(BadImage, match=f"what is installed in .*@{image.manifest.digest} cannot be told: layer sha256"):
        ensure_runtime_sbom(store, image, tag=runtime_tag(KEY), progress=Silent(), layers=None)
    assert attached_sbom(store, image.manifest.digest) is None
