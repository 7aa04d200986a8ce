"""What git asks for: each tag as its own commit configures it, whatever the checkout says now."""

from __future__ import annotations

from pathlib import Path

import pytest
from git_fixtures import commit, new_repository, run
from many_releases import DECLARED, EXTRA, PROJECT, PYPROJECT

from kfp_release.config import Config
from kfp_release.desired import Desired, desired_releases
from kfp_release.git import Git
from kfp_release.version import ReleaseVersion

ONE = PYPROJECT.replace('extra-projects = ["more"]\n', "")
TWO_IMAGES = f'{PYPROJECT}\n[tool.kfp-release.images.second]\nrepository = "{DECLARED}-second"\n'


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = new_repository(tmp_path / "project")
    run(folder, "tag", "v0.9")
    (folder / "more").mkdir()
    (folder / "more/pyproject.toml").write_text(f'[project]\nname = "{EXTRA}"\n', encoding="utf-8")
    return folder


def tagged(folder: Path, tag: str, pyproject: str) -> str:
    at = commit(folder, "pyproject.toml", pyproject)
    run(folder, "tag", tag)
    return at


def desired(folder: Path, **environ: str) -> Desired:
    config = Config.parse((folder / "pyproject.toml").read_bytes(), environ)
    return desired_releases(Git(folder), config, environ)


def test_each_release_is_as_its_commit_configures_it(repository: Path) -> None:
    first = tagged(repository, "v1.0", ONE)
    second = tagged(repository, "v2.0", TWO_IMAGES)
    found = desired(repository)
    one, two = found.releases
    assert (str(one.version), one.commit, one.projects) == ("1.0", first, (PROJECT,))
    assert one.images == (("demo", DECLARED),)
    assert (str(two.version), two.commit, two.projects) == ("2.0", second, (PROJECT, EXTRA))
    assert [name for name, _ in two.images] == ["demo", "second"]


def test_tags_of_commits_without_this_tool_are_foreign(repository: Path) -> None:
    tagged(repository, "v1.0", ONE)
    run(repository, "tag", "v1.0.0")
    run(repository, "tag", "nightly")
    found = desired(repository)
    assert [str(version) for version in found.foreign] == ["0.9"]
    assert [str(release.version) for release in found.releases] == ["1.0"]


def test_tags_of_one_version_are_one_release_that_names_them_all(repository: Path) -> None:
    first = tagged(repository, "v1.2", ONE)
    second = tagged(repository, "v1.2.0", TWO_IMAGES)
    run(repository, "tag", "v0.9.0")
    found = desired(repository)
    assert [(str(one.version), one.commit, one.equal_tags) for one in found.releases] == [
        ("0.9.0", second, ("v0.9",)),  # v0.9 is of a commit without this tool
        ("1.2", first, ("v1.2.0",)),
    ]
    assert found.foreign == ()


def test_a_configuration_that_cannot_be_read_any_more_is_taken_to_be_the_checkouts(repository: Path) -> None:
    tagged(repository, "v1.0", f"{ONE}\n[tool.kfp-release.of-old]\nsetting = 1\n")
    tagged(repository, "v1.1", PYPROJECT)
    old, new = desired(repository).releases
    assert (old.projects, old.images) == (new.projects, new.images)


def test_the_registry_of_the_environment_counts_and_its_other_replacements_do_not(repository: Path) -> None:
    tagged(repository, "v1.0", PYPROJECT)
    with_argument = f'{PYPROJECT}\n[tool.kfp-release.images.demo.build-args]\nBASE = "x@sha256:{"a" * 64}"\n'
    tagged(repository, "v1.1", with_argument)
    found = desired(repository, KFP_RELEASE_REGISTRY="127.0.0.1:5000", KFP_RELEASE_BUILD_ARG_BASE="y")
    assert {at for release in found.releases for _, at in release.images} == {DECLARED.at_host("127.0.0.1:5000")}
    assert len(found.releases) == 2


def test_a_project_that_its_commit_has_not_is_not_asked_for(repository: Path) -> None:
    run(repository, "rm", "-r", "--quiet", "--cached", "--ignore-unmatch", "more")
    (repository / "more/pyproject.toml").rename(repository / "kept.toml")
    tagged(repository, "v1.0", PYPROJECT)
    (repository / "more/pyproject.toml").write_text("[project]\n", encoding="utf-8")
    tagged(repository, "v1.1", f"{PYPROJECT}\n")
    (repository / "kept.toml").rename(repository / "more/pyproject.toml")
    tagged(repository, "v1.2", PYPROJECT)
    assert [release.projects for release in desired(repository).releases] == [(PROJECT,), (PROJECT,), (PROJECT, EXTRA)]


def test_a_version_that_a_branch_withdraws_is_withdrawn_with_a_tag_and_without(repository: Path) -> None:
    tagged(repository, "v1.0", PYPROJECT)
    run(repository, "checkout", "--quiet", "-b", "fixes")
    commit(repository, "CHANGELOG.md", "# Changelog\n\n## [1.0] - 2026-11-22 [YANKED]\n\n## [0.5] [YANKED]\n")
    run(repository, "checkout", "--quiet", "main")
    found = desired(repository)
    assert found.releases[0].withdrawn == "refs/heads/fixes"
    other = found.without_tag(ReleaseVersion.parse("0.5"))
    assert (str(other.version), other.commit, other.withdrawn) == ("0.5", "", "refs/heads/fixes")
    assert other.projects == (PROJECT, EXTRA)


def test_a_repository_without_tags_asks_for_nothing(repository: Path) -> None:
    run(repository, "tag", "--delete", "v0.9")
    commit(repository, "pyproject.toml", PYPROJECT)
    found = desired(repository)
    assert (found.releases, found.foreign) == ((), ())
