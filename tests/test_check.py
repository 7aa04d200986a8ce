from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT, commit_all, run_git

from kfp_release import programs
from kfp_release.check import check, check_release
from kfp_release.config import Config
from kfp_release.entry_points import ConsoleScript
from kfp_release.errors import Problem, Problems, ReleaseError
from kfp_release.git import Git
from kfp_release.programs import read_programs
from kfp_release.source import Source
from kfp_release.version import ReleaseVersion

DEMO = "533211398604.dkr.ecr.eu-north-1.amazonaws.com/team/demo"
BASE = f"python:3.12@sha256:{'0' * 64}"
PYPROJECT = f"""\
[project]
name = "demo-parts"
requires-python = ">=3.11"
dynamic = ["version"]

[project.optional-dependencies]
image = ["pandas>=3"]

[project.scripts]
train = "demo_parts.train:main"

[tool.kfp-release]
package = "demo_parts"
components = "yaml"
source = "https://example.com/demo"

[tool.kfp-release.images.demo]
repository = "{DEMO}"
context = ["requirements.lock"]
build-args = {{ BASE = "{BASE}" }}
"""
PROGRAM = """\
import argparse
print("imported")

def build_parser():
    parser = argparse.ArgumentParser()
    parser.add_argument("-r", "--rate", required=True)
    parser.add_argument("--data", "--table")
    parser.add_argument("--model")
    parser.add_argument("--executor-input")
    parser.add_argument("--log", nargs="?")
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("-n", "--dry-run", action="store_true")
    return parser

def main():
    build_parser().parse_args()

class Trainer:
    run = main
"""
TRAIN = ConsoleScript("train", "demo_parts.train", "main")
COMPONENT = f"""\
name: Train
inputs:
- {{name: rate, type: Float, default: '0.1'}}
- {{name: data, type: Dataset}}
outputs:
- {{name: model, type: Model}}
implementation:
  container:
    image: {DEMO}
    command: [train]
    args:
    - --rate
    - {{inputValue: rate}}
    - --table
    - {{inputPath: data}}
    - --model
    - {{outputPath: model}}
    - --executor-input
    - '{{{{$}}}}'
"""
FILES = {
    "pyproject.toml": PYPROJECT,
    "yaml/train.yaml": COMPONENT,
    "yaml/README.md": "Components.",
    "src/demo_parts/__init__.py": "",
    "src/demo_parts/train.py": PROGRAM,
    "Dockerfile": "ARG BASE\nFROM ${BASE} AS builder\nFROM ${BASE}\nCOPY --from=builder /a /a\n",
    "requirements.lock": f"pandas==3.1.1 --hash=sha256:{'0' * 64}\n",
    "CHANGELOG.md": "# Changelog\n\n## [1.1] - 2026-11-22\n\n- Better.\n\n## [1.0] [YANKED]\n\n- Good.\n\n## [0.9]\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for path, text in FILES.items():
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return tmp_path


def change(project: Path, path: str, old: str, new: str) -> None:
    text = (project / path).read_text()
    assert old in text
    (project / path).write_text(text.replace(old, new))


def checked(project: Path) -> list[Problem]:
    return check(project, config(project))


def config(project: Path) -> Config:
    return Config.parse((project / "pyproject.toml").read_bytes(), {})


def test_this_project_is_clean() -> None:
    assert checked(PROJECT) == []


def test_a_project_without_fault_has_no_problems_and_is_left_as_it_was(project: Path) -> None:
    assert checked(project) == []
    assert {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()} == set(FILES)


WRONG = {
    "untyped": ("type: Float, default: '0.1'", "default: '0.1'", 3, "input 'rate' has no type", "add type:"),
    "unknown type": ("type: Model", "type: Modell", 6, "output 'model' has the type 'Modell'", "did you mean Model?"),
    "a type of IR": ("type: Float", "type: NUMBER_DOUBLE", 3, "which kfp takes for an artifact", "known are String"),
    "bad default": ("'0.1'", "a lot", 3, "input 'rate' has the default 'a lot', which is no Float", "of its type"),
    "no default": ("'0.1'", "''", 3, "input 'rate' has the default '', which is no Float", "of its type"),
    "no truth": (
        "Float, default: '0.1'",
        "Boolean, default: maybe",
        3,
        "input 'rate' has the default 'maybe', which is no Boolean",
        "of its type",
    ),
    "a keyword": ("name: model", "name: Class", 6, "output 'Class' becomes 'class' in kfp", "another name"),
    "a number": ("name: model", "name: 1 st", 6, "output '1 st' becomes '1_st' in kfp", "another name"),
    "no letters": ("name: model", "name: é", 6, "output 'é' becomes '' in kfp", "another name"),
    "equal names": (
        "- {name: data,",
        "- {name: Rate, type: Float}\n- {name: data,",
        4,
        "inputs 'rate' and 'Rate' are both 'rate' in kfp",
        "rename one",
    ),
    "no input": ("{inputValue: rate}", "{inputValue: rat}", 13, "inputValue names 'rat', which", "did you mean rate?"),
    "no output": ("{outputPath: model}", "{outputPath: x}", 17, "outputPath names 'x', which", "outputs are: model"),
    "a path of a parameter": (
        "{inputValue: rate}",
        "{inputPath: rate}",
        13,
        "which is a parameter",
        "{inputValue: rate}",
    ),
    "a value of an artifact": (
        "{inputPath: data}",
        "{inputValue: data}",
        15,
        "which is an artifact",
        "{inputPath: data}",
    ),
    "no placeholder": ("{inputPath: data}", "{inputFile: data}", 15, "the placeholder 'inputFile'", "known are: input"),
    "concat": ("{inputValue: rate}", "{concat: [a, {inputValue: rate}]}", 13, "`concat` has no resolver", "program"),
    "if": (
        "{inputPath: data}",
        "{if: {cond: {isPresent: data}, then: [a]}}",
        15,
        "`if` on 'data' never holds",
        "or make it a parameter",
    ),
    "output file": ("'{{$}}'", "'{{$.outputs.output_file}}'", 19, "fails silently on a cluster", "pass '{{$}}'"),
    "unknown key": ("name: Train", "name: Train\nautor: me", 2, "has the key 'autor' at its top", "known are: "),
    "resources": (
        "    args:",
        "    resources: {}\n    args:",
        11,
        "has the key 'resources' in implementation.container",
        "known are: ",
    ),
    "a date that is none": ("name: Train", "name: Train\ndescription: 2026-13-41", 2, "cannot be loaded", "quote the"),
    "owned with a tag": (DEMO, f"{DEMO}:1.0", 9, f"owned image {DEMO} carries :1.0", f"write {DEMO} alone"),
    "nobody's": (DEMO, f"{DEMO}s", 9, "is in no [tool.kfp-release.images]", f"did you mean {DEMO}?"),
    "foreign": (DEMO, "busybox:1", 9, "image busybox:1 is in no [tool", "write repository:tag@sha256:…"),
    "no program": ("[train]", "[trains]", 10, "runs 'trains', which is no program", "did you mean train?"),
    "a shell": ("[train]", "[sh, -c, train]", 10, "runs 'sh', which is no program", "there is: train"),
    "no command": ("    command: [train]\n", "", 9, "its command names no program", "command: [train]"),
    "unknown flag": ("- --table", "- --tables", 14, "passes --tables, which train does", "did you mean --table?"),
    "missing flag": (
        "    - --rate\n    - {inputValue: rate}\n",
        "",
        9,
        "does not pass --rate, without which train does not run",
        "add it to args",
    ),
    "not YAML": ("name: Train", "name: [", 3, "is not YAML", "mend"),
}


@pytest.mark.parametrize(("old", "new", "line", "message", "remedy"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_in_a_component_file_is_told(  # noqa: PLR0917 - a table's columns
    project: Path, old: str, new: str, line: int, message: str, remedy: str
) -> None:
    change(project, "yaml/train.yaml", old, new)
    found = [problem for problem in checked(project) if message in problem.message]
    assert [(problem.path, problem.line, problem.severity) for problem in found] == [("yaml/train.yaml", line, "error")]
    assert remedy in found[0].remedy


def pass_on(project: Path, words: list[str]) -> None:
    """Let the component pass `words` in place of --rate."""
    rows = "".join(f"    - {word}\n" for word in words)
    (project / "yaml/train.yaml").write_text(COMPONENT.replace("    - --rate\n    - {inputValue: rate}\n", "") + rows)


@pytest.mark.parametrize(
    "words",
    [
        ["-r", "{inputValue: rate}"],
        ["-r", "'5'"],
        ["-r", "'-5'"],
        ["-r5"],
        ["-r=5"],
        ["-vr", "'5'"],
        ["-vnr5"],
        ["-n", "-v", "-r", "'5'"],
        ["--rate=-q"],
        ["--rate", "'-q x'"],
        ["--rate", "'5'", "-v"],
        ["--rate", "'-'", "--model", "'-1'", "--data", "'-.5'", "--verbose"],
        ["--log", "-r", "'5'"],
        ["{if: {cond: {isPresent: rate}, then: [-r, {inputValue: rate}]}}"],
        ["--rate", "'5'", "--table", "{inputPath: data}", "--", "-q", "--unknown"],
    ],
    ids=" ".join,
)
def test_options_are_those_that_the_program_s_parser_takes(project: Path, words: list[str]) -> None:
    pass_on(project, words)
    assert checked(project) == []
    if not any("{" in word for word in words):
        assert parses([word.strip("'") for word in words])


def parses(words: list[str]) -> bool:
    """Whether the program's own parser takes the words."""
    program: dict[str, Any] = {"__name__": "train"}
    exec(PROGRAM, program)  # noqa: S102 - ours
    try:
        program["build_parser"]().parse_args(words)
    except SystemExit:
        return False
    return True


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-r", "-q"], "passes -q, which train does not take"),
        (["--rate", "-q"], "passes -q, which train does not take"),
        (["-r", "'5'", "-q"], "passes -q, which train does not take"),
        (["-r5", "-q=5"], "passes -q, which train does not take"),
        (["-r", "'5'", "-vq"], "passes -vq, which train does not take"),
        (["-r", "'5'", "-v", "-q"], "passes -q, which train does not take"),
        (["-r=", "-q"], "passes -q, which train does not take"),
        (["--rate=", "-q"], "passes -q, which train does not take"),
        (["--rate", "'5'", "--verbos"], "passes --verbos, which train does not take"),
        (["--model", "'-5'"], "does not pass --rate, without which train does not run"),
    ],
)
def test_an_option_that_the_program_does_not_take_or_lacks_is_told(
    project: Path, words: list[str], message: str
) -> None:
    pass_on(project, words)
    assert not parses([word.strip("'") for word in words]) or words[-1] == "--verbos"  # argparse completes that
    (problem,) = checked(project)
    assert problem.message == message
    assert problem.line
    assert problem.remedy


def test_what_refuses_is_told_before_what_only_warns(project: Path) -> None:
    change(project, "yaml/train.yaml", "    - --executor-input\n    - '{{$}}'\n", "")
    change(project, "yaml/train.yaml", DEMO, f"{DEMO}:1.0")
    first, last = str(Problems(checked(project))).splitlines()[::2]
    assert "yaml/train.yaml:9: owned image" in first
    assert last.startswith("yaml/train.yaml:6: warning: has the artifact 'model'")


def test_a_misspelt_type_is_no_artifact_that_kfp_local_cannot_see(project: Path) -> None:
    change(project, "yaml/train.yaml", "    - --executor-input\n    - '{{$}}'\n", "")
    change(project, "yaml/train.yaml", "type: Model", "type: Modell")
    assert [problem.remedy for problem in checked(project)] == ["did you mean Model?"]


def test_an_artifact_that_kfp_local_cannot_see_is_a_warning(project: Path) -> None:
    change(project, "yaml/train.yaml", "    - --executor-input\n    - '{{$}}'\n", "")
    (problem,) = checked(project)
    assert problem.severity == "warning"
    assert str(problem).startswith("yaml/train.yaml:6: warning: has the artifact 'model' as output")


def test_all_problems_are_told_at_once_by_file_and_line(project: Path) -> None:
    change(project, "yaml/train.yaml", "type: Float", "type: Floot")
    change(project, "yaml/train.yaml", "- --table", "- --tables")
    change(project, "Dockerfile", "ARG BASE\n", "ARG BASE\nENTRYPOINT x\n")
    (project / "yaml/broken.yaml").write_text("[")
    (project / "requirements.lock").unlink()
    assert [(problem.path, problem.line) for problem in checked(project)] == [
        ("Dockerfile", 2),
        ("pyproject.toml", 0),
        ("requirements.lock", 0),
        ("yaml/broken.yaml", 2),
        ("yaml/train.yaml", 3),
        ("yaml/train.yaml", 14),
    ]


def test_what_is_wrong_in_the_folder_is_told(project: Path) -> None:
    (project / "yaml/train.yml").write_text(COMPONENT)
    (project / "yaml/more.yaml").mkdir()
    one, two = checked(project)
    assert str(one).startswith("yaml/more.yaml: cannot be read: Is a directory\n  → make it a file")
    assert str(two).startswith("yaml/train.yml: gives the operator train_op, as yaml/train.yaml does")


@pytest.mark.parametrize("name", ["1st.yaml", "a b.yaml", "é.yaml", "v1.2.yaml"])
def test_a_file_whose_operator_has_no_python_name_is_told(project: Path, name: str) -> None:
    (project / "yaml/train.yaml").rename(project / "yaml" / name)
    (problem,) = checked(project)
    assert "which is no Python name" in problem.message
    assert problem.path == f"yaml/{name}"


def test_an_init_beside_the_component_files_is_told(project: Path) -> None:
    (project / "yaml/__init__.py").touch()
    (problem,) = checked(project)
    assert str(problem).startswith("yaml/__init__.py: would be imported in place of the package")


def test_an_image_that_no_component_names_is_a_warning(project: Path) -> None:
    change(project, "yaml/train.yaml", DEMO, BASE)
    (problem,) = checked(project)
    assert (problem.path, problem.line, problem.severity) == ("pyproject.toml", 18, "warning")
    assert problem.message == "image demo is named by no component file"


def test_a_foreign_image_s_command_is_its_own(project: Path) -> None:
    (project / "yaml/other.yaml").write_text(f"implementation: {{container: {{image: '{BASE}', command: [ls, --x]}}}}")
    assert checked(project) == []


PROGRAMS: dict[str, tuple[Callable[[str], str], str]] = {
    "no parser": (lambda text: text.replace("build_parser", "make_parser"), "demo_parts.train has no build_parser()"),
    "another parser": (lambda text: text.replace("return parser", "return 1"), "gave int, no ArgumentParser"),
    "heavy": (lambda text: "import not_installed_here\n" + text, "No module named 'not_installed_here'"),
    "not Python": (lambda text: text + "(", "SyntaxError: "),
    "an exit": (lambda text: text + "raise SystemExit('no')", "SystemExit: no"),
}


@pytest.mark.parametrize(("edit", "message"), PROGRAMS.values(), ids=PROGRAMS.keys())
def test_a_program_that_cannot_tell_its_options_is_told(
    project: Path, edit: Callable[[str], str], message: str
) -> None:
    (project / "src/demo_parts/train.py").write_text(edit(PROGRAM))
    (problem,) = checked(project)
    assert (problem.path, problem.line) == ("pyproject.toml", 10)
    assert problem.message.startswith("program train cannot tell its options: ")
    assert message in problem.message
    assert "give its module build_parser()" in problem.remedy
    assert "imported without its image's extra" in problem.remedy


SCRIPTS = {
    "no such function": ("demo_parts.train:nope", "program train cannot be started: demo_parts.train has no nope"),
    "no such method": ("demo_parts.train:Trainer.walk", "cannot be started: Trainer has no walk"),
    "nothing to call": ("demo_parts.train:argparse", "argparse of demo_parts.train is module, nothing to call"),
    "no function": ("demo_parts.train", "the script 'train' = 'demo_parts.train' of [project.scripts] cannot be made"),
    "an empty function": ("demo_parts.train:", "cannot be made"),
    "no module": ("nothing_here:main", "cannot tell its options: ModuleNotFoundError: No module named 'nothing_here'"),
}


@pytest.mark.parametrize(("reference", "message"), SCRIPTS.values(), ids=SCRIPTS.keys())
def test_a_script_that_starts_nothing_is_told(project: Path, reference: str, message: str) -> None:
    change(project, "pyproject.toml", "demo_parts.train:main", reference)
    (problem,) = checked(project)
    assert (problem.path, problem.line) == ("pyproject.toml", 10)
    assert message in problem.message
    assert problem.remedy


@pytest.mark.parametrize("reference", ["demo_parts.train:Trainer.run", "demo_parts.train : main [extra]"])
def test_a_script_may_reach_into_an_object_and_name_extras(project: Path, reference: str) -> None:
    change(project, "pyproject.toml", "demo_parts.train:main", reference)
    assert checked(project) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            '"my train" = "demo_parts.train:main"',
            "the script 'my train' = 'demo_parts.train:main' of [project.scripts]",
        ),
        ('"../train" = "demo_parts.train:main"', "cannot be made"),
        ('other = "demo_parts train"', "the script 'other' = 'demo_parts train' of [project.scripts] cannot be made"),
        ("other = 3", "project.scripts.other must be a text, and is a number: 3"),
    ],
)
def test_a_script_that_no_component_runs_must_be_one_too(project: Path, line: str, message: str) -> None:
    change(project, "pyproject.toml", "[tool.kfp-release]\n", f"{line}\n\n[tool.kfp-release]\n")
    (problem,) = checked(project)
    assert (problem.path, problem.line) == ("pyproject.toml", 12)
    assert message in problem.message
    assert problem.remedy


def test_a_program_that_ends_the_process_is_told(project: Path) -> None:
    (project / "src/demo_parts/train.py").write_text("import os, sys\nsys.stderr.write('oh no\\n')\nos._exit(3)\n")
    (problem,) = checked(project)
    assert problem.message == "asking the programs for their options ended with exit code 3: oh no"


def test_programs_that_never_answer_are_given_up(project: Path) -> None:
    (project / "src/demo_parts/train.py").write_text("import time\ntime.sleep(600)\n")
    with pytest.raises(ReleaseError, match="train gave no answer within 1 s"):
        read_programs([TRAIN], source=project / "src", timeout=1)


def test_programs_do_not_see_this_process_s_secrets(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINE_PASSWORD", "secret")
    seen = "raise ValueError(sorted(__import__('os').environ.keys() & {'TWINE_PASSWORD', 'PATH'}))"
    (project / "src/demo_parts/train.py").write_text(seen)
    program = programs.read_programs([TRAIN], source=project / "src")["train"]
    assert program.error == "ValueError: ['PATH']"


def test_subcommands_take_their_options(project: Path) -> None:
    parts = (
        "commands = parser.add_subparsers()\n    commands.add_parser('a').add_argument('--inner')\n    return parser"
    )
    change(project, "src/demo_parts/train.py", "return parser", parts)
    program = read_programs([TRAIN], source=project / "src")["train"]
    assert {"--inner", "--rate", "--table"} <= program.options
    assert program.required == (("-r", "--rate"),)


RUNTIME = {
    "no digest": (
        "pyproject.toml",
        f"@sha256:{'0' * 64}",
        "",
        "Dockerfile",
        2,
        "draws on python:3.12, which carries no",
    ),
    "no argument": ("Dockerfile", "ARG BASE\n", "", "Dockerfile", 1, "FROM ${BASE} AS builder names no image"),
    "another stage": ("Dockerfile", "--from=builder", "--from=bilder", "Dockerfile", 4, "draws on bilder, which"),
    "an entrypoint": (
        "Dockerfile",
        "COPY",
        "ENTRYPOINT [a]\nCOPY",
        "Dockerfile",
        4,
        "has an ENTRYPOINT, which kfp.local",
    ),
    "no dockerfile": ("pyproject.toml", "context", 'dockerfile = "x"\ncontext', "x", 0, "is not there"),
    "no context": ("pyproject.toml", '.lock"]', '.lock", "x"]', "pyproject.toml", 0, "has x in its context, and there"),
    "not locked": (
        "pyproject.toml",
        '"pandas>=3"',
        '"pandas>=4"',
        "requirements.lock",
        1,
        "locks pandas 3.1.1, and the",
    ),
    "not in the lock": (
        "pyproject.toml",
        '"pandas>=3"',
        '"rich"',
        "requirements.lock",
        0,
        "locks no rich, and the extra",
    ),
    "no hash": ("requirements.lock", f"--hash=sha256:{'0' * 64}", "", "requirements.lock", 1, "has no hash"),
    "a bad extra": (
        "pyproject.toml",
        '"pandas>=3"',
        '"pandas=>3"',
        "pyproject.toml",
        7,
        "project.optional-dependencies.image: 'pandas=>3' is no requirement",
    ),
    "a marker without an answer": (
        "pyproject.toml",
        '"pandas>=3"',
        """"pandas ; python_version ~= '3'\"""",
        "pyproject.toml",
        7,
        "image: \"pandas ; python_version ~= '3'\" has a marker that cannot be evaluated",
    ),
    "a locked marker without an answer": (
        "requirements.lock",
        "pandas==3.1.1",
        "\npandas==3.1.1 ; 'x' in extras",
        "requirements.lock",
        2,
        "has a marker that cannot be evaluated: 'extras'",
    ),
    "an extra that is a text": (
        "pyproject.toml",
        '["pandas>=3"]',
        '"pandas>=3"',
        "pyproject.toml",
        7,
        "project.optional-dependencies.image must be a list, and is a text: pandas>=3",
    ),
    "extras that are a list": (
        "pyproject.toml",
        '[project.optional-dependencies]\nimage = ["pandas>=3"]\n',
        'optional-dependencies = ["pandas>=3"]\n',
        "pyproject.toml",
        6,
        "project.optional-dependencies must be a table, and is a list",
    ),
    "a Python that is a number": (
        "pyproject.toml",
        '">=3.11"',
        "3",
        "pyproject.toml",
        3,
        "project.requires-python must be a text, and is a number: 3",
    ),
    "a Python that is none": (
        "pyproject.toml",
        '">=3.11"',
        '"3.11+"',
        "pyproject.toml",
        3,
        "project.requires-python: '3.11+' are no version specifiers",
    ),
    "an extra in the extra": (
        "pyproject.toml",
        'image = ["pandas>=3"]',
        'image = ["Demo_Parts[more,image]"]\nmore = ["rich", "demo-parts[image]"]',
        "requirements.lock",
        0,
        "locks no rich",
    ),
}


@pytest.mark.parametrize(("changed", "old", "new", "path", "line", "message"), RUNTIME.values(), ids=RUNTIME.keys())
def test_what_is_wrong_in_a_runtime_is_told(  # noqa: PLR0917 - a table's columns
    project: Path, changed: str, old: str, new: str, path: str, line: int, message: str
) -> None:
    change(project, changed, old, new)
    problem = checked(project)[0]
    assert (problem.path, problem.line) == (path, line)
    assert message in problem.message
    assert problem.remedy


def test_a_project_without_the_extra_needs_no_lock(project: Path) -> None:
    change(project, "pyproject.toml", 'image = ["pandas>=3"]', "")
    change(project, "pyproject.toml", 'context = ["requirements.lock"]', "")
    (project / "requirements.lock").unlink()
    assert checked(project) == []


def test_a_project_whose_programs_need_nothing_has_a_lock_without_entries(project: Path) -> None:
    change(project, "requirements.lock", f"pandas==3.1.1 --hash=sha256:{'0' * 64}\n", "# Nothing.\n")
    assert str(checked(project)[0]).startswith("requirements.lock: locks nothing")
    change(project, "pyproject.toml", 'image = ["pandas>=3"]', "image = []")
    assert checked(project) == []


TRAINING = f"""\
[tool.kfp-release.images.training]
repository = "{DEMO}-training"
context = ["locks"]
build-args = {{ BASE = "{BASE}" }}
extra = "training"
lock = "locks/training.lock"
"""
LOCKED = f"scikit-learn==1.9.1 --hash=sha256:{'0' * 64}\n"


@pytest.fixture
def two_images(project: Path) -> Path:
    """The project with a second image, which has an extra and a lock of its own."""
    change(project, "pyproject.toml", "\n[project.scripts]", 'training = ["scikit-learn>=1.9"]\n\n[project.scripts]')
    (project / "pyproject.toml").write_text((project / "pyproject.toml").read_text() + TRAINING)
    (project / "yaml/other.yaml").write_text(COMPONENT.replace(DEMO, f"{DEMO}-training"))
    (project / "locks").mkdir()
    (project / "locks/training.lock").write_text(LOCKED)
    return project


def test_each_image_has_an_extra_and_a_lock_of_its_own(two_images: Path) -> None:
    assert checked(two_images) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "problem"),
    [
        (
            "locks/training.lock",
            "scikit-learn==1.9.1",
            "scikit-learn==1.8.0",
            "locks/training.lock:1: locks scikit-learn 1.8.0, and the extra `training` wants scikit-learn>=1.9",
        ),
        (
            "locks/training.lock",
            "scikit-learn==1.9.1",
            "pandas==3.1.1",
            "locks/training.lock: locks no scikit-learn, and the extra `training` wants scikit-learn>=1.9",
        ),
        (
            "requirements.lock",
            "pandas==3.1.1",
            "scikit-learn==1.9.1",
            "requirements.lock: locks no pandas, and the extra `image` wants pandas>=3",
        ),
        (
            "pyproject.toml",
            'lock = "locks/training.lock"',
            "",
            "requirements.lock: locks no scikit-learn, and the extra `training` wants scikit-learn>=1.9",
        ),
        (
            "pyproject.toml",
            'extra = "training"',
            'extra = "trainig"',
            "pyproject.toml:26: image training has the extra 'trainig', which the project does not have",
        ),
        (
            "pyproject.toml",
            "training.lock",
            "other.lock",
            "locks/other.lock: is not there, and the extra `training` has requirements",
        ),
        (
            "pyproject.toml",
            'context = ["locks"]',
            "",
            "pyproject.toml: warning: image training does not have its lock locks/training.lock in its context",
        ),
    ],
)
def test_what_an_image_lacks_is_told_by_its_own_extra_and_lock(
    two_images: Path, path: str, old: str, new: str, problem: str
) -> None:
    change(two_images, path, old, new)
    assert problem in [str(found).splitlines()[0] for found in checked(two_images)]


@pytest.mark.parametrize(("extra", "declared"), [("Training", "training"), ("train_ing", "Train.ing"), ("a-b", "a_B")])
def test_an_extra_is_the_same_however_it_is_written(two_images: Path, extra: str, declared: str) -> None:
    change(two_images, "pyproject.toml", 'extra = "training"', f'extra = "{extra}"')
    change(two_images, "pyproject.toml", "training = [", f'"{declared}" = [')
    assert checked(two_images) == []
    (two_images / "locks/training.lock").write_text(FILES["requirements.lock"])
    (problem,) = checked(two_images)
    assert problem.message.startswith("locks no scikit-learn, and the extra")


def test_extras_that_an_extra_includes_are_found_however_they_are_written(two_images: Path) -> None:
    change(two_images, "pyproject.toml", '["scikit-learn>=1.9"]', '["demo_parts[Deep_Er]"]\n"deep.er" = ["rich"]')
    assert "locks no rich, and the extra `training` wants rich" in [each.message for each in checked(two_images)]


BUILT_WITH = "image training has the lock locks/training.lock, and is built with requirements.lock of image demo"


@pytest.mark.parametrize(
    ("installs", "is_told"),
    [
        ("ARG LOCK=requirements.lock\nCOPY locks/${LOCK} /opt/", True),
        ("COPY . /opt\nRUN pip install -r /opt/requirements.lock", True),
        ("COPY locks /opt\nCOPY builder.lock /opt", False),
        ("COPY . /opt\nRUN pip install -r /opt/training.lock -c /opt/requirements.lock", False),
        ("COPY requirements.lock /opt\nCOPY *.lock /opt", False),
    ],
)
def test_a_dockerfile_that_names_another_image_s_lock_alone_is_a_warning(
    two_images: Path, installs: str, *, is_told: bool
) -> None:
    change(two_images, "pyproject.toml", 'context = ["locks"]', 'context = ["locks"]\ndockerfile = "Other"')
    (two_images / "Other").write_text(f"FROM {BASE}\n{installs}\n")
    told = [(problem.path, problem.severity, problem.message) for problem in checked(two_images)]
    assert told == ([("pyproject.toml", "warning", BUILT_WITH)] if is_told else [])


def test_two_images_may_have_one_lock_which_has_to_satisfy_both(two_images: Path) -> None:
    change(two_images, "pyproject.toml", '"locks/training.lock"', '"requirements.lock"')
    change(two_images, "pyproject.toml", 'context = ["locks"]', 'context = ["locks", "requirements.lock"]')
    (two_images / "requirements.lock").write_text(f"{FILES['requirements.lock']}{LOCKED}")
    assert checked(two_images) == []


def test_a_lock_that_is_missing_is_compiled_from_its_own_extra(two_images: Path) -> None:
    (two_images / "locks/training.lock").unlink()
    (problem,) = [problem for problem in checked(two_images) if problem.path == "locks/training.lock"]
    command = "uv pip compile --universal --generate-hashes -o locks/training.lock -"
    assert problem.remedy == rf"printf '%s\n' 'scikit-learn>=1.9' | {command}"


def released(project: Path, version: str, *tags: str) -> list[Problem]:
    """What is wrong with releasing `version` on top of a commit that has `tags`."""
    if not (project / ".git").exists():
        run_git(project, "init", "--quiet")
    commit_all(project, "one")
    for tag in tags:
        run_git(project, "tag", tag)
    commit = commit_all(project, "two")
    parsed = ReleaseVersion.parse(version)
    source = Source(parsed, "" if parsed.is_snapshot else parsed.tag, commit, 0)
    return check_release(project, config(project), Git(project), source)


def test_a_version_with_its_section_that_follows_the_last_one_is_fine(project: Path) -> None:
    assert released(project, "1.1", "v1.0", "v1.1rc1", "other-9.9") == []


def test_a_snapshot_needs_no_section(project: Path) -> None:
    assert released(project, "1.2.dev1+gabc1234", "v1.1") == []


def test_a_version_below_a_reachable_one_is_refused(project: Path) -> None:
    (problem,) = released(project, "1.1", "v1.0", "v1.10")
    assert problem.message == "demo-parts 1.1 would follow 1.10, which this commit contains"
    assert "choose a higher version" in problem.remedy


def test_a_maintenance_release_beside_a_higher_version_is_fine(project: Path) -> None:
    run_git(project, "init", "--quiet")
    commit_all(project, "zero")
    run_git(project, "branch", "maintenance")
    released(project, "1.1", "v2.0")
    run_git(project, "checkout", "--quiet", "maintenance")
    (project / "fix.txt").touch()
    assert released(project, "1.1", "v1.0") == []


@pytest.mark.parametrize(
    ("version", "line", "message"),
    [
        ("1.2", 0, "has no section for 1.2"),
        ("1.0", 7, "1.0 is withdrawn ([YANKED])"),
        ("0.9", 11, "the section of 0.9 is empty"),
    ],
)
def test_a_version_without_its_section_is_refused(project: Path, version: str, line: int, message: str) -> None:
    (problem,) = released(project, version)
    assert (problem.path, problem.line, problem.message) == ("CHANGELOG.md", line, message)
    assert problem.remedy


@pytest.mark.parametrize("where", ["refs/heads/main", "refs/remotes/origin/main"])
def test_a_version_that_a_later_commit_withdraws_is_refused(project: Path, where: str) -> None:
    assert released(project, "1.1") == []
    run_git(project, "tag", "v1.1")
    change(project, "CHANGELOG.md", "## [1.1] - 2026-11-22", "## [1.1] - 2026-11-22 [YANKED]")
    later = commit_all(project, "Withdrawn")
    run_git(project, "checkout", "--quiet", "--detach", "v1.1")
    for branch in Git(project).branches():
        run_git(project, "update-ref", "-d", branch)
    run_git(project, "update-ref", where, later)
    source = Source(ReleaseVersion.parse("1.1"), "v1.1", run_git(project, "rev-parse", "v1.1").strip(), 0)
    (problem,) = check_release(project, config(project), Git(project), source)
    assert (problem.path, problem.message) == ("CHANGELOG.md", f"1.1 is withdrawn ([YANKED]) on {where}")
    assert "next version" in problem.remedy


def test_a_branch_whose_changelog_nobody_can_read_withdraws_nothing(project: Path) -> None:
    released(project, "1.1")
    (project / "CHANGELOG.md").write_bytes(b"## [\xff] [YANKED]\n## [nothing] [YANKED]\n")
    commit_all(project, "Unreadable")
    (project / "CHANGELOG.md").unlink()
    commit_all(project, "None")
    run_git(project, "branch", "other", "HEAD~1")
    run_git(project, "checkout", "--quiet", "HEAD~2")
    source = Source(ReleaseVersion.parse("1.1"), "v1.1", Git(project).commit(), 0)
    assert check_release(project, config(project), Git(project), source) == []


def test_a_changelog_that_is_not_there_is_told(project: Path) -> None:
    (project / "CHANGELOG.md").unlink()
    (problem,) = released(project, "1.1")
    assert problem.message.startswith("cannot be read: ")
    assert problem.remedy.startswith("write ## [1.1]")


def test_a_lock_that_is_missing_is_told_with_the_command_that_makes_it_of_the_extra_alone(project: Path) -> None:
    (project / "requirements.lock").unlink()
    (problem,) = [problem for problem in checked(project) if problem.path == "requirements.lock"]
    assert problem.message == "is not there, and the extra `image` has requirements"
    command = "uv pip compile --universal --generate-hashes -o requirements.lock -"
    assert problem.remedy == rf"printf '%s\n' 'pandas>=3' | {command}"
