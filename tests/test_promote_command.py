"""``kfp-release promote`` as people run it: two accounts behind two profiles, an index, and a process killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ecr_fixtures import SECRET_KEY, noise
from git_fixtures import commit
from promote_fixtures import MIB, OTHER_HOST, PROJECT, Company, a_company, write_files
from relay import Call, Relay

from kfp_release.image_ref import ImageRef, Repository

PROFILES = ("--from-profile", "staging", "--to-profile", "production")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with a_company(tmp_path_factory.mktemp("company")) as running:
        yield running


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    value: dict[str, Any] = json.loads(done.stdout)
    return value


def test_between_two_accounts_by_their_profiles_and_told_to_a_person(company: Company, tmp_path: Path) -> None:
    shipped = company.release("1.0")
    summary = tmp_path / "summary.md"
    done = company.promote("1.0", "--create-repository", GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"The images of {PROJECT} 1.0 are in {OTHER_HOST}\n")
    for name, manifest in shipped.manifests.items():
        assert company.arrived(name).find("1.0") == manifest
        row = rf"{name} +{re.escape(OTHER_HOST)}/team/{name}:1\.0 +{manifest.digest} +copied +repository, \d\.\d kB +\d"
        assert re.search(row, done.stdout)
    assert "commit " in done.stderr
    assert "copy demo to" in done.stderr
    assert f"| `demo` | `{OTHER_HOST}/team/demo:1.0` |" in summary.read_text()
    assert SECRET_KEY not in done.stdout + done.stderr
    again = company.promote("1.0")
    assert again.returncode == 0
    assert again.stdout.startswith(f"The images of {PROJECT} 1.0 are in {OTHER_HOST}, as they were before\n")
    assert "0 of 3 blobs, 0 bytes" in again.stdout


def test_told_to_programs_and_dry(company: Company) -> None:
    shipped = company.release("2.0", {"demo": (noise(500, 21),), "training": (noise(600, 22),)})
    for run in ("--dry-run", ""):
        value = told(company.promote("2.0", "--create-repository", "--json", *filter(None, [run])))
        assert (value["distribution"], value["version"], value["registry"]) == (PROJECT, "2.0", OTHER_HOST)
        assert (value["commit"], value["withdrawn"], value["warnings"]) == ("c" * 40, "", [])
        assert (value["changed"], value["dry_run"]) == (True, bool(run))
        assert value["bytes_missing"] == shipped.size
        assert value["bytes_copied"] == (0 if run else shipped.size)
        pin = ImageRef(Repository.parse(f"{OTHER_HOST}/team/demo"), "2.0", shipped.manifests["demo"].digest)
        assert value["images"]["demo"]["target"] == str(pin)
        assert value["images"]["demo"]["state"] == ("would be copied" if run else "copied")
        assert (company.arrived("demo").find("2.0") is None) is bool(run)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_killed_in_the_middle_of_a_layer_it_sends_the_rest_the_next_time(company: Company, number: int) -> None:
    version = f"3.{number}"
    layers = {"demo": (noise(21 * MIB, number), noise(700, number)), "training": (noise(800, number),)}
    shipped = company.release(version, layers)
    with Relay(company.second.stand_in.url).running() as relay:
        company.use(relay.url)
        try:
            _cut(company, relay, version, number)
            assert [company.arrived(name).find(version) for name in layers] == [None, None]
            relay.before, relay.calls[:] = None, []
            value = told(company.promote(version, "--json", "--create-repository"))
        finally:
            company.use(company.second.stand_in.url)
    assert {name: company.arrived(name).find(version) for name in layers} == shipped.manifests
    operations = [call.target for call in relay.calls]
    assert (operations.count("InitiateLayerUpload"), operations.count("UploadLayerPart")) == (1, 3)
    assert value["bytes_copied"] == 21 * MIB


def _cut(company: Company, relay: Relay, version: str, number: int) -> None:
    """Send the signal when all is there but the second part of the large layer, and neither tag."""
    others, there, over = threading.Semaphore(0), threading.Event(), threading.Event()

    def before(call: Call) -> None:
        if call.target == "UploadLayerPart" and json.loads(call.body)["partFirstByte"]:
            for _ in range(4):
                assert others.acquire(timeout=60)
            there.set()
            over.wait(60)
            raise OSError

    def after(call: Call) -> None:
        if call.target == "CompleteLayerUpload":
            others.release()

    relay.before, relay.after = before, after
    command = [sys.executable, "-m", "kfp_release", "promote", version, "--to", OTHER_HOST, *PROFILES]
    child = subprocess.Popen(
        [*command, "--create-repository"],
        cwd=company.project,
        env={**os.environ, **company.environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert there.wait(60), child.communicate(timeout=5)
        child.send_signal(number)
        _, stderr = child.communicate(timeout=60)
    finally:
        child.kill()
        child.wait()
        over.set()
        relay.after = None
    assert child.returncode == (130 if number == signal.SIGINT else -number), stderr
    assert "Traceback" not in stderr


def test_a_withdrawn_version_is_refused_unless_it_is_asked_for(company: Company) -> None:
    company.release("4.0")
    commit(company.project, "CHANGELOG.md", "# Changelog\n\n## [4.0] - 2026-01-01 [YANKED]\n")
    done = company.promote("4.0", "--create-repository")
    assert done.returncode == 1
    assert f"{PROJECT} 4.0 is withdrawn: refs/heads/main says so\n  → promote the version that" in done.stderr
    assert company.arrived("demo").find("4.0") is None
    value = told(company.promote("4.0", "--create-repository", "--withdrawn", "--json"))
    assert (value["changed"], value["withdrawn"]) == (True, "refs/heads/main says so")


def test_it_needs_no_project_where_name_and_index_are_given(company: Company, tmp_path: Path) -> None:
    company.release("5.0")
    url = company.environ["KFP_RELEASE_SIMPLE_URL"]
    elsewhere = ["--name", PROJECT, "--index-url", url, "--create-repository", "--json"]
    done = company.run("5.0", "--to", f"{OTHER_HOST}/mirror", *PROFILES, *elsewhere, cwd=tmp_path)
    assert told(done)["images"]["demo"]["target"].startswith(f"{OTHER_HOST}/mirror/team/demo:5.0@")
    assert list(tmp_path.iterdir()) == []


def test_one_chain_of_credentials_serves_both_sides_and_without_git_the_index_alone_tells_of_withdrawal(
    company: Company, tmp_path: Path
) -> None:
    company.release("6.0")
    (tmp_path / "pyproject.toml").write_bytes((company.project / "pyproject.toml").read_bytes())
    to = f"{company.sandbox.environ['KFP_RELEASE_REGISTRY']}/mirror"
    arguments = ("6.0", "--to", to, "--create-repository", "--json")
    done = company.run(*arguments, cwd=tmp_path, environ=company.sandbox.environ)
    assert told(done)["images"]["demo"]["target"].startswith(f"{to}/team/demo:6.0@")
    assert "the index alone tells whether 6.0 is withdrawn" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("6.1", "--to", OTHER_HOST, "--to-profile", "nobody"), "(nobody) could not be found"),
        (("6.1", "--to", OTHER_HOST, *PROFILES[:2], "--to-profile", "stranger"), f"{OTHER_HOST}/team/demo at http"),
        (("6.1", "--to", OTHER_HOST, *PROFILES[2:]), " is not the host of an ECR"),
        (("6.2", "--to", OTHER_HOST, *PROFILES), "it pins tags alone, no digests"),
        (("6.1", "--to", OTHER_HOST, "--name", "../x"), "'../x' is not the name of a distribution"),
    ],
    ids=["no profile", "stranger", "one profile", "half pinned", "no name"],
)
def test_what_cannot_be_is_one_error_with_a_remedy(company: Company, arguments: tuple[str, ...], message: str) -> None:
    if not list(company.sandbox.packages.glob("*-6.1-*")):
        shipped = company.release("6.1")
        tags = tuple(replace(one, pin=one.pin.partition("@")[0], runtime_key="") for one in shipped.pins.images)
        write_files(company.sandbox.packages, replace(shipped.pins, version=_later(shipped.pins.version), images=tags))
    done = company.run(*arguments, "--create-repository")
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
    assert "  → " in done.stderr
    assert "Traceback" not in done.stderr
    assert company.arrived("demo").describe() is None or company.arrived("demo").find("6.1") is None


def _later(version: Any) -> Any:
    return type(version).parse("6.2")


def test_wrong_use_is_told_as_such(company: Company) -> None:
    done = company.run("1.0")
    assert done.returncode == 2
    assert "Missing option '--to'" in done.stderr
