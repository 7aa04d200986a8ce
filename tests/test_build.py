"""Builds of a project that is a folder of its repository, on a runtime in memory."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import commit_all, copy_project, run_git
from publish_fixtures import KEY, MATERIALS, sbom_of
from test_image import runtime

from kfp_release.build import build
from kfp_release.built import BuiltRelease
from kfp_release.errors import ReleaseError
from kfp_release.git import Git
from kfp_release.image import LABEL_REVISION, LABEL_SOURCE, Image
from kfp_release.image_ref import Repository
from kfp_release.interpreter import DEFAULT_INTERPRETER
from kfp_release.manifest import ImageConfig, Manifest
from kfp_release.plan import Plan
from kfp_release.planned_image import PlannedImage
from kfp_release.progress import Silent
from kfp_release.record import PinnedImage
from kfp_release.source import release_source
from kfp_release.wheel import Wheel

DECLARED = Repository.parse("533211398604.dkr.ecr.eu-north-1.amazonaws.com/data-science-kubeflow/demo")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this project, at v1.0, without its further distribution."""
    top = tmp_path_factory.mktemp("repository")
    folder = top / "components"
    folder.mkdir()
    copy_project(folder)
    shutil.rmtree(folder / ".git")
    pyproject = folder / "pyproject.toml"
    text = pyproject.read_text().replace("[tool.setuptools_scm]\n", '[tool.setuptools_scm]\nroot = ".."\n')
    pyproject.write_text(text.replace('extra-projects = ["src/kfp_release"]\n', ""))
    run_git(top, "init", "--quiet", "--initial-branch=main")
    commit_all(top, "Components")
    run_git(top, "tag", "v1.0")
    return folder


@pytest.fixture(scope="module")
def plan(project: Path) -> Plan:
    image = PlannedImage(
        name="demo",
        declared=DECLARED,
        repository=DECLARED,
        repository_exists=True,
        runtime_key=KEY,
        platform="linux/amd64",
        materials=MATERIALS,
        interpreter=DEFAULT_INTERPRETER,
        runtime=runtime(),
        existing=None,
        runtime_sbom=sbom_of(
            PinnedImage("demo", DECLARED, f"{DECLARED}:r@{runtime().manifest.digest}", KEY, "linux/amd64")
        ),
    )
    return Plan(release_source(Git(project), "v1.0"), "kubeflow-demo-components", (image,), {})


class Looking(Silent):
    """Puts a file where the build will put its own, and asks git whether it is a change."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.changes: list[str] | None = None

    def step(self, text: str) -> None:
        if text != "pin the images":
            return
        (folder,) = self.project.glob(".output-*/new")
        wheel = folder / "half-written.whl"
        wheel.write_bytes(b"PK")
        self.changes = Git(self.project).changes()
        wheel.unlink()


@pytest.fixture(scope="module")
def looking(project: Path) -> Looking:
    return Looking(project)


@pytest.fixture(scope="module")
def built(project: Path, plan: Plan, looking: Looking) -> BuiltRelease:
    return build(project, plan, project / "output", progress=looking)


def test_a_project_in_a_folder_of_its_repository_is_built(built: BuiltRelease) -> None:
    assert str(built.record.pins.version) == "1.0"
    assert {component.file for component in built.record.pins.components} >= {"multiply.yaml"}


def test_what_a_killed_build_would_leave_is_no_change_of_the_checkout(built: BuiltRelease, looking: Looking) -> None:
    assert built.folder.is_dir()
    assert looking.changes == []


def test_who_installs_the_wheel_gets_kfp_and_nothing_else(built: BuiltRelease) -> None:
    (path,) = built.folder.glob("*.whl")
    wheel = Wheel.parse(path.name, path.read_bytes())
    metadata = wheel.read("kubeflow_demo_components-1.0.dist-info/METADATA").decode()
    required = re.findall(r"^Requires-Dist: ([a-z0-9-]+)([^;\n]*)(?:; (.*))?$", metadata, re.MULTILINE)
    assert [name for name, _, marker in required if "extra" not in marker] == ["kfp"]
    assert "pandas" in [name for name, _, marker in required if marker == 'extra == "image"']


def test_the_notes_of_a_release_are_its_section(project: Path, built: BuiltRelease) -> None:
    notes = (built.folder / "notes.md").read_text()
    assert notes.startswith("### Added")
    assert notes in (project / "CHANGELOG.md").read_text()


def relabelled(image: Image, label: str, text: str) -> Image:
    """The image as another machine may have made it."""
    value = json.loads(image.config.data)
    value["config"]["Labels"][label] = text
    config = ImageConfig.of(value)
    annotations = {**image.manifest.annotations, label: text}
    return Image(Manifest.of(config.descriptor, image.manifest.layers, annotations), config)


def with_existing(plan: Plan, image: Image) -> Plan:
    return replace(plan, images=(replace(plan.images[0], existing=image),))


def test_an_image_of_the_same_content_is_adopted(
    project: Path, plan: Plan, built: BuiltRelease, tmp_path: Path
) -> None:
    existing = relabelled(built.image(built.record.pins.images[0]), LABEL_SOURCE, "https://example.com/renamed")
    again = build(project, with_existing(plan, existing), tmp_path / "dist", progress=Silent())
    (pinned,) = again.record.pins.images
    assert pinned.ref.digest == existing.manifest.digest


def test_an_image_of_another_commit_is_refused_with_both_digests(
    project: Path, plan: Plan, built: BuiltRelease, tmp_path: Path
) -> None:
    own = built.image(built.record.pins.images[0])
    existing = relabelled(own, LABEL_REVISION, "f" * 40)
    with pytest.raises(ReleaseError, match="is public already with other content") as caught:
        build(project, with_existing(plan, existing), tmp_path / "dist", progress=Silent())
    message = str(caught.value)
    assert all(part in message for part in (str(existing.manifest.digest), str(own.manifest.digest), "f" * 40))
    assert not (tmp_path / "dist").exists()


def test_a_folder_with_other_files_is_not_replaced(project: Path, plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ReleaseError, match="holds files that are no earlier build") as caught:
        build(project, plan, tmp_path, progress=Silent())
    assert "--output" in caught.value.remedy
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
