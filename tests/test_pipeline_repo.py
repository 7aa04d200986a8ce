"""examples/pipeline-repo, copied and worked on as its README says, against a release on the sandbox's index."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from conftest import PROJECT
from kfp_api import KfpApi, one_page, running_kfp_api
from pages import commands
from pipeline_repo import EXAMPLE, URL, PipelineRepo, copy_repo, release

from kfp_release.sandbox import Sandbox

pytestmark = pytest.mark.skipif(not EXAMPLE.is_dir(), reason="the sdist has no examples")

TOKEN = "the-token-of-the-cluster"  # noqa: S105 - of a server that lives as long as a test
README = EXAMPLE / "README.md"


@dataclass(frozen=True)
class Followed:
    """The commands of a section of the README, as they stand, and what each printed."""

    repo: PipelineRepo
    api: KfpApi
    told: dict[str, str]

    @property
    def cluster(self) -> dict[str, str]:
        return {"KFP_HOST": self.api.url, "KFP_TOKEN": TOKEN}

    def upload(self, **more: str) -> subprocess.CompletedProcess[str]:
        return self.repo.run(".venv/bin/python upload.py pipeline.yaml", **{**self.cluster, **more})


@pytest.fixture(scope="module")
def followed(engine_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    folder = tmp_path_factory.mktemp("pipeline-repo")
    release(folder / "components", engine_sandbox)
    repo = copy_repo(folder / "copy", engine_sandbox)
    with running_kfp_api(TOKEN) as api:
        done = Followed(repo, api, {})
        for command in commands(README, "Work on it"):
            done.told[command] = repo.follow(command, **done.cluster)
        yield done


def test_the_readme_gives_pinned_images_that_compute_in_containers(followed: Followed) -> None:
    folder = followed.repo.folder
    locked = (folder / "requirements.txt").read_text(encoding="utf-8")
    assert re.search(r"^kubeflow-demo-components==1\.0 \\\n    --hash=sha256:[0-9a-f]{64}", locked, re.MULTILINE)
    (index,) = re.findall(r"^--(?:extra-)?index-url (.+)$", locked, re.MULTILINE)
    assert index == followed.repo.sandbox.environ["KFP_RELEASE_SIMPLE_URL"]
    images = set(re.findall(r"image: (\S+)", (folder / "pipeline.yaml").read_text(encoding="utf-8")))
    assert len(images) == 1
    assert images.pop().startswith(
        f"{followed.repo.sandbox.environ['KFP_RELEASE_REGISTRY']}/data-science-kubeflow/demo:1.0@"
    )
    traced = followed.told[".venv/bin/python -m kubeflow_demo_components trace pipeline.yaml"]
    assert re.search(r"^multiply-2 +multiply_op +1\.0 .* pinned$", traced, re.MULTILINE)
    assert "3 passed" in followed.told[".venv/bin/python -m pytest"]
    assert "1 passed, 2 deselected" in followed.told['.venv/bin/python -m pytest -m "not containers"']


def test_nothing_but_what_is_locked_can_be_installed(followed: Followed) -> None:
    """As where somebody puts another file of the same version into the index."""
    locked = followed.repo.folder / "requirements.txt"
    spoilt = followed.repo.folder / "spoilt.txt"
    text = locked.read_text(encoding="utf-8")
    section = re.search(r"^kubeflow-demo-components==.*?(?=^\S)", text, re.MULTILINE | re.DOTALL)
    assert section
    spoilt.write_text(text.replace(section[0], re.sub("sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", section[0])))
    install = ".venv/bin/pip install --no-deps --force-reinstall --require-hashes -r spoilt.txt"
    refused = followed.repo.run(install)
    spoilt.unlink()
    assert refused.returncode == 1
    assert "DO NOT MATCH THE HASHES" in refused.stderr


def test_an_index_with_own_packages_alone_gives_the_same_versions(followed: Followed, tmp_path: Path) -> None:
    repo = copy_repo(tmp_path / "copy", followed.repo.sandbox)
    source = repo.folder / "requirements.in"
    source.write_text(re.sub("^--index-url .*\n", "", source.read_text(encoding="utf-8")), encoding="utf-8")
    compile_, sync = commands(repo.folder / "README.md", "The index")
    repo.follow(compile_)
    lines = [
        {
            line
            for line in (folder / "requirements.txt").read_text().splitlines()
            if line.startswith(("kubeflow-demo", "kfp"))
        }
        for folder in (repo.folder, followed.repo.folder)
    ]
    assert lines[0] == lines[1]
    assert "index-url" not in (repo.folder / "requirements.txt").read_text()
    dry = f"{sync} --dry-run".replace(".venv", str(followed.repo.folder / ".venv"))
    assert "Would make no changes" in repo.run(dry).stderr


def test_what_was_uploaded_is_the_compiled_pipeline_under_the_version_and_commit(followed: Followed) -> None:
    (pipeline,) = followed.api.pipelines.values()
    first = followed.api.versions[0]
    commit = followed.repo.follow("git rev-parse HEAD").strip()
    assert (pipeline["display_name"], first["display_name"]) == ("volume", f"1.0-{commit[:12]}")
    assert first["pipeline_spec"] == yaml.safe_load((followed.repo.folder / "pipeline.yaml").read_text())
    assert followed.told[".venv/bin/python upload.py pipeline.yaml"] == f"volume 1.0-{commit[:12]}: uploaded\n"


def test_what_is_there_already_is_left_alone(followed: Followed) -> None:
    before = len(followed.api.asked)
    done = followed.upload()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(": already there\n")
    assert not [asked for asked in followed.api.asked[before:] if asked.startswith("POST")]


def test_what_somebody_else_uploads_meanwhile_is_looked_at_again(followed: Followed) -> None:
    followed.api.unseen = 1
    before = len(followed.api.versions)
    done = followed.upload()
    assert (done.returncode, len(followed.api.versions)) == (0, before)
    assert followed.api.asked[-2:] == [
        "POST /apis/v2beta1/pipelines/upload_version",
        "GET /apis/v2beta1/pipelines/pipeline-1/versions",
    ]


def test_settings_of_kubernetes_are_part_of_the_content(followed: Followed, tmp_path: Path) -> None:
    compiled = (followed.repo.folder / "pipeline.yaml").read_text(encoding="utf-8")
    said = []
    for policy in ("Always", "Always", "Never"):
        settings = {"exec-multiply": {"imagePullPolicy": policy}}
        platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": settings}}}}
        file = tmp_path / "settings.yaml"
        file.write_text(f"{compiled}---\n{yaml.safe_dump(platform)}", encoding="utf-8")
        command = f".venv/bin/python upload.py {file}"
        done = followed.repo.run(command, **followed.cluster, GITHUB_SHA="fedcba9876543210" * 2)
        said.append(done.stdout or done.stderr)
    assert said[0] == "volume 1.0-fedcba987654: uploaded\n"
    assert said[1] == "volume 1.0-fedcba987654: already there\n"
    assert "version 1.0-fedcba987654 is there with other content" in said[2]


def test_other_content_under_the_same_name_is_refused(followed: Followed, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(
        (followed.repo.folder / "pipeline.yaml")
        .read_text()
        .replace("constant: 4.0", "constant: 5.0")
        .replace("defaultValue: 4.0", "defaultValue: 5.0")
    )
    done = followed.repo.run(f".venv/bin/python upload.py {other}", **followed.cluster)
    assert done.returncode == 1
    assert re.fullmatch(
        r"upload\.py: version 1\.0-[0-9a-f]{12} is there with other content:"
        r" commit what changed, and upload that commit\n",
        done.stderr,
    )


def test_another_commit_is_another_version(followed: Followed) -> None:
    before = len(followed.api.versions)
    done = followed.upload(GITHUB_SHA="0123456789abcdef" * 2)
    assert done.stdout == "volume 1.0-0123456789ab: uploaded\n"
    assert [version["display_name"] for version in followed.api.versions[before:]] == ["1.0-0123456789ab"]
    assert len(followed.api.pipelines) == 1


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"KFP_HOST": ""}, "upload.py: set KFP_HOST to the URL of the Kubeflow Pipelines API\n"),
        ({"KFP_TOKEN": f"{TOKEN}\n{TOKEN}"}, "no token has: blanks, line breaks, or letters beyond ASCII\n"),
        ({"KFP_TOKEN": "another"}, "answers 401 Unauthorized: the token is not valid\n"),
        ({"KFP_HOST": "http://127.0.0.1:9"}, "cannot be asked: MaxRetryError; is KFP_HOST right?\n"),
    ],
    ids=["no host", "broken token", "wrong token", "nobody there"],
)
def test_a_failed_upload_says_why_in_one_line(followed: Followed, more: dict[str, str], says: str) -> None:
    done = followed.upload(**more)
    assert (done.returncode, done.stdout) == (1, "")
    *warned, last = done.stderr.splitlines(keepends=True)
    assert last.endswith(says)
    assert "Traceback" not in "".join(warned)
    assert TOKEN not in done.stderr


@pytest.mark.parametrize("kind", ["text/html", "application/json"])
def test_a_page_to_log_in_is_no_cluster(followed: Followed, kind: str) -> None:
    with one_page("[]" if kind.endswith("json") else "<form>Log in</form>", kind) as url:
        done = followed.upload(KFP_HOST=url)
    assert (done.returncode, done.stdout) == (1, "")
    expected = f"upload.py: {url} answers, but not as the API: are KFP_HOST and KFP_TOKEN right?"
    assert done.stderr.splitlines()[-1] == expected
    assert "Traceback" not in done.stderr


def test_a_token_from_a_file_may_end_with_a_new_line(followed: Followed) -> None:
    done = followed.upload(KFP_TOKEN=f"{TOKEN}\n")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "text",
    ["", "a: [", "a: 2026-13-45", "kind: Workflow\n"],
    ids=["empty", "no YAML", "no date", "another thing"],
)
def test_what_is_no_compiled_pipeline_is_not_uploaded(followed: Followed, tmp_path: Path, text: str) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text(text)
    done = followed.repo.run(f".venv/bin/python upload.py {file}", **followed.cluster)
    assert done.returncode == 1
    assert done.stderr.startswith(f"upload.py: {file} ")
    assert "Traceback" not in done.stderr


def test_the_example_stands_alone() -> None:
    for path in EXAMPLE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "kfp_release" not in text
        assert "parent.parent" not in text


def test_linters_find_nothing_in_its_workflow() -> None:
    workflow = str(EXAMPLE / ".github/workflows/pipeline.yml")
    for command in ("actionlint", "zizmor --quiet --offline --persona pedantic --no-config"):
        program, *options = command.split()
        words = [str(Path(sys.executable).parent / program), *options, workflow]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_its_actions_are_at_the_commits_of_this_project() -> None:
    def used(files: Iterator[Path]) -> set[str]:
        return {action for file in files for action in re.findall(r"uses: ([^.\s].+)", file.read_text())}

    ours = used((PROJECT / ".github").rglob("*.yml"))
    assert used((EXAMPLE / ".github").rglob("*.yml")) <= ours


def test_only_the_job_on_main_sees_the_cluster() -> None:
    jobs = yaml.safe_load((EXAMPLE / ".github/workflows/pipeline.yml").read_text())["jobs"]
    assert [name for name, job in jobs.items() if "KFP_TOKEN" in yaml.safe_dump(job)] == ["upload"]
    assert jobs["upload"]["if"] == "${{ github.ref == 'refs/heads/main' }}"
    assert jobs["upload"]["needs"] == "gate"


def test_renovate_asks_the_private_index_for_what_requirements_in_pins() -> None:
    """What Renovate's own validator, which is no Python package, could not know."""
    config = json.loads((EXAMPLE / "renovate.json").read_text(encoding="utf-8"))
    source = (EXAMPLE / "requirements.in").read_text(encoding="utf-8")
    (index,) = re.findall(r"^--index-url (\S+)$", source, re.MULTILINE)
    registries = [rule["registryUrls"] for rule in config["packageRules"] if "registryUrls" in rule]
    assert registries == [[index]]
    (host,) = config["hostRules"]
    assert index.startswith(host["matchHost"])
    assert host["matchHost"] == URL
    assert [host[name] for name in ("username", "password")] == [
        "{{ secrets.INDEX_READ_USERNAME }}",
        "{{ secrets.INDEX_READ_PASSWORD }}",
    ]
    (alone,) = (rule for rule in config["packageRules"] if "matchPackageNames" in rule)
    assert all(re.search(rf"^{name}==", source, re.MULTILINE) for name in alone["matchPackageNames"])
    assert config["enabledManagers"][0] in config
    (pattern,) = config["pip-compile"]["managerFilePatterns"]
    assert re.search(pattern.strip("/"), "requirements.txt")


def test_renovate_understands_the_command_that_locks() -> None:
    """Its manager `pip-compile` takes the options that it knows, with ``=``, from the header of requirements.txt."""
    command = commands(README, "Work on it")[0].split()
    known = {"--universal", "--generate-hashes", "--emit-index-url", "--python-version=3.11"}
    assert command[:3] == ["uv", "pip", "compile"]
    assert set(command[3:]) == {*known, "--output-file=requirements.txt", "requirements.in"}
