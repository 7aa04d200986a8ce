"""What can be wrong between the parts of a compiled component: names of executors and components that lead nowhere.

kfp loads and compiles such a file, and the run fails.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from kfp_release.component import ComponentFile
from kfp_release.errors import Problem
from kfp_release.yaml_nodes import Scalar


def reference_problems(file: ComponentFile) -> Iterator[Problem]:
    """Where a component of `file` names an executor, or one of its tasks a component, that it does not have."""
    if file.kind == "v1":
        return
    components, deployment, root = (file.root.table(key) for key in ("components", "deploymentSpec", "root"))
    executors = deployment.table("executors") if deployment else None
    known = components.entries if components else {}
    for part in (*(components.table(name) for name in known if components), root):
        if part is None:
            continue
        yield from _named(file, part.get("executorLabel"), "executor", executors.entries if executors else {})
        dag = part.table("dag")
        tasks = dag.table("tasks") if dag else None
        for task in (tasks.table(name) for name in tasks.entries) if tasks else ():
            reference = task.table("componentRef") if task else None
            yield from _named(file, reference.get("name") if reference else None, "component", known)


def _named(file: ComponentFile, node: object, what: str, known: Mapping[str, object]) -> Iterator[Problem]:
    if isinstance(node, Scalar) and node.is_text and node.text not in known:
        near = difflib.get_close_matches(node.text, known, 1)
        remedy = f"did you mean {near[0]}?" if near else f"there is: {', '.join(known) or 'none'}"
        yield Problem(file.name, node.line, f"names the {what} {node.text[:80]!r}, which is not there", remedy)
