"""A real registry with the ECR stand-in before it, and images to put there."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import boto3
from botocore.config import Config

from kfp_release.cache import cache_folder
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.image_ref import Repository
from kfp_release.manifest import OCI_LAYER_GZIP, Descriptor, ImageConfig, Manifest
from kfp_release.progress import Silent
from kfp_release.sandbox.ecr import EcrStandIn
from kfp_release.sandbox.packages import docker_registry
from kfp_release.sandbox.registry import DockerRegistry
from kfp_release.upload import upload_blobs

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

    from kfp_release.sandbox import Sandbox

ACCESS_KEY = "AKIASANDBOX"
SECRET_KEY = "the-secret-of-the-sandbox"  # noqa: S105 - of a server that lives as long as a test
PASSWORD = "the-password-of-the-registry"  # noqa: S105 - likewise
HOST = "533211398604.dkr.ecr.eu-north-1.amazonaws.com"
REGION = "eu-north-1"


@dataclass(frozen=True)
class MemoryBlob:
    """A blob that is in memory; `claimed` stands where it lies about what it is."""

    data: bytes
    claimed: Descriptor | None = None

    @property
    def descriptor(self) -> Descriptor:
        return self.claimed or Descriptor(OCI_LAYER_GZIP, Digest.of(self.data), len(self.data))

    def open(self) -> BinaryIO:
        return io.BytesIO(self.data)


@dataclass
class Told(Silent):
    """Progress that remembers the steps, the notes and the bytes that were told."""

    told: list[tuple[str, int, int]] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def step(self, text: str) -> None:
        self.steps.append(text)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def sent(self, what: str, done: int, total: int) -> None:
        self.told.append((what, done, total))


def ecr_of(sandbox: Sandbox) -> ECRClient:
    """A client of the sandbox's ECR that may do everything: a platform engineer's."""
    environ = sandbox.environ
    return boto3.client(
        "ecr",
        endpoint_url=environ["AWS_ENDPOINT_URL_ECR"],
        region_name=environ["AWS_REGION"],
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
    )


@dataclass(frozen=True)
class LocalEcr:
    registry: DockerRegistry
    stand_in: EcrStandIn
    session: boto3.session.Session = field(default_factory=boto3.session.Session)

    def client(self, **options: Any) -> Any:
        given: dict[str, Any] = {
            "aws_access_key_id": ACCESS_KEY,
            "aws_secret_access_key": SECRET_KEY,
            "region_name": REGION,
            "config": Config(retries={"mode": "standard", "total_max_attempts": 2}),
        }
        return self.session.client("ecr", endpoint_url=self.stand_in.url, **{**given, **options})

    def repository(self, name: str, *, client: Any = None, create: bool = True) -> EcrRepository:
        """A repository of that name, with immutable tags."""
        store = EcrRepository(client or self.client(), Repository.parse(f"{HOST}/{name}").at_host(self.registry.host))
        if create:
            store.create()
        return store


@contextmanager
def running_ecr(folder: Path, host: str = "") -> Iterator[LocalEcr]:
    """Both are stopped at the end; what they store is in `folder`. `host` is as `EcrStandIn` has it."""
    binary = docker_registry(cache_folder(), Silent())
    with (
        DockerRegistry(folder / "registry", "AWS", PASSWORD, binary) as registry,
        EcrStandIn(
            registry.url, "AWS", PASSWORD, folder / "ecr.json", access_key=ACCESS_KEY, secret_key=SECRET_KEY, host=host
        ) as stand_in,
    ):
        yield LocalEcr(registry, stand_in)


def noise(size: int, seed: int = 0) -> bytes:
    """The same bytes for the same seed."""
    return random.Random(seed).randbytes(size)  # noqa: S311 - no secret


def image_of(
    layers: Sequence[MemoryBlob], annotations: Mapping[str, str] | None = None
) -> tuple[Manifest, list[MemoryBlob]]:
    """An image of these layers; its manifest and all its blobs."""
    config = ImageConfig.of(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [str(blob.descriptor.digest) for blob in layers]},
        }
    )
    manifest = Manifest.of(config.descriptor, tuple(blob.descriptor for blob in layers), annotations or {})
    return manifest, [*layers, MemoryBlob(config.data, config.descriptor)]


def pushed(store: EcrRepository, tag: str | None, *, seed: int = 0) -> Manifest:
    """A small image that is in the repository."""
    manifest, blobs = image_of([MemoryBlob(noise(1000, seed))])
    upload_blobs(store, blobs, progress=Silent())
    store.put(manifest, tag)
    return manifest
