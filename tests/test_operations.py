"""docs/operations.md, done as it stands, one page after the other, on a repository with a remote and real parts."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT, commit_all, kfp_release, run_git
from ecr_fixtures import ecr_of
from pages import commands
from test_release import REPOSITORY, small_project

from kfp_release.sandbox import Sandbox

PAGE = PROJECT / "docs" / "operations.md"
BRANCH = "main"
IDENTITY = {
    **{f"GIT_{role}_NAME": "Test" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "test@example.com" for role in ("AUTHOR", "COMMITTER")},
}


def recipe(heading: str) -> list[str]:
    """The commands below a heading of the page."""
    return commands(PAGE, heading)


@dataclass
class Team:
    """A repository whose versions 1.0 and 1.1 are public, and what the page's commands ended with."""

    repository: Path
    sandbox: Sandbox
    ended: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)

    def follow(self, heading: str, before: dict[str, Callable[[], object]] | None = None) -> None:
        """Run the commands as they stand; `before` some of them, do what the page says in words."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        for command in recipe(heading):
            for beginning, act in (before or {}).items():
                if command.startswith(beginning):
                    act()
            done = subprocess.run(
                shlex.split(command),
                cwd=self.repository,
                env={**os.environ, **IDENTITY, **self.sandbox.environ, "PATH": path},
                capture_output=True,
                text=True,
                check=False,
            )
            self.ended[command] = done
            assert done.returncode == 0 or command == "kfp-release status", f"{command}\n{done.stdout}{done.stderr}"

    def states(self) -> dict[str, str]:
        """The state of each version, as `status` has it."""
        done = self.run("status", "--json")
        value: dict[str, Any] = json.loads(done.stdout)
        states = {row["version"]: row["state"] for row in value["versions"]}
        assert (done.returncode == 0) == (set(states.values()) <= {"in order", "withdrawn"}), done.stderr
        return states

    def change(self, version: str, base: str) -> None:
        """A version's section in the CHANGELOG, above that of `base`."""
        changelog = self.repository / "CHANGELOG.md"
        text = changelog.read_text()
        changelog.write_text(text.replace(f"## [{base}]", f"## [{version}]\n\n- Better.\n\n## [{base}]", 1))

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return kfp_release(arguments, cwd=self.repository, environ={**self.sandbox.environ, **environ})

    def release(self, tag: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return self.run("release", tag, "--create-repository", **environ)

    def digests(self) -> dict[str, str]:
        """Digests of the images in ECR, by tag."""
        images = ecr_of(self.sandbox).describe_images(repositoryName=REPOSITORY)["imageDetails"]
        return {tag: image["imageDigest"] for image in images for tag in image.get("imageTags", ())}


@pytest.fixture(scope="module")
def team(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Team:
    """1.0 and 1.1 are released, 1.2 has an image and no wheel: the index did not answer when it was its turn."""
    folder = tmp_path_factory.mktemp("operations")
    team = Team(small_project(folder / "project"), sandbox)
    run_git(folder, "init", "--quiet", "--bare", "origin.git")
    run_git(team.repository, "remote", "add", "origin", str(folder / "origin.git"))
    for version, base in (("1.0", ""), ("1.1", "1.0"), ("1.2", "1.1")):
        if base:
            team.change(version, base)
            commit_all(team.repository, version)
        run_git(team.repository, "tag", f"v{version}")
        run_git(team.repository, "push", "--quiet", "origin", BRANCH, f"v{version}")
        if version == "1.2":
            assert team.release("v1.2", TWINE_REPOSITORY_URL="http://127.0.0.1:1/").returncode == 1
        else:
            done = team.release(f"v{version}")
            assert done.returncode == 0, done.stderr
    return team


def test_the_page_holds_from_an_abandoned_version_to_a_maintenance_branch(team: Team) -> None:
    # One test, for each recipe begins where the one before has ended.
    assert team.states() == {"1.2": "abandoned", "1.1": "in order", "1.0": "in order"}
    before = run_git(team.repository, "rev-parse", "HEAD")
    team.follow("An abandoned version")
    assert team.ended["kfp-release status"].returncode == 1
    assert "abandoned" in team.ended["kfp-release status"].stdout
    assert "1 completed, 0 refused" in team.ended["kfp-release reconcile 1.2"].stdout
    assert team.states() == dict.fromkeys(["1.2", "1.1", "1.0"], "in order")
    assert run_git(team.repository, "rev-parse", "HEAD") == before
    assert run_git(team.repository, "status", "--porcelain") == ""

    team.follow("Complete what is missing")
    assert all("Nothing is missing." in team.ended[command].stdout for command in recipe("Complete what is missing"))

    team.follow("Withdraw a bad release")
    assert team.states() == {"1.2": "in order", "1.1": "withdrawn", "1.0": "in order"}
    assert "[YANKED]" in run_git(team.repository, "show", "origin/main:CHANGELOG.md")

    key = json.loads((team.repository / "dist" / "release.json").read_text())["images"]["demo"]["runtime_key"]
    ecr_of(team.sandbox).batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": f"runtime-{key}"}])
    team.follow("A lost runtime")
    assert "recovered" in team.ended["kfp-release runtime"].stdout

    team.follow("A maintenance branch", before={"git commit": lambda: team.change("1.0.1", "1.0")})
    assert team.states() == {"1.2": "in order", "1.1": "withdrawn", "1.0.1": "in order", "1.0": "in order"}


def test_an_image_that_is_gone_comes_back_with_its_digest_unless_its_version_is_withdrawn(team: Team) -> None:
    assert team.states()["1.1"] == "withdrawn"  # by the test above
    before = team.digests()
    ecr_of(team.sandbox).batch_delete_image(
        repositoryName=REPOSITORY, imageIds=[{"imageDigest": before[tag]} for tag in ("1.2", "1.1")]
    )
    assert team.states() == {"1.2": "incomplete", "1.1": "withdrawn", "1.0.1": "in order", "1.0": "in order"}
    done = team.run("reconcile", "--json")
    assert done.returncode == 0, done.stderr
    deeds = {item["version"]: item["deed"] for item in json.loads(done.stdout)["versions"]}
    assert deeds == {"1.0": "left alone", "1.0.1": "left alone", "1.1": "left alone", "1.2": "completed"}
    after = team.digests()
    assert "1.1" not in after
    assert after == {tag: digest for tag, digest in before.items() if tag != "1.1"}


def test_a_version_that_nobody_knows_is_told(team: Team) -> None:
    done = team.run("reconcile", "7.0")
    assert done.returncode == 1
    assert "there is no version 7.0" in done.stderr
    assert "git fetch --tags" in done.stderr
