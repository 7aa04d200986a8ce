"""The parsers of component files, and of the YAML that they are."""

from __future__ import annotations

import ast
import json
from contextlib import suppress
from pathlib import Path
from random import Random

import yaml

from chaos.hostile.documents import (
    DEMO,
    FOREIGN,
    IR,
    V1,
)
from chaos.hostile.parser import Parser
from chaos.hostile.parsers_of_sources import OWNED, written
from chaos.hostile.scratch import scratch_folder
from chaos.hostile.values import NAMES, changed_json
from kfp_release.compile_mark import CompileMark, marked, text_hash, unmarked
from kfp_release.compiled_content import compiled_content, first_difference
from kfp_release.component import ComponentFile
from kfp_release.component_folder import ComponentFolder
from kfp_release.component_rules import component_problems
from kfp_release.interface_diff import InterfaceFiles, compare
from kfp_release.interface_notes import interface_notes
from kfp_release.pinning import pin
from kfp_release.stub import Operator, stub_text
from kfp_release.version import ReleaseVersion
from kfp_release.version_bump import Bump
from kfp_release.yaml_nodes import UNLOADABLE, Items, Node, Scalar, Table
from kfp_release.yaml_text import YamlText

YAML_WORDS = (
    *("image: x", "&a ", "*a", "&image ", "*image", "? ", "- ", ": ", "{", "}", "[", "]", "|\n ", ">-\n "),
    *("<<: *image", "--- \n", "...\n", "%YAML 1.1\n", "!!python/object:os.system ", "!!binary ", "\\x41", '"'),
    *("'", "#", "\t", "    ", "\ufeff", "\x85", "\u2028", "null", "1e3", "0o17", "2026-13-41", "12:30:45", "="),
    *("~", f"{DEMO}:1.0", FOREIGN),
)
_COMPONENTS = tuple(json.dumps(yaml.safe_load(text.partition("---\n")[0])) for text in (V1, IR))


def _scalars(node: Node) -> list[Scalar]:
    inner = node.nodes if isinstance(node, Items) else node.entries.values() if isinstance(node, Table) else ()
    return [node] if isinstance(node, Scalar) else [scalar for each in inner for scalar in _scalars(each)]


def _yaml(data: bytes) -> object:
    text = YamlText.parse("yaml/a.yaml", data)
    found = [scalar for document in text.documents for scalar in _scalars(document)]
    for scalar in found:
        begin, end = text.value_span(scalar) if "\n" not in scalar.text else (scalar.start, scalar.end)
        assert 0 <= begin <= end + 1
        assert scalar.is_text in {True, False}
    return len(found)


def _component(data: bytes) -> object:
    """What is read of it, what is wrong in it, and its pinned copy; its stub is a Python module, whatever it holds."""
    file = ComponentFile.parse("yaml/multiply.yaml", data)
    read = file.inputs, file.outputs, file.operator, [container.all_words for container in file.commands]
    shown = [str(problem) for problem in component_problems(file, OWNED)]
    ast.parse(stub_text([Operator.of(file)]))
    return read, shown, _pinned(file)


def _pinned(file: ComponentFile) -> bytes:
    pinned = pin(file, OWNED)
    again = ComponentFile.parse(file.name, pinned)
    assert [image.value for image in again.images] == [OWNED.get(image.value, image.value) for image in file.images]
    assert pin(again, OWNED) == pinned
    return pinned


def _compared(case: tuple[dict[str, bytes], dict[str, bytes]]) -> object:
    """What changed from one side to the other, in all forms."""
    version = ReleaseVersion.parse("1.4")
    before, after = (InterfaceFiles(name, files, version, prefix=name) for name, files in zip("ab", case, strict=True))
    diff = compare(before, after, descriptions=True)
    assert compare(after, before).bump in Bump
    assert all("\n" not in line for change in diff.changes for line in (change.what, change.before, change.after))
    shown = json.dumps(diff.require_parsed().to_json()), interface_notes(diff.changes)
    return shown, diff.next_version


def _sides(random: Random) -> tuple[dict[str, bytes], dict[str, bytes]]:
    names = ("yaml/a.yaml", "yaml/a.yml", "yaml/a-b.yaml", "yaml/a_b.yaml", *NAMES)
    one, other = ({random.choice(names): _either(random) for _ in range(2)} for _ in "ab")
    return one, other


def _compiled(data: bytes) -> object:
    """What it was compiled from, and whether it is still that."""
    file = ComponentFile.parse("yaml/multiply.yaml", data)
    mark = CompileMark.find(file.text)
    body = unmarked(file.text).rstrip() + "\n"
    sources = {"a/b.py": data, "a/b.yaml": data}
    again = marked(body, module="a.b", function="multiply", functions=("multiply",), sources=sources)
    found = CompileMark.find(again)
    assert found is not None
    assert found.is_of(again)
    assert found.text == text_hash(unmarked(again))
    assert first_difference(again, again) == 0
    with suppress(*UNLOADABLE):  # as their callers do: such a file has its own problems
        assert compiled_content(body) == compiled_content(unmarked(again))
    return mark is not None and mark.is_of(file.text)


def _marked(random: Random) -> bytes:
    """IR with the last line of a compiled file, each changed now and then."""
    text = marked(IR, module="a.b", function="multiply", functions=("multiply",), sources={"a/b.py": b""})
    line = text.splitlines()[-1]
    return random.choice((_ir(random), IR.encode())) + written(f"{line}\n", YAML_WORDS)(random)


def _structured(random: Random) -> bytes:
    """JSON is YAML: components with any value anywhere."""
    return changed_json(random, random.choice(_COMPONENTS), most=4)


def _v1(random: Random) -> bytes:
    return written(V1, YAML_WORDS)(random)


def _ir(random: Random) -> bytes:
    return written(IR, YAML_WORDS)(random)


def _either(random: Random) -> bytes:
    return random.choice((_v1, _ir, _structured, _structured))(random)


def _folder(case: list[tuple[str, bytes]]) -> object:
    with scratch_folder() as project:
        (Path(project) / "yaml").mkdir()
        for name, data in case:
            try:
                (Path(project) / "yaml" / name.replace("/", "_")).write_bytes(data)
            except (OSError, ValueError):
                continue
        folder = ComponentFolder.read(Path(project), "yaml")
        return [str(problem) for problem in folder.problems]


def _files(random: Random) -> list[tuple[str, bytes]]:
    suffixes = (".yaml", ".yml", ".yaml/x", "")
    texts = (b"", b"name: x", b"\xff", f"implementation: {{container: {{image: {DEMO}}}}}".encode())
    return [(random.choice(NAMES)[:90] + random.choice(suffixes), random.choice(texts)) for _ in range(2)]


PARSERS = {
    "YAML": Parser(("yaml_text.YamlText.parse",), _either, _yaml),
    "component v1": Parser(
        (
            *(
                "component.ComponentFile.parse",
                "pinning.pin",
                "interface.v1_interface",
                "interface.require_names",
                "interface.canonical_type",
                "interface.sanitised",
            ),
            *("interface.pipeline_name", "input_default.fits", "input_default.read_default", "stub_types.quoted"),
        ),
        _v1,
        _component,
    ),
    "component IR": Parser(("component.ComponentFile.parse", "input_default.fits_compiled"), _ir, _component),
    "component that was compiled": Parser(
        (
            *(
                "compile_mark.CompileMark.find",
                "compile_mark.marked",
                "compile_mark.unmarked",
                "compile_mark.text_hash",
            ),
            *("compiled_content.compiled_content", "compiled_content.first_difference"),
        ),
        _marked,
        _compiled,
    ),
    "component of any values": Parser(("component.ComponentFile.parse",), _structured, _component),
    "interfaces of two versions": Parser(("component.operator_of", "input_default.read_default"), _sides, _compared),
    "folder of components": Parser(("component_folder.ComponentFolder.read",), _files, _folder),
}
