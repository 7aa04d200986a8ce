"""A version of two images in one account's ECR, and another account whose ECR goes by its real name."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from conftest import kfp_release
from ecr_fixtures import (
    ACCESS_KEY,
    HOST,
    PASSWORD,
    SECRET_KEY,
    LocalEcr,
    MemoryBlob,
    ecr_of,
    image_of,
    noise,
    running_ecr,
)
from git_fixtures import commit, new_repository
from many_releases import sdist_of, wheel_of
from publish_fixtures import COMPONENT, KEY

from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.image_ref import ImageRef, Registry, Repository
from kfp_release.manifest import Manifest
from kfp_release.progress import Silent
from kfp_release.promote import Promoter
from kfp_release.promotion import Promoted, promotions
from kfp_release.record import PinnedComponent, PinnedImage, Pins
from kfp_release.sandbox import Sandbox
from kfp_release.sandbox.registry_api import RegistryApi
from kfp_release.upload import upload_blobs
from kfp_release.version import ReleaseVersion

MIB = 1024 * 1024
PROJECT, COMMIT = "some-components", "c" * 40
OTHER_HOST = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
LAYERS: Mapping[str, Sequence[bytes]] = {
    "demo": (noise(21 * MIB), noise(1000, 1)),
    "training": (noise(3000, 2), noise(1000, 1)),
}
"""Of each image: one layer of several parts, and one that both have."""
SMALL: Mapping[str, Sequence[bytes]] = {"demo": (noise(2000), noise(1000, 1)), "training": (noise(3000, 2),)}
PYPROJECT = f"""\
[project]
name = "{PROJECT}"

[tool.kfp-release]
package = "some_components"
components = "yaml"
source = "https://example.com/some"

[tool.kfp-release.images.demo]
repository = "{HOST}/team/demo"

[tool.kfp-release.images.training]
repository = "{HOST}/team/training"

[tool.kfp-release.index]
upload-url = "https://pypi.example/"
simple-url = "https://pypi.example/simple/"
"""


@dataclass(frozen=True)
class Shipped:
    """A version whose images are in the repositories ``NAME/demo`` and ``NAME/training``."""

    pins: Pins
    manifests: Mapping[str, Manifest]
    blobs: Mapping[str, Sequence[MemoryBlob]]
    to: str = OTHER_HOST
    """The registry that it is promoted to."""

    @property
    def size(self) -> int:
        """Bytes of all blobs, each once in its repository."""
        return sum(blob.descriptor.size for blobs in self.blobs.values() for blob in blobs)


def ship(
    stores: Any, host: str, name: str, *, version: str = "1.2", layers: Mapping[str, Sequence[bytes]] = LAYERS
) -> Shipped:
    """Push it through `stores`, to repositories that images are pulled from `host` of."""
    wanted = ReleaseVersion.parse(version)
    images, manifests, all_blobs = [], {}, {}
    for image, contents in layers.items():
        declared = Repository.parse(f"{HOST}/{name}/{image}")
        store = stores(declared.at_host(host))
        store.create()
        manifest, blobs = image_of([MemoryBlob(data) for data in contents], {"image": image, "version": version})
        upload_blobs(store, blobs, progress=Silent())
        store.put(manifest, wanted.image_tag)
        pin = str(ImageRef(store.repository, wanted.image_tag, manifest.digest))
        images.append(PinnedImage(image, declared, pin, KEY, "linux/amd64"))
        manifests[image], all_blobs[image] = manifest, blobs
    components = tuple(
        PinnedComponent(f"{one.name}_op", f"{one.name}.yaml", (one.pin,), Digest.of(_component(one)).hex)
        for one in images
    )
    return Shipped(Pins(PROJECT, wanted, COMMIT, tuple(images), components), manifests, all_blobs)


def write_files(folder: Path, pins: Pins) -> None:
    """Wheel and sdist of the version."""
    stem = f"{PROJECT.replace('-', '_')}-{pins.version}"
    carried = pins.to_json()
    in_wheel = {f"some_components/yaml/{image.name}.yaml": _component(image) for image in pins.images}
    wheel = wheel_of(f"{stem}-py3-none-any.whl", {**in_wheel, "some_components/pins.json": carried})
    (folder / f"{stem}-py3-none-any.whl").write_bytes(wheel)
    (folder / f"{stem}.tar.gz").write_bytes(sdist_of(f"{stem}.tar.gz", {"kfp-release-pins.json": carried}))


def _component(image: PinnedImage) -> bytes:
    return COMPONENT.format(image.pin).encode()


@dataclass(frozen=True)
class Accounts:
    """Two accounts, each with an ECR and a registry of its own; what is asked of the second one is remembered."""

    first: LocalEcr
    second: LocalEcr
    folder: Path
    """Of the first one's registry."""
    sent: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    """Operation, parameters and region of each call to the second one."""
    clients: dict[str, Any] = field(default_factory=dict)
    """By region of the second account; of the first one by none. Each takes as long to make as a small copy."""

    def sources(self, repository: Repository) -> EcrRepository:
        if "" not in self.clients:
            self.clients[""] = self.first.client()
        return EcrRepository(self.clients[""], repository)

    def targets(self, repository: Repository) -> EcrRepository:
        region = repository.region or "eu-north-1"
        if region not in self.clients:
            self.clients[region] = self.second.client(region_name=region)
            self.clients[region].meta.events.register("provide-client-params.ecr.*", partial(self._remember, region))
        return EcrRepository(self.clients[region], repository)

    def _remember(self, region: str, model: Any, params: Any, **_: Any) -> None:
        self.sent.append((model.name, params, region))

    def calls(self, operation: str) -> int:
        """How often it was asked of the second account so far."""
        return sum(name == operation for name, _, _ in self.sent)

    def ship(self, name: str, **options: Any) -> Shipped:
        return ship(self.sources, self.first.registry.host, name, **options)

    def promoter(self, **options: Any) -> Promoter:
        usual = {"sources": self.sources, "targets": self.targets, "progress": Silent(), "create": True}
        return Promoter(**{**usual, **options})

    def promote(self, shipped: Shipped, *, to: str = "", dry_run: bool = False, **options: Any) -> Promoted:
        wanted = promotions(shipped.pins, Registry.parse(to or shipped.to))
        return self.promoter(**options).promote(wanted, dry_run=dry_run)

    def pulled(self, repository: str, digest: Digest) -> dict[Digest, bytes]:
        """All blobs of an image as the second registry hands them out to whoever pulls it, and its manifest."""
        api = RegistryApi(self.second.registry.url, "AWS", PASSWORD)
        try:
            data = api.manifest(repository, str(digest), "application/vnd.oci.image.manifest.v1+json")
            manifest = Manifest.parse(data, "application/vnd.oci.image.manifest.v1+json")
            blobs = {
                blob.digest: b"".join(api.blob(repository, str(blob.digest)))
                for blob in (manifest.config, *manifest.layers)
            }
            return {manifest.digest: data, **blobs}
        finally:
            api.close()


@contextmanager
def two_accounts(folder: Path) -> Iterator[Accounts]:
    with running_ecr(folder / "first") as first, running_ecr(folder / "second", OTHER_HOST) as second:
        yield Accounts(first, second, folder / "first")


@dataclass(frozen=True)
class Company:
    """A project whose versions are in a sandbox, another account, and a person with an AWS profile for each."""

    project: Path
    sandbox: Sandbox
    second: LocalEcr
    config: Path
    """AWS's configuration."""

    @property
    def environ(self) -> dict[str, str]:
        """What leads to the index and, by profiles alone, to both accounts."""
        of_aws = {
            "AWS_CONFIG_FILE": str(self.config),
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": "AKIASTRANGER",
            "AWS_SECRET_ACCESS_KEY": "a-key-that-neither-account-knows",
        }
        return {name: text for name, text in self.sandbox.environ.items() if not name.startswith("AWS_")} | of_aws

    def run(
        self, *arguments: str, cwd: Path | None = None, environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Promote; `environ` comes in addition."""
        environ = {**self.environ, **(environ or {})}
        return kfp_release(["promote", *arguments], cwd=cwd or self.project, environ=environ)

    def promote(self, version: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """To the second account, with both profiles."""
        profiles = ("--from-profile", "staging", "--to-profile", "production")
        return self.run(version, "--to", OTHER_HOST, *profiles, *arguments, environ=environ)

    def stores(self, repository: Repository) -> EcrRepository:
        return EcrRepository(ecr_of(self.sandbox), repository)

    def release(self, version: str, layers: Mapping[str, Sequence[bytes]] = SMALL) -> Shipped:
        """Make a version public, in the first account and on the index."""
        host = self.sandbox.environ["KFP_RELEASE_REGISTRY"]
        shipped = ship(self.stores, host, "team", version=version, layers=layers)
        write_files(self.sandbox.packages, shipped.pins)
        return shipped

    def arrived(self, image: str) -> EcrRepository:
        """A repository of the second account."""
        return EcrRepository(self.second.client(), Repository.parse(f"{OTHER_HOST}/team/{image}"))

    def use(self, second: str, *, first: str = "") -> None:
        """Have the profiles ask there."""
        self.config.write_text(_profiles(self.sandbox, first, second), encoding="utf-8")


@contextmanager
def a_company(folder: Path) -> Iterator[Company]:
    project = new_repository(folder / "project")
    commit(project, "pyproject.toml", PYPROJECT)
    with (
        Sandbox(folder / "sandbox", base=False, progress=Silent()) as sandbox,
        running_ecr(folder / "second", OTHER_HOST) as second,
    ):
        company = Company(project, sandbox, second, folder / "aws-config")
        company.use(second.stand_in.url)
        yield company


def _profiles(sandbox: Sandbox, first: str, second: str) -> str:
    environ = sandbox.environ
    url = first or environ["AWS_ENDPOINT_URL_ECR"]
    own = (url, environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"])
    accounts = {"staging": own, "production": (second, ACCESS_KEY, SECRET_KEY), "stranger": (second, "AKIAX", "x")}
    return "".join(
        f"[profile {name}]\nendpoint_url = {url}\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
        for name, (url, key, secret) in accounts.items()
    )
