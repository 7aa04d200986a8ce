"""Uploads to the stand-in before a real registry; what neither can do wrong is done to the client's own events."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from ecr_fixtures import ACCESS_KEY, REGION, SECRET_KEY, LocalEcr, MemoryBlob, Told, noise

from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.manifest import OCI_LAYER_GZIP, Descriptor
from kfp_release.progress import Silent
from kfp_release.upload import new_lanes, upload_blobs
from kfp_release.workers import in_parallel

MIB = 1024 * 1024


@pytest.fixture
def client(local: LocalEcr) -> Any:
    return local.client()


@pytest.fixture
def store(local: LocalEcr, client: Any, request: pytest.FixtureRequest) -> EcrRepository:
    """An empty repository for this test alone, through a client whose events it may change."""
    name = "tests/" + re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return local.repository(name, client=client)


@pytest.fixture
def calls(client: Any) -> list[str]:
    """The operations that were asked for, in order."""
    asked: list[str] = []
    client.meta.events.register("before-call.ecr.*", lambda model, **_: asked.append(model.name))
    return asked


def _once(client: Any, event: str, action: Callable[..., Any]) -> None:
    """Do `action` the first time that `event` happens."""
    left = [action]

    def handle(**given: Any) -> Any:
        return left.pop()(**given) if left else None

    client.meta.events.register_first(event, handle)


@dataclass(frozen=True)
class ChangingBlob:
    """A blob whose bytes are others once its length was looked at."""

    data: bytes
    later: bytes
    opened: list[int]

    @property
    def descriptor(self) -> Descriptor:
        return MemoryBlob(self.data).descriptor

    def open(self) -> BinaryIO:
        self.opened.append(1)
        return MemoryBlob(self.data if len(self.opened) == 1 else self.later).open()


@dataclass(frozen=True)
class CountingBlob:
    """A blob that remembers how many bytes were read of it, each time."""

    data: bytes
    read: list[int]

    @property
    def descriptor(self) -> Descriptor:
        return MemoryBlob(self.data).descriptor

    def open(self) -> BinaryIO:
        counts = self.read

        class Stream(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                part = super().read(size)
                counts.append(len(part))
                return part

        return Stream(self.data)


def test_what_is_missing_is_sent_and_nothing_twice(store: EcrRepository, calls: list[str]) -> None:
    blobs = [MemoryBlob(noise(1000)), MemoryBlob(noise(21 * MIB)), MemoryBlob(noise(1000))]
    told = Told()
    assert upload_blobs(store, blobs, progress=told) == 21 * MIB + 1000
    assert store.missing(blob.descriptor.digest for blob in blobs) == set()
    assert calls.count("UploadLayerPart") == 4
    assert told.told[-1] == ("2 layers to tests/test-what-is-missing-is-sent-and-nothing-twice", *[21 * MIB + 1000] * 2)
    calls.clear()
    assert upload_blobs(store, blobs, progress=told) == 0
    assert calls == ["BatchCheckLayerAvailability"] * 1


def test_hundreds_of_blobs_are_asked_for_a_hundred_at_a_time(store: EcrRepository, calls: list[str]) -> None:
    digests = {Digest.of(str(number).encode()) for number in range(201)}
    assert store.missing(digests) == digests
    assert calls == ["BatchCheckLayerAvailability"] * 3


def test_the_largest_goes_first(store: EcrRepository, client: Any) -> None:
    sizes: list[int] = []
    client.meta.events.register(
        "provide-client-params.ecr.UploadLayerPart", lambda params, **_: sizes.append(len(params["layerPartBlob"]))
    )
    upload_blobs(store, [MemoryBlob(noise(size)) for size in (10, 3000, 200)], progress=Silent(), workers=1)
    assert sizes == [3000, 200, 10]


def test_no_more_are_sent_at_once_than_there_are_workers(store: EcrRepository, client: Any) -> None:
    lock, running, most = threading.Lock(), set[str](), [0]

    def begin(params: dict[str, Any], **_: Any) -> None:
        with lock:
            running.add(params["uploadId"])
            most[0] = max(most[0], len(running))

    def end(params: dict[str, Any], **_: Any) -> None:
        with lock:
            running.discard(params["uploadId"])

    client.meta.events.register("provide-client-params.ecr.UploadLayerPart", begin)
    client.meta.events.register("provide-client-params.ecr.CompleteLayerUpload", end)
    upload_blobs(store, [MemoryBlob(noise(5000, seed)) for seed in range(8)], progress=Silent(), workers=2)
    assert 1 <= most[0] <= 2


def test_layers_to_several_repositories_go_four_at_a_time_all_in_all(local: LocalEcr, client: Any) -> None:
    lock, running, most = threading.Lock(), set[str](), list[int]()

    def begin(params: dict[str, Any], **_: Any) -> None:
        with lock:
            running.add(params["uploadId"])
            most.append(len(running))

    def end(params: dict[str, Any], **_: Any) -> None:
        with lock:
            running.discard(params["uploadId"])

    client.meta.events.register("provide-client-params.ecr.UploadLayerPart", begin)
    client.meta.events.register("provide-client-params.ecr.CompleteLayerUpload", end)
    stores = [local.repository(f"tests/lanes-{number}", client=client) for number in range(3)]
    lanes = new_lanes()

    def upload(store: EcrRepository) -> int:
        blobs = [MemoryBlob(noise(5000, seed)) for seed in range(4)]
        return upload_blobs(store, blobs, progress=Silent(), lanes=lanes)

    assert in_parallel(upload, stores, workers=3) == [20_000] * 3
    assert len(most) == 12
    assert max(most) <= 4


@pytest.mark.parametrize(
    ("blob", "message"),
    [
        (MemoryBlob(b"", None), "is empty, and ECR refuses empty blobs"),
        (MemoryBlob(b"some", Descriptor(OCI_LAYER_GZIP, Digest.of(b"some"), 5)), "should have 5 bytes, and has 4"),
    ],
)
def test_a_blob_of_another_length_is_refused_before_any_byte_goes(
    store: EcrRepository, calls: list[str], blob: MemoryBlob, message: str
) -> None:
    with pytest.raises(ReleaseError, match=message):
        upload_blobs(store, [MemoryBlob(noise(5000)), blob], progress=Silent())
    assert calls == ["BatchCheckLayerAvailability"]


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_a_damaged_blob_is_refused_before_its_last_part_goes(
    store: EcrRepository, calls: list[str], parts: int
) -> None:
    data = noise(parts * 10 * MIB - 1)
    damaged = MemoryBlob(data[::-1], MemoryBlob(data).descriptor)
    with pytest.raises(ReleaseError, match=f"is damaged: its digest is {Digest.of(data[::-1])}") as caught:
        upload_blobs(store, [damaged], progress=Silent())
    assert caught.value.remedy == "build it again; nothing was made public"
    assert calls.count("UploadLayerPart") == parts - 1
    assert "CompleteLayerUpload" not in calls


def test_each_byte_of_a_blob_is_read_once(store: EcrRepository) -> None:
    blob = CountingBlob(noise(25 * MIB), [])
    upload_blobs(store, [blob], progress=Silent())
    assert sum(blob.read) == 25 * MIB


def test_what_ecr_says_that_it_has_is_hashed_and_not_sent(store: EcrRepository, client: Any, calls: list[str]) -> None:
    def has_it_all(http_response: Any, parsed: dict[str, Any], **_: Any) -> None:
        http_response.status_code = 400
        parsed["Error"] = {"Code": "InvalidLayerPartException", "Message": "not consecutive"}
        parsed["lastValidByteReceived"] = 25 * MIB - 1

    client.meta.events.register("after-call.ecr.UploadLayerPart", has_it_all)
    data = noise(25 * MIB)
    damaged = MemoryBlob(data[:-1] + b"?", MemoryBlob(data).descriptor)
    with pytest.raises(ReleaseError, match="is damaged"):
        upload_blobs(store, [damaged], progress=Silent())
    assert calls.count("UploadLayerPart") == 1
    assert "CompleteLayerUpload" not in calls


def test_a_part_whose_answer_was_lost_is_not_sent_twice(store: EcrRepository, client: Any, calls: list[str]) -> None:
    # botocore sends the part again, though it has landed: ECR's answer is InvalidLayerPart.
    _once(client, "needs-retry.ecr.UploadLayerPart", lambda **_: 0)
    blob = MemoryBlob(noise(25 * MIB))
    assert upload_blobs(store, [blob], progress=Silent()) == 25 * MIB
    assert store.missing([blob.descriptor.digest]) == set()
    assert calls.count("InitiateLayerUpload") == 1
    assert calls.count("UploadLayerPart") == 3


def test_a_last_part_whose_answer_was_lost_ends_the_layer(store: EcrRepository, client: Any) -> None:
    _once(client, "needs-retry.ecr.UploadLayerPart", lambda **_: 0)
    blob = MemoryBlob(noise(5000))
    assert upload_blobs(store, [blob], progress=Silent()) == 5000
    assert store.missing([blob.descriptor.digest]) == set()


def test_an_upload_that_is_lost_is_begun_anew(
    local: LocalEcr, store: EcrRepository, client: Any, calls: list[str]
) -> None:
    _once(client, "provide-client-params.ecr.CompleteLayerUpload", lambda **_: local.stand_in.forget_uploads())
    blob = MemoryBlob(noise(12 * MIB))
    assert upload_blobs(store, [blob], progress=Silent()) == 12 * MIB
    assert store.missing([blob.descriptor.digest]) == set()
    assert calls.count("InitiateLayerUpload") == 2


def test_an_upload_that_is_lost_again_and_again_is_given_up(
    local: LocalEcr, store: EcrRepository, client: Any, calls: list[str]
) -> None:
    client.meta.events.register(
        "provide-client-params.ecr.CompleteLayerUpload", lambda **_: local.stand_in.forget_uploads()
    )
    with pytest.raises(ReleaseError, match=r"ECR lost the upload of sha256:[0-9a-f]{64} 4 times\n  → run this again"):
        upload_blobs(store, [MemoryBlob(noise(5000))], progress=Silent())
    assert calls.count("InitiateLayerUpload") == 4


def test_a_completion_whose_answer_was_lost_is_no_reason_to_send_again(
    store: EcrRepository, client: Any, calls: list[str]
) -> None:
    _once(client, "needs-retry.ecr.CompleteLayerUpload", lambda **_: 0)
    upload_blobs(store, [MemoryBlob(noise(5000))], progress=Silent())
    assert calls.count("InitiateLayerUpload") == 1


def test_a_layer_that_someone_else_sent_meanwhile_is_fine(local: LocalEcr, store: EcrRepository, client: Any) -> None:
    blob = MemoryBlob(noise(5000))
    other = local.repository(store.repository.name, create=False)
    _once(
        client,
        "provide-client-params.ecr.CompleteLayerUpload",
        lambda **_: [upload_blobs(other, [blob], progress=Silent()), None][1],
    )
    assert upload_blobs(store, [blob], progress=Silent()) == 5000


def test_bytes_that_change_on_the_way_are_refused(store: EcrRepository, client: Any) -> None:
    def change(params: dict[str, Any], **_: Any) -> None:
        params["layerPartBlob"] = b"other byte"

    client.meta.events.register("provide-client-params.ecr.UploadLayerPart", change)
    with pytest.raises(ReleaseError, match="InvalidLayerException") as caught:
        upload_blobs(store, [MemoryBlob(b"some bytes")], progress=Silent())
    assert str(store.repository) in str(caught.value)
    assert "build it again" in caught.value.remedy


def test_a_blob_that_shrinks_while_it_is_sent_is_refused(store: EcrRepository) -> None:
    with pytest.raises(ReleaseError, match="ends at byte 4 while it is sent"):
        upload_blobs(store, [ChangingBlob(b"some bytes", b"some", [])], progress=Silent())


def test_an_archived_layer_is_named(store: EcrRepository, client: Any) -> None:
    blob = MemoryBlob(noise(5000))

    def archived(parsed: dict[str, Any], **_: Any) -> None:
        for layer in parsed["layers"]:
            layer["layerAvailability"] = "ARCHIVED"

    client.meta.events.register("after-call.ecr.BatchCheckLayerAvailability", archived)
    with pytest.raises(ReleaseError, match=f"still lacks {blob.descriptor.digest}") as caught:
        upload_blobs(store, [blob], progress=Silent())
    assert "archived" in caught.value.remedy


def test_the_first_failure_ends_it(store: EcrRepository, client: Any, calls: list[str]) -> None:
    def refuse(**_: Any) -> None:
        raise EcrError("no more")

    client.meta.events.register("provide-client-params.ecr.InitiateLayerUpload", refuse)
    with pytest.raises(EcrError, match="no more"):
        upload_blobs(store, [MemoryBlob(noise(500, seed)) for seed in range(20)], progress=Silent(), workers=1)
    assert "UploadLayerPart" not in calls


def test_ctrl_c_ends_it_while_a_part_hangs(store: EcrRepository, client: Any) -> None:
    hanging = threading.Event()
    asked: list[int] = []

    def hang(**_: Any) -> None:
        asked.append(1)
        os.kill(os.getpid(), signal.SIGINT)
        hanging.wait()

    client.meta.events.register("before-call.ecr.UploadLayerPart", hang)
    with pytest.raises(KeyboardInterrupt):
        upload_blobs(store, [MemoryBlob(noise(500, seed)) for seed in range(9)], progress=Silent(), workers=1)
    hanging.set()
    for thread in threading.enumerate():
        if thread.name == "worker":
            thread.join()
    assert len(asked) == 1


MEASURE = """
import resource, sys
from pathlib import Path
from kfp_release.digest import Digest
from kfp_release.ecr import open_ecr
from kfp_release.image_ref import Repository
from kfp_release.manifest import Descriptor
from kfp_release.progress import Silent
from kfp_release.upload import new_lanes, upload_blobs
from kfp_release.workers import in_parallel

class Blob:
    def open(self):
        return Path(sys.argv[2]).open("rb")
    @property
    def descriptor(self):
        return Descriptor("layer", Digest.parse(sys.argv[3]), Path(sys.argv[2]).stat().st_size)

upload_blobs(open_ecr(Repository.parse(sys.argv[1])), [Blob()], progress=Silent())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_does_not_grow_with_the_layer(local: LocalEcr, store: EcrRepository, tmp_path: Path) -> None:
    environ = {
        "AWS_ENDPOINT_URL_ECR": local.stand_in.url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "PATH": "/usr/bin:/bin",
    }
    peaks = []
    for size in (20, 120):
        path = tmp_path / f"{size}"
        path.write_bytes(noise(size * MIB))
        with path.open("rb") as stream:
            digest = Digest.of_chunks(iter(lambda: stream.read(MIB), b""))
        # A shell between, for a child of this process would count this process's memory as its own.
        done = subprocess.run(
            ["sh", "-c", '"$@"', "sh", sys.executable, "-c", MEASURE, str(store.repository), path, str(digest)],
            env=environ,
            check=True,
            capture_output=True,
            text=True,
        )
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] + 40, peaks
