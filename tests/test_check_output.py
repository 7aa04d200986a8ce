"""What `kfp-release check` prints, and where: for people, programs and GitHub."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import commit_all, run_git
from test_check import FILES, change

from kfp_release.__main__ import main
from kfp_release.errors import Problem
from kfp_release.problem_report import ProblemReport

WARNED = "yaml/train.yaml:6: warning: has the artifact 'model' as output, and its program does not get {{$}}"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for path, text in FILES.items():
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    return tmp_path


def warn(project: Path) -> None:
    change(project, "yaml/train.yaml", "    - --executor-input\n    - '{{$}}'\n", "")


def spoil(project: Path) -> None:
    """Two errors and a warning in two files."""
    warn(project)
    change(project, "yaml/train.yaml", "type: Float", "type: Floot")
    change(project, "Dockerfile", "ARG BASE\n", "ARG BASE\nENTRYPOINT x\n")


SPOILT = [("Dockerfile", 2, "error"), ("yaml/train.yaml", 3, "error"), ("yaml/train.yaml", 6, "warning")]


def test_problems_go_to_stdout_by_file_and_line_and_are_counted_at_the_end(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(project)
    assert main(["check"]) == 1
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert [line.partition(": ")[0] for line in lines[::2]] == [
        "Dockerfile:2",
        "yaml/train.yaml:3",
        "yaml/train.yaml:6",
        "2 errors, 1 warning in Dockerfile, yaml/train.yaml",
    ]
    assert all(line.startswith("  → ") for line in lines[1::2])
    assert lines[4] == WARNED
    assert shown.err == ""


def test_warnings_alone_refuse_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    warn(project)
    assert main(["check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == WARNED
    assert lines[-1] == "Nothing is wrong: 1 warning in yaml/train.yaml"


@pytest.mark.parametrize("arguments", [("--json",), ("--format", "json"), ("--json", "--format", "json")])
def test_json_has_each_problem_and_their_number(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    spoil(project)
    assert main(["check", *arguments]) == 1
    value = json.loads(capsys.readouterr().out)
    assert [(each["path"], each["line"], each["severity"]) for each in value["problems"]] == SPOILT
    assert value["problems"][0] == {
        "path": "Dockerfile",
        "line": 2,
        "message": "has an ENTRYPOINT, which kfp.local keeps and a cluster replaces",
        "remedy": "remove it: components name their command",
        "severity": "error",
    }
    assert (value["schema"], value["errors"], value["warnings"]) == (1, 2, 1)


@pytest.mark.parametrize("form", ["github", "text"])
def test_two_forms_of_one_result_are_refused(project: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    assert project
    assert main(["check", "--json", "--format", form]) == 2
    assert f"--json and --format {form} are two forms of one result" in capsys.readouterr().err


def test_json_of_what_is_in_order_has_no_problems(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert project
    assert main(["check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"schema": 1, "problems": [], "errors": 0, "warnings": 0}


def test_github_s_annotations_can_be_had_anywhere(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(project)
    assert main(["check", "--format", "github"]) == 1
    lines = capsys.readouterr().out.splitlines()
    message = "has an ENTRYPOINT, which kfp.local keeps and a cluster replaces"
    assert lines[0] == f"::error file=Dockerfile,line=2::{message}%0A→ remove it: components name their command"
    assert lines[1].startswith("::error file=yaml/train.yaml,line=3::input 'rate' has the type 'Floot'")
    assert lines[2].startswith("::warning file=yaml/train.yaml,line=6::has the artifact 'model'")
    assert len(lines) == 3


def test_in_github_actions_text_is_followed_by_annotations_of_warnings_too(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    warn(project)
    assert main(["check"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith(WARNED)
    assert [line.partition("::has")[0] for line in shown.err.splitlines()] == ["::warning file=yaml/train.yaml,line=6"]


@pytest.mark.parametrize("arguments", [(), ("--json",), ("--format", "github")])
def test_the_summary_of_ci_has_all_problems(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project / "summary.md"))
    spoil(project)
    assert main(["check", *arguments]) == 1
    assert capsys.readouterr().out
    lines = (project / "summary.md").read_text(encoding="utf-8").splitlines()
    assert lines[0] == r"### 2 errors, 1 warning in Dockerfile, yaml/train.yaml"
    assert lines[4].startswith("| `Dockerfile:2` | `error` | `has an ENTRYPOINT, which")
    assert len([line for line in lines if line.startswith("| `")]) == 3


def test_a_configuration_that_is_wrong_hides_nothing_that_does_not_depend_on_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(project)
    change(project, "pyproject.toml", "source =", "sauce =")
    change(project, "yaml/train.yaml", "- --table", "- --tables")
    (project / "CHANGELOG.md").unlink()
    assert main(["check", "--json", "--release", "1.1"]) == 1
    found = [(each["path"], each["line"]) for each in json.loads(capsys.readouterr().out)["problems"]]
    assert found == [
        ("CHANGELOG.md", 0),
        ("git", 0),
        ("pyproject.toml", 12),
        ("pyproject.toml", 15),
        ("yaml/train.yaml", 3),
        ("yaml/train.yaml", 6),
        ("yaml/train.yaml", 14),
    ]


def test_images_are_not_judged_by_a_configuration_that_is_wrong(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(project, "pyproject.toml", "repository =", "repositori =")
    assert main(["check", "--json"]) == 1
    assert {each["path"] for each in json.loads(capsys.readouterr().out)["problems"]} == {"pyproject.toml"}


@pytest.mark.parametrize("text", ["", "[", '[project]\nname = "a"\n', '[tool.kfp-release]\ncomponents = "../x"\n'])
def test_a_file_that_names_no_folder_is_told_alone(
    project: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (project / "pyproject.toml").write_text(text, encoding="utf-8")
    assert main(["check", "--json"]) == 1
    assert {each["path"] for each in json.loads(capsys.readouterr().out)["problems"]} == {"pyproject.toml"}


def of_release(capsys: pytest.CaptureFixture[str], version: str) -> list[tuple[str, int, str]]:
    assert main(["check", "--json", "--release", version]) == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    return [(each["path"], each["line"], each["message"].partition("\n")[0]) for each in problems]


def test_a_release_is_told_all_at_once_what_refuses_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_git(project, "init", "--quiet")
    commit_all(project, "One")
    run_git(project, "tag", "v1.10")
    spoil(project)
    change(project, "yaml/train.yaml", "- {name: rate", "- {name: more, type: String}\n- {name: rate")
    assert of_release(capsys, "1.2") == [
        ("CHANGELOG.md", 0, "has no section for 1.2"),
        ("Dockerfile", 2, "has an ENTRYPOINT, which kfp.local keeps and a cluster replaces"),
        ("git", 0, "demo-parts 1.2 would follow 1.10, which this commit contains"),
        ("git", 0, "the checkout has changes or untracked files, which a release would leave out:"),
        ("yaml/train.yaml", 4, "input 'rate' has the type 'Floot', which kfp takes for an artifact, or does not load"),
        ("yaml/train.yaml", 7, "has the artifact 'model' as output, and its program does not get {{$}}"),
    ]
    breaks = [text.partition("; ")[0] for _, _, text in of_release(capsys, "1.11") if "break" in text]
    assert breaks == [
        "train_op: input more added, required",
        'train_op: input rate retyped, from Float = 0.1 to Floot = "0.1"',
    ]


def test_a_shallow_clone_is_told_with_the_changelog(
    project: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    run_git(project, "init", "--quiet")
    for message in ("One", "Two"):
        commit_all(project, message)
    clone = tmp_path_factory.mktemp("shallow") / "clone"
    run_git(project, "clone", "--quiet", "--depth=1", project.as_uri(), str(clone))
    assert main(["-C", str(clone), "check", "--json", "--release", "1.2"]) == 1
    changelog, git = json.loads(capsys.readouterr().out)["problems"]
    assert changelog["message"] == "has no section for 1.2"
    assert "is a shallow clone: its versions cannot be told" in git["message"]
    assert git["remedy"] == "git fetch --unshallow --tags (in GitHub Actions: fetch-depth: 0 for actions/checkout)"


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("1.02", "'1.02' is not in the normal form of PEP 440"),
        ("one", "'one' is not a version"),
        ("1.3.dev4+gabc1234", "snapshot 1.3.dev4+gabc1234 has no git tag"),
        ("1!2.0", "tag 'v1!2.0' has an epoch, a dev or a local part"),
    ],
)
def test_a_version_that_no_release_can_have_is_told_with_all_else(
    project: Path, capsys: pytest.CaptureFixture[str], version: str, message: str
) -> None:
    warn(project)
    first, *rest = of_release(capsys, version)
    assert first[2] == message
    assert rest[-1][0] == "yaml/train.yaml"


def test_colour_is_for_terminals_alone(project: Path) -> None:
    spoil(project)
    shown = {}
    for name, environ in {"colour": {}, "none": {"NO_COLOR": "1"}, "dumb": {"TERM": "dumb"}}.items():
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "kfp_release", "check"]
        with subprocess.Popen(command, cwd=project, env={**os.environ, **environ}, stdout=theirs) as child:
            child.wait()
        os.close(theirs)
        shown[name] = os.read(ours, 100_000).decode()
        os.close(ours)
    assert "\x1b[1mDockerfile:2\x1b[0m: has an ENTRYPOINT" in shown["colour"]
    assert "\x1b[33m\x1b[1mwarning\x1b[0m: has the artifact" in shown["colour"]
    assert "\x1b" not in shown["none"] + shown["dumb"]


def test_many_files_are_counted_and_not_all_named() -> None:
    problems = [Problem(f"yaml/{number}.yaml", 1, "is wrong") for number in range(7)]
    assert ProblemReport.of(problems).title == (
        "7 errors in yaml/0.yaml, yaml/1.yaml, yaml/2.yaml, yaml/3.yaml, yaml/4.yaml, and 2 more"
    )


def test_a_problem_is_told_once_and_obeys_no_terminal() -> None:
    stream = io.StringIO()
    ProblemReport.of([Problem("a\x1b[31m.yaml", 1, "::error::x", "mend")] * 2).show(stream, colour=False)
    assert "\x1b" not in stream.getvalue()
    assert stream.getvalue().count("mend") == 1
