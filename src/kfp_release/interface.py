"""Interfaces of components: their inputs and outputs, as the file names and types them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kfp_release.errors import Problem, Problems
from kfp_release.yaml_nodes import Items, Node, Scalar, Table, written_out

# kfp.dsl.types.type_utils of kfp 2.17: its keys, and the names that become artifacts silently left out.
_PLAIN_ARTIFACTS = {
    name.lower(): name
    for name in (
        *("Artifact", "Model", "Dataset", "Metrics", "ClassificationMetrics", "SlicedClassificationMetrics"),
        *("HTML", "Markdown"),
    )
}
_PARAMETERS = {
    **dict.fromkeys(("string", "str", "text"), "String"),
    **dict.fromkeys(("integer", "int"), "Integer"),
    **dict.fromkeys(("float", "double"), "Float"),
    **dict.fromkeys(("boolean", "bool"), "Boolean"),
    **dict.fromkeys(("list", "jsonarray"), "List"),
    **dict.fromkeys(("dict", "jsonobject"), "Dict"),
}
FINAL_STATUS = "PipelineTaskFinalStatus"
"""The type of an input that kfp itself fills in."""
IR_PARAMETERS = {
    "STRING": "String",
    "NUMBER_INTEGER": "Integer",
    "NUMBER_DOUBLE": "Float",
    "BOOLEAN": "Boolean",
    "LIST": "List",
    "STRUCT": "Dict",
    "TASK_FINAL_STATUS": FINAL_STATUS,
    "TASK_CONFIG": "TaskConfig",
}
"""The parameter types of compiled YAML, by what v1 component YAML calls them."""
_PLAIN_PARAMETERS = _PARAMETERS | {name.lower(): plain for name, plain in IR_PARAMETERS.items()}
_IR_ARTIFACT = re.compile(r"(?:system|google)\.[^.@]+@[^.@]*\.[^.@]*\.[^.@]*")


@dataclass(frozen=True, slots=True)
class Port:
    """One input or output. `line` counts from 1."""

    name: str
    type: str
    """As written: ``Float`` (v1), ``NUMBER_DOUBLE`` or ``system.Model@0.0.1`` (IR); empty where there is none."""
    line: int
    is_artifact: bool
    is_known: bool
    """Whether kfp knows the type; it takes an unknown one for an artifact, silently, or fails."""
    is_optional: bool
    kfp_name: str
    """The name under which kfp and a pipeline's author know it."""
    default: Node | None = None
    """The default of an input as it is written: of a v1 component a scalar, or what kfp does not load."""
    description: str = ""
    is_list: bool = False
    """Whether it is a list of artifacts."""

    @property
    def plain_type(self) -> str:
        """The type by one name for all that write it: ``Float`` for Double and NUMBER_DOUBLE, ``List[Dataset]``."""
        if not self.is_artifact:
            return _PLAIN_PARAMETERS.get(canonical_type(self.type), self.type)
        name = self.type.partition("@")[0].removeprefix("system.")
        plain = _PLAIN_ARTIFACTS.get(name.lower(), name or "Artifact")
        return f"List[{plain}]" if self.is_list else plain


@dataclass(frozen=True, slots=True)
class Interface:
    """The ports of one component."""

    name: str
    """``comp-train`` in compiled YAML; empty in v1, and for what is compiled as a whole."""
    executor: str
    """The executor that runs it; empty in v1, and for a pipeline."""
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


def canonical_type(name: str) -> str:
    """A v1 type as kfp looks it up, in small letters: ``list`` for ``typing.List[str]``.

    Source: kfp.dsl.types.type_utils.get_canonical_name_for_outer_generic.
    """
    plain = name.removeprefix("typing.").lower()
    return plain.partition("[")[0] if plain.startswith(("list", "dict")) else plain


def v1_interface(name: str, root: Table) -> Interface:
    """The ports of a v1 component in the file `name`. Raise `Problems` where they are no lists of names."""
    inputs, outputs = (
        tuple(_v1_port(port, section, table, line) for port, table, line in _named(name, root, section))
        for section in ("inputs", "outputs")
    )
    return Interface("", "", inputs, outputs)


def require_names(name: str, root: Table) -> None:
    """Raise `Problems` where `v1_interface` would."""
    for section in ("inputs", "outputs"):
        for _ in _named(name, root, section):
            pass


def _named(name: str, root: Table, section: str) -> Iterator[tuple[str, Table, int]]:
    """The name of each port, what is said of it, and its line."""
    node = root.get(section)
    if node is None or (isinstance(node, Scalar) and node.is_null):
        return
    for item in node.nodes if isinstance(node, Items) else (node,):
        table = written_out(item)
        port_name = table.text("name") if isinstance(table, Table) else None
        if not isinstance(table, Table) or not port_name:
            message = f"has an entry of `{section}` without a name"
            remedy = f"write `{section}` as a list of - {{name: …, type: …}}"
            raise Problems([Problem(name, item.line, message, remedy)])
        yield port_name, table, item.line


def _v1_port(name: str, section: str, table: Table, line: int) -> Port:
    type_, default = _v1_type(table.get("type")), table.get("default")
    plain = canonical_type(type_)
    is_parameter = plain in _PARAMETERS or (type_ == FINAL_STATUS and section == "inputs")
    return Port(
        name=name,
        type=type_,
        line=line,
        is_artifact=not is_parameter,
        is_known=is_parameter or plain in _PLAIN_ARTIFACTS or re.fullmatch(r"google\.[A-Za-z]+", type_) is not None,
        is_optional="default" in table.entries or (table.text("optional") or "").lower() in {"true", "yes", "on"},
        kfp_name=sanitised(name),
        default=default,
        description=_one_line(table.text("description")),
    )


def sanitised(name: str) -> str:
    """`name` as kfp makes it a parameter's (kfp.dsl.utils.sanitize_input_name)."""
    return re.sub("[^_0-9a-z]+", "_", name.lower()).strip("_")


def _v1_type(node: Node | None) -> str:
    """A type that is no text is shown as what it is, which no type is called."""
    if isinstance(node, Table):
        return f"{{{', '.join(node.entries)}: …}}"
    if isinstance(node, Items):
        return "[…]"
    return node.text if isinstance(node, Scalar) and not node.is_null else ""


def ir_interfaces(root: Table) -> tuple[Interface, ...]:
    """The ports of all that a compiled file holds, and first those under which kfp loads it as one component."""
    components = root.table("components")
    named = [_ir_interface(name, components.table(name)) for name in components.entries] if components else []
    info = root.table("pipelineInfo")
    # kfp.dsl.structures.ComponentSpec.from_ir_dicts
    own = "comp-" + pipeline_name((info.text("name") if info else None) or "")
    named.sort(key=lambda interface: interface.name != own)
    rooted = _ir_interface("", root.table("root"))
    return (*named, rooted) if named and named[0].name == own else (rooted, *named)


def pipeline_name(name: str) -> str:
    """`name` as kfp makes it a pipeline's or a task's (kfp.dsl.utils.maybe_rename_for_k8s)."""
    return re.sub("[^0-9a-z]+", "-", name.lower()).strip("-")


def _ir_interface(name: str, component: Table | None) -> Interface:
    if component is None:
        return Interface(name, "", (), ())
    inputs, outputs = (
        tuple(_ir_ports(definitions)) if (definitions := component.table(key)) else ()
        for key in ("inputDefinitions", "outputDefinitions")
    )
    return Interface(name, component.text("executorLabel") or "", inputs, outputs)


def _ir_ports(definitions: Table) -> Iterator[Port]:
    for kind in ("artifacts", "parameters"):
        table = definitions.table(kind)
        for name, key in table.keys.items() if table else ():
            entry = table.table(name) if table else None
            is_artifact = kind == "artifacts"
            type_ = (_ir_artifact(entry) if is_artifact else entry.text("parameterType") or "") if entry else ""
            yield Port(
                name=name,
                type=type_,
                line=key.line,
                is_artifact=is_artifact,
                is_known=_IR_ARTIFACT.fullmatch(type_) is not None if is_artifact else type_ in IR_PARAMETERS,
                is_optional=entry is not None
                and ("defaultValue" in entry.entries or entry.text("isOptional") == "true"),
                kfp_name=name,
                default=entry.get("defaultValue") if entry else None,
                description=_one_line(entry.text("description")) if entry else "",
                is_list=entry is not None and entry.text("isArtifactList") == "true",
            )


def _one_line(description: str | None) -> str:
    return " ".join((description or "").split())


def _ir_artifact(entry: Table) -> str:
    artifact = entry.table("artifactType")
    title, version = (artifact.text(key) or "" if artifact else "" for key in ("schemaTitle", "schemaVersion"))
    return f"{title}@{version}" if version else title
