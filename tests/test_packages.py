"""What is installed, with which words, and that no service starts: with programs of our own in apt's place."""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kfp_release.cache import cache_folder
from kfp_release.errors import ReleaseError
from kfp_release.sandbox.packages import docker_registry, ensure
from kfp_release.sandbox.service_guard import ServiceGuard

REAL = ("cat", "chmod", "cp", "dpkg-deb", "env", "install", "ls", "mv", "rm", "sh", "sleep", "tar", "touch", "true")
GUARD = b"#!/bin/sh\n# kfp-release installs packages, starts no service, and takes this file away again.\nexit 101\n"


@dataclass
class Told:
    """Keeps the steps that it is told."""

    steps: list[str] = field(default_factory=list)

    def step(self, text: str) -> None:
        self.steps.append(text)

    def note(self, text: str) -> None:
        """Nothing."""

    def sent(self, what: str, done: int, total: int) -> None:
        """Nothing."""


@dataclass
class Machine:
    """A machine whose programs are in one folder. `log` is what apt-get and sudo were called with."""

    folder: Path

    def program(self, name: str, script: str) -> None:
        path = self.folder / "bin" / name
        path.unlink(missing_ok=True)
        path.write_text(f'#!/bin/sh\necho {name} "$@" >> {self.folder}/log\n{script}\n', encoding="utf-8")
        path.chmod(0o755)

    @property
    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @property
    def policies(self) -> Path:
        return self.folder / "sbin"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    (tmp_path / "bin").mkdir()
    (tmp_path / "sbin").mkdir()
    for name in REAL:
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or "/missing")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return Machine(tmp_path)


def test_what_is_there_is_not_installed(machine: Machine) -> None:
    told = Told()
    ensure("sh", "tar", progress=told, policies=machine.policies)
    assert (told.steps, machine.log) == ([], "")


def test_what_is_missing_is_installed_with_a_line_that_says_so(machine: Machine) -> None:
    installed, seen = machine.folder / "bin/mmdebstrap", machine.folder / "seen"
    machine.program(
        "apt-get",
        f'case "$*" in *install*) cp {machine.policies}/policy-rc.d {seen}; cp /bin/true {installed};; esac',
    )
    told = Told()
    ensure("mmdebstrap", "sh", progress=told, policies=machine.policies)
    assert told.steps == ["install debian-archive-keyring, mmdebstrap with apt-get, for mmdebstrap"]
    assert "install --yes --no-install-recommends debian-archive-keyring mmdebstrap\n" in machine.log
    assert seen.read_bytes() == GUARD
    assert list(machine.policies.iterdir()) == []


def test_one_package_serves_two_programs(machine: Machine) -> None:
    machine.program("apt-get", f"cp /bin/true {machine.folder}/bin/docker; cp /bin/true {machine.folder}/bin/dockerd")
    if any(Path(folder, "dockerd").exists() for folder in ("/usr/sbin", "/usr/local/sbin")):
        needs, said = ["docker"], "install docker.io with apt-get, for docker"
    else:
        needs, said = ["dockerd", "docker"], "install docker.io, pigz with apt-get, for dockerd, docker"
    told = Told()
    ensure(*needs, progress=told, policies=machine.policies)
    assert told.steps == [said]


def test_a_failed_installation_names_the_packages_and_restores_the_policy(machine: Machine) -> None:
    machine.program("apt-get", "echo E: Unable to locate package; exit 100")
    (machine.policies / "policy-rc.d").write_text("theirs", encoding="utf-8")
    with pytest.raises(
        ReleaseError, match=r"did not install mmdebstrap(.|\n)*Unable to locate(.|\n)*install debian-archive-keyring"
    ):
        ensure("mmdebstrap", progress=Told(), policies=machine.policies)
    assert "update" in machine.log
    assert [path.read_text() for path in machine.policies.iterdir()] == ["theirs"]


def test_ctrl_c_lets_an_installation_end_under_the_guard(machine: Machine) -> None:
    seen = machine.folder / "seen"
    machine.program(
        "apt-get",
        f"trap 'sleep 1; cp {machine.policies}/policy-rc.d {seen}; exit 130' INT\nsleep 1\nkill -INT $PPID\n"
        "while true; do sleep 0.1; done",
    )
    with pytest.raises(KeyboardInterrupt):
        ensure("mmdebstrap", progress=Told(), policies=machine.policies)
    assert seen.read_bytes() == GUARD
    assert list(machine.policies.iterdir()) == []


def test_without_apt_the_packages_are_named(machine: Machine) -> None:
    with pytest.raises(ReleaseError, match=r"no apt-get here\n.*install buildah debian-archive-keyring mmdebstrap"):
        ensure("buildah", "mmdebstrap", progress=Told(), policies=machine.policies)


@pytest.mark.parametrize("sudo", [None, "exit 1"])
def test_without_root_and_sudo_the_packages_are_named(
    sudo: str | None, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    machine.program("apt-get", "exit 0")
    if sudo:
        machine.program("sudo", sudo)
    with pytest.raises(ReleaseError, match=r"not root, and there is no sudo.*\n.*install buildah"):
        ensure("buildah", progress=Told(), policies=machine.policies)
    assert "apt-get" not in machine.log


def test_sudo_serves_where_it_asks_no_password(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    machine.program("sudo", 'shift; exec "$@"')
    machine.program("apt-get", f"cp /bin/true {machine.folder}/bin/buildah")
    ensure("buildah", progress=Told(), policies=machine.policies)
    calls = [line.split()[:3] for line in machine.log.splitlines() if line.startswith("sudo")]
    assert ["sudo", "-n", "true"] in calls
    assert ["sudo", "-n", "env"] in calls
    assert all(call[1] == "-n" for call in calls)


def state(folder: Path) -> dict[str, object]:
    """Everything about the files of a folder that a guard could change."""
    return {
        path.name: (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            path.lstat().st_ino,
            path.exists() and path.read_bytes(),
        )
        for path in folder.iterdir()
    }


@pytest.mark.parametrize("before", ["nothing", "a file", "a link", "a link to nowhere"])
def test_the_guard_leaves_the_policy_exactly_as_it_was(before: str, tmp_path: Path) -> None:
    (tmp_path / "sbin").mkdir()
    policy = tmp_path / "sbin/policy-rc.d"
    if before == "a file":
        policy.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
        policy.chmod(0o751)
    elif before != "nothing":
        policy.symlink_to("/bin/true" if before == "a link" else "/missing")
    seen = state(tmp_path / "sbin")
    with suppress(KeyboardInterrupt), ServiceGuard([], folder=tmp_path / "sbin"):
        assert subprocess.run([policy], check=False).returncode == 101
        raise KeyboardInterrupt
    assert state(tmp_path / "sbin") == seen


def test_what_a_killed_run_left_is_put_right(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("theirs", encoding="utf-8")
    ServiceGuard([], folder=tmp_path).__enter__()  # and never left
    with ServiceGuard([], folder=tmp_path):
        assert policy.read_bytes() == GUARD
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["theirs"]
    policy.write_bytes(GUARD)
    with ServiceGuard([], folder=tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_guard_that_cannot_be_set_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(ReleaseError, match=r"missing/policy-rc.d cannot be changed"),
        ServiceGuard([], folder=tmp_path / "missing"),
    ):
        pass


def package(machine: Machine) -> Path:
    """A Debian package with a docker-registry that only tells its version."""
    root = machine.folder / "root"
    program = root / "usr/bin/docker-registry"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho docker-registry 2.8\n", encoding="utf-8")
    program.chmod(0o755)
    (root / "DEBIAN").mkdir(mode=0o755)
    (root / "DEBIAN/control").write_text(
        "Package: docker-registry\nVersion: 2.8\nArchitecture: all\nMaintainer: A <a@example.com>\nDescription: test\n",
        encoding="utf-8",
    )
    archive = machine.folder / "docker-registry_2.8_all.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", root, archive], check=True, capture_output=True)
    return archive


def test_the_registry_is_unpacked_into_the_cache_once(machine: Machine) -> None:
    machine.program("apt-get", f'case "$*" in *download*) cp {package(machine)} .;; esac')
    cache, told = machine.folder / "cache", Told()
    found = [docker_registry(cache, told), docker_registry(cache, told)]
    assert found == [cache / "docker-registry/usr/bin/docker-registry"] * 2
    assert told.steps == [f"download Debian's docker-registry into {cache}"]
    assert sorted(path.name for path in cache.iterdir()) == ["docker-registry", "kfp-release"]


def test_sandboxes_that_start_at_once_unpack_it_once(machine: Machine) -> None:
    machine.program("apt-get", f'case "$*" in *download*) sleep 0.2; cp {package(machine)} .;; esac')
    cache, told = machine.folder / "cache", Told()
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda _: docker_registry(cache, told), range(4)))
    assert set(found) == {cache / "docker-registry/usr/bin/docker-registry"}
    assert told.steps == [f"download Debian's docker-registry into {cache}"]


def test_the_system_s_registry_is_used_where_there_is_one(machine: Machine) -> None:
    machine.program("docker-registry", "exit 0")
    assert docker_registry(machine.folder / "cache", Told()) == machine.folder / "bin/docker-registry"


@pytest.mark.parametrize("script", ["echo E: no network; exit 100", "exit 0"])
def test_a_registry_that_cannot_be_had_is_told(script: str, machine: Machine) -> None:
    machine.program("apt-get", script)
    with pytest.raises(ReleaseError, match=r"cannot download docker-registry(.|\n)*apt-get update"):
        docker_registry(machine.folder / "cache", Told())
    machine.folder.joinpath("bin/apt-get").unlink()
    with pytest.raises(ReleaseError, match=r"no apt-get here(.|\n)*install docker-registry"):
        docker_registry(machine.folder / "cache", Told())


def test_the_cache_is_where_xdg_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for value, expected in {"/var/x": "/var/x", "": f"{tmp_path}/.cache", "relative": f"{tmp_path}/.cache"}.items():
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert str(cache_folder()) == f"{expected}/kfp-release"
