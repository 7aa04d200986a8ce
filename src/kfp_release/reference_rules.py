"""What can be wrong between the parts of a compiled component: names that lead nowhere, or to what is not meant.

kfp loads and compiles such a file, and the run fails or does something else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from kfp_release.component import ComponentFile
from kfp_release.errors import Problem
from kfp_release.interface import pipeline_name
from kfp_release.near_name import NearNames
from kfp_release.yaml_nodes import UNLOADABLE, Node, Scalar, Table, loaded

_WHOLE = {"cachingOptions", "componentRef", "inputs", "taskInfo"}
"""Keys of a task that runs a component as it is: no retries, no condition, no loop."""
_PORTS = (
    ("inputDefinitions", "parameters"),
    ("inputDefinitions", "artifacts"),
    ("outputDefinitions", "parameters"),
    ("outputDefinitions", "artifacts"),
)


def reference_problems(file: ComponentFile) -> Iterator[Problem]:
    """Where a component of `file` names an executor, or one of its tasks a component, that it does not have.

    And where kfp loads one of its steps in place of the pipeline.
    """
    if file.kind == "v1":
        return
    components, deployment, root = (file.root.table(key) for key in ("components", "deploymentSpec", "root"))
    executors = deployment.table("executors") if deployment else None
    known, names = components.entries if components else {}, NearNames()
    for part in (*(components.table(name) for name in known if components), root):
        if part is None:
            continue
        yield from _named(file, part.get("executorLabel"), "executor", executors.entries if executors else {}, names)
        dag = part.table("dag")
        tasks = dag.table("tasks") if dag else None
        for task in (tasks.table(name) for name in tasks.entries) if tasks else ():
            reference = task.table("componentRef") if task else None
            yield from _named(file, reference.get("name") if reference else None, "component", known, names)
    yield from _hidden(file, components, root)


def _hidden(file: ComponentFile, components: Table | None, root: Table | None) -> Iterator[Problem]:
    """A pipeline of its step's name: kfp takes the step for all of it (kfp.dsl.structures.ComponentSpec.from_ir_dicts).

    So it does with what was compiled as one component, and there the step is all of it.
    """
    info = file.root.table("pipelineInfo")
    name = info.get("name") if info else None
    if components is None or root is None or not isinstance(name, Scalar):
        return
    key = f"comp-{pipeline_name(name.text)}"
    step = components.table(key)
    if step is not None and not _is_all_of(key, step, root):
        message = f"is the pipeline {name.text[:80]!r} with a step of that name, and kfp loads the step in its place"
        yield Problem(file.name, name.line, message, 'give the pipeline another name: @dsl.pipeline(name="…")')


def _is_all_of(key: str, step: Table, root: Table) -> bool:
    """Whether `root` does nothing but run `step`, with what it is given itself."""
    dag = root.table("dag")
    tasks = dag.table("tasks") if dag else None
    task = tasks.table(next(iter(tasks.entries))) if tasks and len(tasks.entries) == 1 else None
    reference = task.table("componentRef") if task else None
    if task is None or reference is None or reference.text("name") != key or set(task.entries) - _WHOLE:
        return False
    given = task.table("inputs")
    for kind, origin in (("parameters", "componentInputParameter"), ("artifacts", "componentInputArtifact")):
        passed = given.table(kind) if given else None
        if any(_plain(node) != {origin: name} for name, node in (passed.entries if passed else {}).items()):
            return False
    return all(_ports(root, *place).items() <= _ports(step, *place).items() for place in _PORTS)


def _ports(component: Table, section: str, kind: str) -> dict[str, str]:
    """Each port as far as it counts for who calls the component: not its description."""
    definitions = component.table(section)
    ports = definitions.table(kind) if definitions else None
    plain = {name: _plain(node) for name, node in ports.entries.items()} if ports else {}
    return {
        name: json.dumps({**port, "description": ""}, sort_keys=True, default=str)
        for name, port in plain.items()
        if isinstance(port, dict)
    }


def _plain(node: Node) -> object:
    try:
        return loaded(node)
    except UNLOADABLE:  # its own problem says so
        return None


def _named(
    file: ComponentFile, node: object, what: str, known: Mapping[str, object], names: NearNames
) -> Iterator[Problem]:
    if isinstance(node, Scalar) and node.is_text and node.text not in known:
        remedy = names.remedy(node.text, known, "there is")
        yield Problem(file.name, node.line, f"names the {what} {node.text[:80]!r}, which is not there", remedy)
