"""The commands one by one, as CI runs them and as people read them, on real parts."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT, commit_all, kfp_release, run_git
from signing_fixtures import LocalKey, running_kms
from test_release import small_project

from kfp_release.public_key import PublicKey
from kfp_release.sandbox import Sandbox
from kfp_release.sandbox.kms import KmsServer

Ended = subprocess.CompletedProcess[str]


@dataclass
class Workplace:
    """A repository at v1.0, a sandbox with a key that signs, and what each command has ended with."""

    repository: Path
    sandbox: Sandbox
    kms: KmsServer
    summary: Path
    ended: dict[str, Ended] = field(default_factory=dict)

    def run(self, *arguments: str, **environ: str) -> Ended:
        return kfp_release(
            arguments,
            cwd=self.repository,
            environ={**self.sandbox.environ, **self.signing, "GITHUB_STEP_SUMMARY": str(self.summary), **environ},
        )

    @property
    def signing(self) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL_KMS": self.kms.url, "KFP_RELEASE_SIGNING_KEY": self.kms.key}


@pytest.fixture(scope="module")
def kms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KmsServer]:
    with running_kms(tmp_path_factory.mktemp("kms") / "kms") as server:
        yield server


@pytest.fixture(scope="module")
def workplace(sandbox: Sandbox, kms: KmsServer, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Every step of a release has run once, in its order; then publish once more."""
    folder = tmp_path_factory.mktemp("commands")
    place = Workplace(small_project(folder / "project"), sandbox, kms, folder / "summary.md")
    # What the commands write must not make the checkout dirty for the next one, in any repository.
    run_git(place.repository, "rm", "--quiet", ".gitignore")
    commit_all(place.repository, "Nothing is ignored")
    run_git(place.repository, "tag", "v1.0")
    for name, arguments in {
        "check": ("check", "--release", "1.0"),
        "early build": ("build",),
        "early plan": ("plan", "v1.0", "--output", "build/early.json"),
        "early-build": ("build", "--plan", "build/early.json"),
        "runtime": ("runtime", "--image", "demo", "--create-repository"),
        "plan": ("plan", "v1.0"),
        "build": ("build",),
        "publish": ("publish",),
        "verify": ("verify", "1.0"),
        "verify the signature": ("verify", "1.0", "--key", str(kms.public_key)),
        "again": ("publish", "--json"),
    }.items():
        place.ended[name] = place.run(*arguments)
    return place


def said(ended: Ended) -> list[list[str]]:
    """The words of each line of stdout."""
    return [line.split() for line in ended.stdout.splitlines()]


STEPS = ("check", "early plan", "runtime", "plan", "build", "publish", "verify", "verify the signature", "again")


@pytest.mark.parametrize("name", STEPS)
def test_each_step_ends_with_0(workplace: Workplace, name: str) -> None:
    ended = workplace.ended[name]
    assert ended.returncode == 0, ended.stderr


def test_check_says_that_nothing_is_wrong(workplace: Workplace) -> None:
    assert workplace.ended["check"].stdout.splitlines()[0] == "Nothing is wrong."
    assert workplace.ended["check"].stderr == ""


def test_a_build_without_a_plan_says_which_command_is_missing(workplace: Workplace) -> None:
    ended = workplace.ended["early build"]
    assert ended.returncode == 1
    assert "error: build/plan.json cannot be read: No such file or directory\n  → kfp-release plan vX.Y" in ended.stderr


def test_a_plan_before_its_runtime_says_what_comes_first(workplace: Workplace) -> None:
    assert "MISSING" in workplace.ended["early plan"].stdout
    assert "runtime, package layer" in workplace.ended["early plan"].stdout
    assert "first: kfp-release runtime, for demo; then plan again" in workplace.ended["early plan"].stdout
    assert workplace.ended["early-build"].returncode == 1
    assert "kfp-release runtime, then plan again" in workplace.ended["early-build"].stderr


def test_runtime_tells_what_it_built(workplace: Workplace) -> None:
    ended = workplace.ended["runtime"]
    assert ended.stdout.startswith("1 runtime in ECR\n")
    (row,) = (words for words in said(ended) if words[:1] == ["demo"])
    assert row[1].startswith("runtime-")
    assert row[2] == "built"
    assert row[3].startswith("sha256:")
    assert "100% of" in ended.stderr


def test_plan_tells_where_everything_goes_and_what_is_there(workplace: Workplace) -> None:
    text = workplace.ended["plan"].stdout
    assert text.startswith("Plan for kubeflow-demo-components 1.0\n")
    (row,) = (words for words in said(workplace.ended["plan"]) if words[:1] == ["demo"])
    assert row[1].endswith("/data-science-kubeflow/demo:1.0")
    assert " ".join(row).endswith("is there not there package layer")
    assert "nothing of this version" in text
    assert "v1.0 is commit " in text
    assert "next: kfp-release build" in text


def test_build_tells_pins_and_files(workplace: Workplace) -> None:
    record = json.loads((workplace.repository / "dist" / "release.json").read_bytes())
    text = workplace.ended["build"].stdout
    assert record["images"]["demo"]["pin"] in text
    assert re.search(r"at most [1-9][0-9.]* kB are to be pushed to ECR\n", text)
    for item in record["distributions"]:
        assert [item["filename"], item["sha256"]] == [
            words[index]
            for words in said(workplace.ended["build"])
            if words[:1] == [item["filename"]]
            for index in (0, -1)
        ]


def test_publish_tells_what_it_sent_and_what_was_there(workplace: Workplace) -> None:
    text = workplace.ended["publish"].stdout
    assert text.startswith("kubeflow-demo-components 1.0 is public\n")
    assert " sent " in text
    again = json.loads(workplace.ended["again"].stdout)
    assert (again["changed"], again["bytes_sent"]) == (False, 0)


def test_verify_holds_the_signature_against_the_configured_key_and_tells_that_all_agrees(workplace: Workplace) -> None:
    ended = workplace.ended["verify"]
    said_of_it = f"all is as its pins say, and its provenance is signed with {workplace.kms.key}"
    assert ended.stdout.startswith(f"kubeflow-demo-components 1.0: {said_of_it}\n")
    assert "ask KMS for the public key" in ended.stderr


def test_publish_tells_with_which_key_it_signed(workplace: Workplace) -> None:
    keyid = PublicKey.parse(workplace.kms.public_key.read_bytes()).keyid
    text = workplace.ended["publish"].stdout
    assert f"its provenance is signed with {workplace.kms.key}, which is key {keyid[:16]}…\n" in text
    assert json.loads(workplace.ended["again"].stdout)["provenance_keys"] == [keyid]


def test_verify_without_a_key_tells_who_says_to_have_signed_and_that_nobody_checked(workplace: Workplace) -> None:
    ended = workplace.run("verify", "1.0", KFP_RELEASE_SIGNING_KEY="none", AWS_ENDPOINT_URL_KMS="http://127.0.0.1:9")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("kubeflow-demo-components 1.0: all is as its pins say\n")
    assert "says to be signed by" in ended.stdout
    assert "no signature was checked: --key names the key to check it with\n" in ended.stdout


def test_verify_with_the_key_s_file_tells_that_it_signed(workplace: Workplace) -> None:
    ended = workplace.ended["verify the signature"]
    said_of_it = f"all is as its pins say, and its provenance is signed with {workplace.kms.public_key}"
    assert ended.stdout.startswith(f"kubeflow-demo-components 1.0: {said_of_it}\n")
    assert "no signature was checked" not in ended.stdout


def test_verify_asks_kms_for_the_key_that_is_named_in_the_place_of_the_configured_one(workplace: Workplace) -> None:
    key = f"awskms:{workplace.kms.key}"
    ended = workplace.run("verify", "1.0", "--json", "--key", key, KFP_RELEASE_SIGNING_KEY="alias/none")
    seen = json.loads(ended.stdout)
    assert (ended.returncode, seen["problems"], seen["provenance"]["notes"]) == (0, [], [])
    assert "ask KMS for the public key" in ended.stderr


def test_verify_leaves_no_signature_unchecked_where_kms_refuses_the_configured_key(workplace: Workplace) -> None:
    ended = workplace.run("verify", "1.0", KFP_RELEASE_SIGNING_KEY="alias/none")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "KMS refused get_public_key for alias/none" in ended.stderr
    assert "KFP_RELEASE_SIGNING_KEY=none looks without checking who signed" in ended.stderr


def test_verify_with_another_key_ends_with_1(workplace: Workplace, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text(LocalKey().public_key.pem)
    ended = workplace.run("verify", "1.0", "--key", str(other))
    assert ended.returncode == 1
    assert ended.stdout.startswith("kubeflow-demo-components 1.0: 1 disagreement\n")
    assert "the key that was given; it says to be signed by" in ended.stdout


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (
            "missing.pem",
            "the key missing.pem cannot be read: No such file or directory\n  → name a PEM file, or awskms:",
        ),
        ("pyproject.toml", "pyproject.toml: it is no public key"),
        ("", "--key is empty\n  → name a PEM file, or awskms:"),
        ("awskms:releases", "'releases' is not the name of a key in AWS KMS"),
        ("awskms:alias/none", "KMS refused get_public_key for alias/none"),
    ],
)
def test_what_is_no_key_is_told(workplace: Workplace, key: str, message: str) -> None:
    ended = workplace.run("verify", "1.0", "--key", key)
    assert ended.returncode == 1
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_key_that_cannot_sign_leaves_what_is_public_as_it_is(workplace: Workplace) -> None:
    ended = workplace.run("publish", KFP_RELEASE_SIGNING_KEY="alias/none")
    assert ended.returncode == 1
    assert "KMS refused get_public_key for alias/none" in ended.stderr
    assert "correct signing-key in [tool.kfp-release]" in ended.stderr


def test_verify_of_a_version_that_is_not_there_ends_with_1(workplace: Workplace) -> None:
    ended = workplace.run("verify", "9.9", "--json")
    assert ended.returncode == 1
    assert json.loads(ended.stdout)["problems"]


def test_the_summary_of_ci_has_a_part_for_each_step(workplace: Workplace) -> None:
    text = workplace.summary.read_text(encoding="utf-8")
    headings = [line for line in text.splitlines() if line.startswith("### ")]
    assert headings[:6] == [
        "### Nothing is wrong.",
        "### Plan for kubeflow-demo-components 1.0",
        "### 1 runtime in ECR",
        "### Plan for kubeflow-demo-components 1.0",
        "### Built kubeflow-demo-components 1.0",
        "### kubeflow-demo-components 1.0 is public",
    ]
    assert "| `demo` | `" in text


def test_the_checkout_is_as_it_was(workplace: Workplace) -> None:
    assert run_git(workplace.repository, "status", "--porcelain") == ""


def test_a_runtime_is_not_built_of_what_is_not_committed(workplace: Workplace) -> None:
    dockerfile = workplace.repository / "Dockerfile"
    before = dockerfile.read_bytes()
    dockerfile.write_bytes(before + b"# changed\n")
    ended = workplace.run("runtime")
    dockerfile.write_bytes(before)
    assert ended.returncode == 1
    assert "changes" in ended.stderr
    assert "    Dockerfile\n" in ended.stderr


def test_runtime_for_an_image_that_is_not_configured_is_refused(workplace: Workplace) -> None:
    ended = workplace.run("runtime", "--image", "dem")
    assert ended.returncode == 1
    assert "no image is called 'dem'" in ended.stderr
    assert "there is: demo" in ended.stderr


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A project with an error in its configuration and no tag."""
    for name in ("pyproject.toml", "CHANGELOG.md"):
        (tmp_path / name).write_text((PROJECT / name).read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def check(folder: Path, *arguments: str, **environ: str) -> Ended:
    return kfp_release(["check", *arguments], cwd=folder, environ=environ)


def test_check_tells_everything_that_is_wrong_as_json(broken: Path) -> None:
    text = (broken / "pyproject.toml").read_text(encoding="utf-8")
    wrong = text.replace("components = ", "component = ").replace('platform = "linux', 'platform = "Linux')
    (broken / "pyproject.toml").write_text(wrong, encoding="utf-8")
    ended = check(broken, "--json")
    assert ended.returncode == 1
    found: list[dict[str, Any]] = json.loads(ended.stdout)["problems"]
    assert {"tool.kfp-release.component is not known", "tool.kfp-release.components is missing"} <= {
        item["message"] for item in found
    }
    assert all(item["path"] == "pyproject.toml" and item["line"] > 0 for item in found)


def test_check_of_a_release_needs_a_repository(broken: Path) -> None:
    ended = check(broken, "--release", "1.0")
    assert ended.returncode == 1
    assert "is not in a git repository" in ended.stdout


def test_check_of_a_release_tells_what_the_tag_would_lack_before_it_is_there(scratch_project: Path) -> None:
    (scratch_project / "CHANGELOG.md").write_text("# Changelog\n", encoding="utf-8")
    commit_all(scratch_project, "No sections")
    ended = check(scratch_project, "--release", "7.0")
    assert ended.returncode == 1
    assert "CHANGELOG.md" in ended.stdout
    assert "there is no tag" not in ended.stdout


def test_check_of_a_release_tells_of_changes_and_of_the_changelog_at_once(scratch_project: Path) -> None:
    (scratch_project / "CHANGELOG.md").write_text("# Changelog\n", encoding="utf-8")
    ended = check(scratch_project, "--release", "7.0")
    assert ended.returncode == 1
    assert "CHANGELOG.md: has no section for 7.0" in ended.stdout
    assert "git: the checkout has changes or untracked files" in ended.stdout
