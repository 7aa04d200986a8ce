"""The snippet of every component compiles as it stands: with real kfp, alone and beside other components."""

from __future__ import annotations

import re
import runpy
import sys
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from corpus_files import cases
from interface_fixtures import v1
from kfp import compiler

from kfp_release.catalog.snippet import Snippets
from kfp_release.component import ComponentFile
from kfp_release.package_files._operators.yaml_operator import YamlOperator

HERE = Path(__file__).resolve().parent.parent
PACKAGE = "snippet_components"


def corpus() -> dict[str, bytes]:
    """Without those that are another one in other letters."""
    told = (case for case in cases() if ", " not in case.name)
    return {re.sub("[^a-z0-9]+", "_", case.name.lower()) + ".yaml": case.data for case in told}


def own() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((HERE / "yaml").glob("*.yaml"))}


def parsed(files: dict[str, bytes]) -> list[ComponentFile]:
    return [ComponentFile.parse(name, data) for name, data in files.items()]


@cache
def operator(name: str, text: str) -> YamlOperator:
    return YamlOperator.from_text(name, text)


def compiled(snippet: str, files: Iterable[ComponentFile], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the snippet's pipeline compiles to, where `files` are installed."""
    package, operators = ModuleType(PACKAGE), ModuleType(f"{PACKAGE}.operators")
    vars(operators).update({file.operator: operator(file.operator, file.text) for file in files})
    vars(package).update(operators=operators)
    monkeypatch.setitem(sys.modules, PACKAGE, package)
    program, target = folder / "snippet.py", folder / "pipeline.yaml"
    program.write_text(snippet, encoding="utf-8")
    with warnings.catch_warnings(action="ignore"):  # of kfp's, about components that are installed nowhere
        (pipeline,) = [value for name, value in runpy.run_path(str(program)).items() if name.endswith("_pipeline")]
        compiler.Compiler().compile(pipeline, str(target))
    return next(iter(yaml.load_all(target.read_text(encoding="utf-8"), yaml.CSafeLoader)))


def tasks(compiled_pipeline: Any) -> list[str]:
    return sorted(compiled_pipeline["root"]["dag"]["tasks"])


@pytest.mark.parametrize("files", [own(), corpus()], ids=["this repository's", "the corpus"])
def test_all_of_one_version_compile(files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    components = parsed(files)
    snippets = Snippets(PACKAGE, components)
    for file in components:
        snippet = snippets.of(file.operator)
        assert f"operators.{file.operator}(" in snippet
        compiled(snippet, components, tmp_path, monkeypatch)


def test_each_compiles_where_it_is_the_only_component(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in parsed({**own(), **corpus()}):
        compiled(Snippets(PACKAGE, [file]).of(file.operator), [file], tmp_path, monkeypatch)


def test_an_artifact_comes_by_the_fewest_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    components = parsed(own())
    found = compiled(Snippets(PACKAGE, components).of("evaluate_model_op"), components, tmp_path, monkeypatch)
    assert tasks(found) == ["evaluate-model", "load-table", "train-model"]


def test_what_no_component_gives_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    components = parsed({"use.yaml": v1(("name: a, type: Model", "name: b, type: google.VertexModel"), ())})
    snippet = Snippets(PACKAGE, components).of("use_op")
    assert 'schema_title = "google.VertexModel"' in snippet
    assert tasks(compiled(snippet, components, tmp_path, monkeypatch)) == ["importer", "importer-2", "train"]


def of_python(program: str, folder: Path) -> ComponentFile:
    """A component that kfp compiles from `program`, which calls it `made`."""
    source, target = folder / "made.py", folder / "made.yaml"
    source.write_text(f"from typing import List\nfrom kfp import dsl\n\n@dsl.container_component\n{program}", "utf-8")
    compiler.Compiler().compile(runpy.run_path(str(source))["made"], str(target))
    return ComponentFile.parse("made.yaml", target.read_bytes())


RUN = f"    return dsl.ContainerSpec(image='a/b@sha256:{'a' * 64}', command=['x'])\n"


def test_a_list_of_artifacts_is_gathered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = of_python(f"def made(tables: dsl.Input[List[dsl.Dataset]]):\n{RUN}", tmp_path)
    snippet = Snippets(PACKAGE, [file]).of("made_op")
    assert "dsl.Collected(" in snippet
    loop, task = tasks(compiled(snippet, [file], tmp_path, monkeypatch))
    assert (loop.rpartition("-")[0], task) == ("for-loop", "made")


@pytest.mark.parametrize("others", [{}, own()], ids=["alone", "beside others"])
def test_what_is_for_the_end_of_a_pipeline_is_its_exit_task(
    others: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = of_python(f"def made(text: str, status: dsl.PipelineTaskFinalStatus):\n{RUN}", tmp_path)
    components = [file, *parsed(others)]
    snippet = Snippets(PACKAGE, components).of("made_op")
    assert "with dsl.ExitHandler(exit_task):" in snippet
    handler, task = tasks(compiled(snippet, components, tmp_path, monkeypatch))
    assert (handler.rpartition("-")[0], task) == ("exit-handler", "made")


def test_a_long_call_has_a_line_for_each_input() -> None:
    ports = tuple(f"name: a long name of an input {number}, type: String" for number in range(3))
    snippet = Snippets(PACKAGE, parsed({"use.yaml": v1(ports, ())})).of("use_op")
    assert '    operators.use_op(\n        a_long_name_of_an_input_0="text",\n' in snippet
    assert max(map(len, snippet.splitlines())) <= 88


@pytest.mark.parametrize(
    ("name", "ports"),
    [("1_st.yaml", ()), ("use.yaml", ("name: class, type: String",)), ("__use.yaml", ())],
)
def test_what_no_program_can_call_has_none(name: str, ports: Sequence[str]) -> None:
    (file,) = parsed({name: v1(tuple(ports), ())})
    assert Snippets(PACKAGE, [file]).of(file.operator) == ""
