"""A registry, the ECR stand-in before it and an index, each behind a faulty proxy, and releases to publish there."""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from secrets import token_hex
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from archives import NAME
from botocore.loaders import create_loader
from ecr_fixtures import ACCESS_KEY, HOST, PASSWORD, REGION, SECRET_KEY, LocalEcr, MemoryBlob, noise
from publish_fixtures import KEY, PROJECT, SDIST, VERSION, parts, write_dist

from chaos.matrix.exchange import Answer
from chaos.matrix.faulty import Faulty
from chaos.matrix.kind import flipped
from chaos.matrix.verdict import Content, Ran
from kfp_release.__main__ import main
from kfp_release.built import BuiltRelease
from kfp_release.cache import cache_folder
from kfp_release.credentials import Credentials
from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.manifest import OCI_MANIFEST, Descriptor, Manifest
from kfp_release.patience import Patience
from kfp_release.progress import Silent
from kfp_release.sandbox import ecr_layers
from kfp_release.sandbox.ecr import EcrStandIn
from kfp_release.sandbox.index import IndexServer
from kfp_release.sandbox.packages import docker_registry
from kfp_release.sandbox.registry import DockerRegistry
from kfp_release.sandbox.registry_api import RegistryApi
from kfp_release.upload import upload_blobs

TIGHT = Patience(attempts=3, seconds=2)
"""Of a release that meets a fault: so that a hanging server costs seconds."""
CALM = Patience(attempts=3, seconds=20)
"""Of one that meets none: so that a busy machine is no hanging server."""
USER = "releaser"
# Each process has its own: a server is known by its password where two processes come to the same free port.
INDEX_PASSWORD = f"the-password-of-the-index-{token_hex(8)}"
SECRETS = (SECRET_KEY, PASSWORD, INDEX_PASSWORD)
_PART = 64 * 1024
_PACKAGE = 150 * 1024
"""Bytes: three parts of a layer."""


@dataclass(frozen=True)
class Place:
    """A release that is built, for a repository of its own that has its runtime."""

    folder: Path
    repository: Repository
    environ: Mapping[str, str]

    @property
    def built(self) -> BuiltRelease:
        """What `publish` is given."""
        return BuiltRelease.read(self.folder / "dist")

    @property
    def blobs(self) -> Sequence[Descriptor]:
        """Config and layers of its image."""
        manifest = self.built.image(self.built.record.pins.images[0]).manifest
        return (manifest.config, *manifest.layers)

    @property
    def expected(self) -> Content:
        """What should be public."""
        files = {name: (self.folder / "dist" / name).read_bytes() for name in (SDIST, NAME)}
        return Content(self.built.record.pins.images[0].ref.digest, files)

    def run(self, *arguments: str, patience: Patience = CALM) -> Ran:
        """`kfp-release`, as its user runs it."""
        bounds = {"KFP_RELEASE_ATTEMPTS": str(patience.attempts), "KFP_RELEASE_TIMEOUT": str(patience.seconds)}
        said = io.StringIO()
        began = time.monotonic()
        with (
            patch.dict(os.environ, {**self.environ, **bounds}, clear=True),
            contextlib.redirect_stderr(said),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            code = main(["-C", str(self.folder), *arguments])
        return Ran(code, said.getvalue(), time.monotonic() - began)


@dataclass
class Bench:
    """The running parts. `registry`, `ecr` and `index` are the proxies; the rest is behind them."""

    folder: Path
    local: LocalEcr
    server: IndexServer
    registry: Faulty
    ecr: Faulty
    index: Faulty
    _places: list[Place] = field(default_factory=list)

    @cached_property
    def _client(self) -> Any:
        """Past the proxies. Making one takes longer than a publish."""
        return self.local.client()

    @property
    def proxies(self) -> Mapping[str, Faulty]:
        """By the part that each is before."""
        return {"registry": self.registry, "ecr": self.ecr, "index": self.index}

    @property
    def packages(self) -> Path:
        """What the index has."""
        return self.folder / "index" / "packages"

    def place(self) -> Place:
        """A new one, and an index that has nothing."""
        self.packages.mkdir(parents=True, exist_ok=True)
        for path in self.packages.iterdir():
            path.unlink()
        number = len(self._places) + 1
        store = self.local.repository(f"faults/place-{number}", client=self._client)
        repository = Repository(urlsplit(self.registry.url).netloc, store.repository.name)
        runtime, package = parts(_PACKAGE)
        blobs = [MemoryBlob(noise(1000)), MemoryBlob(runtime.config.data, runtime.manifest.config)]
        upload_blobs(store, blobs, progress=Silent())
        store.put(runtime.manifest, f"runtime-{KEY}")
        folder = self.folder / "places" / str(number)
        folder.mkdir(parents=True)
        write_dist(folder / "dist", repository, runtime, package)
        (folder / "pyproject.toml").write_text(_pyproject(repository.name), encoding="utf-8")
        self._places.append(Place(folder, repository, self._environ()))
        return self._places[-1]

    def spoil(self, digest: str) -> None:
        """Change the registry's own file of a blob."""
        path = self._blob_file(Digest.parse(digest))
        path.write_bytes(flipped(path.read_bytes()))

    def mend(self, place: Place) -> None:
        """What a person does about other bytes: take them off the index, and put the right ones into the registry."""
        for path in self.packages.iterdir():
            path.unlink()
        layout = place.built.layout
        for blob in place.blobs:
            if layout.has(blob.digest):
                with layout.blob(blob).open() as file:
                    self._blob_file(blob.digest).write_bytes(file.read())

    def found(self, place: Place) -> Content:
        """What is public, seen without the proxies."""
        files = {path.name: path.read_bytes() for path in self.packages.iterdir() if not path.name.startswith(".")}
        registry = RegistryApi(self.local.registry.url, "AWS", PASSWORD)
        name = place.repository.name
        try:
            data = registry.manifest(name, str(VERSION), OCI_MANIFEST)
        except ReleaseError:
            return Content(None, files)
        manifest = Manifest.parse(data, OCI_MANIFEST)
        blobs = [blob.digest for blob in (manifest.config, *manifest.layers)]
        spoiled = [one for one in blobs if Digest.of(b"".join(registry.blob(name, str(one)))) != one]
        return Content(manifest.digest, files, spoiled)

    def _blob_file(self, digest: Digest) -> Path:
        (path,) = (self.folder / "registry").rglob(f"sha256/??/{digest.hex}/data")
        return path

    def _environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "NO_PROXY": "127.0.0.1,localhost",
            "AWS_ENDPOINT_URL_ECR": self.ecr.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "KFP_RELEASE_REGISTRY": urlsplit(self.registry.url).netloc,
            "KFP_RELEASE_SIMPLE_URL": f"{self.index.url}/simple/",
            "TWINE_REPOSITORY_URL": f"{self.index.url}/",
            "TWINE_USERNAME": USER,
            "TWINE_PASSWORD": INDEX_PASSWORD,
        }


@contextmanager
def running_bench(folder: Path) -> Iterator[Bench]:
    """Everything is stopped at the end. The stand-in's parts of a layer are small, so that three of them are quick."""
    binary = docker_registry(cache_folder(), Silent())
    with ExitStack() as parts_of_it:
        enter = parts_of_it.enter_context
        # Each release reads AWS's models anew, which takes longer than all that it asks.
        enter(patch("botocore.session.create_loader", cache(create_loader)))
        enter(patch.multiple(ecr_layers, PART_SIZE=_PART, SMALLEST_PART=_PART // 2))
        real = enter(DockerRegistry(folder / "registry", "AWS", PASSWORD, binary))
        registry = enter(Faulty(real.url).running())
        keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
        stand_in = enter(EcrStandIn(registry.url, "AWS", PASSWORD, folder / "ecr.json", **keys))
        ecr = enter(Faulty(stand_in.url).running())
        ecr.change = _leading(stand_in.url, ecr)
        server = IndexServer(folder / "index", Credentials(USER, INDEX_PASSWORD), fallback_url="http://127.0.0.1:1/")
        server.start()
        parts_of_it.callback(server.stop)
        index = enter(Faulty(server.upload_url).running())
        yield Bench(folder, LocalEcr(real, stand_in), server, registry, ecr, index)


def _leading(url: str, proxy: Faulty) -> Callable[[Answer], Answer]:
    """Leads the download URLs in ECR's answers through the proxy."""
    direct, through = (f"{base}/layers/".encode() for base in (url, proxy.url))
    return lambda answer: replace(answer, body=answer.body.replace(direct, through))


def _pyproject(name: str) -> str:
    return f"""\
[project]
name = "{PROJECT}"
version = "1.2"

[tool.kfp-release]
package = "some_components"
components = "yaml"
source = "https://example.com/some"

[tool.kfp-release.images.demo]
repository = "{HOST}/{name}"

[tool.kfp-release.index]
upload-url = "https://index.example.com/"
simple-url = "https://index.example.com/simple/"
"""
