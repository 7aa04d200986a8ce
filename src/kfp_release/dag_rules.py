"""What can be wrong inside of a compiled component's graph: names of its tasks and inputs that lead nowhere.

kfp loads and compiles such a file, and the run fails. Source: kfp's pipeline_spec.proto, DagSpec and TaskInputsSpec.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kfp_release.component import ComponentFile
from kfp_release.errors import Problem
from kfp_release.near_name import NearNames
from kfp_release.yaml_nodes import Items, Node, Scalar, Table, written_out

_TASK, _PARAMETER, _ARTIFACT = "task", "input parameter", "input artifact"
_NAMES: Mapping[str, str] = {
    "producerTask": _TASK,
    "producerSubtask": _TASK,
    "dependentTasks": _TASK,
    "componentInputParameter": _PARAMETER,
    "componentInputArtifact": _ARTIFACT,
}
_CONSTANT = "runtimeValue"


def dag_problems(file: ComponentFile) -> Iterator[Problem]:
    """Where a graph of `file` names a task that is not in it, or an input that its component does not have."""
    if file.kind == "v1":
        return
    names = NearNames()
    components = file.root.table("components")
    parts = [components.table(name) for name in components.entries] if components else []
    for part in (*parts, file.root.table("root")):
        if part is not None and (dag := part.table("dag")) is not None:
            yield from _Graph(file.name, _known(part, dag), names).problems(dag)


def _known(part: Table, dag: Table) -> dict[str, Mapping[str, Node]]:
    """What there is, by what it is."""
    inputs, tasks = part.table("inputDefinitions"), dag.table("tasks")
    parameters, artifacts = (inputs.table(key) if inputs else None for key in ("parameters", "artifacts"))
    found = {_TASK: tasks, _PARAMETER: parameters, _ARTIFACT: artifacts}
    return {what: table.entries if table else {} for what, table in found.items()}


@dataclass(frozen=True, slots=True)
class _Graph:
    """One graph: a task names others of it, and inputs of the component that it is the graph of."""

    path: str
    known: Mapping[str, Mapping[str, Node]]
    names: NearNames
    seen: set[int] = field(default_factory=set)
    """The nodes that were looked at; an alias repeats some."""

    def problems(self, node: Node) -> Iterator[Problem]:
        node = written_out(node)
        if id(node) in self.seen:
            return
        self.seen.add(id(node))
        if isinstance(node, Items):
            for item in node.nodes:
                yield from self.problems(item)
        elif isinstance(node, Table):
            for key in node.entries:
                entry = node.get(key)
                if entry is not None and key != _CONSTANT:
                    yield from self._named(key, entry)
                    yield from self.problems(entry)

    def _named(self, key: str, entry: Node) -> Iterator[Problem]:
        entry = written_out(entry)
        what = _NAMES.get(key)
        for node in map(written_out, entry.nodes if isinstance(entry, Items) else (entry,)):
            if what and isinstance(node, Scalar) and node.is_text and node.text not in self.known[what]:
                message = f"names the {what} {node.text[:80]!r}, which is not there"
                yield Problem(self.path, node.line, message, self.names.remedy(node.text, self.known[what], "there is"))
