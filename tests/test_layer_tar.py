"""Layers are read as streams that go forward, whole and unchanged, or not at all."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import BinaryIO

import pytest
from ecr_fixtures import MemoryBlob, noise
from layer_fixtures import layer, packed, tar_of

from kfp_release.digest import Digest
from kfp_release.layer_tar import LayerBlob, layer_tar
from kfp_release.manifest import OCI_LAYER_GZIP, BadImage, Descriptor
from kfp_release.member import BadArchive

FILES = {"a": b"A" * 512, "b/c": b"C" * 700, "d": noise(3000)}


def read(blob: LayerBlob) -> dict[str, bytes]:
    with layer_tar(blob) as tar:
        return {info.name: tar.read(info) for info in tar}


def test_every_file_is_read() -> None:
    assert read(layer(FILES)) == FILES


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_paths_of_every_form_are_read(form: int) -> None:
    path = "folder/" * 15 + "file" if form == tarfile.USTAR_FORMAT else "folder/" * 60 + "ä"
    assert read(packed(tar_of({path: b"1"}, form=form))) == {path: b"1"}


def test_files_that_are_not_wanted_are_passed_over() -> None:
    with layer_tar(layer(FILES)) as tar:
        assert [tar.read(info) for info in tar if info.name == "d"] == [FILES["d"]]


def test_it_takes_nothing_but_reading_forward() -> None:
    class Forward(io.BytesIO):
        def seek(self, *_: int) -> int:
            raise AssertionError

    class Blob:
        descriptor = layer(FILES).descriptor

        def open(self) -> BinaryIO:
            return Forward(layer(FILES).data)

    assert read(Blob()) == FILES


def test_a_layer_of_several_gzip_members_is_one() -> None:
    tar = tar_of(FILES)
    assert read(MemoryBlob(gzip.compress(tar[:700]) + gzip.compress(tar[700:]))) == FILES


def test_a_tar_without_its_last_blocks_is_whole() -> None:
    tar = tar_of({"a": b"A" * 512})
    assert read(packed(tar[:1024])) == {"a": b"A" * 512}


TAR = tar_of(FILES)


@pytest.mark.parametrize(
    ("tar", "said"),
    [
        (b"", "empty"),
        (b"no tar " * 100, "invalid header|truncated|bad checksum"),
        (TAR[:900], "unexpected end of data"),
        (TAR[:1300], "a header is damaged|unexpected end"),
        (TAR[:1024] + noise(512) + TAR[1536:], "a header is damaged"),
        (TAR[:1030] + b"\xff" + TAR[1031:], "a header is damaged"),
    ],
    ids=["empty", "no tar", "cut off in a file", "cut off in a header", "noise in a header", "a byte of a header"],
)
def test_a_tar_that_is_damaged_is_refused(tar: bytes, said: str) -> None:
    with pytest.raises(BadImage, match=f"cannot be read: .*({said})") as caught:
        read(packed(tar))
    assert "build the runtime anew" in caught.value.remedy


@pytest.mark.parametrize("size", [3, 40, -9])
def test_gzip_that_is_cut_off_is_refused(size: int) -> None:
    with pytest.raises(BadImage, match="cannot be read"):
        read(MemoryBlob(layer(FILES).data[:size]))


def test_what_is_no_gzip_is_refused() -> None:
    with pytest.raises(BadImage, match="cannot be read: Not a gzipped file"):
        read(MemoryBlob(TAR))


def test_a_size_below_zero_leads_nowhere() -> None:
    header = tarfile.TarInfo("a")
    header.size = -512
    with pytest.raises(BadImage, match="cannot be read"):
        read(packed(header.tobuf(tarfile.GNU_FORMAT) + bytes(1024)))


def test_a_header_that_would_take_the_memory_is_refused() -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 40
    with pytest.raises(BadArchive, match="has a header of 1099511627776 bytes"):
        read(packed(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)))


def test_other_bytes_than_the_digest_says_are_refused() -> None:
    data = layer(FILES).data
    claimed = Descriptor(OCI_LAYER_GZIP, Digest.of(b"another"), len(data))
    with pytest.raises(BadImage, match=f"layer {claimed.digest} has other bytes: {Digest.of(data)}"):
        read(MemoryBlob(data, claimed))


def test_a_bomb_is_refused_before_it_takes_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kfp_release.layer_tar._MOST", 10_000)
    with pytest.raises(BadImage, match="more than 10,000 bytes unpacked"):
        read(layer({"a": bytes(20_000)}))
