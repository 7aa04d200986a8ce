"""What `kfp-release check` says of files that were compiled from Python."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from conftest import PROJECT, kfp_release
from python_project import CONFIG, DEFINITIONS, HEAD, OWNED, SCORE, TRAIN, compiled, make_project, stale, write

from kfp_release import compiled_rules
from kfp_release.compile_mark import CompileMark, text_hash, unmarked

COMPILE = "run kfp-release compile, and commit what it writes"
RECORDED = Path(__file__).parent / "recorded/kfp-2.13.0.yaml"
"""What kfp 2.13.0 wrote of `BOTH`."""
BOTH = '''\
@dsl.pipeline
def both(data: dsl.Input[dsl.Dataset], rate: float = 0.5) -> float:
    """Train and score."""
    return score(model=train(data=data, rate=rate).set_retry(2).outputs['model']).outputs['result']
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    make_project(tmp_path)
    compiled(tmp_path)
    return tmp_path


@pytest.fixture
def no_kfp(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("kfp was asked")

    monkeypatch.setattr(compiled_rules, "compile_modules", never)


def edit(project: Path, name: str, old: str, new: str) -> None:
    text = (project / name).read_text(encoding="utf-8")
    assert old in text
    write(project, name, text.replace(old, new))


def told(project: Path) -> list[tuple[str, int, str]]:
    return [(problem.path, problem.line, problem.message) for problem in stale(project)]


@pytest.mark.usefixtures("no_kfp")
def test_fresh_files_need_no_kfp(project: Path) -> None:
    assert stale(project) == []
    for path in (*(project / "src").rglob("*.py"), *(project / "yaml").iterdir()):  # as git writes them on Windows
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert stale(project) == []


@pytest.mark.usefixtures("no_kfp")
def test_a_project_without_the_setting_needs_none_either(project: Path) -> None:
    write(project, "pyproject.toml", CONFIG.replace('python-components = ["demo_parts.definitions"]\n', ""))
    (project / "yaml/score.yaml").unlink()
    last = (project / "yaml/train.yaml").read_text().count("\n")
    ((path, line, message),) = told(project)
    assert (path, line) == ("yaml/train.yaml", last)
    assert message.startswith("was compiled from demo_parts.definitions:train, and python-components in pyproject.toml")


@pytest.mark.usefixtures("no_kfp")
def test_comments_of_sources_need_no_kfp(project: Path) -> None:
    write(project, DEFINITIONS, f"# A comment.\n\n{HEAD}{TRAIN}{SCORE}")
    write(project, "src/demo_parts/__init__.py", "# Nothing is here.\n")
    assert stale(project) == []


def test_a_change_that_does_not_count_leaves_them_fresh(project: Path) -> None:
    write(project, DEFINITIONS, f"import os\n{HEAD}{TRAIN}{SCORE}")
    edit(project, "yaml/score.yaml", "name: score\n", 'name: "score"  # quoted\n')
    assert stale(project) == []


def test_another_version_of_kfp_does_not_count(project: Path) -> None:
    text = (project / "yaml/train.yaml").read_text()
    write(project, DEFINITIONS, f"import os\n{HEAD}{TRAIN}{SCORE}")
    mark = CompileMark.find(text)
    assert mark
    body = unmarked(text).replace("sdkVersion: kfp-2.", "sdkVersion: kfp-9.")
    assert body != unmarked(text)
    write(project, "yaml/train.yaml", body + mark.line().replace(mark.text, text_hash(body)) + "\n")
    assert stale(project) == []


def test_what_an_older_kfp_wrote_is_fresh_until_something_counts(project: Path) -> None:
    write(project, DEFINITIONS, HEAD + TRAIN + SCORE + BOTH)
    compiled(project)
    mark = CompileMark.find((project / "yaml/both.yaml").read_text())
    assert mark
    body = RECORDED.read_text(encoding="utf-8")
    assert "sdkVersion: kfp-2.13.0\n" in body
    write(project, "yaml/both.yaml", f"{body}{mark.line().replace(mark.text, text_hash(body))}\n")
    assert stale(project) == []
    assert set(compiled(project).values()) == {"unchanged"}
    write(project, DEFINITIONS, f"import os\n{HEAD}{TRAIN}{SCORE}{BOTH}")
    assert stale(project) == []
    edit(project, DEFINITIONS, "set_retry(2)", "set_retry(3)")
    ((path, line, _),) = told(project)
    assert (path, body.splitlines()[line - 1].strip()) == ("yaml/both.yaml", "maxRetryCount: 2")


STALE = {
    "the function": (DEFINITIONS, '"--rate", rate', '"--speed", rate', "yaml/train.yaml", "--rate"),
    "what it imports": (
        "src/demo_parts/names.py",
        f'"{OWNED}"',
        f'"ghcr.io/other/tool@sha256:{"0" * 64}"',
        "yaml/train.yaml",
        f"image: {OWNED}",
    ),
    "its description": (DEFINITIONS, "Train a model", "Train models", "yaml/train.yaml", "Train a model"),
    "the file": ("yaml/train.yaml", "- --rate", "- --speed", "yaml/train.yaml", "--speed"),
}


@pytest.mark.parametrize("what", STALE)
def test_a_change_that_counts_makes_them_stale_at_the_line(project: Path, what: str) -> None:
    name, old, new, path, line = STALE[what]
    edit(project, name, old, new)
    problem = next(each for each in stale(project) if each.path == path)
    where = f"{DEFINITIONS}:7"
    assert problem.message == f"is stale: it is not what demo_parts.definitions:train ({where}) gives"
    assert line in (project / path).read_text().splitlines()[problem.line - 1]
    assert problem.remedy == COMPILE
    compiled(project)
    assert stale(project) == []


def test_a_function_without_a_file_is_told_at_its_line(project: Path) -> None:
    (project / "yaml/train.yaml").unlink()
    assert told(project) == [(DEFINITIONS, 7, "train has no yaml/train.yaml")]
    (project / "yaml/score.yaml").unlink()
    assert len(told(project)) == 2


def test_a_file_without_a_function_is_told_at_its_last_line(project: Path) -> None:
    write(project, DEFINITIONS, HEAD + SCORE)
    assert [(path, message) for path, _, message in told(project)] == [
        ("yaml/train.yaml", "was compiled from demo_parts.definitions:train, which is gone")
    ]
    compiled(project)
    assert stale(project) == []


@pytest.mark.parametrize("name", ["fit.yaml", "train.yml"])
def test_a_compiled_file_under_another_name_is_told(project: Path, name: str) -> None:
    (project / "yaml/train.yaml").rename(project / "yaml" / name)
    assert [(path, message) for path, _, message in told(project)] == [
        (DEFINITIONS, "train has no yaml/train.yaml"),
        (f"yaml/{name}", "was compiled from demo_parts.definitions:train, whose file has another name"),
    ]


def test_a_file_by_hand_in_the_place_of_a_compiled_one_is_told(project: Path) -> None:
    write(project, "yaml/train.yaml", unmarked((project / "yaml/train.yaml").read_text()))
    (problem,) = stale(project)
    assert problem.message == "is not from kfp-release compile, which would make it of demo_parts.definitions:train"
    assert problem.remedy == f"remove it, or rename the function ({DEFINITIONS}:7)"


def test_a_damaged_mark_is_told_and_so_is_what_it_hides(project: Path) -> None:
    edit(project, "yaml/train.yaml", '"sources": ', '"sourcs": ')
    path, line, message = told(project)[0]
    assert (path, message) == (
        "yaml/train.yaml",
        "has a damaged last line, which says what kfp-release compile made it of",
    )
    assert (project / path).read_text().splitlines()[line - 1].startswith("# kfp-release compile:")


@pytest.mark.parametrize("name", ["../../outside.py", "/etc/passwd", "src/demo_parts", "\\u0000", "src/gone.py"])
def test_a_mark_that_names_odd_files_is_not_fresh_and_does_no_harm(project: Path, name: str) -> None:
    edit(project, "yaml/train.yaml", "src/demo_parts/names.py", name)
    assert stale(project) == []  # compiled anew, and the same


def test_what_is_wrong_in_the_module_is_told_in_place_of_what_it_defines(project: Path) -> None:
    write(project, DEFINITIONS, HEAD + TRAIN + "@dsl.component\ndef light(a: int) -> int:\n    return a\n")
    (problem,) = stale(project)
    assert (problem.path, problem.line) == (DEFINITIONS, 16)
    assert problem.message.startswith("light is a @dsl.component: it installs kfp and its packages each time it runs")


def test_check_tells_it_with_the_rest_and_as_an_annotation(project: Path) -> None:
    edit(project, "yaml/train.yaml", "- --rate", "- --speed")
    done = kfp_release(["check", "--json"], cwd=project, environ={"GITHUB_ACTIONS": "true"})
    assert done.returncode == 1
    messages = [problem["message"] for problem in json.loads(done.stdout)["problems"]]
    assert sum("is stale" in message for message in messages) == 1
    text = kfp_release(["check"], cwd=project, environ={"GITHUB_ACTIONS": "true"})
    assert "yaml/train.yaml:" in text.stdout
    assert "::error file=yaml/train.yaml,line=" in text.stderr
    assert "Traceback" not in text.stderr


def test_without_kfp_check_says_what_it_cannot_tell(project: Path) -> None:
    write(project, "src/kfp/__init__.py", "raise ModuleNotFoundError(\"No module named 'kfp'\", name='kfp')\n")
    assert stale(project) == []
    edit(project, DEFINITIONS, '"--rate"', '"--speed"')
    problems = stale(project)
    assert [problem.path for problem in problems] == ["yaml/score.yaml", "yaml/train.yaml"]
    assert problems[1].message == (
        "may be stale: kfp cannot be imported, and demo_parts.definitions is compiled with it: No module named 'kfp'"
    )
    assert problems[1].remedy.startswith(
        "run kfp-release compile where kfp is installed, and commit what it writes; or"
    )
    assert "python -m pip install 'kfp>=2.17,<3'" in problems[1].remedy
    for path in (project / "yaml").iterdir():
        path.unlink()
    (problem,) = stale(project)
    assert (problem.path, problem.line) == ("pyproject.toml", 11)
    assert problem.message.startswith("the component files of demo_parts.definitions are missing: kfp cannot")


def test_check_of_this_repository_takes_less_than_a_second() -> None:
    before = os.times().children_user
    done = kfp_release(["check"], cwd=PROJECT, environ={})
    assert done.returncode == 0, done.stderr
    assert os.times().children_user - before < 1.0
