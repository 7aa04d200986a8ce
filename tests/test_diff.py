"""`kfp-release diff` on real sides: tags, branches, wheels, sdists, a real index, the working tree."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import commit_all, run_git
from small_project import PYPROJECT, hooks, make_project

from kfp_release.__main__ import main
from kfp_release.credentials import Credentials
from kfp_release.sandbox.index import IndexServer
from kfp_release.sandbox.process import free_port

INPUT = "- {name: a, type: Float}"


@dataclass(frozen=True)
class Place:
    """A repository with v1.0, v1.1rc1 and v2.0, whose files of 1.0 are on an index and in `dist`."""

    project: Path
    dist: Path
    environ: dict[str, str]

    @property
    def wheel(self) -> Path:
        (path,) = self.dist.glob("*.whl")
        return path

    @property
    def sdist(self) -> Path:
        (path,) = self.dist.glob("*.tar.gz")
        return path


def change(project: Path, old: str, new: str, path: str = "yaml/multiply.yaml") -> None:
    text = (project / path).read_bytes()
    assert old.encode() in text
    (project / path).write_bytes(text.replace(old.encode(), new.encode()))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("diff")
    project = make_project(folder / "project")
    server = IndexServer(
        folder / "index", Credentials("ann", "secret"), fallback_url=f"http://127.0.0.1:{free_port()}/simple/"
    )
    server.start()
    index = f'\n[tool.kfp-release.index]\nupload-url = "{server.upload_url}"\nsimple-url = "{server.simple_url}"\n'
    (project / "pyproject.toml").write_text(PYPROJECT + index, encoding="utf-8")
    commit_all(project, "An index")
    run_git(project, "tag", "--force", "v1.0")
    dist = folder / "dist"
    dist.mkdir()
    hooks(project).build_wheel(str(dist))
    hooks(project).build_sdist(str(dist))
    credentials = {"TWINE_USERNAME": "ann", "TWINE_PASSWORD": "secret"}
    for path in dist.iterdir():
        shutil.copy2(path, folder / "index/packages")
    change(project, INPUT, f"{INPUT}\n- {{name: b, type: Float, default: '1'}}")
    commit_all(project, "More")
    run_git(project, "tag", "v1.1rc1")
    run_git(project, "mv", "yaml", "parts")
    change(project, 'components = "yaml"', 'components = "parts"', "pyproject.toml")
    change(project, INPUT, "- {name: a, type: Integer}", "parts/multiply.yaml")
    commit_all(project, "Other")
    run_git(project, "tag", "v2.0")
    run_git(project, "branch", "1.5", "v1.1rc1")
    yield Place(project, dist, credentials)
    server.stop()


@pytest.fixture
def place(made: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.chdir(made.project)
    for name, text in made.environ.items():
        monkeypatch.setenv(name, text)
    yield made
    run_git(made.project, "reset", "--quiet", "--hard", "v2.0")
    run_git(made.project, "clean", "--quiet", "-fdx")


def diff(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> list[str]:
    """What changed, and the version that follows, by --json."""
    assert main(["diff", "--json", *map(str, arguments)]) == 0
    value = json.loads(capsys.readouterr().out)
    return [*(f"{change['operator']}: {change['what']}" for change in value["changes"]), str(value["next_version"])]


RETYPED, ADDED = "multiply_op: input a retyped", "multiply_op: input b added"


@pytest.mark.parametrize(
    ("sides", "changes"),
    [
        (("1.0", "2.0"), [RETYPED, ADDED, "2.0"]),
        (("v1.0", "v2.0"), [RETYPED, ADDED, "2.0"]),
        (("1.0", "1.1rc1"), [ADDED, "1.1"]),
        (("1.0",), [RETYPED, ADDED, "2.0"]),
        (("1.0", "HEAD~1"), [ADDED, "1.1"]),
        (("HEAD~1", "main"), [RETYPED, "None"]),
        (("2.0",), ["2.0.1"]),
        (("1.1rc1", "2.0"), [RETYPED, "1.1"]),
        (("1.0", "1.5"), [ADDED, "1.1"]),
        (("1.0", "refs/heads/1.5"), [ADDED, "1.1"]),
        (("index:1.0", "1.0"), ["1.0.1"]),
        (("index:1.0", "2.0"), [RETYPED, ADDED, "2.0"]),
        (("2.0", "index:1.0"), ["multiply_op: input b removed", RETYPED, "3.0"]),
        ((), ["2.0.1"]),
    ],
    ids=" ".join,
)
def test_sides_are_read_from_git_the_index_and_the_working_tree(
    place: Place, capsys: pytest.CaptureFixture[str], sides: tuple[str, ...], changes: list[str]
) -> None:
    assert place
    assert diff(capsys, *sides) == changes


def test_a_wheel_and_an_sdist_are_compared_with_the_tag_that_they_are_of(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert b"/team/demo:1.0" in place.wheel.read_bytes()
    for archive in (place.wheel, place.sdist, Path(os.path.relpath(place.wheel))):
        assert diff(capsys, archive, "1.0") == ["1.0.1"]
        assert diff(capsys, archive, "2.0") == [RETYPED, ADDED, "2.0"]


def test_two_wheels_need_no_project(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert diff(capsys, place.wheel, place.sdist) == ["1.0.1"]


def test_what_is_not_committed_counts_for_the_working_tree_alone(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    change(place.project, "- {name: b", "- {name: c, type: Float}\n- {name: b", "parts/multiply.yaml")
    assert diff(capsys, "2.0") == ["multiply_op: input c added, required", "3.0"]
    assert diff(capsys, "2.0", "HEAD") == ["2.0.1"]


def test_people_read_what_breaks_first_and_the_version_that_it_needs(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place
    assert main(["diff", "1.0"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines() if line.strip("─ \n")]
    assert lines == [
        "1.0 → working tree: 1 breaking change, 1 other",
        "breaking change before after",
        "multiply_op input a retyped Float Integer",
        "not breaking change before after",
        "multiply_op input b added Float = 1.0",
        "needs: a major version, which after 1.0 is 2.0",
    ]


def test_a_version_that_is_too_low_is_told(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    run_git(place.project, "tag", "v1.2", "v2.0")
    try:
        assert main(["diff", "1.0", "1.2"]) == 0
        assert "1.2 is too low for that: pipelines that were written for 1.0" in capsys.readouterr().out
    finally:
        run_git(place.project, "tag", "--delete", "v1.2")


def test_a_pre_release_promises_nothing(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place
    assert main(["diff", "1.1rc1"]) == 0
    assert "1.1rc1 is a pre-release, which promises nothing: 1.1 may follow" in capsys.readouterr().out


def test_markdown_goes_into_the_changelog_as_it_is(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place
    assert main(["diff", "1.0", "--markdown"]) == 0
    assert capsys.readouterr().out == (
        "### Added\n\n- `multiply_op`: input `b` (`Float = 1.0`).\n\n"
        "### Changed\n\n- **Breaking:** `multiply_op`: input `a` is `Integer` instead of `Float`.\n"
    )
    assert main(["diff", "2.0", "--markdown"]) == 0
    assert capsys.readouterr().out == ""


def test_the_exit_code_tells_of_changes_where_that_is_asked_for(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place
    assert [main(["diff", *words, "--exit-code"]) for words in (("1.0",), ("2.0",))] == [1, 0]
    assert main(["diff", "1.0", "--json", "--markdown"]) == 2
    assert "two forms of one result" in capsys.readouterr().err


def test_the_summary_of_ci_has_the_changes(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    assert main(["diff", "1.0"]) == 0
    assert capsys.readouterr().out
    assert "| `multiply_op` | `input a retyped` | `Float` | `Integer` |" in (tmp_path / "summary").read_text("utf-8")


REFUSED = {
    "a tag that is nearly there": (("1.1rc2",), "git knows no '1.1rc2' in ", "did you mean 1.1rc1"),
    "a branch that is nearly there": (("mian",), "git knows no 'mian'", "did you mean main?"),
    "nothing of the kind": (("nothing-like-it",), "git knows no 'nothing-like-it'", "index:X.Y is a version on"),
    "a file that is no archive": (("pyproject.toml",), "git knows no 'pyproject.toml'", "if it is a wheel or an sdist"),
    "an option": (("--", "--all"), "git knows no '--all'", "git fetch --tags"),
    "no such wheel": (
        ("dist/a-1.0-py3-none-any.whl",),
        "a-1.0-py3-none-any.whl cannot be read: No such file",
        "is there",
    ),
    "no such version on the index": (
        ("index:9.9",),
        "the index has no demo-parts 9.9",
        "its highest versions are: 1.0",
    ),
    "no version": (("index:",), "'' is not a version", "write X.Y"),
    "a form that is no version's": (("index:1.00",), "'1.00' is not in the normal form", "write 1.0"),
}


@pytest.mark.parametrize(("arguments", "message", "remedy"), REFUSED.values(), ids=REFUSED.keys())
def test_a_side_that_is_not_there_is_named_with_the_way_on(
    place: Place, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str, remedy: str
) -> None:
    assert place
    assert main(["diff", *arguments]) == 1
    text = capsys.readouterr().err
    assert message in text
    assert remedy in text.partition("→")[2]


def test_another_project_s_wheel_is_refused(place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = make_project(tmp_path / "other")
    change(other, 'name = "demo-parts"', 'name = "other-parts"', "pyproject.toml")
    commit_all(other, "Other")
    name = hooks(other).build_wheel(str(tmp_path))
    for sides in ((tmp_path / name,), (place.wheel, tmp_path / name), (tmp_path / name, "v1.0")):
        assert main(["diff", *map(str, sides)]) == 1
        assert "two projects have no interface in common" in capsys.readouterr().err


def test_a_wheel_that_nobody_pinned_is_refused(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    (place.project / "a-1.0-py3-none-any.whl").write_bytes(b"PK")
    assert main(["diff", "a-1.0-py3-none-any.whl"]) == 1
    assert "error: a-1.0-py3-none-any.whl cannot be read: " in capsys.readouterr().err


def test_what_does_not_parse_is_told_with_its_side_all_at_once(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    (place.project / "parts/multiply.yaml").write_text("name: [", encoding="utf-8")
    (place.project / "parts/foreign.yml").write_text("name: x", encoding="utf-8")
    commit_all(place.project, "Broken")
    assert main(["diff", "HEAD", "1.0"]) == 1
    text = capsys.readouterr().err
    assert "HEAD:parts/foreign.yml: is no component" in text
    assert "HEAD:parts/multiply.yaml:2: is not YAML" in text
    assert main(["diff", "1.0"]) == 1
    assert "\nparts/multiply.yaml:2: is not YAML" in capsys.readouterr().err


def test_a_configuration_of_long_ago_needs_to_name_the_folder_alone(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    pyproject = place.project / "pyproject.toml"
    now = pyproject.read_text(encoding="utf-8")
    for text in ('[project]\n[tool.kfp-release]\ncomponents = "parts"\nunknown = 1\n', "", None):
        pyproject.unlink() if text is None else pyproject.write_text(text, encoding="utf-8")
        commit_all(place.project, "Long ago")
        pyproject.write_text(now, encoding="utf-8")
        assert diff(capsys, "HEAD") == ["None"]
    pyproject.write_text("[", encoding="utf-8")
    commit_all(place.project, "Broken")
    assert main(["diff", "HEAD", "2.0"]) == 1
    assert "error: HEAD:pyproject.toml: the file is not TOML" in capsys.readouterr().err


def test_a_commit_that_follows_no_release_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = make_project(tmp_path / "project")
    run_git(project, "tag", "v1.1rc1")
    run_git(project, "tag", "--delete", "v1.0")
    assert main(["-C", str(project), "diff"]) == 1
    assert " follows no release\n  → name what to compare with" in capsys.readouterr().err


def test_what_was_withdrawn_is_not_the_last_release(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    (place.project / "CHANGELOG.md").write_text("## [2.0] - 2026-11-22 [YANKED]\n", encoding="utf-8")
    commit_all(place.project, "Withdrawn")
    assert diff(capsys) == [RETYPED, ADDED, "3.0"]


def test_a_version_that_another_branch_has_is_not_the_one_that_may_follow(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    run_git(place.project, "checkout", "--quiet", "-B", "other", "v1.0")
    try:
        change(place.project, INPUT, "- {name: a, type: Integer}")
        assert diff(capsys, "1.0") == [RETYPED, "3.0"]
        assert main(["diff", "1.0"]) == 0
        assert "needs: a major version, which after 1.0 is 3.0" in capsys.readouterr().out
    finally:
        run_git(place.project, "checkout", "--quiet", "--force", "main")


def test_a_shallow_clone_is_told(place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clone = tmp_path / "clone"
    run_git(tmp_path, "clone", "--quiet", "--depth=1", "--no-tags", place.project.as_uri(), str(clone))
    for arguments, remedy in (
        ((), "git fetch --unshallow --tags (in"),
        (("1.0",), "git fetch --unshallow --tags: this"),
    ):
        assert main(["-C", str(clone), "diff", *arguments]) == 1
        assert remedy in capsys.readouterr().err
    assert main(["-C", str(clone), "diff", "HEAD"]) == 0


def test_a_project_in_a_folder_of_its_repository_is_read_from_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make_project(tmp_path / "all" / "project")
    shutil.rmtree(project / ".git")
    top = project.parent
    (top / "yaml").mkdir()
    (top / "yaml/multiply.yaml").write_text("no component", encoding="utf-8")
    run_git(top, "init", "--quiet")
    (project / "yaml/link.yaml").symlink_to("multiply.yaml")
    commit_all(top, "All")
    run_git(top, "tag", "v1.0")
    change(project, INPUT, "- {name: a, type: Integer}")
    assert main(["-C", str(project), "diff", "1.0", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["changes"]
    assert [(each["operator"], each["what"]) for each in found] == [
        ("link_op", "input a retyped"),
        ("multiply_op", "input a retyped"),
    ]
