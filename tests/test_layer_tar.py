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
    with pytest.raises(BadImage, match="has a header of 1099511627776 bytes") as caught:
        read(packed(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)))
    assert "build the runtime anew" in caught.value.remedy


def old_sparse(blocks: int) -> bytes:
    """A sparse file of GNU tar's old form, whose list of pieces goes on for so many blocks."""
    info = tarfile.TarInfo("s")
    info.type = tarfile.GNUTYPE_SPARSE
    piece = b"%011o\0%011o\0" % (512, 1)
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[386:483] = piece * 4 + b"\1"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    block = (piece * 21).ljust(512, b"\1")
    return bytes(header) + block * (blocks - 1) + block[:504] + bytes(8) + bytes(1024)


def new_sparse(pieces: int) -> bytes:
    """One of its new form, 1.0, where the list is in the file's bytes."""
    data = b"%d\n" % pieces + b"0\n" * 2 * pieces
    info = tarfile.TarInfo("s")
    info.size = len(data)
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "1"}
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(data))
    return target.getvalue()


@pytest.mark.parametrize("tar", [old_sparse(17_000), new_sparse(2_200_000)], ids=["old", "new"])
def test_pieces_of_a_sparse_file_that_would_take_the_memory_are_refused(tar: bytes) -> None:
    with pytest.raises(BadImage, match="cannot be read: the headers of a file are more than 8,388,608 bytes"):
        list(read(packed(tar)))


@pytest.mark.parametrize("tar", [old_sparse(20), new_sparse(500)], ids=["old", "new"])
def test_a_sparse_file_is_passed_over(tar: bytes) -> None:
    with layer_tar(packed(tar)) as members:
        assert [info.name for info in members] == ["s"]


def test_many_files_have_long_headers() -> None:
    path = "folder/" * 5000
    assert len(read(packed(tar_of({f"{path}{number}": b"1" for number in range(300)})))) == 300


def test_other_bytes_than_the_digest_says_are_refused() -> None:
    data = layer(FILES).data
    claimed = Descriptor(OCI_LAYER_GZIP, Digest.of(b"another"), len(data))
    with pytest.raises(BadImage, match=f"layer {claimed.digest} has other bytes: {Digest.of(data)}"):
        read(MemoryBlob(data, claimed))


def test_a_bomb_is_refused_before_it_takes_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kfp_release.layer_tar._MOST", 10_000)
    with pytest.raises(BadImage, match="more than 10,000 bytes unpacked"):
        read(layer({"a": bytes(20_000)}))
