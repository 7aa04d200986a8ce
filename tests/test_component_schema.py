"""Which keys and values a component file may have, held against what kfp does with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from component_files import IR, V1, changed, errors, kfp_takes


def test_what_kfp_takes_is_fine_as_it_stands(tmp_path: Path) -> None:
    for text in (V1, IR):
        assert kfp_takes(text, tmp_path)
        assert errors(text) == []


COMMAND = "[train, --name, {inputValue: my a}]"
RATE = "{name: rate, type: Float, default: '0.1'}"
NAME = "{name: my a, type: String}"
WORD = "an element of implementation.container.command"
QUOTES = "write it as a text, in quotes"

IN_COMMAND = {
    "[train, 5]": (f"{WORD} must be a text, and is a number: 5", QUOTES),
    "[train, 1.5]": (f"{WORD} must be a text, and is a number: 1.5", QUOTES),
    "[train, true]": (f"{WORD} must be a text, and is true or false: true", QUOTES),
    "[train, no]": (f"{WORD} must be a text, and is true or false: no", QUOTES),
    "[train, null]": (f"{WORD} must be a text, and is null", QUOTES),
    "[train, 2026-01-01]": (f"{WORD} must be a text, and is a date or time: 2026-01-01", QUOTES),
    "[[train]]": (f"{WORD} must be a text, and is a list", QUOTES),
    "train": ("implementation.container.command must be a list, and is a text: train", "each element behind a -"),
    "'--a'": ("implementation.container.command must be a list, and is a text: --a", "each element behind a -"),
    "{a: b}": ("implementation.container.command must be a list, and is a mapping", "each element behind a -"),
    "[train, {}]": (f"{WORD} is a mapping with 0 keys, and a placeholder has one", "{inputValue: name}"),
    "[train, {inputValue: rate, inputPath: data}]": (f"{WORD} is a mapping with 2 keys", "{inputValue: name}"),
    "[train, {inputValue: my_a}]": ("inputValue names 'my_a', which is no input", "did you mean my a?"),
    "[train, {inputValue: My a}]": ("inputValue names 'My a', which is no input", "did you mean my a?"),
    "[train, {inputValue: 5}]": (f"inputValue in {WORD} must be a text, and is a number: 5", QUOTES),
    "[train, {inputValue: }]": (f"inputValue in {WORD} must be a text, and is null", QUOTES),
    "[train, {inputValue: ''}]": (f"inputValue in {WORD} is empty", "write the name of an input or output"),
    "[train, {inputValue: [rate]}]": (f"inputValue in {WORD} must be a text, and is a list", QUOTES),
    "[train, {inputValue: data}]": ("takes inputValue of 'data', which is an artifact", "{inputPath: data}"),
    "[train, {inputPath: rate}]": ("takes inputPath of 'rate', which is a parameter", "{inputValue: rate}"),
    "[train, {inputUri: rate}]": ("takes inputUri of 'rate', which is a parameter", "{inputValue: rate}"),
    "[train, {outputUri: score}]": ("takes outputUri of 'score', which is a parameter", "{outputPath: score}"),
    "[train, {outputPath: scores}]": ("outputPath names 'scores', which is no output", "did you mean score?"),
    "[train, {inputFile: data}]": ("has the placeholder 'inputFile', which kfp does not know", "known are: inputValue"),
    "[train, {inputMetadata: data}]": ("has the placeholder 'inputMetadata', which kfp does", "known are: inputValue"),
    "[train, {isPresent: rate}]": ("has the placeholder 'isPresent', which kfp does not know", "known are: inputValue"),
    "[train, {executorInput: a}]": (f"executorInput in {WORD} must be null, and is a text: a", "{executorInput: null}"),
    "[train, {if: a}]": (f"if in {WORD} must be a mapping, and is a text: a", "write a mapping with cond, then"),
    "[train, {if: {cond: true, then: [a]}}]": ("must be a mapping, and is true or false: true", "with isPresent"),
    "[train, {if: {cond: {inputValue: rate}, then: [a]}}]": ("has the key 'inputValue' in cond of if", "isPresent"),
    "[train, {if: {cond: {isPresent: rate}}}]": (f"has no then of if in {WORD}", "add then: …"),
    "[train, {if: {then: [a]}}]": (f"has no cond of if in {WORD}", "add cond: …"),
    "[train, {if: {cond: {isPresent: rate}, than: [a]}}]": (f"has the key 'than' in if in {WORD}", "mean then?"),
    "[train, {if: {cond: {isPresent: my_a}, then: [a]}}]": ("isPresent names 'my_a', which is no inp", "mean my a?"),
    "[train, {if: {cond: {isPresent: rate}, then: 5}}]": (f"then of if in {WORD} must be a text, and is a n", QUOTES),
    "[train, {if: {cond: {isPresent: rate}, then: [a, 5]}}]": (f"an element of then of if in {WORD} must be", QUOTES),
    "[train, {if: {cond: {isPresent: rate}, then: [[a]]}}]": (f"an element of then of if in {WORD} must be", QUOTES),
    "[train, {if: {cond: {isPresent: rate}, then: [a], else: {inputValue: rate}}}]": (
        f"else of if in {WORD} is a placeholder outside of a list, which kfp loses",
        "write it in a list",
    ),
    "[train, {if: {cond: {isPresent: rate}, then: [{inputValue: rat}]}}]": ("inputValue names 'rat'", "mean rate?"),
}
REFUSED: dict[str, tuple[str, str, int, str, str]] = {
    **{f"command: {new}": (COMMAND, new, 14, *told) for new, told in IN_COMMAND.items()},
    "a number in args": ("    - --rate\n", "    - 5\n", 16, "an element of implementation.container.args must", QUOTES),
    "true in args": ("    - --rate\n", "    - true\n", 16, "an element of implementation.container.args must", QUOTES),
    "null in args": ("    - --rate\n", "    - null\n", 16, "an element of implementation.container.args must", QUOTES),
    "nothing in args": ("    - --rate\n", "    -\n", 16, "an element of implementation.container.args must be", QUOTES),
    "a number in env": ("{A: b}", "{A: 5}", 25, "implementation.container.env.A must be a text, and is a num", QUOTES),
    "null in env": ("{A: b}", "{A: }", 25, "implementation.container.env.A must be a text, and is null", QUOTES),
    "a list in env": ("{A: b}", "{A: [b]}", 25, "implementation.container.env.A must be a text, and is a list", QUOTES),
    "a placeholder in env": ("{A: b}", "{A: {inputValue: rate}}", 25, "env.A must be a text, and is a map", QUOTES),
    "a number as key in env": ("{A: b}", "{5: b}", 25, "the key '5' of implementation.container.env must be", QUOTES),
    "env as a list": (
        "{A: b}",
        "[A]",
        25,
        "implementation.container.env must be a mapping, and is a list",
        "key: value",
    ),
    "fileOutputs of no output": (
        "env: {A: b}",
        "fileOutputs: {scor: /s}",
        25,
        "fileOutputs names 'scor'",
        "mean score?",
    ),
    "fileOutputs of a number": ("env: {A: b}", "fileOutputs: {score: 5}", 25, "fileOutputs.score must be a te", QUOTES),
    "resources": (
        "env: {A: b}",
        "resources: {}",
        25,
        "has the key 'resources' in implementation.container",
        "known ar",
    ),
    "another key": ("env: {A: b}", "comand: [a]", 25, "has the key 'comand' in implementation.conta", "mean command?"),
    "a graph beside": (
        "  container:\n",
        "  graph: {}\n  container:\n",
        12,
        "has the key 'graph' in impl",
        "are: container",
    ),
    "an image that is a number": (
        "ghcr.io/team/demo",
        "5",
        13,
        "implementation.container.image must be a text",
        QUOTES,
    ),
    "a key at the top": ("name: Train", "name: Train\nautor: me", 2, "has the key 'autor' at its top", "known are: "),
    "a number as key at the top": ("name: Train", "name: Train\n5: a", 2, "has the key '5' at its top", "known are: "),
    "a number as name": ("name: Train", "name: 5", 1, "name must be a text, and is a number: 5", QUOTES),
    "a list as name": ("name: Train", "name: [a]", 1, "name must be a text, and is a list", QUOTES),
    "an empty name": ("name: Train", "name: ''", 1, "is called '', of which nothing is left in kfp", "letters a to z"),
    "a name of blanks": ("name: Train", "name: '  '", 1, "is called '  ', of which nothing is left", "letters a to z"),
    "a name of other letters": (
        "name: Train",
        "name: 訓練",
        1,
        "is called '訓練', of which nothing is",
        "letters a to z",
    ),
    "a long name": ("name: Train", f"name: {'a' * 129}", 1, "has a name of 129 characters in kfp", "a shorter name"),
    "a number as description": ("It trains.", "5", 2, "description must be a text, and is a number: 5", QUOTES),
    "a truth as description": ("It trains.", "yes", 2, "description must be a text, and is true or false: yes", QUOTES),
    "a number as version": ("name: Train", "name: Train\nversion: 1", 2, "version must be a text, and is a", QUOTES),
    "a key in metadata": (
        "annotations:",
        "annotation:",
        3,
        "has the key 'annotation' in metadata",
        "mean annotations?",
    ),
    "a number in annotations": ("author: me", "author: 5", 3, "metadata.annotations.author must be a text", QUOTES),
    "a list in labels": ("{team: data}", "[data]", 3, "metadata.labels must be a mapping, and is a list", "key: value"),
    "metadata as a list": (
        "{annotations: {author: me}, labels: {team: data}}",
        "[a]",
        3,
        "metadata must be a m",
        "labels",
    ),
    "inputs as a mapping": (
        f"\n- {RATE}\n- {NAME}\n- {{name: data, type: Dataset}}",
        f" {RATE}",
        4,
        "inputs must be a list, and is a mapping",
        "behind a -",
    ),
    "a misspelt key of an input": ("default:", "defualt:", 5, "has the key 'defualt' in input 'rate'", "mean default?"),
    "a key of an input": ("default: '0.1'", "is_list: true", 5, "has the key 'is_list' in input 'rate'", "known are: "),
    "a default of an output": (
        "type: Model",
        "type: Model, default: x",
        9,
        "has the key 'default' in out",
        "known are: ",
    ),
    "a misspelt key of an output": (
        "type: Model",
        "type: Model, descripton: x",
        9,
        "'descripton' in output 'mod",
        "desc",
    ),
    "a number as an input's description": (
        "type: String",
        "type: String, description: 5",
        6,
        "description of inp",
        QUOTES,
    ),
    "a list as an input's annotations": (
        "type: String",
        "type: String, annotations: [a]",
        6,
        "annotations of i",
        "key:",
    ),
    "optional in quotes": (
        "default: '0.1'",
        "optional: 'true'",
        5,
        "optional of input 'rate' must be true or",
        "without qu",
    ),
    "optional as a number": (
        "default: '0.1'",
        "optional: 1",
        5,
        "optional of input 'rate' must be true or fa",
        "without qu",
    ),
    "a name twice": (NAME, f"{NAME}\n- {NAME}", 7, "inputs 'my a' and 'my a' are both 'my_a' in kfp", "rename one"),
    "a name without a letter": ("name: score", "name: '1'", 10, "output '1' becomes '1' in kfp", "another name"),
    "a date that is none": ("It trains.", "2026-13-41", 2, "cannot be loaded: month must be in 1..12", "quote the val"),
    "a number that is too large": (
        "It trains.",
        "1" + ":00" * 200 + ".5",
        2,
        "cannot be loaded: int too large",
        "quote the val",
    ),
    "a value of its own kind": ("It trains.", "=", 2, "cannot be loaded: could not determine a constructor", "quote"),
    "a type that is a number": (
        "type: Float,",
        "type: 5,",
        5,
        "input 'rate' has the type '5', which kfp takes",
        "known are",
    ),
    "a type that is a list": (
        "type: Float,",
        "type: [Float],",
        5,
        "input 'rate' has the type '[…]', which kfp",
        "known are",
    ),
    "a type that is nearly Google's": (
        "type: Float,",
        "type: googlexFoo,",
        5,
        "has the type 'googlexFoo'",
        "known are",
    ),
}


@pytest.mark.parametrize(("old", "new", "line", "message", "remedy"), REFUSED.values(), ids=REFUSED.keys())
def test_what_kfp_does_not_load_is_told_with_its_line_and_a_remedy(  # noqa: PLR0917 - a table's columns
    tmp_path: Path, old: str, new: str, line: int, message: str, remedy: str
) -> None:
    text = changed(V1, old, new)
    found = [problem for problem in errors(text) if message in problem.message]
    assert not kfp_takes(text, tmp_path)
    assert [problem.line for problem in found] == [line]
    assert remedy in found[0].remedy


def test_arguments_that_are_one_text_are_told(tmp_path: Path) -> None:
    text = V1[: V1.index("    args:")] + "    args: '--a'\n"
    (problem,) = errors(text)
    assert not kfp_takes(text, tmp_path)
    assert (problem.line, problem.remedy) == (15, "write each element behind a -")
    assert problem.message == "implementation.container.args must be a list, and is a text: --a"


TAKEN: list[tuple[str, str]] = [
    (COMMAND, "[train, '5', 'true', 'null', !!str 5, ~x, 0o7, '', --name, {inputValue: my a}]"),
    (COMMAND, "[]"),
    (COMMAND, ""),
    (COMMAND, "null"),
    (COMMAND, "[train, {executorInput: }, {inputUri: data}, {outputUri: model}]"),
    (COMMAND, "[train, {if: {cond: {isPresent: my a}, then: [a, {inputValue: my a}], else: [b]}}]"),
    (COMMAND, "[train, {if: {cond: {isPresent: rate}, then: {inputValue: rate}, else: b}}]"),
    (COMMAND, "[train, {if: {cond: {isPresent: rate}, then: [], else: }}]"),
    (COMMAND, "[train, {if: {cond: {isPresent: rate}, then: [{if: {cond: {isPresent: rate}, then: a}}]}}]"),
    (COMMAND, "[train, \"--x={{$.inputs.parameters['my_a']}}\", \"{{$.outputs.artifacts['model'].metadata['x']}}\"]"),
    ("{A: b}", "{A: '5', B: '', '5': c}"),
    ("{A: b}", "{}"),
    ("{A: b}", "null"),
    ("env: {A: b}", "fileOutputs: {score: /tmp/score}"),
    ("name: Train\n", ""),
    ("name: Train", "name: null"),
    ("name: Train", "name: Tränen 2"),
    ("name: Train", "name: '5'"),
    ("name: Train", f"name: '-{'a' * 128}-'"),
    ("name: Train", "version: google.com/cloud/pipelines/component/v1"),
    ("It trains.", "''"),
    ("It trains.", "null"),
    ("{annotations: {author: me}, labels: {team: data}}", "{annotations: null, labels: {}}"),
    ("{annotations: {author: me}, labels: {team: data}}", "null"),
    (RATE, "{name: rate, type: Float, optional: true}"),
    (RATE, "{name: rate, type: Float, optional: yes, default: 1}"),
    (RATE, "{name: rate, type: Float, optional: , description: , annotations: {a: 5}}"),
    (RATE, "{name: rate, type: Float, default: }"),
    ("type: Dataset", "type: Dataset, optional: true"),
    ("type: Dataset", "type: Dataset, default: x"),
    ("type: Dataset", "type: dataset"),
    ("type: Dataset", "type: google.VertexModel"),
    ("type: String", "type: text"),
    ("type: String", "type: 'List[str]'"),
    ("type: String", "type: 'typing.Dict[str, int]'"),
    ("type: String", "type: typing.String"),
    ("type: String", "type: PipelineTaskFinalStatus"),
    *(
        (RATE, f"{{name: rate, type: Float, default: {one}}}")
        for one in ("1", "true", "0x1F", "1:30", "' 1_0 '", "'-.5'")
    ),
    *((RATE, f"{{name: rate, type: Integer, default: {one}}}") for one in ("1", "1.5", "true", "' 1 '", "1_000")),
    *((RATE, f"{{name: rate, type: Boolean, default: {one}}}") for one in ("true", "'TRUE'", "'off'", "0", "5", "-1")),
    *((RATE, f"{{name: rate, type: String, default: {one}}}") for one in ("5", "true", ".nan", "''")),
    *((RATE, f"{{name: rate, type: List, default: {one}}}") for one in ("'[1, {}]'", "'[1'", "''", "'null'", "x")),
    (RATE, '{name: rate, type: Dict, default: \'{"a": [true, 1.5, "b"]}\'}'),
    (RATE, "{name: rate, type: 'List[str]', default: '[1]'}"),
    (RATE, "{name: rate, type: typing.Float, default: 0.1}"),
]


@pytest.mark.parametrize(("old", "new"), TAKEN)
def test_what_kfp_takes_is_no_error(tmp_path: Path, old: str, new: str) -> None:
    text = changed(V1, old, new)
    assert kfp_takes(text, tmp_path)
    assert errors(text) == []


RATE_TYPE = "        rate: {parameterType: NUMBER_DOUBLE}\n        s"
DATASET = "{schemaTitle: system.Dataset, schemaVersion: 0.0.1}"
IR_REFUSED: dict[str, tuple[str, str, int, str, str]] = {
    "a parameter without a type": (
        RATE_TYPE,
        "        rate: {}\n        s",
        12,
        "input 'rate' of comp-train has no type, and kfp does not load it",
        "write parameterType: …; known are STRING",
    ),
    "a parameter that is null": (
        RATE_TYPE,
        "        rate:\n        s",
        12,
        "input 'rate' of comp-train has no type, and kfp does not load it",
        "write parameterType: …",
    ),
    "a parameter of a v1 type": (
        RATE_TYPE,
        "        rate: {parameterType: Float}\n        s",
        12,
        "input 'rate' of comp-train has the type 'Float', which kfp does not load",
        "known are STRING, NUMBER_INTEGER, NUMBER_DOUBLE",
    ),
    "a parameter in small letters": (
        RATE_TYPE,
        "        rate: {parameterType: number_double}\n        s",
        12,
        "input 'rate' of comp-train has the type 'number_double'",
        "did you mean NUMBER_DOUBLE?",
    ),
    "an output without a type": (
        "score: {parameterType: NUMBER_DOUBLE}",
        "score: {}",
        20,
        "output 'score' of comp-tr",
        "para",
    ),
    "an artifact without a type": (
        f"artifactType: {DATASET}",
        "description: x",
        6,
        "input 'data' of comp-train has no",
        "artif",
    ),
    "an artifact without a version": (
        DATASET,
        "{schemaTitle: system.Dataset}",
        6,
        "the type 'system.Dataset', which",
        "0.0.1",
    ),
    "an artifact of a short version": (
        DATASET,
        DATASET.replace("0.0.1", "'1'"),
        6,
        "the type 'system.Dataset@1'",
        "0.0.1",
    ),
    "an artifact of no namespace": (
        DATASET,
        DATASET.replace("system.", ""),
        6,
        "the type 'Dataset@0.0.1', which",
        "0.0.1",
    ),
    "an artifact of another": (
        DATASET,
        DATASET.replace("system", "my"),
        6,
        "has the type 'my.Dataset@0.0.1', which",
        "0.0.1",
    ),
    "a number among the words": (
        "- '{{$}}'",
        "- 5",
        35,
        "deploymentSpec.executors.exec-train.container.args must be",
        QUOTES,
    ),
    "a v1 placeholder": (
        "- '{{$}}'",
        "- {inputValue: rate}",
        35,
        "container.args must be a text, and is a mapping",
        QUOTES,
    ),
    "no pipelineInfo": ("pipelineInfo: {name: train}\n", "", 1, "has no pipelineInfo", "add pipelineInfo: …"),
    "no name": ("pipelineInfo: {name: train}", "pipelineInfo: {}", 36, "has no pipelineInfo.name", "add name: …"),
    "no components": (
        "components:\n  comp-train:",
        "x-components:\n  comp-train:",
        1,
        "has the key 'x-components'",
        "mean c",
    ),
    "a component that is none": (
        "components:\n",
        "components:\n  comp-b: a\n",
        2,
        "components.comp-b must be",
        "a mapping",
    ),
    "a truth in quotes": (
        "isArtifactList: true",
        "isArtifactList: 'true'",
        10,
        "inputDefinitions.artifacts.many.isArtifactList must be true or false, and is a text: true",
        "without quotes",
    ),
    "a description that is a number": (
        RATE_TYPE,
        "        rate: {parameterType: NUMBER_DOUBLE, description: 3}\n        s",
        12,
        "inputDefinitions.parameters.rate.description must be a text, and is a number: 3",
        QUOTES,
    ),
    "a task of no component": (
        "componentRef: {name: comp-train}",
        "componentRef: comp-train",
        41,
        "root.dag.tasks.train.componentRef must be a mapping, and is a text: comp-train",
        "write a mapping with name",
    ),
    "a default that JSON has no form for": (
        "defaultValue: x",
        "defaultValue: 2026-12-01",
        14,
        "input 'name' of comp-train has the default '2026-12-01', which is no STRING",
        "write one of its type",
    ),
    "another key": (
        "schemaVersion: 2.1.0",
        "annotations: {}\nschemaVersion: 2.1.0",
        46,
        "the key 'annotations' at its",
        "known",
    ),
}


@pytest.mark.parametrize(("old", "new", "line", "message", "remedy"), IR_REFUSED.values(), ids=IR_REFUSED.keys())
def test_what_kfp_does_not_load_of_a_compiled_component_is_told(  # noqa: PLR0917 - a table's columns
    tmp_path: Path, old: str, new: str, line: int, message: str, remedy: str
) -> None:
    text = changed(IR, old, new)
    found = [problem for problem in errors(text) if message in problem.message]
    assert not kfp_takes(text, tmp_path)
    assert [problem.line for problem in found] == [line]
    assert remedy in found[0].remedy
