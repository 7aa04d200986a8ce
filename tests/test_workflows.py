"""The workflows of GitHub Actions: what linters say of them, and which job has which rights."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
FILES = sorted(ROOT.glob(".github/workflows/*.yml")) + sorted(ROOT.glob(".github/actions/*/action.yml"))
SETUP = "./.github/actions/setup"
JOBS = ["look", "runtime", "plan", "build", "publish", "verify", "attest", "announce"]
GO_ON = "!failure() && !cancelled()"

pytestmark = pytest.mark.skipif(not FILES, reason="the sdist has no workflows")


def workflow(name: str) -> Any:
    return yaml.safe_load((ROOT / ".github/workflows" / name).read_text())


def steps(file: Path) -> Iterator[dict[str, Any]]:
    value = yaml.safe_load(file.read_text())
    for job in value.get("jobs", {"": value.get("runs")}).values():
        yield from job["steps"]


def test_actionlint_finds_nothing() -> None:
    done = subprocess.run([BIN / "actionlint"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_pedantic_zizmor_finds_nothing() -> None:
    done = subprocess.run(
        [BIN / "zizmor", "--quiet", "--offline", "--persona", "pedantic", "--no-config", ".github"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_each_run_step_is_one_command_of_ours(file: Path) -> None:
    own = re.compile(r"(kfp-release|make) [^;&|`\n]+")
    commands = [step["run"] for step in steps(file) if "run" in step]
    assert [command for command in commands if not own.fullmatch(command)] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_foreign_actions_are_pinned_by_commit_with_their_version(file: Path) -> None:
    used = re.findall(r"uses: (\S+)(.*)", file.read_text())
    foreign = [(action, comment) for action, comment in used if not action.startswith("./")]
    assert foreign
    for action, comment in foreign:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", action)
        assert re.match(r" # v\d+\.\d+\.\d+", comment)


def test_the_same_action_is_used_at_one_commit() -> None:
    used = {action for file in FILES for action in re.findall(r"uses: ([^.\s]\S+)", file.read_text())}
    assert len(used) == len({action.partition("@")[0] for action in used})


def test_a_release_is_one_line_of_jobs() -> None:
    jobs = workflow("release.yml")["jobs"]
    assert list(jobs) == JOBS
    needs = [None, "look", ["look", "runtime"], *JOBS[2:-2], "verify"]
    assert [jobs[name].get("needs") for name in JOBS] == needs


def test_each_runtime_that_is_missing_has_a_machine_of_its_own() -> None:
    job = workflow("release.yml")["jobs"]["runtime"]
    assert job["strategy"] == {
        "fail-fast": False,
        "matrix": {"image": "${{ fromJSON(needs.look.outputs.images) }}"},
    }


def test_no_job_is_skipped_because_no_runtime_is_missing_and_none_runs_after_a_failure() -> None:
    jobs = workflow("release.yml")["jobs"]
    behind = JOBS[JOBS.index("runtime") + 1 :]
    asked = {name: jobs[name]["if"] for name in behind}
    able = "(!github.event.repository.private || vars.ATTESTATIONS == 'on')"
    assert asked.pop("attest") == f"${{{{ {GO_ON} && {able} }}}}"
    assert asked == dict.fromkeys(asked, f"${{{{ {GO_ON} }}}}")


def test_no_job_has_rights_by_default() -> None:
    names = ("catalog.yml", "ci.yml", "reconcile.yml", "release.yml")
    assert [workflow(name)["permissions"] for name in names] == [{}] * len(names)


def test_what_looks_every_night_can_only_read() -> None:
    text = (ROOT / ".github/workflows/reconcile.yml").read_text()
    (job,) = workflow("reconcile.yml")["jobs"].values()
    assert job["permissions"] == {"contents": "read", "id-token": "write"}
    assert job["environment"] == "inspect"
    assert job["steps"][0]["with"]["fetch-depth"] == 0
    assert set(re.findall(r"(?:vars|secrets)\.(\w+)", text)) == {
        *("AWS_READ_ROLE", "AWS_REGION"),
        *("INDEX_READ_USERNAME", "INDEX_READ_PASSWORD", "PIP_INDEX_URL"),
    }


def test_the_site_is_written_with_the_role_that_reads_and_deployed_by_a_job_that_has_none() -> None:
    jobs = workflow("catalog.yml")["jobs"]
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "site": {"contents": "read", "id-token": "write"},
        "pages": {"pages": "write", "id-token": "write"},
    }
    assert jobs["site"]["environment"] == "inspect"
    assert jobs["site"]["steps"][0]["with"]["fetch-depth"] == 0
    assert "AWS_WRITE_ROLE" not in yaml.safe_dump(jobs)
    (step,) = jobs["pages"]["steps"]
    assert set(step) == {"id", "uses"}


def test_a_site_is_published_only_where_that_is_asked_for_and_after_a_release_that_ran_to_its_end() -> None:
    value = workflow("catalog.yml")
    triggers = value[True]  # YAML 1.1 takes `on` for true
    assert triggers["workflow_run"] == {"workflows": [workflow("release.yml")["name"]], "types": ["completed"]}
    condition = value["jobs"]["site"]["if"]
    assert "vars.CATALOG != ''" in condition
    # One that failed too: of a release that GitHub could not attest everything is public.
    assert """contains(fromJSON('["success", "failure"]'), github.event.workflow_run.conclusion)""" in condition
    assert value["jobs"]["pages"]["if"] == "${{ vars.CATALOG == 'pages' }}"


def test_no_caller_of_the_release_has_to_grant_pages() -> None:
    # GitHub refuses to start a workflow whose called jobs ask for more than the caller grants.
    rights = [job["permissions"] for job in workflow("release.yml")["jobs"].values()]
    assert [each for each in rights if "pages" in each] == []


def test_the_build_has_no_credentials() -> None:
    build = workflow("release.yml")["jobs"]["build"]
    (setup,) = (step for step in build["steps"] if step.get("uses") == SETUP)
    assert setup.pop("env") == {"PIP_INDEX_URL": "${{ secrets.PIP_INDEX_URL }}"}  # another team's, of a reader
    assert build["permissions"] == {"contents": "read"}
    assert "environment" not in build
    assert "secrets." not in yaml.safe_dump(build)
    assert "aws-actions" not in yaml.safe_dump(build)


def test_only_the_release_environment_sees_the_writing_credentials() -> None:
    jobs = workflow("release.yml")["jobs"]
    for right in ("INDEX_WRITE_USERNAME", "INDEX_WRITE_PASSWORD"):
        assert [name for name, job in jobs.items() if right in yaml.safe_dump(job)] == ["publish"]
    assert [name for name, job in jobs.items() if job.get("environment") == "release"] == ["publish"]


def test_the_role_that_writes_is_taken_where_something_is_pushed_and_nowhere_else() -> None:
    jobs = workflow("release.yml")["jobs"]
    writing = {name: job["environment"] for name, job in jobs.items() if "AWS_WRITE_ROLE" in yaml.safe_dump(job)}
    assert writing == {"runtime": "runtime", "publish": "release"}
    reading = [job["environment"] for job in jobs.values() if "AWS_READ_ROLE" in yaml.safe_dump(job)]
    assert reading == ["inspect"] * 3


def test_github_attests_what_was_published_with_no_role_no_secret_and_no_code_of_the_repository() -> None:
    job = workflow("release.yml")["jobs"]["attest"]
    assert job["permissions"] == {"attestations": "write", "id-token": "write"}
    assert [step["uses"].partition("@")[0] for step in job["steps"]] == ["actions/download-artifact", "actions/attest"]
    assert job["steps"][-1]["with"] == {"subject-checksums": "dist/subjects.sha256"}
    assert "secrets." not in yaml.safe_dump(job)
    others = [name for name, one in workflow("release.yml")["jobs"].items() if "attestations" in one["permissions"]]
    assert others == ["attest"]


def test_the_key_that_signs_is_the_one_that_is_checked() -> None:
    jobs = workflow("release.yml")["jobs"]
    signs = [step["env"] for step in jobs["publish"]["steps"] if step.get("run") == "kfp-release publish"]
    checks = [step["env"] for step in jobs["verify"]["steps"] if step.get("run", "").startswith("kfp-release verify")]
    assert [env["KFP_RELEASE_SIGNING_KEY"] for env in signs + checks] == ["${{ vars.SIGNING_KEY }}"] * 2
    assert [name for name, job in jobs.items() if "SIGNING_KEY" in yaml.safe_dump(job)] == ["publish", "verify"]


def test_only_jobs_that_take_a_role_and_who_attests_can_ask_for_a_token() -> None:
    jobs = workflow("release.yml")["jobs"]
    asking = [name for name, job in jobs.items() if job["permissions"].get("id-token") == "write"]
    asking.remove("attest")
    assert asking == [name for name, job in jobs.items() if "role-to-assume" in yaml.safe_dump(job)]
    assert all("environment" in jobs[name] for name in asking)


def test_only_the_last_job_can_write_to_the_repository() -> None:
    jobs = workflow("release.yml")["jobs"]
    assert [name for name, job in jobs.items() if job["permissions"].get("contents") == "write"] == ["announce"]


def test_a_pull_request_meets_no_secret_and_no_role() -> None:
    text = (ROOT / ".github/workflows/ci.yml").read_text()
    assert "secrets." not in text
    assert "id-token" not in text
    assert "pull_request_target" not in text


def test_every_release_job_that_reads_tags_has_all_of_them() -> None:
    jobs = workflow("release.yml")["jobs"]
    for name in ("look", "plan", "build"):
        assert jobs[name]["steps"][0]["with"]["fetch-depth"] == 0


@pytest.mark.parametrize("name", ["release.yml", "reconcile.yml", "catalog.yml"])
def test_other_repositories_can_call_it_with_every_secret_that_it_uses(name: str) -> None:
    text = (ROOT / ".github/workflows" / name).read_text()
    declared = yaml.safe_load(text)[True]["workflow_call"]["secrets"]  # YAML 1.1 takes `on` for true
    assert set(re.findall(r"secrets\.(\w+)", text)) == set(declared)
    assert not any(secret.get("required") for secret in declared.values())


def test_the_index_that_the_tool_is_installed_from_is_seen_by_the_setup_alone() -> None:
    jobs = workflow("release.yml")["jobs"]
    seeing = [step for job in jobs.values() for step in job["steps"] if "PIP_INDEX_URL" in yaml.safe_dump(step)]
    setups = [step for job in jobs.values() for step in job["steps"] if step.get("uses") == SETUP]
    assert seeing == setups
    assert len(setups) == len(JOBS) - 2  # all but the two that run actions alone


def test_no_checkout_keeps_its_token() -> None:
    checkouts = [
        step for file in FILES for step in steps(file) if str(step.get("uses", "")).startswith("actions/checkout@")
    ]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_make_targets_of_the_workflows_exist() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    used = {word for file in FILES for word in re.findall(r"run: make ([a-z-]+)", file.read_text())}
    assert used <= set(targets)
