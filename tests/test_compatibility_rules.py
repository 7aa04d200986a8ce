"""What `check --release` says of interfaces, in repositories with releases of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import commit_all, run_git
from interface_fixtures import IMAGE, INPUTS, OUTPUTS, v1

from kfp_release.check import check_release
from kfp_release.config import Config
from kfp_release.errors import Problem
from kfp_release.git import Git
from kfp_release.source import Source
from kfp_release.version import ReleaseVersion

PYPROJECT = f"""\
[project]
name = "demo-parts"

[tool.kfp-release]
package = "demo_parts"
components = "yaml"
source = "https://example.com/demo"

[tool.kfp-release.images.demo]
repository = "{IMAGE}"
"""
FOLLOWING = ("1.0", "1.1", "1.2", "1.3", "2.0", "2.0rc1", "2.0rc2", "2.1", "3.0", "0.4", "0.4.1", "0.5")
CHANGELOG = "# Changelog\n" + "".join(f"\n## [{version}]\n\n- Something.\n" for version in FOLLOWING)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """No tags yet."""
    (tmp_path / "yaml").mkdir()
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG, encoding="utf-8")
    (tmp_path / "yaml/train.yaml").write_bytes(v1())
    (tmp_path / "yaml/other.yaml").write_bytes(v1((), ("name: a, type: String",)))
    run_git(tmp_path, "init", "--quiet", "--initial-branch=main")
    return tmp_path


def release(project: Path, tag: str) -> None:
    commit_all(project, tag)
    run_git(project, "tag", tag)


def checked(project: Path, version: str) -> list[Problem]:
    """What refuses a release of the working tree as `version`."""
    config = Config.parse((project / "pyproject.toml").read_bytes(), {})
    git, parsed = Git(project), ReleaseVersion.parse(version)
    return check_release(project, config, git, Source(parsed, f"v{version}", git.commit(), 0))


def write(project: Path, inputs: tuple[str, ...] = INPUTS, outputs: tuple[str, ...] = OUTPUTS) -> None:
    (project / "yaml/train.yaml").write_bytes(v1(inputs, outputs))


def break_it(project: Path) -> None:
    write(project, outputs=OUTPUTS[:1])


BROKEN = {
    "an input that is removed": (INPUTS[:2], OUTPUTS, 3, "input seed removed", "with a default if nothing reads it"),
    "an input of another type": (
        ("name: rate, type: Integer", *INPUTS[1:]),
        OUTPUTS,
        4,
        "input rate retyped, from Float to Integer",
        "keep its type, and add an input of another name with a default",
    ),
    "a new input that is required": (
        (*INPUTS, "name: epochs, type: Integer"),
        OUTPUTS,
        7,
        "input epochs added, required",
        "give the input a default",
    ),
    "an input that becomes required": (
        (*INPUTS[:2], "name: seed, type: Integer"),
        OUTPUTS,
        6,
        "input seed made required, from Integer = 0 to Integer",
        "keep its default",
    ),
    "another order": (
        (INPUTS[1], INPUTS[0], INPUTS[2]),
        OUTPUTS,
        4,
        "inputs in another order, from rate, data, seed to data, rate, seed",
        "keep the order, and put new inputs last",
    ),
    "an output that is removed": (INPUTS, OUTPUTS[:1], 7, "output loss removed", "keep the output"),
    "an output of another type": (
        INPUTS,
        (OUTPUTS[0], "name: loss, type: String"),
        9,
        "output loss retyped, from Float to String",
        "add an output of another name",
    ),
}


@pytest.mark.parametrize(("inputs", "outputs", "line", "what", "remedy"), BROKEN.values(), ids=BROKEN.keys())
def test_what_breaks_pipelines_needs_a_major_version(  # noqa: PLR0917 - a table's columns
    project: Path, inputs: tuple[str, ...], outputs: tuple[str, ...], line: int, what: str, remedy: str
) -> None:
    release(project, "v1.0")
    write(project, inputs, outputs)
    (problem,) = checked(project, "1.1")
    assert (problem.path, problem.line, problem.severity) == ("yaml/train.yaml", line, "error")
    assert problem.message == f"train_op: {what}; pipelines of 1.0 break, and 1.1 may break none"
    assert problem.remedy.endswith(", or release it as 2.0")
    assert remedy in problem.remedy
    assert checked(project, "2.0") == []
    assert checked(project, "2.0rc1") == []


def test_what_adds_to_an_interface_or_only_changes_how_it_is_written_needs_none(project: Path) -> None:
    release(project, "v1.0")
    inputs = ("name: Rate, type: Double", *INPUTS[1:], "name: more, type: Model, optional: true")
    write(project, inputs, (*OUTPUTS[::-1], "name: page, type: HTML"))
    (project / "yaml/new.yaml").write_bytes(v1())
    assert checked(project, "1.1") == []


def test_an_operator_that_is_removed_or_renamed_is_told_at_the_file_where_it_was_and_is(project: Path) -> None:
    release(project, "v1.0")
    (project / "yaml/train.yaml").rename(project / "yaml/learn.yaml")
    (project / "yaml/other.yaml").unlink()
    removed, renamed = sorted(checked(project, "1.1"), key=lambda problem: problem.message)
    assert (removed.path, removed.line) == ("yaml/other.yaml", 0)
    assert removed.message == "other_op: removed; pipelines of 1.0 break, and 1.1 may break none"
    assert (renamed.path, renamed.line) == ("yaml/learn.yaml", 1)
    assert renamed.message.startswith("train_op: renamed to learn_op; ")
    assert renamed.remedy == "keep a file of the old name too, or release it as 2.0"


def test_all_that_breaks_is_told_at_once(project: Path) -> None:
    release(project, "v1.0")
    write(project, INPUTS[1:], OUTPUTS[:1])
    (project / "yaml/other.yaml").unlink()
    assert [(problem.path, problem.line) for problem in checked(project, "1.1")] == [
        ("yaml/other.yaml", 0),
        ("yaml/train.yaml", 3),
        ("yaml/train.yaml", 6),
    ]


def test_the_highest_release_that_the_commit_contains_is_the_one_that_counts(project: Path) -> None:
    release(project, "v1.0")
    run_git(project, "checkout", "--quiet", "-b", "maintenance")
    release(project, "v1.1")
    run_git(project, "checkout", "--quiet", "main")
    break_it(project)
    release(project, "v2.0")
    assert checked(project, "2.1") == []
    run_git(project, "checkout", "--quiet", "maintenance")
    assert checked(project, "1.2") == []
    break_it(project)
    (problem,) = checked(project, "1.2")
    assert "pipelines of 1.1 break" in problem.message
    assert problem.remedy.endswith("or release it as 3.0")  # 2.0 is another branch's


def test_a_release_that_has_its_tag_is_held_against_the_one_before(project: Path) -> None:
    release(project, "v1.0")
    break_it(project)
    release(project, "v1.1")
    (problem,) = checked(project, "1.1")
    assert "pipelines of 1.0 break" in problem.message
    release(project, "v2.0")
    assert checked(project, "2.0") == []


def test_a_pre_release_promises_nothing_and_counts_as_what_it_leads_to(project: Path) -> None:
    release(project, "v1.0")
    write(project, (*INPUTS, "name: more, type: String, default: a"))
    release(project, "v1.1rc1")
    write(project)
    assert checked(project, "1.1") == []
    break_it(project)
    assert len(checked(project, "1.1rc2")) == 1 + 1  # it has no section, too
    release(project, "v2.0rc1")
    write(project, INPUTS[1:])
    assert checked(project, "2.0rc2") == []
    assert checked(project, "2.0") == []


def test_what_was_withdrawn_promises_nothing(project: Path) -> None:
    release(project, "v1.0")
    write(project, (*INPUTS, "name: wrong, type: String, default: a"))
    release(project, "v1.1")
    write(project)
    (problem,) = checked(project, "1.2")
    assert "input wrong removed; pipelines of 1.1 break" in problem.message
    (project / "CHANGELOG.md").write_text(CHANGELOG.replace("[1.1]", "[1.1] [YANKED]"), encoding="utf-8")
    commit_all(project, "Withdrawn")
    assert checked(project, "1.2") == []


def test_before_1_0_what_breaks_is_a_warning_unless_the_second_number_tells_it(project: Path) -> None:
    release(project, "v0.4")
    break_it(project)
    (problem,) = checked(project, "0.4.1")
    assert problem.severity == "warning"
    assert problem.message == "train_op: output loss removed; pipelines of 0.4 break"
    assert problem.remedy == "keep the output, or better release it as 0.5"
    assert checked(project, "0.5") == []


def test_a_first_release_breaks_nothing(project: Path) -> None:
    commit_all(project, "First")
    assert checked(project, "1.0") == []


def test_a_release_before_this_tool_is_read_from_the_folder_of_today(project: Path) -> None:
    (project / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    release(project, "v1.0")
    (project / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    break_it(project)
    assert [problem.path for problem in checked(project, "1.1")] == ["yaml/train.yaml"]


def test_a_release_in_another_folder_is_read_from_there(project: Path) -> None:
    release(project, "v1.0")
    run_git(project, "mv", "yaml", "parts")
    (project / "pyproject.toml").write_text(PYPROJECT.replace('"yaml"', '"parts"'), encoding="utf-8")
    assert checked(project, "1.1") == []


def test_a_release_that_nobody_can_read_is_a_warning_for_it_cannot_be_mended(project: Path) -> None:
    (project / "yaml/bad.yaml").write_text("name: [", encoding="utf-8")
    release(project, "v1.0")
    (project / "yaml/bad.yaml").unlink()
    break_it(project)
    unread, broken = checked(project, "1.1")
    assert (unread.path, unread.line, unread.severity) == ("v1.0:yaml/bad.yaml", 2, "warning")
    assert unread.message.startswith("cannot be compared with the interfaces of 1.0: is not YAML")
    assert broken.message.startswith("train_op: output loss removed")
    (project / "pyproject.toml").write_text("[", encoding="utf-8")
    release(project, "v1.1")
    (project / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (problem,) = checked(project, "1.2")
    assert (problem.path, problem.severity) == ("v1.1:pyproject.toml", "warning")


def test_a_file_that_is_broken_now_is_not_taken_for_one_that_is_gone(project: Path) -> None:
    release(project, "v1.0")
    (project / "yaml/train.yaml").write_text("name: [", encoding="utf-8")
    (project / "yaml/other.yaml").unlink()
    (problem,) = checked(project, "1.1")  # `check` itself tells of train.yaml
    assert problem.message.startswith("other_op: removed")


def test_a_clone_that_lacks_a_file_of_the_release_is_told(project: Path) -> None:
    release(project, "v1.0")
    blob = run_git(project, "rev-parse", "v1.0:yaml/train.yaml").strip()
    break_it(project)
    (project / ".git/objects" / blob[:2] / blob[2:]).unlink()
    (problem,) = checked(project, "1.1")
    assert (problem.path, problem.severity) == ("git", "error")
    assert "this clone lacks 'yaml/train.yaml' of commit" in problem.message
    assert problem.remedy == "git fetch --all --tags"
