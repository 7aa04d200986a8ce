"""Every wrong input ends in one message with a remedy, nothing half-published, and the checkout as it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from conftest import commit_all, kfp_release, run_git
from ecr_fixtures import ecr_of
from scripted import scripted
from test_release import small_project

from kfp_release.sandbox import Sandbox


@dataclass
class Workplace:
    """A repository that could be released, and the sandbox that it would be released into."""

    repository: Path
    sandbox: Sandbox
    environ: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, old: str, new: str) -> None:
        path = self.repository / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def retag(self) -> None:
        commit_all(self.repository, "Changed")
        run_git(self.repository, "tag", "--force", "v1.0")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = small_project(tmp_path_factory.mktemp("template") / "project")
    run_git(repository, "tag", "v1.0")
    return repository


@pytest.fixture
def workplace(template: Path, sandbox: Sandbox, tmp_path: Path) -> Iterator[Workplace]:
    repository = tmp_path / "project"
    shutil.copytree(template, repository, symlinks=True)
    yield Workplace(repository, sandbox)
    assert _images(sandbox) == []
    assert list(sandbox.packages.iterdir()) == []


def _images(sandbox: Sandbox) -> list[Any]:
    ecr = ecr_of(sandbox)
    repositories = [item["repositoryName"] for item in ecr.describe_repositories()["repositories"]]
    owned = [name for name in repositories if name.startswith("data-science-kubeflow/")]
    return [image for name in owned for image in ecr.describe_images(repositoryName=name)["imageDetails"]]


def _state(repository: Path) -> tuple[str, str, str]:
    return (
        run_git(repository, "status", "--porcelain", "--ignored", "--", ".", ":!build", ":!dist"),
        run_git(repository, "show-ref"),
        run_git(repository, "worktree", "list"),
    )


def nothing(_: Workplace) -> None:
    """The repository as it is."""


def untracked(place: Workplace) -> None:
    (place.repository / "left-behind.txt").write_text("x", encoding="utf-8")


def modified(place: Workplace) -> None:
    place.write("README.md", "#", "##")


def moved_on(place: Workplace) -> None:
    commit_all(place.repository, "One more")


def shallow(place: Workplace) -> None:
    clone = place.repository.with_name("shallow")
    run_git(place.repository.parent, "clone", "--quiet", "--depth=1", place.repository.as_uri(), str(clone))
    run_git(clone, "tag", "--force", "v1.0")
    place.repository = clone


def misspelt_key(place: Workplace) -> None:
    place.write("pyproject.toml", 'components = "yaml"', 'componets = "yaml"')
    place.retag()


def broken_yaml(place: Workplace) -> None:
    (place.repository / "yaml/broken.yaml").write_text("name: [", encoding="utf-8")
    place.retag()


def pinned_source(place: Workplace) -> None:
    place.write("yaml/multiply.yaml", "data-science-kubeflow/demo", "data-science-kubeflow/demo:1.0")
    place.retag()


def no_changelog_section(place: Workplace) -> None:
    place.write("CHANGELOG.md", "## [1.0]", "## [0.9]")
    place.retag()


def unpinned_base(place: Workplace) -> None:
    place.write("Dockerfile", "FROM ${BASE}", "FROM debian:bookworm")
    place.retag()


def unreachable_ecr(place: Workplace) -> None:
    place.environ["AWS_ENDPOINT_URL_ECR"] = "http://127.0.0.1:1"


def wrong_aws_key(place: Workplace) -> None:
    place.environ["AWS_SECRET_ACCESS_KEY"] = "not-the-secret"  # noqa: S105 - wrong on purpose


def no_aws_key(place: Workplace) -> None:
    place.environ["AWS_ACCESS_KEY_ID"] = ""
    place.environ["AWS_SECRET_ACCESS_KEY"] = ""


def unreachable_index(place: Workplace) -> None:
    place.environ["TWINE_REPOSITORY_URL"] = "http://127.0.0.1:1/"
    place.environ["KFP_RELEASE_SIMPLE_URL"] = "http://127.0.0.1:1/simple/"


def another_registry(place: Workplace) -> None:
    place.environ["KFP_RELEASE_REGISTRY"] = "127.0.0.1:9"


def wrong_index_password(place: Workplace) -> None:
    place.environ["TWINE_PASSWORD"] = "not-the-password"  # noqa: S105 - wrong on purpose


def no_buildah(place: Workplace) -> None:
    tools = place.repository.with_name("tools")
    tools.mkdir()
    git = shutil.which("git")
    assert git
    (tools / "git").symlink_to(git)
    place.environ["PATH"] = str(tools)
    place.environ["XDG_CACHE_HOME"] = str(tools)  # where a runtime may lie that another test built


RELEASE = ["release", "v1.0", "--create-repository"]
PLAN = ["plan", "v1.0"]


@pytest.mark.parametrize(
    ("arguments", "spoil", "expected"),
    [
        (["release", "1.0"], nothing, ["'1.0' is not a release tag", "v1.2"]),
        (["release", "release-1.0"], nothing, ["is not a release tag"]),
        (["release", "v1.00"], nothing, ["not in the normal form", "git tag v1.0"]),
        (["release", "v1.0.dev1"], nothing, ["--snapshot"]),
        (["release", "v7.7"], nothing, ["v7.7", "git tag v7.7"]),
        (["release", "--upload-pack=x"], nothing, ["--upload-pack"]),
        (RELEASE, untracked, ["left-behind.txt", "git "]),
        (RELEASE, modified, ["README.md", "git "]),
        (RELEASE, moved_on, ["v1.0", "git checkout"]),
        (RELEASE, shallow, ["shallow", "git fetch --unshallow"]),
        (RELEASE, misspelt_key, ["pyproject.toml", "componets", "components"]),
        (RELEASE, broken_yaml, ["yaml/broken.yaml"]),
        (RELEASE, pinned_source, ["yaml/multiply.yaml", ":1.0"]),
        (RELEASE, no_changelog_section, ["CHANGELOG.md", "1.0"]),
        (RELEASE, unpinned_base, ["Dockerfile", "debian:bookworm"]),
        (RELEASE, another_registry, ["images would be pinned to 127.0.0.1:9/", "KFP_RELEASE_REGISTRY"]),
        (RELEASE, no_buildah, ["buildah", "apt-get install"]),
        (PLAN, no_changelog_section, ["CHANGELOG.md", "1.0"]),
        (PLAN, unreachable_ecr, ["127.0.0.1"]),
        (PLAN, wrong_aws_key, ["the secret access key does not belong"]),
        (PLAN, no_aws_key, ["AWS_ACCESS_KEY_ID"]),
        (PLAN, unreachable_index, ["127.0.0.1"]),
        (PLAN, wrong_index_password, ["TWINE_PASSWORD"]),
        (["build"], nothing, ["plan.json", "kfp-release plan"]),
        (["publish"], nothing, ["release.json", "kfp-release build"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else " ".join(value) if isinstance(value, list) else None,
)
def test_it_is_refused_with_a_remedy_and_leaves_everything_as_it_was(
    workplace: Workplace, arguments: list[str], spoil: Callable[[Workplace], None], expected: list[str]
) -> None:
    spoil(workplace)
    before = _state(workplace.repository)
    done = kfp_release(arguments, cwd=workplace.repository, environ={**workplace.sandbox.environ, **workplace.environ})
    assert done.returncode in {1, 2}, done.stderr
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
    for text in expected:
        assert text in done.stderr
    for name in ("not-the-secret", "not-the-password", workplace.sandbox.environ["TWINE_PASSWORD"]):
        assert name not in done.stderr
    assert _state(workplace.repository) == before
    assert list(workplace.repository.glob(".dist*")) == []


def test_an_index_that_anybody_may_read_takes_nothing_from_nobody_and_no_runtime_is_built(workplace: Workplace) -> None:
    with scripted({}) as (url, asked):  # it knows no project, and says so to everyone
        index = {"TWINE_REPOSITORY_URL": f"{url}/", "KFP_RELEASE_SIMPLE_URL": f"{url}/simple/"}
        nobody = {"TWINE_USERNAME": "", "TWINE_PASSWORD": ""}
        done = kfp_release(RELEASE, cwd=workplace.repository, environ={**workplace.sandbox.environ, **index, **nobody})
    assert done.returncode == 1
    assert f"nothing can be uploaded to {url}/ without credentials" in done.stderr
    assert "set TWINE_USERNAME and TWINE_PASSWORD" in done.stderr
    assert "runtime" not in done.stderr
    assert asked == [("/simple/kubeflow-demo-components/", None)]
