"""The parsers of component files, and of the YAML that they are."""

from __future__ import annotations

import ast
import json
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
from kfp_release.component import ComponentFile
from kfp_release.component_folder import ComponentFolder
from kfp_release.component_rules import component_problems
from kfp_release.pinning import pin
from kfp_release.stub import Operator, stub_text
from kfp_release.yaml_nodes import Items, Node, Scalar, Table
from kfp_release.yaml_text import YamlText

_YAML = (
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


def _structured(random: Random) -> bytes:
    """JSON is YAML: components with any value anywhere."""
    return changed_json(random, random.choice(_COMPONENTS), most=4)


def _v1(random: Random) -> bytes:
    return written(V1, _YAML)(random)


def _ir(random: Random) -> bytes:
    return written(IR, _YAML)(random)


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
    "component IR": Parser(("component.ComponentFile.parse",), _ir, _component),
    "component of any values": Parser(("component.ComponentFile.parse",), _structured, _component),
    "folder of components": Parser(("component_folder.ComponentFolder.read",), _files, _folder),
}
