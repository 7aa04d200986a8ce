from __future__ import annotations

import pytest
import yaml

from kfp_release import yaml_text
from kfp_release.component import ComponentFile
from kfp_release.errors import Problem, Problems
from kfp_release.input_default import read_default

IMAGE = "ghcr.io/team/demo"
V1 = f"""\
name: Make a table
inputs:
- {{name: My rows, type: Integer, default: '3'}}
- {{name: seed, type: JsonObject, optional: true}}
outputs:
- {{name: table, type: Dataset}}
implementation:
  container:
    image: {IMAGE}
    command: [make-table, --rows, {{inputValue: My rows}}]
    args:
    - --table={{x}}
    - if:
        cond: {{isPresent: seed}}
        then: [--seed, {{inputValue: seed}}]
    - --
    - --not-a-flag
"""
IR = f"""\
deploymentSpec:
  executors:
    exec-a:
      container: {{image: '{IMAGE}:1', command: [a], args: [--x, "{{{{$.inputs.parameters['x']}}}}"]}}
    exec-b:
      container: {{image: '{IMAGE}'}}
root:
  inputDefinitions:
    parameters:
      x: {{parameterType: NUMBER_DOUBLE, defaultValue: 1, isOptional: true}}
  outputDefinitions:
    artifacts:
      model: {{artifactType: {{schemaTitle: system.Model, schemaVersion: 0.0.1}}}}
"""


def parse(text: str | bytes, name: str = "yaml/make-table.yaml") -> ComponentFile:
    return ComponentFile.parse(name, text.encode() if isinstance(text, str) else text)


def refusal(text: str | bytes) -> Problem:
    with pytest.raises(Problems) as caught:
        parse(text)
    (problem,) = caught.value.problems
    assert problem.path == "yaml/make-table.yaml"
    assert problem.remedy
    return problem


def test_a_v1_component_tells_its_interface() -> None:
    file = parse(V1)
    assert (file.kind, file.operator, file.stem) == ("v1", "make_table_op", "make-table")
    assert [(port.name, port.kfp_name, port.type, port.is_optional) for port in file.inputs] == [
        ("My rows", "my_rows", "Integer", True),
        ("seed", "seed", "JsonObject", True),
    ]
    assert [(port.plain_type, read_default(port)) for port in file.inputs] == [("Integer", 3), ("Dict", None)]
    assert [(port.name, port.is_artifact, port.is_known, port.line) for port in file.outputs] == [
        ("table", True, True, 6)
    ]


def test_a_v1_component_tells_what_it_runs() -> None:
    (container,) = parse(V1).commands
    assert (container.program, container.image, container.line) == ("make-table", IMAGE, 9)
    assert [(word.text, word.placeholder, word.line) for word in container.all_words] == [
        ("make-table", "", 10),
        ("--rows", "", 10),
        ("My rows", "inputValue", 10),
        ("--table={x}", "", 12),
        ("", "if", 13),
        ("seed", "isPresent", 14),
        ("--seed", "", 15),
        ("seed", "inputValue", 15),
        ("--", "", 16),
        ("--not-a-flag", "", 17),
    ]


def test_a_compiled_component_tells_its_interface_and_what_it_runs() -> None:
    file = parse(IR)
    assert file.kind == "ir"
    assert [(port.name, port.type, port.is_artifact, port.is_optional) for port in file.inputs] == [
        ("x", "NUMBER_DOUBLE", False, True)
    ]
    assert [(port.name, port.type, port.is_artifact) for port in file.outputs] == [
        ("model", "system.Model@0.0.1", True)
    ]
    assert [(item.executor, item.program, item.image) for item in file.commands] == [
        ("exec-a", "a", f"{IMAGE}:1"),
        ("exec-b", "", IMAGE),
    ]


def test_a_compiled_component_has_the_ports_under_which_kfp_loads_it() -> None:
    components = """\
components:
  comp-other: {executorLabel: exec-b, inputDefinitions: {parameters: {y: {parameterType: STRING}}}}
  comp-my-train: {executorLabel: exec-a, inputDefinitions: {parameters: {z: {parameterType: STRING}}}}
pipelineInfo: {name: My train}
"""
    own, other, root = parse(IR + components).interfaces
    assert (own.name, own.executor, [port.name for port in own.inputs]) == ("comp-my-train", "exec-a", ["z"])
    assert (other.name, other.executor, [port.name for port in other.inputs]) == ("comp-other", "exec-b", ["y"])
    assert (root.name, root.executor, [port.name for port in root.inputs]) == ("", "", ["x"])
    assert parse(IR + components).inputs == own.inputs
    assert parse(IR + components.replace("My train", "unknown")).inputs == root.inputs


def test_what_is_compiled_into_a_text_is_read_as_what_it_was() -> None:
    struct = '{"IfPresent": {"InputName": "x", "Then": ["--x", {"Concat": ["a", "b"]}], "Else": "--y"}}'
    container = parse(IR.replace("[--x, ", f"['{struct}', ")).commands[0]
    assert [(word.text, word.placeholder) for word in container.all_words[1:-1]] == [
        ("", "if"),
        ("x", "isPresent"),
        ("--x", ""),
        ("", "concat"),
        ("a", ""),
        ("b", ""),
        ("--y", ""),
    ]


@pytest.mark.parametrize(
    "text", ['{"IfPresent": {', '{"IfPresent": 5}', '{"Concat": "a"}', '{"Concat": ' + "[" * 90_000]
)
def test_what_is_no_such_text_is_no_placeholder_that_names_something(text: str) -> None:
    container = parse(IR.replace("[--x, ", f"['{text}', ")).commands[0]
    assert container.all_words[1].placeholder in {"", "?"}


def test_images_tell_where_their_text_stands() -> None:
    file = parse(IR)
    assert [(image.value, image.repository, image.line) for image in file.images] == [
        (f"{IMAGE}:1", IMAGE, 4),
        (IMAGE, IMAGE, 6),
    ]
    assert [file.text[image.start : image.end] for image in file.images] == [f"{IMAGE}:1", IMAGE]


@pytest.mark.parametrize(
    ("image", "repository", "has_digest"),
    [
        ("python", "python", False),
        ("python:3.12", "python", False),
        ("localhost:5000/a/b", "localhost:5000/a/b", False),
        ("localhost:5000/a/b:1.0", "localhost:5000/a/b", False),
        (f"a/b@sha256:{'0' * 64}", "a/b", True),
        (f"h:1/a/b:1@sha256:{'0' * 64}", "h:1/a/b", True),
        (f"[::1]:5000/a:1@sha256:{'0' * 64}", "[::1]:5000/a", True),
        ("a/b@sha256:short", "a/b", False),
    ],
)
def test_an_image_has_a_repository_and_perhaps_a_digest(image: str, repository: str, *, has_digest: bool) -> None:
    (found,) = parse(f"implementation: {{container: {{image: '{image}'}}}}").images
    assert (found.repository, found.has_digest) == (repository, has_digest)


CONTAINER = "implementation: {container: {image: a/b}}\n"
BOMB = "a: &a0 [x, x]\n" + "".join(f"b{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))

REFUSED: dict[str, tuple[str | bytes, int, str]] = {
    "empty": ("", 0, "is no component: it has neither `implementation` (v1) nor `deploymentSpec`"),
    "a comment alone": ("# nothing\n", 0, "is no component"),
    "a text": ("hello", 0, "is no component"),
    "a list": ("- implementation", 0, "is no component"),
    "another file": ("kind: Deployment\n", 0, "is no component"),
    "not UTF-8": (b"name: a\nb: \xff\n", 2, "is not UTF-8: byte 0xff"),
    "UTF-16": (CONTAINER.encode("utf-16"), 1, "is not UTF-8"),
    "a NUL": ("name: 'a\0'\n" + CONTAINER, 0, "is not YAML"),
    "not YAML": ("name: [a\nb: c\n" + CONTAINER, 2, "is not YAML"),
    "a tab": ("a:\n\tb: c\n", 2, "is not YAML: found character that cannot start any token"),
    "too big": (CONTAINER + "#" * (1 << 20), 0, "component file has 1,048,576 at most"),
    "deep lists": (CONTAINER + "a: " + "[" * 300_000, 2, "nests more than 100 levels"),
    "deep mappings": (CONTAINER + "a: " + "{a: " * 100_000, 2, "nests more than 100 levels"),
    "deep blocks": (CONTAINER + "a:\n  " + "- " * 200_000 + "x", 3, "nests more than 100 levels"),
    "an alias bomb": (BOMB + CONTAINER, 15, "more than 100,000 values"),
    "a chain of aliases": (
        "a: &a0 [x]\n" + "".join(f"b{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 200)) + CONTAINER,
        99,
        "or 100 levels",
    ),
    "many aliases": ("a: &a x\nb: [" + "*a , " * 1_001 + "]\n" + CONTAINER, 2, "more than 1,000 aliases"),
    "a recursive alias": ("a: &a [*a]\n" + CONTAINER, 1, "an alias *a inside its own anchor"),
    "an alias of nothing": ("a: *b\n" + CONTAINER, 1, "an alias *b of no anchor"),
    "an anchor twice": ("a: &a 1\nb: &a 2\n" + CONTAINER, 2, "the anchor &a twice"),
    "an anchor of another document": ("deploymentSpec: {executors: {}}\na: &a 1\n---\nb: *a\n", 4, "of no anchor"),
    "a tag of Python's": ("a: !!python/object:os.system {}\n" + CONTAINER, 1, "the tag 'tag:yaml.org,2002:python/"),
    "a tag of its own": ("a: !secret x\n" + CONTAINER, 1, "the tag '!secret'"),
    "an integer by tag": ("a: !!int 1\n" + CONTAINER, 1, "the tag 'tag:yaml.org,2002:int'"),
    "a key twice": (CONTAINER + "name: a\nname: b\n", 3, "has the key 'name' twice"),
    "two images": ("implementation:\n  container:\n    image: a/b\n    image: a/c\n", 4, "the key 'image' twice"),
    "a merge key": ("a: &a {b: c}\nd: {<<: *a}\n" + CONTAINER, 2, "a merge key <<"),
    "a key that is a list": ("[a]: b\n" + CONTAINER, 1, "a key that is no text"),
    "a key that is an alias": ("a: &a b\n*a : c\n" + CONTAINER, 2, "a key that is no text"),
    "v1 in two documents": (CONTAINER + "---\nb: c\n", 0, "has 2 YAML documents"),
    "compiled in three documents": ("deploymentSpec: {}\n---\na: b\n---\na: b\n", 0, "has 3 YAML documents"),
    "a graph": ("implementation: {graph: {tasks: {}}}\n", 1, "names no image"),
    "no image": ("implementation: {container: {command: [a]}}\n", 1, "names no image"),
    "no executor": ("deploymentSpec: {executors: {}}\n", 1, "names no image"),
    "executors that are a list": ("deploymentSpec: {executors: [a]}\n", 1, "names no image"),
    "an image that is a list": ("implementation: {container: {image: [a]}}\n", 1, "none: a list or mapping"),
    "an image that is null": ("implementation: {container: {image: }}\n", 1, "names an image that is none: ''"),
    "a line end in the image": ("implementation:\n  container:\n    image: |\n      a/b\n", 3, "is none: 'a/b\\n'"),
    "two words": ("implementation: {container: {image: a b}}\n", 1, "is none: 'a b'"),
    "an image by placeholder": (
        "implementation: {container: {image: '{{$.inputs.parameters[''image'']}}'}}\n",
        1,
        'names an image that is none: "{{$',
    ),
    "inputs that are a text": (CONTAINER + "inputs: a\n", 2, "has an entry of `inputs` without a name"),
    "an input without a name": (CONTAINER + "inputs:\n- {type: Float}\n", 3, "an entry of `inputs` without a name"),
    "an output that is a text": (CONTAINER + "outputs:\n- a\n", 3, "has an entry of `outputs` without a name"),
}


@pytest.mark.parametrize(("text", "line", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_component_file_is_refused_with_its_line(text: str | bytes, line: int, message: str) -> None:
    problem = refusal(text)
    assert message in problem.message
    assert problem.line == line


@pytest.mark.parametrize(("text", "line", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_the_pure_python_loader_refuses_the_same(
    text: str | bytes, line: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml_text, "_LOADER", yaml.SafeLoader)
    problem = refusal(text)
    assert message[:12] in problem.message
    assert problem.line in {line, 0}


def test_the_name_of_an_operator_is_its_file_s() -> None:
    names = ["yaml/a.yaml", "a.yml", "yaml/make-table.yaml", "yaml/v1.2.yaml"]
    assert [parse(CONTAINER, name).operator for name in names] == ["a_op", "a_op", "make_table_op", "v1.2_op"]


def test_a_null_list_of_inputs_is_none() -> None:
    assert parse(CONTAINER + "inputs:\noutputs: []\n").inputs == ()


def test_a_compiled_component_tells_types_defaults_and_descriptions_by_the_same_names() -> None:
    text = """\
components:
  comp-fit:
    executorLabel: exec-fit
    inputDefinitions:
      artifacts:
        many:
          artifactType: {schemaTitle: system.Dataset, schemaVersion: 0.0.1}
          description: "All\\n  of them."
          isArtifactList: true
      parameters:
        depth: {parameterType: NUMBER_INTEGER, defaultValue: 3.0, isOptional: true}
        grid: {parameterType: STRUCT, defaultValue: {rate: [0.1, 1e-3]}, isOptional: true}
        rate: {parameterType: NUMBER_DOUBLE}
        status: {parameterType: TASK_FINAL_STATUS, isOptional: true}
deploymentSpec: {executors: {exec-fit: {container: {image: ghcr.io/team/demo, command: [fit]}}}}
pipelineInfo: {name: fit}
root: {dag: {tasks: {fit: {componentRef: {name: comp-fit}}}}}
"""
    assert [(port.kfp_name, port.plain_type, read_default(port), port.description) for port in parse(text).inputs] == [
        ("many", "List[Dataset]", None, "All of them."),
        ("depth", "Integer", 3, ""),
        ("grid", "Dict", {"rate": [0.1, "1e-3"]}, ""),
        ("rate", "Float", None, ""),
        ("status", "PipelineTaskFinalStatus", None, ""),
    ]
