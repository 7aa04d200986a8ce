"""Interfaces of components: their inputs and outputs, as the file names and types them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kfp_release.errors import Problem, Problems
from kfp_release.yaml_nodes import Items, Node, Scalar, Table, written_out

_ARTIFACTS = {
    "artifact",
    "model",
    "dataset",
    "metrics",
    "classificationmetrics",
    "slicedclassificationmetrics",
    "html",
    "markdown",
}
_PARAMETERS = {
    "string",
    "str",
    "text",
    "integer",
    "int",
    "float",
    "double",
    "boolean",
    "bool",
    "list",
    "jsonarray",
    "dict",
    "jsonobject",
    "pipelinetaskfinalstatus",
}
_IR_PARAMETERS = {
    "string",
    "number_integer",
    "number_double",
    "boolean",
    "list",
    "struct",
    "task_final_status",
}
"""kfp.dsl.types.type_utils of kfp 2.17, its keys, without those of v1 that become artifacts silently."""


@dataclass(frozen=True, slots=True)
class Port:
    """One input or output. `line` counts from 1."""

    name: str
    type: str
    """As written: ``Float`` (v1), ``NUMBER_DOUBLE`` or ``system.Model`` (IR); empty where there is none."""
    line: int
    is_artifact: bool
    is_known: bool
    """Whether kfp knows the type; it takes an unknown one for an artifact, silently."""
    is_optional: bool
    kfp_name: str
    """The name under which kfp and a pipeline's author know it."""
    default: str | None = None
    """The default's text, where it is one."""


def sanitised(name: str) -> str:
    """`name` as kfp makes it a parameter's (kfp.dsl.utils.sanitize_input_name)."""
    return re.sub("[^_0-9a-z]+", "_", name.lower()).strip("_")


def v1_ports(name: str, root: Table, section: str) -> tuple[Port, ...]:
    """The ``inputs`` or ``outputs`` (`section`) of a v1 component. Raise `Problems` where they are no list of names."""
    node = root.get(section)
    if node is None or (isinstance(node, Scalar) and node.is_null):
        return ()
    items = node.nodes if isinstance(node, Items) else (node,)
    return tuple(_v1_port(name, section, item) for item in items)


def _v1_port(name: str, section: str, item: Node) -> Port:
    table = written_out(item)
    port_name = table.text("name") if isinstance(table, Table) else None
    if not isinstance(table, Table) or not port_name:
        message = f"has an entry of `{section}` without a name"
        raise Problems([Problem(name, item.line, message, f"write `{section}` as a list of - {{name: …, type: …}}")])
    type_ = _v1_type(table.get("type"))
    plain = type_.partition("[")[0].lower()
    return Port(
        name=port_name,
        type=type_,
        line=item.line,
        is_artifact=plain not in _PARAMETERS,
        is_known=plain in _PARAMETERS | _ARTIFACTS or re.fullmatch(r"google\.[A-Za-z]+", type_) is not None,
        is_optional="default" in table.entries or (table.text("optional") or "").lower() in {"true", "yes", "on"},
        kfp_name=sanitised(port_name),
        default=table.text("default"),
    )


def _v1_type(node: Node | None) -> str:
    if isinstance(node, Table) and len(node.entries) == 1:
        return next(iter(node.entries))
    return node.text if isinstance(node, Scalar) and not node.is_null else ""


def ir_ports(name: str, root: Table, section: str) -> tuple[Port, ...]:
    """The inputs or outputs of a compiled component's root."""
    _ = name
    definitions = (root.table("root") or root).table(f"{section.removesuffix('s')}Definitions")
    return tuple(_ir_ports(definitions)) if definitions else ()


def _ir_ports(definitions: Table) -> Iterator[Port]:
    for kind in ("artifacts", "parameters"):
        table = definitions.table(kind)
        for port_name in table.entries if table else ():
            entry = table.get(port_name) if table else None
            if not isinstance(entry, Table):
                continue
            artifact = entry.table("artifactType")
            type_ = (artifact.text("schemaTitle") if artifact else entry.text("parameterType")) or ""
            yield Port(
                name=port_name,
                type=type_,
                line=entry.line,
                is_artifact=kind == "artifacts",
                is_known=bool(type_) if kind == "artifacts" else type_.lower() in _IR_PARAMETERS,
                is_optional="defaultValue" in entry.entries or entry.text("isOptional") == "true",
                kfp_name=port_name,
            )
