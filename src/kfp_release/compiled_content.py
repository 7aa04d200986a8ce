"""What counts in a compiled component: what kfp loads of it, whatever version of kfp wrote it, and in what form."""

from __future__ import annotations

import json
from itertools import takewhile

import yaml

_DESCRIPTION = "# Description: "
_MORE = "#             "
_VERSION = "sdkVersion"


def compiled_content(text: str) -> str:
    """One form for all texts that kfp loads as the same component.

    Comments, the order of keys and quotes do not count, and neither does the version of kfp; the description does,
    which kfp reads from a comment. `text` is a component file that was checked. Raise `yaml.YAMLError`, or
    `ValueError` for a value that cannot be loaded.
    """
    documents = list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    if documents and isinstance(documents[0], dict):
        documents[0].pop(_VERSION, None)
    return json.dumps([_description(text), *documents], sort_keys=True, default=str)


def first_difference(old: str, new: str) -> int:
    """The line of `old`, from 1, where `new` begins to say something else; 0 where the lines are the same."""
    lines, others = old.splitlines(), new.splitlines()
    pairs = zip(lines, others, strict=False)
    same = takewhile(lambda pair: pair[0] == pair[1] or pair[0].startswith(f"{_VERSION}:"), pairs)
    number = sum(1 for _ in same) + 1
    return number if number <= len(lines) else 0


def _description(text: str) -> str:
    """As kfp reads it (kfp.dsl.structures.ComponentSpec.from_yaml_documents)."""
    lines = text.splitlines()[2:]
    if not lines or not lines[0].startswith(_DESCRIPTION):
        return ""
    return "\n".join([lines[0], *takewhile(lambda line: line.startswith(_MORE), lines[1:])])
