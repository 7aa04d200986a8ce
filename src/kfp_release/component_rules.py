"""What can be wrong in one component file that parses: its names, types, placeholders and images.

Source of what kfp does with them: kfp 2.17, kfp.dsl.structures, kfp.dsl.placeholders, kfp.dsl.pipeline_task.
"""

from __future__ import annotations

import difflib
import keyword
from collections.abc import Collection, Iterator, Sequence

import yaml

from kfp_release.component import ComponentFile, ImageText
from kfp_release.container import Container, Word
from kfp_release.errors import Problem
from kfp_release.interface import Port, sanitised
from kfp_release.yaml_nodes import Table

_TOP_KEYS = {"name", "description", "metadata", "inputs", "outputs", "implementation", "version"}
_CONTAINER_KEYS = {"image", "command", "args", "env", "fileOutputs"}
_INPUTS = {"inputValue": False, "inputPath": True, "inputUri": True}
"""The placeholders of inputs, and whether they are for artifacts; kfp.dsl.pipeline_task refuses the others."""
_OUTPUTS = {"outputPath": None, "outputUri": True}
_BOOLEANS = {"y", "yes", "t", "true", "on", "1", "n", "no", "f", "false", "off", "0"}
_EXECUTOR_INPUT = "{{$}}"
_OUTPUT_FILE = "{{$.outputs.output_file}}"
_TYPE_NAMES = ("String", "Integer", "Float", "Boolean", "List", "Dict", "Dataset", "Model", "Metrics", "Artifact")
_TYPES = "known are String, Integer, Float, Boolean, List, Dict, and the artifacts Dataset, Model, Metrics, …"


def component_problems(file: ComponentFile, owned: Collection[str]) -> list[Problem]:
    """Everything that is wrong in `file`; `owned` holds the repositories that a release pins."""
    rules = (_document(file), _names(file), _types(file), _commands(file), _artifacts(file))
    problems = [problem for rule in rules for problem in rule]
    return problems + [problem for image in file.images for problem in _image(file, image, owned)]


def _document(file: ComponentFile) -> Iterator[Problem]:
    try:
        list(yaml.load_all(file.text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (yaml.YAMLError, ValueError) as error:
        yield Problem(file.name, 0, f"cannot be loaded: {str(error).splitlines()[0][:200]}", "quote the value")
    if file.kind == "v1":
        yield from _unknown(file, file.root, _TOP_KEYS, "at its top")
        implementation = file.root.table("implementation")
        container = implementation.table("container") if implementation else None
        if container is not None:
            yield from _unknown(file, container, _CONTAINER_KEYS, "in its container")


def _unknown(file: ComponentFile, table: Table, known: Collection[str], where: str) -> Iterator[Problem]:
    for key, node in table.entries.items():
        if key not in known:
            near = difflib.get_close_matches(key, sorted(known), 1)
            remedy = f"did you mean {near[0]}?" if near else f"known are: {', '.join(sorted(known))}"
            yield Problem(file.name, node.line, f"has the key {key[:80]!r} {where}, which kfp refuses", remedy)


def _names(file: ComponentFile) -> Iterator[Problem]:
    if not file.operator.isidentifier() or not file.operator.isascii():
        message = f"gives the operator {file.operator!r}, which is no Python name"
        yield Problem(file.name, 0, message, "rename the file: letters, digits, - and _, and no digit first")
    for ports, what in ((file.inputs, "input"), (file.outputs, "output")):
        yield from _port_names(file, ports, what)


def _port_names(file: ComponentFile, ports: Sequence[Port], what: str) -> Iterator[Problem]:
    seen: dict[str, Port] = {}
    for port in ports:
        name = port.kfp_name
        if not name.isidentifier() or keyword.iskeyword(name):
            message = f"{what} {port.name!r} becomes {name!r} in kfp, which is no Python name"
            yield Problem(file.name, port.line, message, "give it another name, as in learning_rate")
        first = seen.setdefault(name, port)
        if first is not port:
            message = f"{what}s {first.name!r} and {port.name!r} are both {name!r} in kfp"
            yield Problem(file.name, port.line, message, "rename one of them")


def _types(file: ComponentFile) -> Iterator[Problem]:
    for ports, what in ((file.inputs, "input"), (file.outputs, "output")):
        for port in ports:
            if not port.type:
                message = f"{what} {port.name!r} has no type, and kfp takes it for an artifact"
                yield Problem(file.name, port.line, message, f"add type: …; {_TYPES}")
            elif not port.is_known:
                message = f"{what} {port.name!r} has the type {port.type[:80]!r}, which kfp takes for an artifact"
                near = difflib.get_close_matches(port.type, _TYPE_NAMES, 1)
                yield Problem(file.name, port.line, message, f"did you mean {near[0]}?" if near else _TYPES)
            elif not _fits(port):
                message = f"input {port.name!r} has the default {port.default!r:.80}, which is no {port.type}"
                yield Problem(file.name, port.line, message, "write a default of its type")


def _fits(port: Port) -> bool:
    """Whether kfp can read the default as its type (kfp.dsl.types.type_utils.deserialize_v1_component_yaml_default)."""
    if port.default is None:
        return True
    try:
        match port.type.lower():
            case "integer" | "int":
                int(port.default)
            case "float" | "double":
                float(port.default)
            case "boolean" | "bool":
                return port.default.lower() in _BOOLEANS
    except ValueError:
        return False
    return True


def _commands(file: ComponentFile) -> Iterator[Problem]:
    for container in file.commands:
        for word in container.words:
            yield from _word(file, word)


def _word(file: ComponentFile, word: Word) -> Iterator[Problem]:
    if _OUTPUT_FILE in word.text.replace(" ", ""):
        remedy = "pass '{{$}}', and read outputs.outputFile in the program"
        yield Problem(file.name, word.line, f"{_OUTPUT_FILE} fails silently on a cluster", remedy)
    if word.placeholder == "concat" or word.text.startswith('{"Concat":'):
        yield Problem(file.name, word.line, "`concat` has no resolver in kfp's backend", "join it in the program")
    elif word.placeholder in _INPUTS:
        yield from _input(file, word)
    elif word.placeholder in _OUTPUTS:
        yield from _output(file, word)
    elif word.placeholder == "if":
        yield from _condition(file, word)
    elif word.placeholder not in {"", "executorInput"}:
        message = f"has the placeholder {word.placeholder[:60]!r}, which kfp does not know"
        known = ", ".join([*_INPUTS, *_OUTPUTS, "executorInput", "if"])
        yield Problem(file.name, word.line, message, f"known are: {known}")
    for inner in word.inner:
        if inner.placeholder != "isPresent":
            yield from _word(file, inner)


def _input(file: ComponentFile, word: Word) -> Iterator[Problem]:
    port = next((port for port in file.inputs if port.kfp_name == sanitised(word.text)), None)
    if port is None:
        yield _nameless(file, word, [port.name for port in file.inputs], "input")
    elif port.type and port.is_known and port.is_artifact != _INPUTS[word.placeholder]:
        what, right = ("an artifact", "inputPath") if port.is_artifact else ("a parameter", "inputValue")
        message = f"takes {word.placeholder} of {port.name!r}, which is {what}"
        yield Problem(file.name, word.line, message, f"write {{{right}: {port.name}}}")


def _output(file: ComponentFile, word: Word) -> Iterator[Problem]:
    port = next((port for port in file.outputs if port.name == word.text), None)
    if port is None:
        yield _nameless(file, word, [port.name for port in file.outputs], "output")
    elif _OUTPUTS[word.placeholder] and port.type and not port.is_artifact:
        message = f"takes {word.placeholder} of {port.name!r}, which is a parameter"
        yield Problem(file.name, word.line, message, f"write {{outputPath: {port.name}}}")


def _condition(file: ComponentFile, word: Word) -> Iterator[Problem]:
    for inner in word.inner:
        if inner.placeholder == "isPresent":
            port = next((port for port in file.inputs if port.kfp_name == sanitised(inner.text)), None)
            if port is None:
                yield _nameless(file, inner, [port.name for port in file.inputs], "input")
            elif port.is_artifact:
                message = f"`if` on {port.name!r} never holds: for artifacts kfp takes it as absent"
                yield Problem(file.name, inner.line, message, "pass the artifact always, or make it a parameter")


def _nameless(file: ComponentFile, word: Word, known: Sequence[str], what: str) -> Problem:
    near = difflib.get_close_matches(word.text, known, 1)
    remedy = f"did you mean {near[0]}?" if near else f"its {what}s are: {', '.join(known) or 'none'}"
    return Problem(file.name, word.line, f"{word.placeholder} names {word.text[:80]!r}, which is no {what}", remedy)


def _artifacts(file: ComponentFile) -> Iterator[Problem]:
    """kfp.local knows an artifact output only from the file that `{{$}}` names."""
    artifacts = [port.name for port in file.outputs if port.is_artifact and port.is_known]
    if artifacts and not any(map(_gets_executor_input, file.commands)):
        message = f"has the artifact {artifacts[0]!r} as output, and its program does not get {_EXECUTOR_INPUT}"
        remedy = "pass '{{$}}' and report the artifact in outputs.outputFile, or kfp.local does not see it"
        yield Problem(file.name, 0, message, remedy, severity="warning")


def _gets_executor_input(container: Container) -> bool:
    return any(word.text == _EXECUTOR_INPUT or word.placeholder == "executorInput" for word in container.words)


def _image(file: ComponentFile, image: ImageText, owned: Collection[str]) -> Iterator[Problem]:
    if image.repository in owned:
        if image.value != image.repository:
            extra = image.value.removeprefix(image.repository)
            message = f"owned image {image.repository} carries {extra[:120]}"
            yield Problem(file.name, image.line, message, f"a release pins it: write {image.repository} alone")
    elif not image.has_digest:
        near = difflib.get_close_matches(image.repository, list(owned), 1, cutoff=0.8)
        remedy = f"did you mean {near[0]}?" if near else "write repository:tag@sha256:…, or own it in pyproject.toml"
        message = f"image {image.value} is in no [tool.kfp-release.images], and carries no digest"
        yield Problem(file.name, image.line, message, remedy)
