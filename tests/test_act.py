"""The real workflows, run by act on this machine against the sandbox, and what a pipeline author then installs.

Only the actions of other projects have stand-ins (`tests/stubs`), for those need GitHub.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT, make_scratch_project, run_git
from ecr_fixtures import ecr_of

from kfp_release.credentials import Credentials
from kfp_release.index import Index
from kfp_release.index_settings import IndexUrls
from kfp_release.sandbox import Sandbox

TESTS = Path(__file__).parent
BIN = Path(sys.executable).parent
TAG = "v1.0"
REPOSITORY = "data-science-kubeflow/demo"
SECRET = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "TWINE_USERNAME", "TWINE_PASSWORD", "DOCKER_CONFIG")
"""What reaches a job only through a role or a secret."""
ROLES = {role: f"arn:aws:iam::533211398604:role/{role.lower()}" for role in ("READ", "WRITE")}


@dataclass(frozen=True)
class Act:
    """A repository on GitHub, as far as its workflows see of that."""

    folder: Path
    repository: Path
    sandbox: Sandbox
    owner: str = "kubeflow-demo"

    def run(self, workflow: str, event: str, ref: str) -> subprocess.CompletedProcess[str]:
        """Exit code of act, and what the jobs wrote. No secret is in it."""
        for name in ("home", "cache", "artifacts"):
            (self.folder / name).mkdir(exist_ok=True)
        self.make_python()
        environ = self.sandbox.environ
        command = [
            str(BIN / "act"),
            event,
            *("--platform", "ubuntu-24.04=-self-hosted"),
            *("--workflows", f".github/workflows/{workflow}"),
            *("--eventpath", self.file("event.json", json.dumps(self.event(ref)))),
            *("--env-file", self.file("env", _lines(self.environ()))),
            *("--var-file", self.file("vars", _lines(self.variables()))),
            *("--secret-file", self.file("secrets", _lines(self.secrets()))),
            *("--action-cache-path", str(self.folder / "cache")),
            *("--action-offline-mode", "--no-cache-server", "--no-skip-checkout"),
            *self.stand_ins(),
        ]
        path = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        done = subprocess.run(
            command,
            cwd=self.repository,
            env={"PATH": path, "HOME": str(self.folder / "home")},
            capture_output=True,
            text=True,
            check=False,
        )
        for name in ("AWS_SECRET_ACCESS_KEY", "TWINE_PASSWORD"):
            assert environ[name] not in done.stdout + done.stderr
        return done

    def make_python(self) -> None:
        """The jobs' Python. uv fills it from its cache, which leaves little for the first `make tool` to do."""
        python = self.folder / "python"
        for copy in self.folder.glob("python-*"):
            shutil.rmtree(copy)
        subprocess.run([sys.executable, "-m", "venv", python], check=True)
        uv: list[str | Path] = [BIN / "uv", "pip", "install", "--quiet", "--python", python / "bin" / "python"]
        subprocess.run([*uv, "--require-hashes", "--requirement", PROJECT / "locks/release.lock"], check=True)

    def environ(self) -> dict[str, str]:
        """What every job sees: the sandbox without its credentials, and where the stand-ins find their things."""
        environ = self.sandbox.environ
        machine = {name: os.environ[name] for name in os.environ if name.startswith("PIP_") or name.endswith("_BUNDLE")}
        keys = {name: environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        return {
            **machine,
            **{name: value for name, value in environ.items() if name not in SECRET},
            "STUB_REPOSITORY": str(self.repository),
            "STUB_PYTHON": str(self.folder / "python"),
            "STUB_ARTIFACTS": str(self.folder / "artifacts"),
            "STUB_ROLES": str(self.folder / "roles"),
            "STUB_AWS_KEYS": self.file("keys", _lines(keys)),
            "STUB_GITHUB_RELEASE": str(self.folder / "github-release"),
            "STUB_PAGES": str(self.folder / "pages"),
            "STUB_ATTESTED": str(self.folder / "attested"),
            # What act does not set, and GitHub does.
            "GITHUB_WORKFLOW_REF": f"{self.owner}/components/.github/workflows/release.yml@refs/tags/{TAG}",
            "GITHUB_RUN_ATTEMPT": "1",
        }

    def event(self, ref: str) -> dict[str, object]:
        """What GitHub says to a workflow: `ref` was pushed, or it is time, and `ref` is the default branch."""
        return {
            "ref": ref,
            "after": run_git(self.repository, "rev-parse", f"{ref}^{{commit}}").strip(),
            "repository": {"name": "components", "full_name": f"{self.owner}/components", "default_branch": "main"},
        }

    def secrets(self) -> dict[str, str]:
        """Those of the repository."""
        return _index_secrets(self.sandbox.environ)

    def variables(self) -> dict[str, str]:
        """Those of the repository."""
        return {"AWS_REGION": "eu-north-1", **{f"AWS_{role}_ROLE": arn for role, arn in ROLES.items()}}

    def workflows(self) -> list[Path]:
        """The files that name the actions that are used."""
        return [*self.repository.glob(".github/workflows/*.yml"), *self.repository.glob(".github/actions/*/*")]

    def stand_ins(self) -> list[str]:
        """For each foreign action at the commit that the workflows name, the folder of its stand-in."""
        used = {action for file in self.workflows() for action in re.findall(r"uses: ([^.\s]\S+)", file.read_text())}
        return [
            f"--local-repository={action}={TESTS / 'stubs' / action.partition('@')[0].rpartition('/')[2]}"
            for action in sorted(used)
        ]

    def file(self, name: str, text: str) -> str:
        """A file that this user alone can read."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)
        return str(path)


def _index_secrets(environ: dict[str, str]) -> dict[str, str]:
    return {
        f"INDEX_{right}_{name}": environ[f"TWINE_{name}"]
        for right in ("READ", "WRITE")
        for name in ("USERNAME", "PASSWORD")
    }


def _lines(values: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _pip(arguments: list[str], index_url: str) -> None:
    """Pip as a pipeline author's machine runs it: one index and nothing else, the password not in an argument."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environ = {**kept, "PIP_INDEX_URL": index_url, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments], env=environ, check=True
    )


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Act:
    """`TAG` of a scratch project, released by the workflow."""
    folder = tmp_path_factory.mktemp("act")
    project = make_scratch_project(folder / "project")
    run_git(project, "remote", "add", "origin", "https://github.com/kubeflow-demo/components.git")
    run_git(project, "tag", TAG)
    ecr_of(sandbox).create_repository(repositoryName=REPOSITORY, imageTagMutability="IMMUTABLE")
    act = Act(folder, project, sandbox)
    done = act.run("release.yml", "push", f"refs/tags/{TAG}")
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    return act


def test_a_pushed_tag_becomes_a_wheel_that_pins_its_image(released: Act, tmp_path: Path) -> None:
    pins = _installed_pins(released.sandbox, tmp_path / "installed")
    github_release = released.folder / "github-release"
    record = json.loads((github_release / "release.json").read_text())
    assert (record["version"], record["commit"]) == ("1.0", released.event(TAG)["after"])
    assert pins["images"] == record["images"]
    assert {image["pin"].partition("@")[0].rpartition(":")[2] for image in pins["images"].values()} == {"1.0"}
    _assert_the_index_serves_what_the_record_says(released.sandbox, record)
    _assert_the_github_release_is_whole(github_release, record)
    _assert_what_is_attested_is_what_was_released(released, record)
    assert (released.folder / "roles").read_text().split() == [
        *("look", ROLES["READ"]),
        *("runtime", ROLES["WRITE"]),
        *("plan", ROLES["READ"]),
        *("publish", ROLES["WRITE"]),
        *("verify", ROLES["READ"]),
    ]


def test_every_night_the_tags_are_compared_and_drift_fails(released: Act) -> None:
    roles = released.folder / "roles"
    roles.unlink(missing_ok=True)
    nightly = ("reconcile.yml", "schedule", "refs/heads/main")
    done = released.run(*nightly)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert "kubeflow-demo-components: 1 in order" in done.stdout
    assert roles.read_text().split() == ["status", ROLES["READ"]]
    ecr = ecr_of(released.sandbox)
    ecr.put_image_tag_mutability(repositoryName=REPOSITORY, imageTagMutability="MUTABLE")
    ecr.batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": "1.0"}])
    failed = released.run(*nightly)
    assert failed.returncode == 1
    assert "kubeflow-demo-components: 1 incomplete" in failed.stdout
    assert "demo: image missing" in failed.stdout


def _installed_pins(sandbox: Sandbox, folder: Path) -> Any:
    """pins.json of the wheel that a pipeline author installs; every component names the image that it says."""
    _pip(["install", "--no-deps", "--target", str(folder), "kubeflow-demo-components==1.0"], sandbox.pip_index_url)
    package = folder / "kubeflow_demo_components"
    pins = json.loads((package / "pins.json").read_text())
    files = {path.name: path.read_text() for path in sorted((package / "yaml").glob("*.yaml"))}
    assert sorted(files) == sorted(component["file"] for component in pins["components"].values())
    pin = re.compile(rf"image: {re.escape(pins['images']['demo']['pin'])}$", re.MULTILINE)
    assert [name for name, text in files.items() if not pin.search(text)] == []
    return pins


def _assert_the_index_serves_what_the_record_says(sandbox: Sandbox, record: Any) -> None:
    environ = sandbox.environ
    index = Index(
        IndexUrls(environ["TWINE_REPOSITORY_URL"], environ["KFP_RELEASE_SIMPLE_URL"]),
        Credentials(environ["TWINE_USERNAME"], environ["TWINE_PASSWORD"]),
    )
    served = [file for project in ("kubeflow-demo-components", "kfp-release") for file in index.files(project).values()]
    hashes = {file.filename: hashlib.sha256(index.download(file)).hexdigest() for file in served}
    assert hashes == {item["filename"]: item["sha256"] for item in record["distributions"]}
    assert sorted(name.partition("-")[0] for name in hashes) == ["kfp_release"] * 2 + ["kubeflow_demo_components"] * 2


def _assert_the_github_release_is_whole(folder: Path, record: Any) -> None:
    files = {path.name for path in folder.iterdir()}
    names = {item["filename"] for item in record["distributions"]}
    names |= {f"{image}.cdx.json" for image in record["images"]}
    assert files == {"body.md", "prerelease", "release.json", "provenance.intoto.jsonl", *names}
    changelog = (PROJECT / "CHANGELOG.md").read_text()
    notes = (folder / "body.md").read_text().strip()
    assert notes
    assert notes in changelog
    assert (folder / "prerelease").read_text().strip() == "false"


def _assert_what_is_attested_is_what_was_released(released: Act, record: Any) -> None:
    """By GitHub, and in the provenance, which names the run."""
    pins = [image["pin"].partition("@sha256:") for image in record["images"].values()]
    wanted = {pin.rpartition(":")[0]: digest for pin, _, digest in pins}
    wanted |= {item["filename"]: item["sha256"] for item in record["distributions"]}
    lines = [line.split("  ") for line in (released.folder / "attested").read_text().splitlines()]
    assert {name: sha256 for sha256, name in lines} == wanted
    (line,) = (released.folder / "github-release" / "provenance.intoto.jsonl").read_text().splitlines()
    statement = json.loads(base64.b64decode(json.loads(line)["payload"]))
    assert {one["name"]: one["digest"]["sha256"] for one in statement["subject"]} == wanted
    builder = statement["predicate"]["runDetails"]["builder"]["id"]
    assert builder.startswith("https://github.com/kubeflow-demo/components/.github/workflows/release.yml@")
