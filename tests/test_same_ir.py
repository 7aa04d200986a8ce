"""Pipelines of operators are, byte for byte, what they are with kfp's own components."""

# No `from __future__ import annotations`: kfp reads the pipelines' annotations as they are.

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, List  # noqa: UP035 - kfp knows lists of artifacts by this name alone

import pytest
from installation import YAML
from kfp import compiler, components, dsl
from typed_components import write_components

from kfp_release.package_files._operators.yaml_operator import YamlOperator

Load = Callable[[str, str], Any]


def stock(_: str, text: str) -> Any:
    return components.load_component_from_text(text)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("components")
    write_components(made)
    for file in YAML.glob("*.yaml"):
        (made / file.name).write_bytes(file.read_bytes())
    return made


def loaded(folder: Path, load: Load) -> SimpleNamespace:
    return SimpleNamespace(
        **{file.stem: load(f"{file.stem}_op", file.read_text(encoding="utf-8")) for file in folder.glob("*.yaml")}
    )


def tutorial(op: SimpleNamespace) -> Any:
    @dsl.pipeline(name="tutorial", description="Multiply.")  # type: ignore[untyped-decorator]  # kfp ships no types
    def pipeline(a: float = 2, b: float = 3) -> float:
        return op.multiply(a=a, b=b).outputs["product"]  # type: ignore[no-any-return]

    return pipeline


def loops(op: SimpleNamespace) -> Any:
    @dsl.pipeline(name="loops")  # type: ignore[untyped-decorator]  # kfp ships no types
    def pipeline(data: dsl.Input[dsl.Dataset], rows: int = 3) -> List[float]:  # noqa: UP006 - see above
        product = op.multiply(a=2.5, b=3.0)
        with dsl.ParallelFor([1.0, 2.0], parallelism=2) as factor:
            scaled = op.scale_table(table=data, factor=factor, column="id")
            with dsl.ParallelFor([{"a": 1.5, "b": 2.5}]) as item:
                inner = op.multiply(a=item.a, b=product.output).set_retry(2)
            described = op.describe_table(table=scaled.outputs["scaled"])
        op.gather(tables=dsl.Collected(scaled.output))
        op.everything(data=data, required=rows, many=dsl.Collected(described.outputs["mean"]))
        with dsl.ParallelFor(op.everything(data=data, required=1).outputs["items"]) as each:
            op.everything(data=data, required=1, some_text=each)
        return dsl.Collected(inner.output)  # type: ignore[no-any-return]

    return pipeline


def conditions(op: SimpleNamespace) -> Any:
    @dsl.pipeline(name="conditions")  # type: ignore[untyped-decorator]  # kfp ships no types
    def pipeline(a: float, text: str = "x") -> float:
        product = op.multiply(a=a, b=3.0)
        with dsl.If(product.output > 3, name="large"):
            one = op.multiply(a=product.output, b=1.0)
        with dsl.Elif(product.outputs["product"] == 2.5):
            two = op.multiply(a=a, b=a)
        with dsl.Else():
            three = op.multiply(a=0.0, b=1.0)
        with dsl.If(text != "x"):
            made = op.make_table(rows=3).set_caching_options(enable_caching=False)
            op.describe_table(table=made.output, column=f"{product.output} of {text}")
        return dsl.OneOf(one.output, two.output, three.output)  # type: ignore[no-any-return]

    return pipeline


def exit_handlers(op: SimpleNamespace) -> Any:
    @dsl.pipeline(name="exit-handlers")  # type: ignore[untyped-decorator]  # kfp ships no types
    def pipeline(message: str = "done") -> None:
        with dsl.ExitHandler(op.notify(message=message), name="told"):
            made = op.make_table(rows=5)
            op.mute().after(made).set_display_name("Mute").set_memory_limit("1G").set_env_variable("A", "b")
            op.make_table(rows=5, seed=3).ignore_upstream_failure()

    return pipeline


def nested(op: SimpleNamespace) -> Any:
    @dsl.pipeline(name="inner")  # type: ignore[untyped-decorator]  # kfp ships no types
    def inner(table: dsl.Input[dsl.Dataset], factor: float = 2.0) -> float:
        scaled = op.scale_table(table=table, factor=factor)
        return op.describe_table(table=scaled.output).outputs["mean"]  # type: ignore[no-any-return]

    @dsl.pipeline(name="nested")  # type: ignore[untyped-decorator]  # kfp ships no types
    def pipeline(whole: float = 1.0) -> float:
        parts = op.split(whole=whole, rows=2)
        with dsl.ParallelFor(parts.outputs["tables"]) as table:
            inner(table=table, factor=parts.outputs["difference"])
        op.gather(tables=parts.outputs["tables"])
        mean = inner(table=parts.outputs["best"])
        return op.subtract(minuend=mean.output).output  # type: ignore[no-any-return]

    return pipeline


PIPELINES = [tutorial, loops, conditions, exit_handlers, nested]


def compiled(pipeline: Any, folder: Path) -> bytes:
    compiler.Compiler().compile(pipeline, str(folder / "compiled.yaml"))
    return (folder / "compiled.yaml").read_bytes()


@pytest.mark.parametrize("make", PIPELINES)
@pytest.mark.parametrize("way", ["loaded", "pickled", "copied", "deeply copied"])
def test_a_pipeline_is_the_one_of_kfps_components(
    make: Callable[[SimpleNamespace], Any], way: str, folder: Path, tmp_path: Path
) -> None:
    ways: dict[str, Load] = {
        "loaded": YamlOperator.from_text,
        "pickled": lambda name, text: pickle.loads(pickle.dumps(YamlOperator.from_text(name, text))),  # noqa: S301 - our own
        "copied": lambda name, text: copy.copy(YamlOperator.from_text(name, text)),
        "deeply copied": lambda name, text: copy.deepcopy(YamlOperator.from_text(name, text)),
    }
    ours = compiled(make(loaded(folder, ways[way])), tmp_path)
    assert ours == compiled(make(loaded(folder, stock)), tmp_path)
    assert ours.count(b"\n") > 20


def test_a_component_alone_is_kfps(folder: Path, tmp_path: Path) -> None:
    for name, operator in vars(loaded(folder, YamlOperator.from_text)).items():
        text = (folder / f"{name}.yaml").read_text(encoding="utf-8")
        assert compiled(operator, tmp_path) == compiled(components.load_component_from_text(text), tmp_path), name


def test_the_tutorials_call_is_kfps_with_names_and_floats(folder: Path, tmp_path: Path) -> None:
    multiply = loaded(folder, YamlOperator.from_text).multiply

    def tried(a: float = 2, b: float = 3) -> None:
        multiply(a, b)
        multiply(2, 3)

    def written_out(a: float = 2, b: float = 3) -> None:
        theirs = stock("", multiply.component_yaml)
        theirs(a=a, b=b)
        theirs(a=2.0, b=3.0)

    one, other = (compiled(dsl.pipeline(name="tutorial")(body), tmp_path) for body in (tried, written_out))
    assert one == other
