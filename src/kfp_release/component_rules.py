"""What can be wrong in one component file that parses."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from itertools import chain

import yaml

from kfp_release.component import PYTHONS_OWN, ComponentFile, ImageText
from kfp_release.component_schema import schema_problems
from kfp_release.dag_rules import dag_problems
from kfp_release.errors import Problem
from kfp_release.interface import pipeline_name
from kfp_release.lightweight_rules import lightweight_problems
from kfp_release.output_rules import output_problems
from kfp_release.placeholder_rules import placeholder_problems
from kfp_release.port_rules import port_problems
from kfp_release.reference_rules import reference_problems
from kfp_release.yaml_nodes import UNLOADABLE, Items, Node, Scalar, Table

_LONGEST_NAME = 128
"""Characters: kfp.dsl.utils.validate_pipeline_name."""


def component_problems(file: ComponentFile, owned: Collection[str]) -> list[Problem]:
    """Everything that is wrong in `file`; `owned` holds the repositories that a release pins."""
    problems = [*_operator(file), *(problem for image in file.images for problem in _image(file, image, owned))]
    if unloadable := list(_unloadable(file)):
        return problems + unloadable
    problems += [
        *lightweight_problems(file),
        *schema_problems(file),
        *(_name(file) if file.kind == "v1" else ()),
        *port_problems(file),
        *placeholder_problems(file),
        *reference_problems(file),
        *dag_problems(file),
    ]
    # What is misspelt elsewhere is no output that nobody writes.
    return problems if any(problem.severity == "error" for problem in problems) else [*problems, *output_problems(file)]


def _operator(file: ComponentFile) -> Iterator[Problem]:
    if not file.operator.isidentifier() or not file.operator.isascii():
        message = f"gives the operator {file.operator!r}, which is no Python name"
        yield Problem(file.name, 0, message, "rename the file: letters, digits, - and _, and no digit first")
    elif file.operator.startswith(PYTHONS_OWN):
        message = f"gives the operator {file.operator!r}, and names that begin so are Python's own"
        yield Problem(file.name, 0, message, "rename the file, so that it begins with a letter")


def _unloadable(file: ComponentFile) -> Iterator[Problem]:
    """Values that YAML takes for what they are not: a date in month 13."""
    found = False
    for scalar in chain.from_iterable(map(_scalars, file.documents)):
        try:
            _ = scalar.value
        except UNLOADABLE as error:
            found = True
            yield Problem(file.name, scalar.line, f"cannot be loaded: {_said(error)}", "quote the value")
    # What is left then are tags of another kind of value.
    if not found and "!" in file.text:
        try:
            list(yaml.load_all(file.text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        except UNLOADABLE as error:
            yield Problem(file.name, 0, f"cannot be loaded: {_said(error)}", "quote the value")


def _said(error: Exception) -> str:
    return str(error).splitlines()[0][:200]


def _scalars(node: Node) -> Iterator[Scalar]:
    """Every scalar that stands in `node` itself, keys too; what an alias repeats stands elsewhere."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Items):
        for item in node.nodes:
            yield from _scalars(item)
    elif isinstance(node, Table):
        yield from node.keys.values()
        for item in node.entries.values():
            yield from _scalars(item)


def _name(file: ComponentFile) -> Iterator[Problem]:
    """What kfp cannot make a pipeline's and a task's name of; without a name a v1 component is called ``name``."""
    node = file.root.get("name")
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        return
    made = pipeline_name(node.value)
    if not made:
        message = f"is called {node.value[:80]!r}, of which nothing is left in kfp"
        yield Problem(file.name, node.line, message, "give it a name with letters a to z, or digits")
    elif len(made) > _LONGEST_NAME:
        message = f"has a name of {len(made)} characters in kfp, and {_LONGEST_NAME} are the most: {made[:40]}…"
        yield Problem(file.name, node.line, message, "give it a shorter name, and say the rest in its description")


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
