"""What a container runs: its command and arguments in one row, as kfp compiles them.

By it a task of a compiled pipeline is known again as one of a component file's, whose image it shares with others.
Source: kfp 2.17, kfp.dsl.placeholders.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .definition import PARAMETERS, plain_type
from .yaml_places import Text

_SIMPLE = {
    "inputValue": "{{{{$.inputs.parameters['{}']}}}}",
    "inputPath": "{{{{$.inputs.artifacts['{}'].path}}}}",
    "inputUri": "{{{{$.inputs.artifacts['{}'].uri}}}}",
    "outputUri": "{{{{$.outputs.artifacts['{}'].uri}}}}",
}
_OUTPUT_FILE = "{{{{$.outputs.parameters['{}'].output_file}}}}"
_OUTPUT_PATH = "{{{{$.outputs.artifacts['{}'].path}}}}"
_STRUCTS = ('{"Concat":', '{"IfPresent":')


class Container(NamedTuple):
    """One container of a component file or of a pipeline."""

    image: Text | None
    """None where it names none."""
    words: tuple[str, ...]


def compiled_container(container: Mapping[str, Any]) -> Container:
    """That of an executor in compiled YAML. Raise one of `MALFORMED` for what is none."""
    words = (_plain(word) for key in ("command", "args") for word in _listed(container.get(key)))
    return Container(_image(container), tuple(words))


def v1_container(component: Mapping[str, Any]) -> Container:
    """That of v1 component YAML, as kfp compiles it. Raise one of `MALFORMED` for what is none."""
    container = component["implementation"]["container"]
    types = {text_of(port["name"]): port.get("type") for port in _listed(component.get("outputs"))}
    words = (_compiled(word, types) for key in ("command", "args") for word in _listed(container.get(key)))
    return Container(_image(container), tuple(_plain(_written(word)) for word in words))


MALFORMED = (LookupError, TypeError, AttributeError, ValueError, RecursionError)
"""What is raised of parts that are not what they should be."""


def text_of(value: Any) -> str:
    """Raise `TypeError` for what is no text: lists that aliases repeat are without end when they are written out."""
    if not isinstance(value, str):
        raise TypeError("not a text")
    return str(value)


def _image(container: Mapping[str, Any]) -> Text | None:
    image = container.get("image")
    return image if isinstance(image, Text) and not image.is_null else None


def _listed(value: Any) -> Iterable[Any]:
    if value is None or (isinstance(value, Text) and value.is_null):
        return ()
    return value if isinstance(value, list) else [value]


def _plain(word: Any) -> str:
    """A word; of a struct, which is JSON in a text, its one form."""
    text = text_of(word)
    if not text.startswith(_STRUCTS):
        return text
    try:
        return _written(json.loads(text))
    except (ValueError, RecursionError):
        return text


def _written(word: Any) -> str:
    return word if isinstance(word, str) else json.dumps(word, sort_keys=True)


def _compiled(word: Any, types: Mapping[str, Any]) -> Any:
    """A word of v1 YAML as a text or as a struct of such."""
    if not isinstance(word, Mapping):
        return text_of(word)
    ((placeholder, value),) = word.items()
    if placeholder == "executorInput":
        return "{{$}}"
    if placeholder == "concat":
        return {"Concat": [_compiled(one, types) for one in value]}
    if placeholder == "if":
        made = {"InputName": _sanitized(value["cond"]["isPresent"]), "Then": _branch(value["then"], types)}
        if value.get("else"):
            made["Else"] = _branch(value["else"], types)
        return {"IfPresent": made}
    if placeholder == "outputPath":
        kind = types[value]  # one with properties is an artifact's
        form = _OUTPUT_FILE if isinstance(kind, str) and plain_type(kind) in PARAMETERS else _OUTPUT_PATH
        return form.format(_sanitized(value))
    return _SIMPLE[placeholder].format(_sanitized(value))


def _branch(value: Any, types: Mapping[str, Any]) -> Any:
    return [_compiled(one, types) for one in value] if isinstance(value, list) else _compiled(value, types)


def _sanitized(name: str) -> str:
    # As kfp does it, in kfp.dsl.utils.sanitize_input_name.
    return re.sub("[^_0-9a-z]+", "_", name.lower()).strip("_")
