"""The engine that builds runtimes: buildah, which needs no daemon and gives the same bytes for the same inputs."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import platform
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from kfp_release.digest import Digest
from kfp_release.dockerfile import base_images
from kfp_release.errors import ReleaseError
from kfp_release.image import RUNTIME_EPOCH
from kfp_release.layout import Layout
from kfp_release.program import ProgramFailed, find_program, run_program
from kfp_release.progress import Progress
from kfp_release.registry_login import RegistryLogin
from kfp_release.signals import signals_wait
from kfp_release.stopping import Stopped, ended_after

BUILT: Final = "runtime"
"""The name of the built image in its layout."""

_CERTIFICATES: Final = Path("/etc/ssl/certs")
_LOOPBACK = re.compile(r"(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?/.+", re.ASCII)
_INSPECTED: Final = (
    "{{.OCIv1.OS}}/{{.OCIv1.Architecture}}{{println}}{{range .OCIv1.RootFS.DiffIDs}}{{println .}}{{end}}"
)
_BOUND = re.compile(rb"--mount=(?!\S*type=(?:secret|ssh|cache|tmpfs)\b)", re.IGNORECASE)
"""A file of the context that a step sees and does not copy. Not each buildah has its cache depend on those."""
_REMOVED: Final = 60
"""Seconds in which a storage is emptied."""
_STEP = re.compile(r"(?:\[[0-9]+/[0-9]+\] )?STEP [0-9]+/[0-9]+: ")
_REMEDIES: Final = (
    ("exec format error", "build on a machine of the image's platform, or install qemu-user-static"),
    ("unauthorized", "log in to the base image's registry: buildah login HOST"),
    ("no basic auth credentials", "log in to the base image's registry: buildah login HOST"),
    ("short-name", "write the base image's name in full, with its registry: docker.io/library/python"),
    ("no space left", "make room: buildah rmi --prune"),
    ("initializing source", "is the base image's name right, and its registry reachable from here?"),
)


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """One image to build."""

    dockerfile: bytes
    context: Mapping[str, tuple[int, bytes]]
    """Mode and bytes by path: all that the Dockerfile can copy."""
    build_args: Mapping[str, str]
    platform: str
    ssh: tuple[str, ...] = ()
    """For ``RUN --mount=type=ssh``, each as ``default``, ``ID=SOCKET`` or ``ID=KEYFILE``."""
    secrets: tuple[str, ...] = ()
    """For ``RUN --mount=type=secret``, each as ``id=ID,src=FILE`` or ``id=ID,env=NAME``."""
    login: RegistryLogin | None = None
    """For the registry that base images come from, where it is private."""


class Builder(Protocol):
    """Owned by `kfp_release.runtime`, which asks for a runtime."""

    def build(self, request: BuildRequest, target: Path, *, progress: Progress) -> Layout:
        """Build the image, under the name `BUILT`, into a layout at `target`, which does not exist yet.

        Raise `ReleaseError` where it cannot be built, or is of another platform.
        """


class Buildah:
    """A `Builder`. What it built stays in its storage, without a name, as the cache of the next build.

    `storage` is a folder of its own instead of the user's; without `cache` every step is run anew.
    """

    def __init__(self, *, storage: Path | None = None, cache: bool = True) -> None:
        self._storage = storage
        self._cache = cache

    def build(self, request: BuildRequest, target: Path, *, progress: Progress) -> Layout:
        """As `Builder` says. What it started has ended when this is left, whichever way."""
        buildah = self._command()
        with tempfile.TemporaryDirectory(prefix="kfp-release-") as folder:
            scratch = Path(folder)
            image_id = scratch / "id"
            command = [*buildah, "bud", *_arguments(request, scratch), f"--iidfile={image_id}"]
            command += [] if self._cache and not _BOUND.search(request.dockerfile) else ["--no-cache"]
            try:
                # Where the user is: paths of keys and secrets are relative to it.
                run_program(
                    [*command, str(scratch / "context")],
                    what="the runtime could not be built",
                    folder=Path.cwd(),
                    on_line=lambda line: progress.note(line) if _STEP.match(line) else None,
                )
            except ProgramFailed as error:
                raise ReleaseError(error.args[0], remedy=_remedy(error.tail, request)) from error
            push = [*buildah, "push", "--quiet", "--format=oci", image_id.read_text().strip()]
            run_program(
                [*push, f"oci:{target.name}:{BUILT}"],
                what="the runtime could not be written",
                folder=target.parent,
                on_line=lambda _: None,
            )
        layout = Layout(target)
        config = layout.image(BUILT).config
        _require_platform(config.platform, request.platform, "the runtime")
        # --platform is what buildah writes into the config, whatever it was built on.
        for base in _bases(request):
            found, diff_ids = self._inspect(base)
            if diff_ids and config.diff_ids[: len(diff_ids)] == diff_ids:
                _require_platform(found, request.platform, f"its base image {base}")
        return layout

    def forget(self) -> None:
        """Remove all that it has in a storage of its own, layers that belong to other user ids too.

        A build that had to be killed leaves containers, whose file systems stay mounted.
        """
        if self._storage is None or not (self._storage / "root").is_dir():
            return
        what, failed = "what was built could not be removed", []
        for command in (["rm", "--all"], ["rmi", "--all", "--force"]):
            try:
                with ended_after(_REMOVED):
                    run_program([*self._command(), *command], what=what, folder=Path.cwd(), on_line=lambda _: None)
            except Stopped:
                failed.append(f"{what}: buildah {command[0]} did not end within {_REMOVED} s")
            except ProgramFailed as error:
                failed.append(str(error.args[0]))
        if failed:
            raise ReleaseError(failed[0], remedy=f"remove the folder {self._storage}")

    def _inspect(self, image: str) -> tuple[str, tuple[Digest, ...]]:
        """The platform of an image in the storage, without its variant, and the digests of its layers' tars."""
        lines: list[str] = []
        with contextlib.suppress(ProgramFailed):  # what is not in the storage is not what was built on
            run_program(
                [*self._command(), "inspect", "--type=image", f"--format={_INSPECTED}", image],
                what="the base image could not be read",
                folder=Path.cwd(),
                on_line=lines.append,
            )
        return "".join(lines[:1]), tuple(Digest.parse(line) for line in lines[1:])

    def _command(self) -> list[str]:
        program = find_program(
            "buildah", remedy="sudo apt-get install buildah; only a runtime that ECR lacks needs it, and only on Linux"
        )
        if self._storage is None:
            return [program]
        return [program, f"--root={self._storage / 'root'}", f"--runroot={self._storage / 'run'}"]


@contextlib.contextmanager
def fresh_buildah() -> Iterator[Buildah]:
    """A `Builder` that has nothing from before: every step is run, in a storage that is gone at the end."""
    with tempfile.TemporaryDirectory(prefix="kfp-release-", ignore_cleanup_errors=True) as folder:
        buildah = Buildah(storage=Path(folder), cache=False)
        try:
            yield buildah
        except BaseException:
            with signals_wait(), contextlib.suppress(ReleaseError):  # what has gone wrong before is what is told
                buildah.forget()
            raise
        with signals_wait():
            buildah.forget()


def host_platform() -> str:
    """The platform of the machine that runs it, as images name it: ``linux/amd64``."""
    machine = platform.machine().lower()
    return "linux/" + {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def _arguments(request: BuildRequest, scratch: Path) -> list[str]:
    """The options of one build, with its files written below `scratch`."""
    dockerfile = scratch / "Dockerfile"
    dockerfile.write_bytes(request.dockerfile)
    for name, (mode, data) in request.context.items():
        _write(scratch / "context", name, mode, data)
    (scratch / "context").mkdir(exist_ok=True)
    options = ["--layers", "--force-rm", "--isolation=chroot", "--network=host", "--format=oci", "--pull=false"]
    options += [f"--timestamp={RUNTIME_EPOCH}", f"--platform={request.platform}", f"--file={dockerfile}"]
    options += [f"--build-arg={name}={value}" for name, value in sorted(request.build_args.items())]
    options += [f"--ssh={value}" for value in request.ssh]
    options += [f"--secret={value}" for value in request.secrets]
    if (_CERTIFICATES / "ca-certificates.crt").is_file():
        # Companies that look into TLS have certificates of their own; nothing of a mount gets into a layer.
        options.append(f"--volume={_CERTIFICATES}:{_CERTIFICATES}:ro")
    bases = _bases(request)
    if bases and all(_LOOPBACK.fullmatch(base) for base in bases):
        options.append("--tls-verify=false")
    if request.login is not None:
        options.append(f"--authfile={_auth_file(scratch, request.login)}")
    return options


def _write(context: Path, name: str, mode: int, data: bytes) -> None:
    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts:
        raise ReleaseError(f"{name[:200]!r} is outside of the build's context")
    path = context / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    for folder in list(relative.parents)[:-1]:  # whatever the umask
        (context / folder).chmod(0o755)
    path.write_bytes(data)
    path.chmod(mode)


def _auth_file(scratch: Path, login: RegistryLogin) -> Path:
    """containers-auth.json(5); no password is ever in an argument list."""
    path = scratch / "auth.json"
    secret = base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"auths": {login.host: {"auth": secret}}}, file)
    return path


def _remedy(tail: str, request: BuildRequest) -> str:
    for sign, remedy in _REMEDIES:
        if sign in tail.lower():
            return remedy
    if request.platform != host_platform():
        return f"it is for {request.platform}, and this machine is {host_platform()}"
    return "mend what the lines above tell; kfp-release runtime goes on after the last step that worked"


def _bases(request: BuildRequest) -> list[str]:
    return base_images(request.dockerfile.decode(errors="replace"), request.build_args)


def _require_platform(found: str, wanted: str, what: str) -> None:
    # No variant is the architecture's usual one: v8 for arm64. OCI image-index.md, platform variants.
    if found.split("/")[:2] != wanted.split("/")[:2]:
        raise ReleaseError(
            f"{what} is for {found}, and {wanted} was asked for",
            remedy="name a base image, with its digest, of that platform; or change 'platform'",
        )
