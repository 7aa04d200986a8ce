"""The workflow of examples/pipeline-repo, run by act: what it compiles and uploads, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from conftest import PROJECT, commit_all, run_git
from kfp_api import KfpApi, running_kfp_api
from pages import commands
from pipeline_repo import EXAMPLE, PipelineRepo, copy_repo, release

from kfp_release.sandbox import Sandbox

pytestmark = pytest.mark.skipif(not EXAMPLE.is_dir(), reason="the sdist has no examples")

STUBS = Path(__file__).parent / "stubs"
BIN = Path(sys.executable).parent
TOKEN = "the-token-of-the-cluster"  # noqa: S105 - of a server that lives as long as a test
PULL = "refs/pull/1/merge"
IMAGE = f"docker.io/library/busybox:1.37@sha256:{'0' * 64}"
FOREIGN = f"""\
@dsl.container_component
def foreign() -> dsl.ContainerSpec:
    return dsl.ContainerSpec(image="{IMAGE}", command=["true"])


"""


@dataclass(frozen=True)
class Act:
    """The repository on GitHub, as far as its workflow sees of that."""

    repo: PipelineRepo
    api: KfpApi
    folder: Path

    def run(self, event: str, ref: str) -> subprocess.CompletedProcess[str]:
        """What the jobs wrote. No secret is in it."""
        environ = self.repo.sandbox.environ
        secrets = {f"INDEX_READ_{name}": environ[f"TWINE_{name}"] for name in ("USERNAME", "PASSWORD")}
        command: list[str | Path] = [
            *(BIN / "act", event),
            *("--platform", "ubuntu-24.04=-self-hosted"),
            *("--eventpath", self.file("event.json", json.dumps(self.event(ref)))),
            *("--env-file", self.file("env", _lines(self.environ()))),
            *("--var-file", self.file("vars", _lines({"KFP_HOST": self.api.url}))),
            *("--secret-file", self.file("secrets", _lines({**secrets, "KFP_TOKEN": TOKEN}))),
            *("--action-cache-path", self.folder / "cache"),
            *("--action-offline-mode", "--no-cache-server", "--no-skip-checkout"),
            *self.stand_ins(),
        ]
        done = subprocess.run(
            command,
            cwd=self.repo.folder,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert not [secret for secret in (environ["TWINE_PASSWORD"], TOKEN) if secret in said]
        return done

    def environ(self) -> dict[str, str]:
        """What every job sees: this machine, and where the stand-ins find their things; no password."""
        machine = {
            name: os.environ[name] for name in os.environ if name.endswith("_BUNDLE") or name == "PIP_CONFIG_FILE"
        }
        no_proxy = {name: value for name, value in self.repo.sandbox.environ.items() if name.lower() == "no_proxy"}
        return {
            **machine,
            **no_proxy,
            "PIP_CACHE_DIR": str(PROJECT / "build" / "test-cache" / "pip"),
            "PIP_COMPILE": "0",
            "STUB_REPOSITORY": str(self.repo.folder),
            "STUB_PYTHON": str(self.folder / "python"),
            "STUB_ARTIFACTS": str(self.folder / "artifacts"),
        }

    def event(self, ref: str) -> dict[str, object]:
        """What GitHub says to the workflow: `ref` was pushed, or is the merge of the pull request 1."""
        return {
            "number": 1,
            "pull_request": {"number": 1, "head": {"ref": "something-else"}, "base": {"ref": "main"}},
            "ref": ref,
            "after": run_git(self.repo.folder, "rev-parse", ref).strip(),
            "repository": {"name": "pipelines", "full_name": "kubeflow-demo/pipelines", "default_branch": "main"},
        }

    def stand_ins(self) -> list[str]:
        text = (self.repo.folder / ".github/workflows/pipeline.yml").read_text(encoding="utf-8")
        return [
            f"--local-repository={action}={STUBS / action.partition('@')[0].rpartition('/')[2]}"
            for action in sorted(set(re.findall(r"uses: (\S+)", text)))
        ]

    def file(self, name: str, text: str) -> str:
        """A file that this user alone can read."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        return str(path)


def _lines(values: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in values.items())


@pytest.fixture(scope="module")
def act(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Act]:
    """The repository with its lock committed."""
    folder = tmp_path_factory.mktemp("act-pipeline-repo")
    release(folder / "components", sandbox)
    repo = copy_repo(folder / "copy", sandbox)
    repo.follow(commands(EXAMPLE / "README.md", "Work on it")[0])
    commit_all(repo.folder, "Lock")
    run_git(repo.folder, "remote", "add", "origin", "https://github.com/kubeflow-demo/pipelines.git")
    with running_kfp_api(TOKEN) as api:
        made = Act(repo, api, folder)
        _make_python(made)
        yield made


def _make_python(act: Act) -> None:
    """The jobs' Python. uv fills it from its cache with what is public, so that pip has the components to install."""
    python = act.folder / "python"
    subprocess.run([sys.executable, "-m", "venv", python], check=True)
    public = [
        line.split(" ")[0]
        for line in (act.repo.folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
        if re.match(r"[a-z0-9.-]+==", line) and "sys_platform == 'win32'" not in line
    ]
    public.remove("kubeflow-demo-components==1.0")
    uv: list[str | Path] = [BIN / "uv", "pip", "install", "--quiet", "--no-deps", "--python", python / "bin" / "python"]
    subprocess.run([*uv, *public], check=True)


def test_main_is_compiled_traced_and_uploaded(act: Act) -> None:
    done = act.run("push", "refs/heads/main")
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    commit = str(act.event("refs/heads/main")["after"])
    assert [version["display_name"] for version in act.api.versions] == [f"1.0-{commit[:12]}"]
    compiled = yaml.safe_load((act.folder / "artifacts/pipeline/pipeline.yaml").read_text(encoding="utf-8"))
    assert act.api.versions[0]["pipeline_spec"] == compiled
    assert "volume: 2 tasks: 2 pinned" in done.stdout
    assert f"volume 1.0-{commit[:12]}: uploaded" in done.stdout


def test_a_pull_request_with_an_image_that_is_not_of_the_release_fails_at_the_gate(act: Act) -> None:
    before = len(act.api.asked)
    run_git(act.repo.folder, "switch", "--quiet", "--create", "something-else")
    pipeline = act.repo.folder / "pipeline.py"
    text = pipeline.read_text(encoding="utf-8")
    text = text.replace("@dsl.pipeline(", f"{FOREIGN}@dsl.pipeline(", 1).replace(
        "    area = ", "    foreign()\n    area = "
    )
    pipeline.write_text(text, encoding="utf-8")
    commit_all(act.repo.folder, "Something else")
    run_git(act.repo.folder, "update-ref", PULL, "HEAD")
    done = act.run("pull_request", PULL)
    assert done.returncode == 1
    assert "Success - Main Compile" in done.stdout
    assert "Failure - Main Refuse images that are not of the release" in done.stdout
    assert "volume: 3 tasks: 2 pinned, 1 foreign" in done.stdout
    assert re.search(r"- foreign: .*busybox", done.stdout)
    assert "Test, but for" not in done.stdout
    assert act.api.asked[before:] == []
