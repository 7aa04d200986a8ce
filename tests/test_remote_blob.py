"""A blob in ECR as a stream: read forwards, continued where a connection ends, and sought in where it must."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from ecr_fixtures import noise

from kfp_release.digest import Digest
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.manifest import OCI_LAYER_GZIP, Descriptor
from kfp_release.patience import Patience
from kfp_release.remote_blob import RemoteBlob
from kfp_release.retry import Retry

MIB = 1024 * 1024
DATA = noise(5 * MIB)
LAYER = Descriptor(OCI_LAYER_GZIP, Digest.of(DATA), len(DATA))


@dataclass
class Storage:
    """Where the URLs lead: it hands out `data`, and hangs up once it sent as many bytes as the next of `cuts` says."""

    data: bytes = DATA
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    """The next answers, instead of a blob."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Paths, and the Range of each."""
    url: str = ""
    notes: list[str] = field(default_factory=list)

    def blob(self, attempts: int = 4) -> RemoteBlob:
        """Each URL of it is another one."""
        numbers = iter(range(1000))
        retry = Retry(Patience(attempts), self.notes.append, lambda _: None)
        return RemoteBlob(LAYER, lambda: f"{self.url}/secret-{next(numbers)}", "team/demo", retry)


@contextmanager
def serving(storage: Storage) -> Iterator[Storage]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            storage.asked.append((self.path, asked))
            if storage.statuses:
                self.send_error(storage.statuses.pop(0))
                return
            first = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and storage.ranges else 0
            size = len(storage.data)
            self.send_response(206 if first else 200)
            if first:
                self.send_header("Content-Range", f"bytes {first}-{size - 1}/{size}")
            self.send_header("Content-Length", str(size - first))
            self.end_headers()
            self.wfile.write(storage.data[first:][: storage.cuts.pop(0) if storage.cuts else None])

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        storage.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield storage
        finally:
            server.shutdown()
            thread.join()


def test_it_is_read_in_one_go_over_one_connection() -> None:
    with serving(Storage()) as storage, storage.blob().open() as stream:
        parts = [stream.read(2 * MIB) for _ in range(4)]
    assert [len(part) for part in parts] == [2 * MIB, 2 * MIB, MIB, 0]
    assert b"".join(parts) == DATA
    assert storage.asked == [("/secret-0", "")]


def test_its_length_is_told_without_asking() -> None:
    with serving(Storage()) as storage, storage.blob().open() as stream:
        assert stream.seek(0, os.SEEK_END) == len(DATA)
        assert stream.tell() == len(DATA)
        assert stream.read(1) == b""
    assert storage.asked == []


@pytest.mark.parametrize("ranges", [True, False])
def test_after_a_seek_a_new_connection_begins_there(*, ranges: bool) -> None:
    with serving(Storage(ranges=ranges)) as storage, storage.blob().open() as stream:
        assert stream.read(MIB) == DATA[:MIB]
        stream.seek(3 * MIB)
        assert stream.read(MIB) == DATA[3 * MIB : 4 * MIB]
        stream.seek(0)
        assert stream.read(len(DATA)) == DATA
    assert storage.asked == [("/secret-0", ""), ("/secret-1", f"bytes={3 * MIB}-"), ("/secret-2", "")]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_lost_connection_is_continued_at_the_byte_with_a_new_url_and_told(*, ranges: bool) -> None:
    with serving(Storage(ranges=ranges, cuts=[MIB + 7])) as storage, storage.blob().open() as stream:
        assert stream.read(len(DATA)) == DATA
    assert storage.asked == [("/secret-0", ""), ("/secret-1", f"bytes={MIB + 7}-")]
    assert storage.notes == [
        f"the download of {LAYER.digest} ended after {MIB + 7} of {len(DATA)} bytes, tried again in 0.5 s (2 of 4)"
    ]


def test_as_long_as_bytes_come_it_goes_on_beyond_the_attempts_of_one_question() -> None:
    with serving(Storage(cuts=[MIB // 2] * 8)) as storage, storage.blob(attempts=2).open() as stream:
        assert stream.read(len(DATA)) == DATA
    assert len(storage.asked) == 9


def test_where_no_more_bytes_come_it_is_an_error_that_does_not_show_the_url() -> None:
    with (
        serving(Storage(cuts=[MIB, *[0] * 20])) as storage,
        storage.blob().open() as stream,
        pytest.raises(EcrError, match=f"cannot download {LAYER.digest} of team/demo .* ends after {MIB} of") as caught,
    ):
        stream.read(len(DATA))
    assert len(storage.asked) == 4
    assert "secret" not in str(caught.value) + "".join(storage.notes)


def test_an_answer_that_may_pass_is_asked_again_and_one_that_stays_is_not() -> None:
    with serving(Storage(statuses=[503, 500])) as storage, storage.blob().open() as stream:
        assert stream.read(10) == DATA[:10]
    assert len(storage.asked) == 3
    with (
        serving(Storage(statuses=[403])) as storage,
        storage.blob().open() as stream,
        pytest.raises(EcrError, match="HTTP 403"),
    ):
        stream.read(10)
    assert len(storage.asked) == 1


@pytest.mark.parametrize("data", [DATA[:-1], DATA + b"x", b""])
def test_a_blob_of_another_length_is_damaged(data: bytes) -> None:
    with (
        serving(Storage(data)) as storage,
        storage.blob().open() as stream,
        pytest.raises(ReleaseError, match=f"has {len(data)} bytes of it, from byte 0 on, and {len(DATA)} are right"),
    ):
        stream.read(10)


def test_a_blob_that_is_gone_is_told() -> None:
    with (
        serving(Storage(statuses=[404])) as storage,
        storage.blob().open() as stream,
        pytest.raises(ReleaseError, match=f"{LAYER.digest} of team/demo is gone from 127.0.0.1"),
    ):
        stream.read(10)
