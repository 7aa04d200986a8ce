"""The registry of the sandbox: a real docker-registry."""

from __future__ import annotations

import stat
import urllib.error
import urllib.request
from base64 import b64encode
from pathlib import Path

import pytest

from kfp_release.cache import cache_folder
from kfp_release.errors import ReleaseError
from kfp_release.progress import Silent
from kfp_release.sandbox.packages import docker_registry
from kfp_release.sandbox.registry import DockerRegistry
from kfp_release.sandbox.registry_api import RegistryApi

PASSWORD = "a password"  # noqa: S105 - of a server that lives as long as a test


@pytest.fixture(scope="module")
def binary() -> Path:
    return docker_registry(cache_folder(), Silent())


def _status(url: str, password: str | None) -> int:
    headers = {} if password is None else {"Authorization": "Basic " + b64encode(f"AWS:{password}".encode()).decode()}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:  # noqa: S310 - loopback
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_it_listens_on_loopback_and_asks_for_the_password(tmp_path: Path, binary: Path) -> None:
    with DockerRegistry(tmp_path / "registry", "AWS", PASSWORD, binary) as registry:
        assert registry.host.startswith("127.0.0.1:")
        assert [_status(f"{registry.url}/v2/", each) for each in (None, "wrong", PASSWORD)] == [401, 401, 200]


def test_its_storage_and_its_port_stay_over_a_restart(tmp_path: Path, binary: Path) -> None:
    registry = DockerRegistry(tmp_path / "registry", "AWS", PASSWORD, binary)
    hosts = set()
    for _ in range(2):
        with registry:
            hosts.add(registry.host)
            api = RegistryApi(registry.url, "AWS", PASSWORD)
            digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
            if len(hosts) == 1 and api.blob_size("some/name", digest) is None:
                assert api.finish(api.append(api.begin_upload("some/name"), b"abc"), digest)
            assert b"".join(api.blob("some/name", digest)) == b"abc"
            api.close()
    assert len(hosts) == 1


def test_another_port_serves_where_the_last_one_is_taken(tmp_path: Path, binary: Path) -> None:
    first = DockerRegistry(tmp_path / "first", "AWS", PASSWORD, binary)
    with first:
        (tmp_path / "second").mkdir()
        (tmp_path / "second/port").write_text(first.host.rpartition(":")[2])
        with DockerRegistry(tmp_path / "second", "AWS", PASSWORD, binary) as second:
            assert second.host != first.host
            assert _status(f"{second.url}/v2/", PASSWORD) == 200


def test_no_one_else_can_read_its_password(tmp_path: Path, binary: Path) -> None:
    with DockerRegistry(tmp_path / "registry", "AWS", PASSWORD, binary):
        pass
    for name in ("htpasswd", "config.yml"):
        path = tmp_path / "registry" / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert PASSWORD not in path.read_text()


def test_nothing_listens_after_it_was_stopped_and_stopping_again_is_harmless(tmp_path: Path, binary: Path) -> None:
    registry = DockerRegistry(tmp_path / "registry", "AWS", PASSWORD, binary).start()
    url = registry.url
    registry.stop()
    registry.stop()
    with pytest.raises(urllib.error.URLError, match="refused"):
        _status(f"{url}/v2/", PASSWORD)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"docker-registry (.|\n)*nothing"):
        DockerRegistry(tmp_path / "registry", "AWS", PASSWORD, tmp_path / "nothing").start()


def test_a_program_that_is_no_registry_shows_its_log(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho I am none; exit 3\n")
    program.chmod(0o755)
    with pytest.raises(ReleaseError, match=r"docker-registry ended with exit code 3(.|\n)*I am none"):
        DockerRegistry(tmp_path / "registry", "AWS", PASSWORD, program).start()
