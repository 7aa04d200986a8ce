"""Files that are no compiled pipeline, or a damaged one: each is refused with one clear error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kfp_release.package_files._operators.pipeline import BadPipeline, Pipeline, read_pipeline


def pipeline(**changes: Any) -> dict[str, Any]:
    """A small one: a graph in a graph, and a task beside it."""
    return {
        "components": {
            "comp-inner": {"dag": {"tasks": {"b": {"componentRef": {"name": "comp-leaf"}}}}},
            "comp-leaf": {"executorLabel": "exec-leaf"},
        },
        "deploymentSpec": {"executors": {"exec-leaf": {"container": {"image": "a.b/c", "command": ["run"]}}}},
        "pipelineInfo": {"name": "small"},
        "root": {
            "dag": {
                "tasks": {
                    "a": {"componentRef": {"name": "comp-inner"}},
                    "c": {"componentRef": {"name": "comp-leaf"}},
                }
            }
        },
        **changes,
    }


def dag(**tasks: str) -> dict[str, Any]:
    return {"dag": {"tasks": {name: {"componentRef": {"name": to}} for name, to in tasks.items()}}}


def one(**component: Any) -> dict[str, Any]:
    """A pipeline of this component."""
    return pipeline(components={"comp-a": component}, root=dag(a="comp-a"))


def run(image: str) -> dict[str, Any]:
    """The executor of a component that is called a."""
    return {"executors": {"a": {"container": {"image": image}}}}


def other(**executor: Any) -> dict[str, Any]:
    """A pipeline whose tasks have this executor."""
    return pipeline(deploymentSpec={"executors": {"exec-leaf": executor}})


def wide(levels: int) -> dict[str, Any]:
    """Ten tasks a level, each of them the level below."""
    components = {f"comp-{level}": dag(**{f"t{n}": f"comp-{level + 1}" for n in range(10)}) for level in range(levels)}
    components[f"comp-{levels}"] = {"executorLabel": "exec-leaf"}
    return pipeline(components=components, root=dag(a="comp-0"))


def deep(levels: int) -> dict[str, Any]:
    components = {f"comp-{level}": dag(a=f"comp-{level + 1}") for level in range(levels)}
    components[f"comp-{levels}"] = {"executorLabel": "exec-leaf"}
    return pipeline(components=components, root=dag(a="comp-0"))


def parsed(value: Any) -> Pipeline:
    return Pipeline.parse("a.yaml", json.dumps(value).encode())


def test_tasks_go_by_the_path_of_the_graphs_that_they_are_in() -> None:
    assert [task.path for task in parsed(pipeline()).tasks] == ["a/b", "c"]
    assert [task.path for task in parsed(deep(40)).tasks] == ["/".join("a" * 41)]
    assert len(parsed(wide(3)).tasks) == 1000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a.yaml: is empty"),
        (b"just a text", "a.yaml: is no compiled pipeline: it has no `deploymentSpec` and `root` at its top"),
        (b'{"a": [1, 2]}', "a.yaml: is no compiled pipeline"),
        (b"---\n---\n", "a.yaml: is no compiled pipeline"),
        (b"name: A\nimplementation: {container: {image: b}}", "a.yaml: is component YAML .v1., which has no tasks"),
        (
            b"apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec: {}",
            "a.yaml: is a Kubernetes manifest without a pipeline of kfp 2",
        ),
        (b"a: [\n", "a.yaml:2: is not YAML"),
        (b"a: b\n\xff: c", "a.yaml:2: is not UTF-8: byte 0xff"),
        (b"\x00", "a.yaml: is not YAML"),
        (b"PK\x03\x04\x14\x00\x08", "a.yaml: is not YAML|a.yaml:1: is not UTF-8"),
        (b"a: &a [x]\nb: &b [*a, *a]\n<<: *b", "a.yaml:1: has a merge key <<"),
        (b"{" * 5000, "a.yaml:1: nests more than 100 levels deep"),
        (b"\n".join(json.dumps(pipeline()).encode() + b"\n---" for _ in range(2)), "a.yaml: holds 2 pipelines"),
    ],
)
def test_what_is_no_pipeline_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(BadPipeline, match=f"^{message}") as caught:
        Pipeline.parse("a.yaml", data)
    assert "\n  → " in str(caught.value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (pipeline(root=dag(a="comp-gone")), "has no component 'comp-gone', which a names"),
        (one(executorLabel="x"), "has no executor 'x', which a"),
        (one(**dag(b="comp-a")), "runs in a circle: a/b leads back to comp-a"),
        (
            pipeline(components={"comp-a": dag(b="comp-b"), "comp-b": dag(c="comp-a")}, root=dag(a="comp-a")),
            "runs in a circle: a/b/c leads back to comp-a",
        ),
        (pipeline(root={"dag": {"tasks": {}}}), "has no tasks"),
        (
            pipeline(components={"comp-a": dag(**{"b" * 1000: "comp-b"})}, root=dag(**{"a" * 1000: "comp-a"})),
            "names a task with 2,001 letters, 'aaaa",
        ),
        (
            pipeline(
                components={"comp-a": {"executorLabel": "a"}}, root=dag(a="comp-a"), deploymentSpec=run("b" * 2001)
            ),
            "names an image with 2,001 letters, 'bbbb",
        ),
        (wide(4), "nests graphs more than 50 levels deep, or has more than 10,000|has more than 10,000 tasks"),
        (wide(30), "nests graphs more than 50 levels deep, or has more than 10,000|has more than 10,000 tasks"),
        (deep(60), "nests graphs more than 50 levels deep"),
        (pipeline(root={}), "is no sound pipeline: it has no 'executorLabel' where one belongs"),
        (pipeline(root={"dag": {}}), "is no sound pipeline: it has no 'tasks' where one belongs"),
        (pipeline(root=None), "is no sound pipeline: a part of it is not what it should be"),
        (pipeline(deploymentSpec=[1]), "is no sound pipeline: a part of it is not what it should be"),
        (pipeline(components=["a"]), "is no sound pipeline|has no component"),
        (pipeline(pipelineInfo={}), "is no sound pipeline: it has no 'name' where one belongs"),
        (pipeline(deploymentSpec={"executors": {"exec-leaf": {"container": "a"}}}), "is no sound pipeline"),
        (pipeline(pipelineInfo={"name": ["a"]}), "is no sound pipeline"),
        (other(contaner={"image": "a.b/c"}), "has an executor that is neither container nor importer: 'exec-leaf'"),
        (other(customJob={"customJob": {}}), "has an executor that is neither container nor importer: 'exec-leaf'"),
        (other(resolver={}), "has an executor that is neither container nor importer: 'exec-leaf'"),
        (other(importer=None), "has an executor that is neither container nor importer: 'exec-leaf'"),
        (other(), "has an executor that is neither container nor importer: 'exec-leaf'"),
        (pipeline(root=dag(a=["list"])), "is no sound pipeline"),  # type: ignore[arg-type] # on purpose
    ],
)
def test_a_damaged_pipeline_is_refused(value: Any, message: str) -> None:
    with pytest.raises(BadPipeline, match=f"^a.yaml: ({message})"):
        parsed(value)


def test_an_importer_alone_runs_no_image() -> None:
    assert [task.container for task in parsed(other(importer={"artifactUri": {}})).tasks] == [None, None]


BOMB = """\
a: &a [x, x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
components: {comp-a: {executorLabel: a}}
deploymentSpec: {executors: {a: {container: {image: a.b/c, command: [COMMAND], args: ARGS}}}}
pipelineInfo: {name: NAME}
root: {dag: {tasks: {a: {componentRef: {name: comp-a}}}}}
"""


@pytest.mark.parametrize("place", ["COMMAND", "ARGS", "NAME"])
def test_lists_that_aliases_repeat_are_never_written_out(place: str) -> None:
    # With a few lines more it would not fit into any memory.
    with pytest.raises(BadPipeline, match=r"^a\.yaml: is no sound pipeline: a part of it is not what it should be"):
        Pipeline.parse("a.yaml", BOMB.replace(place, "*e").encode())
    assert len(Pipeline.parse("a.yaml", BOMB.encode()).tasks) == 1


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadPipeline, match=r"gone\.yaml cannot be read: No such file or directory"):
        read_pipeline(tmp_path / "gone.yaml")
    with pytest.raises(BadPipeline, match="cannot be read: Is a directory"):
        read_pipeline(tmp_path)
    with (tmp_path / "huge.yaml").open("wb") as huge:
        huge.truncate(1 << 34)
    with pytest.raises(BadPipeline, match=r"huge\.yaml: has more than 8,388,608 bytes"):
        read_pipeline(tmp_path / "huge.yaml")
