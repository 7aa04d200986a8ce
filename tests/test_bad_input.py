"""Bad component files of every kind, all in one folder: each gets one clear line, in one run, and nothing breaks."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import kfp_release
from installation import EXACT_PIN, install
from test_check import DEMO, FILES

from kfp_release.component_folder import ComponentFolder
from kfp_release.yaml_text import MAX_BYTES

GOOD = f"""\
name: Good
inputs:
- {{name: rate, type: Float}}
outputs:
- {{name: score, type: Float}}
implementation:
  container:
    image: {DEMO}
    command: [train]
    args:
    - --rate
    - {{inputValue: rate}}
    - --model
    - {{outputPath: score}}
"""
IR = f"""\
components: {{comp-ir: {{executorLabel: exec-ir}}}}
deploymentSpec:
  executors:
    exec-ir:
      container:
        command: [train, --rate, '1']
        image: {DEMO}
pipelineInfo: {{name: ir}}
root:
  dag:
    tasks:
      ir: {{componentRef: {{name: comp-ir}}, taskInfo: {{name: ir}}}}
schemaVersion: 2.1.0
sdkVersion: kfp-2.17.0
"""


def good(old: str, new: str) -> str:
    assert GOOD.count(old) >= 1
    return GOOD.replace(old, new)


def ir(old: str, new: str) -> str:
    assert IR.count(old) == 1
    return IR.replace(old, new)


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 12)
)
CASES: dict[str, tuple[str | bytes, int, str]] = {
    # malformed
    "bracket.yaml": ("name: [", 2, "is not YAML: "),
    "quote.yaml": ("name: 'x\n", 2, "is not YAML: found unexpected end of stream"),
    "tab.yaml": ("name: x\nimplementation:\n\tcontainer: {}\n", 3, "is not YAML: found character that cannot start"),
    "control.yaml": ("name: \x07\n", 0, "is not YAML: "),
    "latin.yaml": ("name: x\ndescription: Größe\n".encode("latin-1"), 2, "is not UTF-8: byte 0xf6"),
    "utf16.yaml": (GOOD.encode("utf-16"), 1, "is not UTF-8: byte 0xff"),
    "binary.yaml": (bytes(range(256)), 2, "is not "),
    "empty.yaml": ("", 0, "is no component: it has neither `implementation` (v1) nor `deploymentSpec` (compiled)"),
    "list.yaml": ("- implementation\n", 0, "is no component: "),
    "text.yaml": ("implementation", 0, "is no component: "),
    "manifest.yaml": ("apiVersion: v1\nkind: Pod\n", 0, "is no component: "),
    "documents.yaml": (f"{GOOD}---\n{GOOD}", 0, "has 2 YAML documents; a v1 component is one"),
    "twice.yaml": (
        good("outputs:\n", "outputs:\n- {name: x, type: Float}\ninputs:\n"),
        6,
        "has the key 'inputs'",
    ),
    # huge
    "huge.yaml": (GOOD + f"# {'x' * MAX_BYTES}\n", 0, "has 1,0"),
    "values.yaml": (f"{GOOD}metadata: [{'x, ' * 150_000}]\n", 15, "has more than 100,000 values"),
    "number.yaml": (good("Float}\no", f"Float, default: {'9' * 5000}}}\no"), 3, "cannot be loaded: a number of 5,000"),
    "sexagesimal.yaml": (
        good("Float}\no", f"Float, default: 1{':00' * 250}}}\no"),
        3,
        "input 'rate' has the default '1:00",
    ),
    # recursive
    "itself.yaml": (good("\n- {name: rate, type: Float}", " &a\n- *a"), 3, "has an alias *a inside its own anchor"),
    "nowhere.yaml": (good("Float}\no", "*float}\no"), 3, "has an alias *float of no anchor"),
    "deep.yaml": (good("Good", "[" * 5000 + "]" * 5000), 1, "nests more than 100 levels deep"),
    # hostile
    "bomb.yaml": (BOMB + GOOD, 0, "has more than 100,000 values or 100 levels"),
    "object.yaml": (
        good("Good", "!!python/object/apply:os.system ['touch /tmp/kfp-release-was-here']"),
        1,
        "has the tag 'tag:yaml.org,2002:python/object/apply:os.system'",
    ),
    "merge.yaml": (good("  container:\n", "  container:\n    <<: {env: {A: b}}\n"), 8, "has a merge key <<"),
    "month.yaml": (good("Float}\no", "Float, default: 2026-13-01}\no"), 3, "cannot be loaded: month must be in 1..12"),
    "terminal.yaml": (
        good("name: rate", 'name: "\\e[2Jrate"').replace("inputValue: rate", 'inputValue: "\\e[2Jrate"'),
        3,
        "input '\\x1b[2Jrate' becomes '2jrate' in kfp, which is no Python name",
    ),
    # names
    "1st.yaml": (GOOD, 0, "gives the operator '1st_op', which is no Python name"),
    "größe.yaml": (GOOD, 0, "gives the operator 'größe_op', which is no Python name"),
    "same-name.yaml": (GOOD, 0, ""),
    "same_name.yaml": (GOOD, 0, "gives the operator same_name_op, as yaml/same-name.yaml does"),
    "input_name.yaml": (
        good("rate,", "'2 rates',").replace(": rate", ": 2 rates"),
        3,
        "input '2 rates' becomes",
    ),
    "keyword.yaml": (good("rate,", "class,").replace(": rate", ": class"), 3, "input 'class' becomes 'class' in kfp"),
    "collide.yaml": (
        good("outputs:", "- {name: My Rate, type: Float}\n- {name: my-rate, type: Float}\noutputs:"),
        5,
        "inputs 'My Rate' and 'my-rate' are both 'my_rate' in kfp",
    ),
    "no_name.yaml": (good("name: rate, ", ""), 3, "has an entry of `inputs` without a name"),
    "unnamed.yaml": (good("Good", "„…“"), 1, "is called '„…“', of which nothing is left in kfp"),
    # types and placeholders
    "type.yaml": (
        good("score, type: Float", "score, type: Flaot"),
        5,
        "output 'score' has the type 'Flaot'",
    ),
    "untyped.yaml": (
        good("score, type: Float", "score"),
        5,
        "output 'score' has no type, and kfp",
    ),
    "default.yaml": (
        good("Float}\no", "Float, default: fast}\no"),
        3,
        "input 'rate' has the default 'fast', which",
    ),
    "placeholder.yaml": (
        good("{inputValue: rate}", "{inputValue: rat}"),
        12,
        "inputValue names 'rat', which is no",
    ),
    "output.yaml": (
        good("{outputPath: score}", "{outputPath: scor}"),
        14,
        "outputPath names 'scor', which is",
    ),
    "unknown_key.yaml": (
        good("    args", "    evn: {A: b}\n    args"),
        10,
        "has the key 'evn' in implementation.container",
    ),
    # programs
    "flag.yaml": (good("--model", "--modle"), 13, "passes --modle, which train does not take"),
    "program.yaml": (good("[train]", "[trian]"), 9, "runs 'trian', which is no program of the package"),
    "required.yaml": (good("--rate\n    - {inputValue: rate}", "-v"), 8, "does not pass --rate, without which train"),
    "install.yaml": (
        good("[train]", "[sh, -c, pip install x]"),
        8,
        "runs pip install: it installs kfp and",
    ),
    # images
    "nobody.yaml": (
        good(DEMO, "ghcr.io/nobody/tool:1"),
        8,
        "image ghcr.io/nobody/tool:1 is in no [tool.kfp",
    ),
    "tagged.yaml": (good(DEMO, f"{DEMO}:latest"), 8, f"owned image {DEMO} carries :latest"),
    "no_image.yaml": (good(f"    image: {DEMO}\n", ""), 1, "names no image"),
    "odd_image.yaml": (good(DEMO, "'{{inputs.image}}'"), 8, "names an image that is none: '{{inputs.image}}'"),
    # compiled
    "ir_type.yaml": (
        ir(
            "executorLabel: exec-ir",
            "executorLabel: exec-ir, inputDefinitions: {parameters: {a: {}}}",
        ),
        1,
        "input 'a' of comp-ir has no type, and kfp does not load it",
    ),
    "ir_label.yaml": (
        ir("executorLabel: exec-ir", "executorLabel: exec"),
        1,
        "names the executor 'exec', which is",
    ),
    "ir_placeholder.yaml": (ir("'1'", "\"{{$.inputs.parameters['a']}}\""), 6, "{{$.inputs.parameters['a']}} names 'a'"),
    "ir_flag.yaml": (ir("'1'", "--rates=1"), 6, "passes --rates, which train does not take"),
    "ir_nobody.yaml": (ir(DEMO, "ghcr.io/nobody/tool"), 7, "image ghcr.io/nobody/tool is in no"),
    "ir_key.yaml": (ir("sdkVersion", "sdkversion"), 14, "has the key 'sdkversion' at its top, which kfp refuses"),
    "ir_lightweight.yaml": (
        ir("train, --rate, '1'", "sh, -c, python3 -m kfp.dsl.executor_main"),
        6,
        "exec-ir is made by @dsl.component: it installs kfp and its packages each time it runs, and bypasses the image",
    ),
    "mark.yaml": (f"{GOOD}# kfp-release compile: {{}}\n", 15, "has a damaged last line, which says what kfp-release"),
    "line\nbreak.yaml": (GOOD, 0, "gives the operator 'line\\nbreak_op', which is no Python name"),
}
"""By file: its content, the line that is told (0 for the file as a whole), and how the message begins."""
ODD = {"folder.yaml": "cannot be read: Is a directory", "pipe.yaml": "cannot be read: it is no plain file"}
BAD = {name: case for name, case in CASES.items() if case[2]}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    for name, (content, _, _) in CASES.items():
        data = content.encode() if isinstance(content, str) else content
        (folder / "yaml" / name).write_bytes(data)
    (folder / "yaml/folder.yaml").mkdir()
    os.mkfifo(folder / "yaml/pipe.yaml")
    (folder / "yaml/dangling.yaml").symlink_to("nowhere")
    return folder


@pytest.fixture(scope="module")
def told(project: Path) -> list[dict[str, Any]]:
    done = kfp_release(["check", "--json"], cwd=project, environ={})
    assert (done.returncode, done.stderr) == (1, "")
    problems: list[dict[str, Any]] = json.loads(done.stdout)["problems"]
    return problems


@pytest.mark.parametrize("name", BAD, ids=ascii)
def test_each_kind_gets_one_clear_line(told: list[dict[str, Any]], name: str) -> None:
    _, line, message = BAD[name]
    (problem,) = [each for each in told if each["path"] == f"yaml/{name}"]
    assert problem["message"].startswith(message), problem
    if name not in {"bomb.yaml", "control.yaml"}:  # the one is told at the alias that is too much
        assert problem["line"] == line, problem
    assert problem["severity"] == "error"
    assert problem["remedy"]
    assert "\n" not in problem["message"] + problem["remedy"]
    assert len(problem["message"]) < 400


def test_all_of_them_are_told_together_and_nothing_else(told: list[dict[str, Any]]) -> None:
    assert len(told) == len(BAD) + len(ODD) + 1
    assert {each["path"] for each in told} == {f"yaml/{name}" for name in (*BAD, *ODD, "dangling.yaml")}
    assert not Path("/tmp/kfp-release-was-here").exists()  # noqa: S108 - what a tag would have made


@pytest.mark.parametrize(("name", "message"), [*ODD.items(), ("dangling.yaml", "cannot be read: No such file")])
def test_what_is_no_plain_file_is_told(told: list[dict[str, Any]], name: str, message: str) -> None:
    (problem,) = [each for each in told if each["path"] == f"yaml/{name}"]
    assert problem["message"].startswith(message)
    assert problem["remedy"] == "make it a file that can be read, or move it elsewhere"


def test_as_text_each_is_a_line_with_its_remedy_below(project: Path, told: list[dict[str, Any]]) -> None:
    done = kfp_release(["check"], cwd=project, environ={})
    assert (done.returncode, done.stderr) == (1, "")
    *lines, count = done.stdout.splitlines()
    assert len(lines) == 2 * len(told)
    assert count.startswith(f"{len(told)} errors in ")
    assert all(re.match(r"yaml/[^:]+(:\d+)?: \S", line) for line in lines[::2])
    assert all(line.startswith("  → ") for line in lines[1::2])
    assert "Traceback" not in done.stdout
    assert "\x1b" not in done.stdout


def test_in_github_actions_each_is_an_annotation_at_its_place(project: Path, told: list[dict[str, Any]]) -> None:
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(project)}
    done = kfp_release(["check"], cwd=project, environ=environ)
    assert done.returncode == 1
    annotations = [line for line in done.stderr.splitlines() if line.startswith("::")]
    assert len(annotations) == len(told)
    assert "::error file=yaml/flag.yaml,line=13::passes --modle, which train does not take%0A→ did you" in done.stderr
    assert all(line.startswith("::error") for line in annotations)


def test_it_takes_no_longer_than_a_person_waits(project: Path) -> None:
    before = os.times().children_user
    folder = ComponentFolder.read(project, "yaml")
    assert len(folder.files) > 25
    kfp_release(["check"], cwd=project, environ={})
    assert os.times().children_user - before < 5


# What was installed


def broken(folder: Path) -> Any:
    """An installation with many a bad file among its component files."""
    installation = install(folder, EXACT_PIN)
    for name, (content, _, _) in CASES.items():
        if name in {"bracket.yaml", "latin.yaml", "deep.yaml", "month.yaml", "empty.yaml", "list.yaml", "object.yaml"}:
            data = content.encode() if isinstance(content, str) else content
            (installation.package / "yaml" / name).write_bytes(data)
    return installation


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_the_listing_of_an_installation_names_every_broken_file(tmp_path: Path, option: tuple[str, ...]) -> None:
    done = broken(tmp_path).python("-m", "kubeflow_demo_components", *option)
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert [re.findall(r"definition of (\w+)_op is no ", line) for line in lines] == [
        *(["bracket"], ["empty"], ["latin"], ["list"], ["month"], ["object"])
    ]
    assert lines[0].startswith("kubeflow_demo_components: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["bracket", "latin", "deep", "month", "empty", "list", "object"])
def test_an_operator_of_a_broken_file_is_an_error_that_names_it_and_the_others_work(tmp_path: Path, name: str) -> None:
    code = (
        "from kubeflow_demo_components import operators as o\nprint(o.multiply_op)\n"
        f"try:\n    o.{name}_op\nexcept ValueError as error:\n    print(error)\n"
    )
    done = broken(tmp_path).python("-c", code)
    assert done.returncode == 0, done.stderr
    # Whoever put them there has not told pins.json.
    assert "UnpinnedWarning: version 1.2 was built without bracket_op and 6 more, so what runs" in done.stderr
    good_one, bad_one = done.stdout.splitlines()
    assert good_one == "<multiply_op(a: float, b: float)>"
    assert bad_one.startswith(f"the definition of {name}_op is no ")
