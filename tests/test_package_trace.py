"""``python -m`` of an installed package: pipelines that kfp compiled with it, traced back to their commit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from installation import (
    COMMIT,
    DIGEST,
    EXACT_PIN,
    REPOSITORY,
    TAG_PIN,
    YAML,
    Installation,
    as_checkout,
    install,
    install_code,
)
from traced_pipelines import FOREIGN, OTHER_DIGEST, STATES, compiled_with

GIVEN = "{{$.inputs.parameters['pipelinechannel--image']}}"
OTHER_VERSION = "kubeflow-demo-components 1.2 does not know its digest: another version may"
RUN = ("-m", "kubeflow_demo_components")


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Version 1.2, whose folder has pipelines that were compiled with it."""
    return compiled_with(tmp_path_factory.mktemp("released"), "1.2")


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Version 1.3, likewise."""
    return compiled_with(tmp_path_factory.mktemp("later"), "1.3", OTHER_DIGEST)


def traced(installation: Installation, file: str | Path) -> dict[str, Any]:
    done = installation.python(*RUN, "trace", file, "--json")
    assert done.stderr == ""
    value: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if value["good"] else 1)
    return value


def changed(installation: Installation, folder: Path, old: str, new: str) -> Path:
    """The small pipeline with something else in one place of its text."""
    text = (installation.folder / "small.yaml").read_text(encoding="utf-8")
    assert old in text
    (folder / "changed.yaml").write_text(text.replace(old, new), encoding="utf-8")
    return folder / "changed.yaml"


def states(value: dict[str, Any]) -> dict[str, tuple[str | None, str]]:
    return {task["task"]: (task["component"], task["state"]) for task in value["tasks"]}


def test_every_task_has_its_component_and_state(released: Installation) -> None:
    value = traced(released, "whole.yaml")
    assert states(value) == STATES
    assert (value["pipeline"], value["distribution"], value["version"]) == (
        "all-of-it",
        "kubeflow-demo-components",
        "1.2",
    )
    assert value["totals"] == {"pinned": 9, "no image": 1, "unpinned": 2, "foreign": 1}
    by_task = {task["task"]: task for task in value["tasks"]}
    assert by_task["make-table"] == {
        "task": "make-table",
        "component": "make_table_op",
        "image": EXACT_PIN,
        "digest": str(DIGEST),
        "version": "1.2",
        "commit": COMMIT,
        "state": "pinned",
        "why": None,
        "good": True,
    }
    assert by_task["exit-handler-1/foreign"]["image"] == FOREIGN
    assert by_task["exit-handler-1/multiply-2"]["why"] == "an input decides on it when the pipeline runs"


@pytest.mark.parametrize("file", ["small.yaml", "small.json", "manifests.yaml"])
def test_every_form_that_kfp_compiles_is_read(released: Installation, file: str) -> None:
    value = traced(released, file)
    assert {task["task"]: task["component"] for task in value["tasks"]} == {
        "make-table": "make_table_op",
        "multiply": "multiply_op",
        "split-table": "split_table_op",
    }
    assert value["good"]


def test_a_compiled_component_is_a_pipeline_of_one_task(released: Installation) -> None:
    assert states(traced(released, "multiply.yaml")) == {"multiply": ("multiply_op", "pinned")}


def test_the_table_has_a_row_a_task_the_totals_and_the_reasons(released: Installation) -> None:
    done = released.python(*RUN, "trace", "whole.yaml")
    table, _, told = done.stdout.partition("\n\n")
    rows = table.splitlines()
    assert rows[0].split() == ["task", "component", "version", "commit", "image", "digest", "state"]
    assert [row.split()[0] for row in rows[1:]] == list(STATES)
    assert rows[-1].split() == ["make-table", "make_table_op", "1.2", COMMIT[:12], "demo:1.2", DIGEST.short, "pinned"]
    assert told.splitlines() == [
        "all-of-it: 13 tasks: 9 pinned, 1 no image, 2 unpinned, 1 foreign",
        f"held against kubeflow-demo-components 1.2 of commit {COMMIT}",
        f"foreign: {FOREIGN}: no component file of kubeflow-demo-components names it (exit-handler-1/foreign)",
        "unpinned: python:3.12: it has no digest, so what runs can change or be missing (exit-handler-1/loose)",
        f"unpinned: {GIVEN}: an input decides on it when the pipeline runs (exit-handler-1/multiply-2)",
        "1 task runs a known image with a command that is none of its components'",
    ]
    assert (done.returncode, done.stderr) == (1, "")


def test_markdown_is_a_table_for_a_pull_request(released: Installation) -> None:
    done = released.python(*RUN, "trace", "whole.yaml", "--markdown")
    lines = done.stdout.splitlines()
    assert lines[0] == "### all-of-it: 13 tasks: 9 pinned, 1 no image, 2 unpinned, 1 foreign"
    assert lines[2] == "| task | component | version | commit | image | digest | state |"
    assert (
        f"| `make-table` | `make_table_op` | `1.2` | `{COMMIT[:12]}` | `demo:1.2` | `{DIGEST.short}` | pinned |"
        in lines
    )
    (foreign,) = (line for line in lines if line.startswith("| `exit-handler-1/foreign`"))
    assert foreign.endswith("| **foreign** |")
    assert {line.count("|") for line in lines if line.startswith("|")} == {8}
    assert done.returncode == 1


def test_it_needs_no_kfp(released: Installation) -> None:
    code = (
        "import runpy, sys; sys.argv[1:] = ['trace', 'small.yaml']\n"
        "try: runpy.run_module('kubeflow_demo_components', run_name='__main__')\n"
        "finally: print('kfp' in sys.modules)"
    )
    assert released.python("-c", code).stdout.endswith("False\n")


def test_a_pipeline_of_another_version_is_not_known(released: Installation, later: Installation) -> None:
    value = traced(released, later.folder / "small.yaml")
    assert states(value) == {
        "make-table": ("make_table_op", "unknown"),
        "multiply": ("multiply_op", "unknown"),
        "split-table": ("split_table_op", "unknown"),
    }
    task = value["tasks"][0]
    assert (task["version"], task["commit"]) == (None, None)
    assert task["why"] == OTHER_VERSION
    assert traced(later, later.folder / "small.yaml")["good"]


class Other(NamedTuple):
    """What stands in place of a piece of the image, and what that makes of the task."""

    old: str
    new: str
    state: str
    why: str | None = None


LOOSE = "it has no digest, so what runs can change or be missing"
OTHERS = [
    Other("demo:1.2@", "demo@", "pinned"),
    Other(REPOSITORY, "mirror.example:5000/cache/data-science-kubeflow/demo", "mirrored"),
    Other(REPOSITORY, "mirror.example/renamed", "mirrored"),
    Other("demo:1.2@", "demo:1.1@", "drift", "its tag is 1.1, and its digest is that of 1.2"),
    Other(f"demo:1.2@{DIGEST}", "demo:1.2", "unpinned", LOOSE),
    Other(f"demo:1.2@{DIGEST}", "demo:1.2@sha256:short", "unpinned", LOOSE),
    Other(EXACT_PIN, f"{TAG_PIN}@{OTHER_DIGEST}", "unknown", OTHER_VERSION),
    Other(EXACT_PIN, "null", "unpinned", "it names no image"),
    Other(EXACT_PIN, FOREIGN, "foreign", "no component file of kubeflow-demo-components names it"),
]


@pytest.mark.parametrize("other", OTHERS, ids=[other.new.rpartition("/")[2][:30] for other in OTHERS])
def test_another_image_has_another_state(released: Installation, tmp_path: Path, other: Other) -> None:
    value = traced(released, changed(released, tmp_path, other.old, other.new))
    (task,) = (task for task in value["tasks"] if task["task"] == "multiply")
    assert (task["state"], task["why"]) == (other.state, other.why)
    assert task["version"] == ("1.2" if other.state in {"pinned", "mirrored", "drift"} else None)
    assert task["component"] == (None if other.state == "foreign" or other.new == "null" else "multiply_op")


def test_an_image_of_others_that_a_component_file_names_is_of_the_package(
    released: Installation, tmp_path: Path
) -> None:
    installation = install(tmp_path, EXACT_PIN)
    text = f"name: Tool\nimplementation: {{container: {{image: '{FOREIGN}', command: ['true']}}}}\n"
    (installation.package / "yaml/tool.yaml").write_text(text, encoding="utf-8")
    found = states(traced(installation, released.folder / "whole.yaml"))
    assert found["exit-handler-1/foreign"] == ("tool_op", "pinned")


def test_two_components_that_run_the_same_are_told_apart_by_name(released: Installation, tmp_path: Path) -> None:
    installation = install(tmp_path, EXACT_PIN)
    text = (installation.package / "yaml/multiply.yaml").read_text(encoding="utf-8")
    (installation.package / "yaml/times.yaml").write_text(text, encoding="utf-8")
    found = {task["task"]: task["component"] for task in traced(installation, released.folder / "whole.yaml")["tasks"]}
    assert found["exit-handler-1/for-loop-3/multiply"] == "multiply_op"
    (installation.package / "yaml/multiply.yaml").rename(installation.package / "yaml/product.yaml")
    found = {task["task"]: task["component"] for task in traced(installation, released.folder / "whole.yaml")["tasks"]}
    assert found["exit-handler-1/for-loop-3/multiply"] == "product_op or times_op"


def test_a_package_that_is_pinned_by_tag_and_a_checkout_know_no_digests(released: Installation, tmp_path: Path) -> None:
    by_tag = install(tmp_path / "tag", TAG_PIN)
    assert states(traced(by_tag, released.folder / "small.yaml"))["multiply"] == ("multiply_op", "unknown")
    checkout = install_code(tmp_path / "checkout")
    as_checkout(checkout, YAML)
    value = traced(checkout, released.folder / "small.yaml")
    assert states(value)["multiply"] == ("multiply_op", "unknown")
    assert value["version"] is None
    assert (
        "which has no pins: install a released version"
        in checkout.python(*RUN, "trace", released.folder / "small.yaml").stdout
    )


EVIL = "evil\u202e\x1b[31m\n::error::x `| a | <b>@all #1 [a](http://b)"


def test_what_a_file_says_commands_neither_a_terminal_nor_markdown(released: Installation, tmp_path: Path) -> None:
    spec = json.loads((released.folder / "small.json").read_text(encoding="utf-8"))
    spec["pipelineInfo"]["name"] = EVIL
    tasks = spec["root"]["dag"]["tasks"]
    tasks["\n::warning::" + EVIL] = tasks.pop("multiply")
    spec["deploymentSpec"]["executors"]["exec-make-table"]["container"]["image"] = EVIL
    (tmp_path / "evil.json").write_text(json.dumps(spec), encoding="utf-8")
    for form in ((), ("--markdown",)):
        done = released.python(*RUN, "trace", tmp_path / "evil.json", *form)
        assert (done.returncode, done.stderr) == (1, "")
        assert all(letter.isprintable() or letter == "\n" for letter in done.stdout)
        assert not any(line.lstrip().startswith("::") for line in done.stdout.splitlines())
    heading, *lines = done.stdout.splitlines()
    assert "\\`\\| a \\| &lt;b>&#64;all \\#1 \\[a\\](http:&#47;/b)" in heading
    assert {line.replace("\\|", "").count("|") for line in lines if line.startswith("|")} == {8}
    assert traced(released, tmp_path / "evil.json")["pipeline"] == EVIL


def test_what_its_output_cannot_show_is_told_in_other_letters(released: Installation, tmp_path: Path) -> None:
    file = changed(released, tmp_path, "name: small", "name: 'sm\u00e4ll \u20ac'")
    done = released.python(*RUN, "trace", file, environ={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "sm\\xe4ll \\u20ac: 3 tasks" in done.stdout


def test_help_teaches(released: Installation) -> None:
    assert "commands; without one, the listing:" in released.python(*RUN, "--help").stdout
    told = released.python(*RUN, "trace", "--help").stdout
    assert all(word in told for word in ("pinned", "mirrored", "drift", "unknown", "foreign", "Exit codes"))
    assert released.python(*RUN, "trace").returncode == 2
    assert released.python(*RUN, "trace", "small.yaml", "--json", "--markdown").returncode == 2
    assert released.python(*RUN, "--json", "trace", "small.yaml", "--markdown").returncode == 2
    assert json.loads(released.python(*RUN, "--json", "trace", "small.yaml").stdout)["good"]
