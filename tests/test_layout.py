import gzip
import hashlib
import json
import os
from pathlib import Path

import pytest

from kfp_release.digest import BadDigest, Digest
from kfp_release.errors import ReleaseError
from kfp_release.image import Image
from kfp_release.layout import BadLayout, Layout
from kfp_release.manifest import MAX_MANIFEST, OCI_LAYER_GZIP, OCI_MANIFEST, BadImage, Descriptor, ImageConfig, Manifest


def image(layer: bytes = b"layer", architecture: str = "amd64") -> Image:
    config = ImageConfig.of(
        {
            "os": "linux",
            "architecture": architecture,
            "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(layer))]},
        }
    )
    layers = (Descriptor(OCI_LAYER_GZIP, Digest.of(layer), len(layer)),)
    return Image(Manifest.of(config.descriptor, layers, {}), config)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout.create(tmp_path / "image")


def blob_file(layout: Layout, digest: Digest) -> Path:
    return layout.path / "blobs" / "sha256" / digest.hex


def test_an_image_comes_back_with_the_same_bytes(layout: Layout) -> None:
    layout.add(image(), name="demo")
    again = Layout(layout.path).image("demo")
    assert again == image()


def test_every_file_of_a_layout_is_what_the_specification_says(layout: Layout) -> None:
    layout.add(image(), name="demo")
    assert json.loads((layout.path / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads((layout.path / "index.json").read_bytes())
    assert index["schemaVersion"] == 2
    assert index["manifests"] == [
        {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": str(image().manifest.digest),
            "size": len(image().manifest.data),
            "annotations": {"org.opencontainers.image.ref.name": "demo"},
        }
    ]
    for file in (layout.path / "blobs" / "sha256").iterdir():
        assert file.name == hashlib.sha256(file.read_bytes()).hexdigest()
        assert file.stat().st_mode & 0o777 == 0o644


def test_images_are_found_by_name_and_a_name_is_given_anew(layout: Layout) -> None:
    layout.add(image(b"1"), name="a")
    layout.add(image(b"2"), name="b")
    layout.add(image(b"3"), name="a")
    assert (layout.image("b"), layout.image("a")) == (image(b"2"), image(b"3"))
    with pytest.raises(BadLayout, match="has no image called 'c'") as caught:
        layout.image("c")
    assert caught.value.remedy == "make the layout anew"


def test_the_same_images_give_the_same_layout(tmp_path: Path) -> None:
    for name in "xy":
        Layout.create(tmp_path / name).add(image(), name="demo")
    files = [
        sorted((f.relative_to(tmp_path / n), f.read_bytes()) for f in (tmp_path / n).rglob("*") if f.is_file())
        for n in "xy"
    ]
    assert files[0] == files[1]


def test_a_blob_is_streamed(layout: Layout) -> None:
    digest = layout.write_blob(b"layer")
    blob = layout.blob(Descriptor(OCI_LAYER_GZIP, digest, 5))
    assert layout.has(digest)
    with blob.open() as file:
        assert (file.read(2), file.read()) == (b"la", b"yer")


def test_a_large_file_is_taken_as_a_blob_without_a_copy(layout: Layout, tmp_path: Path) -> None:
    file = tmp_path / "layer"
    file.write_bytes(b"x" * 3_000_000)
    inode = file.stat().st_ino
    descriptor = layout.adopt_blob(file, OCI_LAYER_GZIP)
    assert (descriptor.digest, descriptor.size) == (Digest.of(b"x" * 3_000_000), 3_000_000)
    assert blob_file(layout, descriptor.digest).stat().st_ino == inode
    assert not file.exists()


def test_a_layout_that_is_there_stays_as_it_is(layout: Layout) -> None:
    layout.add(image(), name="demo")
    assert Layout.create(layout.path).image("demo") == image()


def test_a_folder_with_other_files_is_not_made_a_layout(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("…", encoding="utf-8")
    with pytest.raises(BadLayout, match="has other files in it"):
        Layout.create(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_damage_of_the_same_length_is_seen(layout: Layout) -> None:
    digest = layout.write_blob(b"layer")
    blob_file(layout, digest).write_bytes(b"Layer")
    with pytest.raises(BadLayout, match="is damaged: its digest is sha256:"):
        layout.blob(Descriptor(OCI_LAYER_GZIP, digest, 5)).verify()


def test_a_blob_that_was_cut_off_is_seen(layout: Layout) -> None:
    digest = layout.write_blob(b"layer")
    blob_file(layout, digest).write_bytes(b"lay")
    with pytest.raises(BadLayout, match="has 3 bytes, and 5 are right"):
        layout.blob(Descriptor(OCI_LAYER_GZIP, digest, 5))


def test_a_blob_that_is_missing_is_named(layout: Layout) -> None:
    digest = Digest.of(b"gone")
    assert not layout.has(digest)
    with pytest.raises(BadLayout, match=f"lacks the blob {digest}") as caught:
        layout.blob(Descriptor(OCI_LAYER_GZIP, digest, 4))
    assert caught.value.remedy == "make the layout anew"


@pytest.mark.parametrize("level", [0, 9])
def test_a_layer_is_found_by_its_content_whatever_packed_it(layout: Layout, level: int) -> None:
    for data in (b"", b"no gzip", gzip.compress(b"another"), gzip.compress(b"cut off")[:-9]):
        layout.write_blob(data)
    assert not layout.has_content(Digest.of(b"layer"))
    layout.write_blob(gzip.compress(b"layer", level))
    assert layout.has_content(Digest.of(b"layer"))


def test_a_layer_that_is_a_bomb_is_no_content(layout: Layout) -> None:
    zeros = bytes(33 * 1024 * 1024)
    layout.write_blob(gzip.compress(zeros))
    assert not layout.has_content(Digest.of(zeros))


@pytest.mark.timeout(20)
def test_what_lies_among_the_blobs_and_is_no_file_is_passed_over(layout: Layout) -> None:
    blobs = layout.path / "blobs" / "sha256"
    os.mkfifo(blobs / ("0" * 64))
    (blobs / ("1" * 64)).symlink_to("/dev/zero")
    (blobs / ("2" * 64)).mkdir()
    assert not layout.has_content(Digest.of(b"layer"))
    with pytest.raises(BadLayout, match="lacks the blob"):
        layout.blob(Descriptor(OCI_LAYER_GZIP, Digest("1" * 64), 5))


@pytest.mark.parametrize("size", [MAX_MANIFEST + 1, (1 << 63) - 1])
def test_a_manifest_that_is_too_long_is_not_read(layout: Layout, size: int) -> None:
    data = b" " * (MAX_MANIFEST + 1)
    entry = {"mediaType": OCI_MANIFEST, "digest": str(layout.write_blob(data)), "size": size}
    entry["annotations"] = {"org.opencontainers.image.ref.name": "demo"}
    (layout.path / "index.json").write_text(json.dumps({"manifests": [entry]}), encoding="utf-8")
    with pytest.raises(BadLayout, match=f"of {size} bytes where a manifest or config should be"):
        layout.image("demo")


@pytest.mark.parametrize("file", ["index.json", "oci-layout"])
@pytest.mark.parametrize("target", ["/dev/zero", "/proc/self/status"])
def test_a_device_is_no_file_of_a_layout(layout: Layout, file: str, target: str) -> None:
    (layout.path / file).unlink()
    (layout.path / file).symlink_to(target)
    with pytest.raises(BadLayout):
        Layout(layout.path).image("demo")


def test_a_damaged_manifest_is_seen(layout: Layout) -> None:
    layout.add(image(), name="demo")
    file = blob_file(layout, image().manifest.digest)
    file.write_bytes(file.read_bytes().replace(b"sha256:", b"sha255:"))
    with pytest.raises(BadLayout, match="is damaged"):
        layout.image("demo")


@pytest.mark.parametrize("name", ["", "../x", "a b", "/a", "a//b", "-a", "a/", "é", "a\n"])
def test_a_name_that_the_specification_does_not_allow_is_refused(layout: Layout, name: str) -> None:
    with pytest.raises(BadLayout, match="cannot name an image"):
        layout.add(image(), name=name)


@pytest.mark.parametrize("digest", ["sha256:../../../etc/passwd", "sha256:" + "A" * 64, "md5:" + "0" * 32])
def test_no_digest_leads_out_of_the_folder(layout: Layout, digest: str) -> None:
    entry = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": digest,
        "size": 1,
        "annotations": {"org.opencontainers.image.ref.name": "demo"},
    }
    (layout.path / "index.json").write_text(json.dumps({"manifests": [entry]}), encoding="utf-8")
    with pytest.raises(BadDigest):
        layout.image("demo")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"manifests": {}}', '{"manifests": [1]}', "{}", "[" * 100_000]
)
def test_an_index_that_is_none_is_one_clear_error(layout: Layout, text: str) -> None:
    (layout.path / "index.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadLayout, match=r"index\.json"):
        layout.image("demo")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"imageLayoutVersion": "2.0.0"}'])
def test_a_folder_that_is_no_layout_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "oci-layout").write_text(text, encoding="utf-8")
    with pytest.raises(BadLayout) as caught:
        Layout(tmp_path)
    assert caught.value.remedy == "make the layout anew"


def test_a_folder_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadLayout, match="is not an OCI image layout"):
        Layout(tmp_path / "nothing")


def test_an_index_inside_an_index_is_no_image(layout: Layout) -> None:
    media_type = "application/vnd.oci.image.index.v1+json"
    digest = layout.write_blob(b"{}")
    entry = Descriptor(media_type, digest, 2).to_json() | {"annotations": {"org.opencontainers.image.ref.name": "x"}}
    (layout.path / "index.json").write_text(json.dumps({"manifests": [entry]}), encoding="utf-8")
    with pytest.raises(BadImage, match="not the media type of an image manifest"):
        layout.image("x")
    assert issubclass(BadLayout, ReleaseError)
