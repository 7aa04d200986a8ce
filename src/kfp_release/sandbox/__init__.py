"""The local ECR, registry, index, base image and engine of the demo, on loopback."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from kfp_release.cache import cache_folder
from kfp_release.credentials import Credentials
from kfp_release.ecr import EcrRepository
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import ImageRef, Repository
from kfp_release.progress import Progress, Silent
from kfp_release.sandbox.access import Access
from kfp_release.sandbox.base import BASE_REPOSITORY, base_image, push_base
from kfp_release.sandbox.ecr import EcrStandIn
from kfp_release.sandbox.engine import Engine
from kfp_release.sandbox.environment import REGION, environment, exports
from kfp_release.sandbox.index import IndexServer
from kfp_release.sandbox.kms import KmsServer
from kfp_release.sandbox.packages import docker_registry, ensure
from kfp_release.sandbox.registry import DockerRegistry
from kfp_release.sandbox.secret_file import write_secret
from kfp_release.signals import signals_wait


class Sandbox:
    """Real parts on loopback: a registry behind an ECR stand-in, an index, a base image and, if asked, an engine.

    A context manager: its parts run inside the block and are stopped at its end, whatever ends it. Everything is in
    `folder`, which a later sandbox can continue with, but for what is worth keeping for others: `cache`, by default
    ``$XDG_CACHE_HOME/kfp-release``. Enter it in the main thread: its processes end with the thread that starts them.
    """

    def __init__(
        self,
        folder: Path,
        *,
        engine: bool = False,
        base: bool = True,
        kms: bool = False,
        progress: Progress | None = None,
        cache: Path | None = None,
    ) -> None:
        """`engine` asks for a Docker engine, `base` for an image to begin with, `kms` for a key that signs."""
        self.folder = folder.absolute()
        self._wants_engine = engine
        self._wants_base = base
        self._wants_kms = kms
        self._progress = progress or Silent()
        self._cache = cache or cache_folder()
        self._parts = ExitStack()
        self._environ: dict[str, str] = {}
        self.ecr: EcrStandIn | None = None
        """The stand-in for ECR, once it is started."""
        self.engine: Engine | None = None
        """The Docker engine, where one was asked for."""
        self._kms: KmsServer | None = None

    def __enter__(self) -> Self:
        """Install what is missing and start the parts. Raise `ReleaseError` where one cannot be had."""
        try:
            with ExitStack() as parts:
                self._start(parts)
                self._parts = parts.pop_all()
        except OSError as error:
            raise ReleaseError(
                f"the sandbox cannot be set up in {self.folder}: {error}", remedy="take another folder"
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop everything that was started here. A second Ctrl-C does not keep it from that."""
        with signals_wait():
            self._parts.close()

    @property
    def environ(self) -> dict[str, str]:
        """What to add to a program's environment, so that it works against this sandbox."""
        return dict(self._environ)

    @property
    def packages(self) -> Path:
        """The folder with the files that the index serves."""
        return self.folder / "index" / "packages"

    def signing_key(self) -> Path:
        """The file with the public half of the key that signs. Raise `ReleaseError` where there is none."""
        if self._kms is None:
            raise ReleaseError("this sandbox has no KMS")
        return self._kms.public_key

    @property
    def pip_index_url(self) -> str:
        """The index as pip takes it, with credentials: for ``PIP_INDEX_URL``, not for an argument."""
        url, user = self._environ["KFP_RELEASE_SIMPLE_URL"], self._environ["TWINE_USERNAME"]
        return url.replace("://", f"://{quote(user, safe='')}:{quote(self._environ['TWINE_PASSWORD'], safe='')}@", 1)

    def _start(self, parts: ExitStack) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        parts.enter_context(_only_one(self.folder))
        if self._wants_base:
            ensure("buildah", "mmdebstrap", progress=self._progress)
        binary = docker_registry(self._cache, self._progress)
        self._progress.step("start the sandbox")
        access = Access.of(self.folder)
        login = (access.registry_user, access.registry_password)
        registry = DockerRegistry(self.folder / "registry", *login, binary)
        parts.callback(registry.stop)
        registry.start()
        keys = {"access_key": access.access_key, "secret_key": access.secret_key}
        ecr = EcrStandIn(f"http://{registry.host}", *login, self.folder / "ecr.json", **keys)
        parts.callback(ecr.stop)
        self.ecr = ecr.start()
        index = IndexServer(self.folder / "index", Credentials(access.index_user, access.index_password))
        parts.callback(index.stop)
        index.start()
        self._environ = environment(
            self.folder, access, ecr_url=ecr.url, registry=registry.host, index=index, environ=os.environ
        )
        if self._wants_base:
            self._environ["KFP_RELEASE_BUILD_ARG_BASE"] = str(self._push_base(registry.host))
        if self._wants_kms:
            self._environ |= self._start_kms(parts)
        if self._wants_engine:
            self.engine = Engine(self.folder / "engine", environ=os.environ, progress=self._progress)
            parts.callback(self.engine.stop)
            self.engine.start()
            self._environ["DOCKER_HOST"] = self.engine.host
        write_secret(self.folder / "environment", exports(self._environ))

    def _start_kms(self, parts: ExitStack) -> dict[str, str]:
        self._kms = KmsServer(self.folder / "kms", REGION)
        parts.callback(self._kms.stop)
        self._kms.start()
        return {"AWS_ENDPOINT_URL_KMS": self._kms.url, "KFP_RELEASE_SIGNING_KEY": self._kms.key}

    def _push_base(self, host: str) -> ImageRef:
        layout = base_image(self._cache, progress=self._progress)
        store = EcrRepository(_client(self._environ), Repository(host, BASE_REPOSITORY))
        return push_base(layout, store, progress=self._progress)


def _client(environ: Mapping[str, str]) -> Any:
    """A client for the stand-in that takes nothing from this process's own AWS settings."""
    import boto3  # noqa: PLC0415 - slow to import
    import botocore.session  # noqa: PLC0415 - likewise

    nothing = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
    session = botocore.session.Session(session_vars={"profile": (None, None, None, None), **nothing})
    return boto3.session.Session(
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
        botocore_session=session,
    ).client("ecr", endpoint_url=environ["AWS_ENDPOINT_URL_ECR"])


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ReleaseError(
                f"a sandbox runs in {folder} already", remedy="stop it, or take another folder"
            ) from error
        yield
