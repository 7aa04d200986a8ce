"""Compiled pipelines against a real registry and git: which version and commit, and whether it is still there."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from conftest import kfp_release
from ecr_fixtures import REGION, MemoryBlob, noise, pushed
from git_fixtures import commit, run
from kfp import compiler, components, dsl
from many_releases import DECLARED, PYPROJECT, Release, push_image
from publish_fixtures import KEY, parts

from kfp_release.config import Config
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.image_ref import Repository
from kfp_release.package_files._operators.pipeline import Pipeline
from kfp_release.package_files._operators.tracing import Trace, Traced
from kfp_release.progress import Silent
from kfp_release.sandbox import Sandbox
from kfp_release.trace import trace
from kfp_release.upload import upload_blobs
from kfp_release.version import ReleaseVersion

OWN, MIRROR, FOREIGN = DECLARED.name, f"mirror/{DECLARED.name}", f"ghcr.io/other/tool:3@sha256:{'f' * 64}"
TOOL = f"name: Tool\nimplementation: {{container: {{image: '{FOREIGN}', command: [tool]}}}}\n"


def component(name: str, image: str, *command: str) -> str:
    return f"name: {name}\nimplementation: {{container: {{image: '{image}', command: [{', '.join(command)}]}}}}\n"


def compiled(folder: Path, **tasks: tuple[str, tuple[str, ...]]) -> Path:
    """A pipeline that kfp compiled: of each task the image and what it runs."""
    loaded = [components.load_component_from_text(component(name, *told[:1], *told[1])) for name, told in tasks.items()]

    def body():  # type: ignore[no-untyped-def] # noqa: ANN202 - kfp reads annotations as they are
        for one in loaded:
            one()

    compiler.Compiler().compile(dsl.pipeline(name="traced")(body), str(folder / "traced.yaml"))
    return folder / "traced.yaml"


@dataclass
class Place:
    """Two releases of a repository whose component ran other words in the first, in a sandbox."""

    project: Path
    sandbox: Sandbox
    releases: list[Release]
    digests: list[Digest]

    @property
    def host(self) -> str:
        return self.sandbox.environ["KFP_RELEASE_REGISTRY"]

    @property
    def config(self) -> Config:
        return Config.parse((self.project / "pyproject.toml").read_bytes(), self.sandbox.environ)

    def store(self, repository: Repository, calls: Counter[str] | None = None, **options: str) -> EcrRepository:
        environ = self.sandbox.environ
        given: dict[str, Any] = {
            "aws_access_key_id": environ["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": environ["AWS_SECRET_ACCESS_KEY"],
            "endpoint_url": environ["AWS_ENDPOINT_URL_ECR"],
        }
        client = boto3.session.Session().client("ecr", region_name=REGION, **{**given, **options})
        if calls is not None:
            client.meta.events.register("before-call.ecr", lambda model, **_: calls.update([model.name]))
        return EcrRepository(client, repository)

    def repository(self, name: str) -> EcrRepository:
        """A repository of the registry, as releases make it."""
        store = self.store(Repository(self.host, name, DECLARED.account, DECLARED.region))
        store.create()
        return store

    def image(self, number: int, *, repository: str = OWN, tag: str | None = None) -> str:
        """The image of a release, as a pipeline names it."""
        tag = tag or str(self.releases[number].version)
        return f"{self.host}/{repository}:{tag}@{self.digests[number]}"

    def trace(self, pipeline: Path, calls: Counter[str] | None = None, **options: str) -> Trace:
        parsed = Pipeline.parse(pipeline.name, pipeline.read_bytes())
        stores = {}

        def opened(repository: Repository) -> EcrRepository:
            stores[repository] = self.store(repository, calls, **options)
            return stores[repository]

        return trace(parsed, project=self.project, config=self.config, stores=opened)

    def one(self, folder: Path, image: str, *command: str) -> Traced:
        """A pipeline of one task, traced."""
        (task,) = self.trace(compiled(folder, Multiply=(image, command or ("multiply", "--fast")))).tasks
        return task

    def run(self, *arguments: str | Path, **environ: str) -> Any:
        return kfp_release(arguments, cwd=self.project, environ={**self.sandbox.environ, **environ})


def push(store: EcrRepository, releases: list[Release]) -> list[Digest]:
    """The images of `releases`, with the layers of their runtime, in any repository: the same bytes everywhere."""
    runtime, _ = parts()
    shared = [MemoryBlob(noise(1000)), MemoryBlob(runtime.config.data, runtime.manifest.config)]
    upload_blobs(store, shared, progress=Silent())
    store.put(runtime.manifest, f"runtime-{KEY}")
    return [push_image(store, release, runtime) for release in releases]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("trace")
    project = folder / "project"
    (project / "yaml").mkdir(parents=True)
    run(project, "init", "--quiet", "--initial-branch=main")
    (project / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    commits = []
    for number, command in enumerate([("multiply",), ("multiply", "--fast")]):
        commits.append(commit(project, "yaml/multiply.yaml", component("Multiply", str(DECLARED), *command)))
        run(project, "tag", f"v1.{number}")
        commit(project, "yaml/tool.yaml", TOOL)  # after 1.0
    releases = [Release(ReleaseVersion.parse(f"1.{number}"), at) for number, at in enumerate(commits)]
    with Sandbox(folder / "sandbox", base=False) as sandbox:
        made = Place(project, sandbox, releases, [])
        made.digests += push(made.repository(OWN), releases)
        yield made


def test_each_image_is_traced_to_its_own_version_and_commit(place: Place, tmp_path: Path) -> None:
    file = compiled(
        tmp_path,
        First=(place.image(0), ("multiply",)),
        Second=(place.image(1), ("multiply", "--fast")),
        Own=(place.image(1), ("multiply",)),
        Tool=(FOREIGN, ("tool",)),
        Loose=("python:3.12", ("python",)),
        Stranger=(f"docker.io/any/thing@sha256:{'e' * 64}", ("any",)),
    )
    calls = Counter[str]()
    found = place.trace(file, calls)
    first, second = place.releases
    told = {
        task.task: (task.component, task.origin.state, task.origin.version, task.origin.commit) for task in found.tasks
    }
    assert told == {
        "first": ("multiply_op", "pinned", "1.0", first.commit),
        "second": ("multiply_op", "pinned", "1.1", second.commit),
        "own": (None, "pinned", "1.1", second.commit),
        "tool": ("tool_op", "pinned", "1.1", second.commit),
        "loose": (None, "unpinned", "", ""),
        "stranger": (None, "foreign", "", ""),
    }
    assert calls == {"DescribeImages": 1, "BatchGetImage": 1, "BatchCheckLayerAvailability": 1}


def test_the_command_shows_a_row_a_task(place: Place, tmp_path: Path) -> None:
    file = compiled(tmp_path, A=(place.image(0), ("multiply",)), B=(place.image(1), ("multiply", "--fast")))
    summary = tmp_path / "summary.md"
    ended = place.run("trace", file, GITHUB_STEP_SUMMARY=str(summary))
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert lines[0] == "traced: 2 tasks: 2 pinned"
    (row,) = (line.split() for line in lines if line.startswith(" a "))
    assert row == [
        "a",
        "multiply_op",
        "1.0",
        place.releases[0].commit[:12],
        "many:1.0",
        place.digests[0].short,
        "pinned",
    ]
    assert lines[-1] == "2 versions: 1.0, 1.1"
    assert summary.read_text(encoding="utf-8").startswith("### traced: 2 tasks: 2 pinned\n\n| task | component |")
    markdown = place.run("trace", file, "--markdown").stdout
    assert f"{markdown}\n" == summary.read_text(encoding="utf-8")
    value = json.loads(place.run("trace", file, "--json").stdout)
    assert (value["good"], value["tasks"][0]["commit"]) == (True, place.releases[0].commit)


def test_one_that_is_flagged_ends_with_1(place: Place, tmp_path: Path) -> None:
    file = compiled(tmp_path, A=("python:3.12", ("python",)))
    ended = place.run("trace", file)
    assert ended.returncode == 1
    assert "unpinned: python:3.12: it has no digest" in ended.stdout
    assert place.run("trace", file, "--json", "--markdown").returncode == 2


@pytest.mark.parametrize(
    ("name", "says"),
    [("gone.yaml", "cannot be read: No such file"), ("pyproject.toml", "no compiled pipeline|not YAML")],
)
def test_what_is_no_pipeline_is_one_error(place: Place, name: str, says: str) -> None:
    ended = place.run("trace", name)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.search(says, ended.stderr)
    assert "Traceback" not in ended.stderr


def test_the_declared_registry_is_the_one_that_the_environment_puts_in_its_place(place: Place, tmp_path: Path) -> None:
    task = place.one(tmp_path, place.image(1).replace(place.host, DECLARED.host))
    assert (task.component, task.origin.state, task.origin.version) == ("multiply_op", "pinned", "1.1")


def test_an_image_on_a_mirror_in_ecr_is_asked_for_there(place: Place, tmp_path: Path) -> None:
    image = place.image(1, repository=MIRROR)
    lacking = place.one(tmp_path, image)
    assert (lacking.origin.state, lacking.origin.why) == (
        "missing",
        f"{place.host}/{MIRROR} has no image of this digest",
    )
    assert push(place.repository(MIRROR), place.releases[1:]) == place.digests[1:]
    there = place.one(tmp_path, image)
    assert (there.component, there.origin.state, there.origin.version) == ("multiply_op", "mirrored", "1.1")


def test_a_mirror_that_is_no_ecr_is_not_asked_and_its_home_is(place: Place, tmp_path: Path) -> None:
    image = place.image(1).replace(place.host, "mirror.example:5000/cache")
    task = place.one(tmp_path, image)
    assert (task.component, task.origin.state, task.origin.version) == ("multiply_op", "mirrored", "1.1")
    assert task.origin.why == f"mirror.example:5000 is no ECR and was not asked; {place.host}/{OWN} has it"
    gone = place.one(tmp_path, re.sub("sha256:.*", f"sha256:{'0' * 64}", image))
    assert gone.origin.state == "missing"
    assert gone.origin.why.endswith(
        "has no image of this digest, and mirror.example:5000, which is no ECR, was not asked"
    )


def test_a_tag_that_says_another_version_is_drift(place: Place, tmp_path: Path) -> None:
    task = place.one(tmp_path, place.image(1, tag="1.0"))
    assert (task.origin.state, task.origin.why) == ("drift", "its tag is 1.0, and its labels say 1.1")
    assert place.one(tmp_path, place.image(1).replace(":1.1@", "@")).origin.state == "pinned"


def test_an_image_without_labels_of_a_release_is_unknown(place: Place, tmp_path: Path) -> None:
    manifest = pushed(place.repository(OWN), "by-hand")
    task = place.one(tmp_path, f"{place.host}/{OWN}:by-hand@{manifest.digest}")
    assert (task.origin.state, task.origin.version) == ("unknown", "")
    assert "no release made it" in task.origin.why


@pytest.fixture
def archived(place: Place) -> Iterator[Mapping[str, str]]:
    image = {"imageDigest": str(place.digests[0])}
    store = place.repository(OWN)
    store.call("update_image_storage_class", imageId=image, targetStorageClass="ARCHIVE")
    yield image
    store.call("update_image_storage_class", imageId=image, targetStorageClass="STANDARD")


@pytest.mark.usefixtures("archived")
def test_an_archived_image_is_told_with_what_restores_it(place: Place, tmp_path: Path) -> None:
    task = place.one(tmp_path, place.image(0))
    assert task.origin.state == "archived"
    assert "has it ARCHIVED, so it cannot be pulled: aws ecr update-image-storage-class" in task.origin.why


def test_a_version_whose_tag_has_moved_or_gone_is_drift(place: Place, tmp_path: Path) -> None:
    moved = f"moved/{OWN}"
    store = place.repository(moved)
    push(store, place.releases[:1])
    image = place.image(0, repository=moved)
    assert place.one(tmp_path, image).origin.state == "mirrored"
    store.call("batch_delete_image", imageIds=[{"imageTag": "1.0"}])
    push(store, place.releases[:1])
    # The mirror's tag leads to another image, while the digest is there still.
    runtime, _ = parts()
    store.call("put_image_tag_mutability", imageTagMutability="MUTABLE")
    push_image(store, Release(place.releases[0].version, "e" * 40), runtime)
    task = place.one(tmp_path, image)
    assert task.origin.state == "drift"
    assert re.search(rf"{moved}:1\.0 is sha256:[0-9a-f]{{64}} now", task.origin.why)
    assert task.origin.version == "1.0"


def test_a_git_tag_of_another_commit_is_drift(place: Place, tmp_path: Path) -> None:
    run(place.project, "tag", "--force", "v1.0", "main")
    try:
        task = place.one(tmp_path, place.image(0))
    finally:
        run(place.project, "tag", "--force", "v1.0", place.releases[0].commit)
    assert task.origin.state == "drift"
    assert f"its labels say commit {place.releases[0].commit[:12]}, and the git tag v1.0 is at " in task.origin.why


def test_without_the_commit_the_working_tree_tells_the_component(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = tmp_path / "export"
    (bare / "yaml").mkdir(parents=True)
    for name in ("pyproject.toml", "yaml/multiply.yaml"):
        (bare / name).write_bytes((place.project / name).read_bytes())
    monkeypatch.setattr(place, "project", bare)
    assert place.one(tmp_path, place.image(1)).component == "multiply_op"
    assert place.one(tmp_path, place.image(0), "multiply").component is None


def test_a_copy_below_a_prefix_of_a_repository_of_one_word_is_known_by_its_digest(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    text = PYPROJECT.replace(str(DECLARED), f"{DECLARED.host}/single")
    (project / "pyproject.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(place, "project", project)
    (nowhere,) = place.trace(compiled(tmp_path, A=(place.image(0, repository="cache/single"), ("any",)))).tasks
    assert nowhere.origin.state == "foreign"
    push(place.repository("single"), place.releases[:1])
    there = place.one(tmp_path, place.image(0, repository="cache/single"))
    assert (there.origin.state, there.origin.why) == (
        "missing",
        f"{place.host}/cache/single has no image of this digest",
    )
    elsewhere = place.one(tmp_path, place.image(0, repository="cache/single").replace(place.host, "mirror.example"))
    assert (elsewhere.origin.state, elsewhere.origin.version) == ("mirrored", "1.0")
    strangers = place.one(tmp_path, place.image(1, repository="any/single"))
    assert strangers.origin.state == "foreign"


def test_an_ecr_that_cannot_be_asked_is_an_error_and_a_mirror_a_state(place: Place, tmp_path: Path) -> None:
    file = compiled(tmp_path, A=(place.image(0), ("multiply",)))
    with pytest.raises(EcrError, match="the secret access key does not belong"):
        place.trace(file, aws_secret_access_key="wrong")  # noqa: S106 - wrong on purpose
    mirrored = compiled(tmp_path, A=(place.image(0, repository=f"any/{OWN}"), ("multiply",)))
    (task,) = place.trace(mirrored, aws_secret_access_key="wrong").tasks  # noqa: S106 - likewise
    assert task.origin.state == "unasked"
    assert "ECR refused describe_images" in task.origin.why


# The same pipeline on a mirror


def test_a_pipeline_goes_to_a_mirror_that_has_its_images(place: Place, tmp_path: Path) -> None:
    push(place.repository(f"full/{OWN}"), place.releases)
    file = compiled(tmp_path, A=(place.image(0), ("multiply",)), B=(place.image(1), ("multiply", "--fast")))
    text = file.read_text(encoding="utf-8")
    ended = place.run("rehome", file, "--to", f"{place.host}/full")
    assert (ended.returncode, ended.stderr) == (0, "")
    output = tmp_path / "traced.rehomed.yaml"
    assert output.read_text(encoding="utf-8") == text.replace(f"{place.host}/", f"{place.host}/full/")
    lines = ended.stdout.splitlines()
    assert lines[0] == f"{output} written, with images on {place.host}/full"
    assert "traced: 2 tasks: 2 mirrored" in lines
    again = json.loads(place.run("rehome", file, "--to", f"{place.host}/full", "--json").stdout)
    assert (again["written"], again["checked"], again["trace"]["good"]) == (False, True, True)
    assert place.run("trace", output).returncode == 0


@pytest.mark.usefixtures("archived")
def test_what_the_mirror_lacks_is_one_error_and_nothing_is_written(place: Place, tmp_path: Path) -> None:
    file = compiled(tmp_path, A=(place.image(0), ("multiply",)), B=(place.image(1), ("multiply", "--fast")))
    ended = place.run("rehome", file, "--to", f"{place.host}/half")
    assert (ended.returncode, ended.stdout) == (1, "")
    for number in (0, 1):
        there = place.image(number, repository=f"half/{OWN}")
        assert (
            f"{there}: missing: {place.host}/half/{OWN} has no image of this digest\n  → copy the image" in ended.stderr
        )
    assert place.run("rehome", file, "--to", place.host).returncode == 1  # it is there already, and archived
    assert [path.name for path in tmp_path.iterdir()] == ["traced.yaml"]
    unchecked = place.run("rehome", file, "--to", f"{place.host}/half", "--no-check")
    assert unchecked.returncode == 0
    assert f"{place.host}/half was not asked whether it has them" in unchecked.stdout


def test_a_mirror_that_is_no_ecr_is_said_not_to_be_asked(place: Place, tmp_path: Path) -> None:
    file = compiled(tmp_path, A=(place.image(0), ("multiply",)), Tool=(FOREIGN, ("tool",)))
    ended = place.run(
        "rehome", file, "--to", "mirror.example/team", "--output", tmp_path / "out.yaml", AWS_PROFILE="gone"
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "mirror.example/team is no ECR: it was not asked whether it has them" in ended.stdout
    assert re.search(rf"{re.escape(FOREIGN)} +of others, left as it is", ended.stdout)


def test_what_cannot_be_rehomed_is_an_error(place: Place, tmp_path: Path) -> None:
    file = compiled(tmp_path, A=("python:3.12", ("python",)))
    ended = place.run("rehome", file, "--to", "mirror.example")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "no image in it is of " in ended.stderr
    for none in (".", "/"):
        assert "cannot be read: Is a directory" in place.run("rehome", none, "--to", "mirror.example").stderr
    assert "is not a registry" in place.run("rehome", file, "--to", "https://mirror.example").stderr
    assert place.run("rehome", file).returncode == 2
