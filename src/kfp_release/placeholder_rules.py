"""What can be wrong in the placeholders of a command line: each names an input or output, and one of its own kind.

Source of what becomes of them: kfp 2.17, kfp.dsl.v1_structures, kfp.dsl.placeholders, kfp.dsl.pipeline_task.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from kfp_release.component import ComponentFile
from kfp_release.container import Word
from kfp_release.errors import Problem
from kfp_release.interface import Interface, Port
from kfp_release.near_name import NearNames

_EITHER, _ARTIFACT, _PARAMETER = {True, False}, {True}, {False}
_V1 = {
    "inputValue": ("input", _PARAMETER),
    "inputPath": ("input", _ARTIFACT),
    "inputUri": ("input", _ARTIFACT),
    "isPresent": ("input", _EITHER),
    "outputPath": ("output", _EITHER),
    "outputUri": ("output", _ARTIFACT),
}
"""The placeholders that name something: of which side, and whether it may be an artifact."""
_COMPILED = re.compile(r"\{\{\$\.(input|output)s\.(parameter|artifact)s\['([^'{}]*)'\][^{}]*\}\}")
_ODD = re.compile(
    r"\{\{\$\.(?:(input)s\.(?!(?:parameters|artifacts)\['[^'{}]*'\])"
    r"|(output)s\.(?!parameters\['[^'{}]*'\]\.output_file\}|artifacts\['[^'{}]*'\]|output_file *\}))[^{}]*\}\}"
)
"""In no form that anything resolves."""
_FORMS = {
    ("input", False): "{{$.inputs.parameters['NAME']}}",
    ("input", True): "{{$.inputs.artifacts['NAME'].path}}",
    ("output", False): "{{$.outputs.parameters['NAME'].output_file}}",
    ("output", True): "{{$.outputs.artifacts['NAME'].path}}",
}
_KINDS = {False: "a parameter", True: "an artifact"}
_EXECUTOR_INPUT = "{{$}}"
_OUTPUT_FILE = "{{$.outputs.output_file}}"
_Sides = Mapping[str, Mapping[str, Port]]


def placeholder_problems(file: ComponentFile) -> list[Problem]:
    """Where the words of `file` name what its components do not have, or what kfp cannot put there."""
    names, interfaces = NearNames(), file.interfaces
    problems = list(_file_outputs(file, names))
    for container in file.commands:
        words = container.all_words
        for word in words:
            problems += _word(file, word)
        for interface in interfaces:
            if interface.executor == container.executor:
                problems += _artifacts(file, interface, words)
                sides = _sides(interface)
                for word in words:
                    problems += (_v1 if word.placeholder else _compiled)(file, sides, word, names)
    return problems


def _word(file: ComponentFile, word: Word) -> Iterator[Problem]:
    if _OUTPUT_FILE in word.text.replace(" ", ""):
        remedy = "pass '{{$}}', and read outputs.outputFile in the program"
        yield Problem(file.name, word.line, f"{_OUTPUT_FILE} fails silently on a cluster", remedy)
    if word.placeholder == "concat":
        yield Problem(file.name, word.line, "`concat` has no resolver in kfp's backend", "join it in the program")


def _v1(file: ComponentFile, sides: _Sides, word: Word, names: NearNames) -> Iterator[Problem]:
    """A name that is empty is none; kfp compares the others as they are written."""
    if not word.text or word.placeholder not in _V1:
        return
    side, kinds = _V1[word.placeholder]
    ports = sides[side]
    port = ports.get(word.text)
    if port is None:
        problem = _nameless(f"{word.placeholder} names {word.text[:80]!r}", word.text, side, ports, names)
        yield Problem(file.name, word.line, *problem)
    elif word.placeholder == "isPresent" and port.is_artifact:
        message = f"`if` on {port.name!r} never holds: for artifacts kfp takes it as absent"
        yield Problem(file.name, word.line, message, "pass the artifact always, or make it a parameter")
    elif port.is_known and port.is_artifact not in kinds:
        right = "inputValue" if side == "input" and not port.is_artifact else f"{side}Path"
        message = f"takes {word.placeholder} of {port.name!r}, which is {_KINDS[port.is_artifact]}"
        yield Problem(file.name, word.line, message, f"write {{{right}: {port.name}}}")


def _compiled(file: ComponentFile, sides: _Sides, word: Word, names: NearNames) -> Iterator[Problem]:
    """The placeholders inside of a text, which compiled components are made of and v1 components may have too."""
    for side, kind, name in _COMPILED.findall(word.text):
        ports = sides[f"{side} in kfp"]
        port, is_artifact = ports.get(name), kind == "artifact"
        if port is None:
            what = f"{_FORMS[side, is_artifact].replace('NAME', name[:80])} names {name[:80]!r}"
            yield Problem(file.name, word.line, *_nameless(what, name, side, ports, names))
        elif port.is_known and port.is_artifact != is_artifact:
            message = f"takes {side} {name!r} for {_KINDS[is_artifact]}, and it is {_KINDS[port.is_artifact]}"
            remedy = f"write {_FORMS[side, port.is_artifact].replace('NAME', name)}"
            yield Problem(file.name, word.line, message, remedy)
    for odd in _ODD.finditer(word.text):
        side = odd[1] or odd[2]
        message = f"has the placeholder {odd[0][:80]}, which nothing resolves"
        yield Problem(file.name, word.line, message, f"write {_FORMS[side, False]} or {_FORMS[side, True]}")


def _sides(interface: Interface) -> _Sides:
    """The inputs and outputs by their names, and by those that they have in compiled YAML."""
    sides = {"input": interface.inputs, "output": interface.outputs}
    return {
        **{side: {port.name: port for port in ports} for side, ports in sides.items()},
        **{f"{side} in kfp": {port.kfp_name: port for port in ports} for side, ports in sides.items()},
    }


def _nameless(what: str, name: str, side: str, known: Collection[str], names: NearNames) -> tuple[str, str]:
    """The message and the remedy."""
    return f"{what}, which is no {side}", names.remedy(name, known, f"its {side}s are")


def _artifacts(file: ComponentFile, interface: Interface, words: Sequence[Word]) -> Iterator[Problem]:
    """kfp.local knows an artifact output only from the file that `{{$}}` names."""
    artifacts = [port for port in interface.outputs if port.is_artifact and port.is_known]
    if artifacts and not any(map(_is_executor_input, words)):
        message = f"has the artifact {artifacts[0].name!r} as output, and its program does not get {_EXECUTOR_INPUT}"
        remedy = "pass '{{$}}' and report the artifact in outputs.outputFile, or kfp.local does not see it"
        yield Problem(file.name, artifacts[0].line, message, remedy, severity="warning")


def _is_executor_input(word: Word) -> bool:
    return word.placeholder == "executorInput" or (_EXECUTOR_INPUT in word.text and not word.placeholder)


def _file_outputs(file: ComponentFile, names: NearNames) -> Iterator[Problem]:
    """The paths that v1 components may give to their outputs."""
    implementation = file.root.table("implementation")
    container = implementation.table("container") if implementation else None
    paths = container.table("fileOutputs") if container and file.kind == "v1" else None
    outputs = [port.name for port in file.outputs]
    for name, key in paths.keys.items() if paths else ():
        if name not in outputs:
            problem = _nameless(f"fileOutputs names {name[:80]!r}", name, "output", outputs, names)
            yield Problem(file.name, key.line, *problem)
