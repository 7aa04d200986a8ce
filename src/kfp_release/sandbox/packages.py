"""What the sandbox needs of the system: found, or installed with Debian's package manager and a line that says so."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from kfp_release.cache import cache_folder
from kfp_release.errors import ReleaseError
from kfp_release.progress import Progress
from kfp_release.sandbox.privilege import find, root_prefix
from kfp_release.sandbox.service_guard import POLICIES, ServiceGuard
from kfp_release.signals import signals_wait

PACKAGES = {
    "buildah": ("buildah",),
    "chromium": ("chromium",),  # for the catalog's pages in the tests; no part of the sandbox
    "docker": ("docker.io",),
    "dockerd": ("docker.io", "pigz"),  # with pigz in place it unpacks pulled layers with that
    "mmdebstrap": ("mmdebstrap", "debian-archive-keyring"),  # whose keys Ubuntu does not have by itself
    "node": ("nodejs",),  # with npm, for type checkers in the tests; no part of the sandbox
    "npm": ("npm",),
    "ssh": ("openssh-client",),
    "sshd": ("openssh-server",),
}
"""Debian's packages, by the program that is needed."""
REGISTRY = "docker-registry"
_LISTS = Path("/var/lib/apt/lists")
_LISTS_AGE = 24 * 3600
_PATIENCE = 900
"""Seconds: how old apt's lists may be, and how long one run of apt may take."""
_OPTIONS = (
    *("-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=30"),
    *("-o", "Dpkg::Options::=--force-confold", "-o", "APT::Sandbox::User=root"),
)
_NO_ROOT = "this user is not root, and there is no sudo without a password"
_ENVIRONMENT = ("DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1", "LC_ALL=C.UTF-8")


def ensure(*needs: str, progress: Progress, policies: Path = POLICIES) -> None:
    """Install the packages of those programs of `needs` that are missing; no service of theirs is started.

    `policies` is the folder of Debian's policy-rc.d, which sees to that. Raise `ReleaseError`, which names the
    packages, where it cannot be done.
    """
    missing = [need for need in needs if find(need) is None]
    if not missing:
        return
    packages = sorted({package for need in missing for package in PACKAGES.get(need, (need,))})
    prefix = root_prefix()
    if find("apt-get") is None or prefix is None:
        why = "there is no apt-get here" if find("apt-get") is None else _NO_ROOT
        raise ReleaseError(
            f"{', '.join(missing)} is needed and not installed, and {why}",
            remedy=f"install {' '.join(packages)} (apt-get install --no-install-recommends {' '.join(packages)})",
        )
    progress.step(f"install {', '.join(packages)} with apt-get, for {', '.join(missing)}")
    with _one_at_a_time(), ServiceGuard(prefix, folder=policies):
        said = _install(prefix, packages)
    if still := [need for need in missing if find(need) is None]:
        raise ReleaseError(
            f"apt-get did not install {', '.join(still)}; the end of what it said:\n{said}",
            remedy=f"install {' '.join(packages)} yourself, then run this again",
        )


def docker_registry(cache: Path, progress: Progress) -> Path:
    """The program ``docker-registry``: the system's, or Debian's unpacked into `cache`, which takes no root.

    The package is not installed, for that would set up a registry as a service of the machine.
    """
    system, cached = find(REGISTRY), cache / REGISTRY / "usr/bin" / REGISTRY
    for program in (system, cached):
        if program is not None and _runs(program):
            return program
    if find("apt-get") is None or find("dpkg-deb") is None:
        raise ReleaseError(
            f"{REGISTRY} is needed, and there is no apt-get here to get it", remedy=f"install {REGISTRY}"
        )
    cache.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time():
        if not _runs(cached):  # another sandbox may have brought it meanwhile
            progress.step(f"download Debian's {REGISTRY} into {cache}")
            _download_registry(cache)
    if not _runs(cached):
        raise ReleaseError(f"{cached} does not run here", remedy=f"install {REGISTRY}")
    return cached


def _download_registry(cache: Path) -> None:
    prefix, apt = root_prefix(), ["env", *_ENVIRONMENT, "apt-get", *_OPTIONS]
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        said = ""
        for update in (_lists_are_old(), True):  # as in `_install`
            if update and prefix is not None:
                _run([*prefix, *apt, "update"], Path("/"))
            done, said = _run([*apt, "download", REGISTRY], Path(temporary))
            if done:
                break
        archives = list(Path(temporary).glob("*.deb"))
        if len(archives) != 1:
            raise ReleaseError(
                f"apt-get cannot download {REGISTRY}; the end of what it said:\n{said}",
                remedy=f"apt-get update, as root; or install {REGISTRY}",
            )
        unpacked = Path(temporary) / "unpacked"
        done, said = _run(["dpkg-deb", "--extract", str(archives[0]), str(unpacked)], Path(temporary))
        if not done:
            raise ReleaseError(
                f"{archives[0].name} cannot be unpacked; dpkg-deb said:\n{said}", remedy=f"make room in {cache}"
            )
        shutil.rmtree(cache / REGISTRY, ignore_errors=True)
        unpacked.rename(cache / REGISTRY)


def _install(prefix: Sequence[str], packages: Sequence[str]) -> str:
    apt = [*prefix, "env", *_ENVIRONMENT, "apt-get", *_OPTIONS]
    install = [*apt, "install", "--yes", "--no-install-recommends", *packages]
    # Lists may be missing or old, and a mirror may have a bad moment; an update that fails (a foreign source, say)
    # decides nothing, the installation does.
    said = ""
    for update in (_lists_are_old(), True):
        if update:
            _run([*apt, "update"], Path("/"))
        done, said = _run(install, Path("/"))
        if done:
            break
    return said


def _lists_are_old() -> bool:
    # The lists have their servers' times, their folders the time of the last update.
    if not any(_LISTS.glob("*_Packages*")):
        return True
    folders = [folder for folder in (_LISTS, _LISTS / "partial") if folder.exists()]
    return time.time() - max(folder.stat().st_mtime for folder in folders) > _LISTS_AGE


def _run(command: Sequence[str], folder: Path) -> tuple[bool, str]:
    """Whether it ended well, and the last lines of what it said."""
    try:
        with subprocess.Popen(  # noqa: S603 - a list of our own, no shell
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as child:
            said = _said(child)
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, f"    {error}"
    return child.returncode == 0, "\n".join(f"    {line[:300]}" for line in said.splitlines()[-12:])


def _said(child: subprocess.Popen[str]) -> str:
    """All that it prints. Ctrl-C is handed on and its end awaited: a dpkg that is cut off has to be mended by hand."""
    try:
        return child.communicate(timeout=_PATIENCE)[0]
    except subprocess.TimeoutExpired:
        child.kill()
        raise
    except BaseException:
        with signals_wait():
            with contextlib.suppress(PermissionError):  # sudo is root's; the terminal told it
                child.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.communicate(timeout=_PATIENCE)
        raise


def _runs(program: Path) -> bool:
    return program.is_file() and _run([str(program), "--version"], Path("/"))[0]


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two sandboxes that start at once must not take away each other's guard."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "packages.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
