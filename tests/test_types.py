"""What mypy and pyright say of pipelines, with the package installed and with a checkout of it.

Both run for real, on the types that its build has made.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import PROJECT
from test_docs import blocks
from type_checkers import Checker, Environment, mypy, pyright, strict_mypy, strictest_mypy
from typed_environments import editable, environment, installed, project

__all__ = ["editable", "environment", "installed", "project"]

OF_KFP = {"import-untyped", "untyped-decorator"}
"""The rules by which strict mypy complains of kfp itself, unless it is told to follow its imports."""

GOOD = '''\
from typing import List, NamedTuple, Optional

from kfp import compiler, components, dsl

from kubeflow_demo_components import operators

stock = components.load_component_from_text("""
name: Stock
inputs: [{name: a, type: Float}]
outputs: [{name: any, type: Float}]
implementation: {container: {image: registry.example/any:1, command: [run, {inputValue: a}, {outputPath: any}]}}
""")


@dsl.pipeline(name="tutorial")
def tutorial(a: float = 2, b: float = 3) -> None:
    operators.multiply_op(a, b)


@dsl.pipeline(name="returned")
def returned(a: float, b: float = 3) -> float:
    return operators.multiply_op(a=a, b=b).outputs["product"]


@dsl.pipeline(name="returned-flag")
def returned_flag(data: dsl.Input[dsl.Dataset]) -> bool:
    return operators.everything_op(data, 1).outputs["flag"]


class Results(NamedTuple):
    product: float
    text: str
    items: List[int]
    table: dsl.Dataset
    metrics: dsl.Metrics


@dsl.pipeline(name="constants")
def constants(data: dsl.Input[dsl.Dataset], rows: int = 3, factor: float = 1.5) -> Results:
    product = operators.multiply_op(2, 3)
    made = operators.make_table_op(rows=rows, seed=4)
    scaled = operators.scale_table_op(made.output, factor=product.output, column="id")
    operators.scale_table_op(data, factor)
    described = operators.describe_table_op(table=scaled.outputs["scaled"])
    everything = operators.everything_op(
        data=made.outputs["table"],
        required=1,
        some_text=f"{product.output} and more",
        count=rows,
        factor=None,
        switch=True,
        many=[1, "a"],
        more={"a": [1.5]},
    )
    operators.everything_op(data, everything.outputs["whole"], everything.outputs["text"], factor=2)
    operators.everything_op(data, 1, many=everything.outputs["items"], switch=everything.outputs["flag"])
    operators.everything_op(data, 1, more=everything.outputs["table_of"])
    operators.mute_op().after(everything, described)
    return Results(
        product=product.output,
        text=everything.outputs["text"],
        items=everything.outputs["items"],
        table=scaled.output,
        metrics=described.outputs["metrics"],
    )


@dsl.pipeline(name="control")
def control(data: dsl.Input[dsl.Dataset], many: dsl.Input[List[dsl.Dataset]], text: str, flag: bool = True) -> None:
    product = operators.multiply_op(a=2.5, b=3)
    with dsl.ParallelFor([1.0, 2.0]) as item:
        looped = operators.multiply_op(a=item, b=product.output)
    operators.everything_op(data, 1, many=dsl.Collected(looped.output), some_text=text, switch=flag)
    with dsl.ParallelFor(operators.everything_op(data, 1).outputs["items"], parallelism=2) as each:
        operators.make_table_op(rows=each)
    with dsl.If(product.output > 3, name="large"):
        one = operators.multiply_op(a=product.outputs["product"], b=1)
    with dsl.Elif(product.output == 2.5):
        two = operators.multiply_op(a=1, b=1)
    with dsl.Else():
        three = operators.multiply_op(a=0, b=1)
    operators.multiply_op(dsl.OneOf(one.output, two.output, three.outputs["product"]), b=2)
    ending = operators.notify_op(message=text)
    with dsl.ExitHandler(exit_task=ending, name="told"):
        fluent = operators.multiply_op(a=1, b=2).after(product).set_caching_options(False).set_memory_limit("1G")
        operators.multiply_op(a=fluent.outputs["product"], b=2).set_retry(3).set_display_name("again")
    operators.gather_op(tables=many)


@dsl.pipeline(name="compiled")
def compiled(whole: float) -> float:
    parts = operators.split_op(whole=whole, rows=2)
    operators.gather_op(tables=parts.outputs["tables"])
    operators.describe_table_op(parts.outputs["best"])
    with dsl.ParallelFor(parts.outputs["tables"]) as table:
        made = operators.describe_table_op(table=table)
    operators.everything_op(parts.outputs["best"], 1, many=dsl.Collected(made.outputs["mean"]))
    difference = operators.subtract_op(minuend=parts.outputs["difference"], subtrahend=2)
    other = stock(a=difference.output)
    operators.multiply_op(other.output, other.outputs["any"])
    operators.scale_table_op(dsl.importer("gs://table", dsl.Dataset).output, factor=1)
    return operators.subtract_op(minuend=difference.output).output


@dsl.pipeline(name="none")
def none(table: dsl.Input[dsl.Dataset], column: Optional[str] = None, seed: Optional[int] = None) -> None:
    operators.make_table_op(1, None)
    operators.make_table_op(rows=1, seed=seed)
    operators.scale_table_op(table, factor=2, column=None)
    operators.scale_table_op(table, factor=2, column=column)
    operators.subtract_op(minuend=1, subtrahend=None)
    operators.everything_op(table, 1, None, None, None, None, None, None, None)


production = operators.load(registry="mirror.example/team")


@dsl.pipeline(name="on-a-mirror")
def on_a_mirror(data: dsl.Input[dsl.Dataset], rows: int = 3) -> float:
    made = production.make_table_op(rows, seed=None)
    parts = production.split_op(whole=1.5)
    operators.gather_op(tables=parts.outputs["tables"])
    production.scale_table_op(table=made.outputs["table"], factor=2).set_retry(3)
    return production.multiply_op(2, parts.outputs["difference"]).output


name: str = operators.multiply_op.name
spec = operators.multiply_op.component_spec
compiler.Compiler().compile(operators.multiply_op, "multiply.yaml")
'''


class Bad(NamedTuple):
    """A line, and the rule by which each of mypy, strict mypy and pyright refuses it; empty where it does not."""

    line: str
    mypy: str
    strict: str
    pyright: str


BAD = [
    # An operator, an input or an output that is misspelt
    Bad("operators.multipy_op(a=2, b=3)", "attr-defined", "attr-defined", "reportAttributeAccessIssue"),
    Bad("operators.multiply_op(a=2, c=3)", "call-arg", "call-arg", "reportCallIssue"),
    Bad("operators.subtract_op(minuent=2)", "call-arg", "call-arg", "reportCallIssue"),
    Bad('product.outputs["prodct"]', "typeddict-item", "typeddict-item", "reportGeneralTypeIssues"),
    Bad('product.after(made).outputs["prodct"]', "typeddict-item", "typeddict-item", "reportGeneralTypeIssues"),
    Bad('parts.outputs["worst"]', "typeddict-item", "typeddict-item", "reportGeneralTypeIssues"),
    Bad('operators.mute_op().outputs["any"]', "typeddict-item", "typeddict-item", "reportGeneralTypeIssues"),
    # The same on a mirror
    Bad("production.multipy_op(a=2, b=3)", "attr-defined", "attr-defined", "reportAttributeAccessIssue"),
    Bad("production.multiply_op(a=2, c=3)", "call-arg", "call-arg", "reportCallIssue"),
    Bad('production.multiply_op("2", 3)', "arg-type", "arg-type", "reportArgumentType"),
    Bad(
        'production.multiply_op(2, 3).outputs["prodct"]', "typeddict-item", "typeddict-item", "reportGeneralTypeIssues"
    ),
    # One that is missing, or one too many
    Bad("operators.multiply_op(a=2)", "call-arg", "call-arg", "reportCallIssue"),
    Bad("operators.multiply_op()", "call-arg", "call-arg", "reportCallIssue"),
    Bad("operators.multiply_op(2, 3, 4)", "call-arg", "call-arg", "reportCallIssue"),
    Bad("operators.multiply_op(2, 3, a=3)", "misc", "misc", "reportCallIssue"),
    Bad("operators.mute_op(1)", "call-arg", "call-arg", "reportCallIssue"),
    Bad("operators.notify_op(status=1)", "call-arg", "call-arg", "reportCallIssue"),
    # Compiled YAML has no order of inputs
    Bad("operators.subtract_op(5.0, 3.0)", "call-arg", "call-arg", "reportCallIssue"),
    # A constant of another type
    Bad('operators.multiply_op(a="2", b=3)', "arg-type", "arg-type", "reportArgumentType"),
    Bad('operators.multiply_op("2", 3)', "arg-type", "arg-type", "reportArgumentType"),
    Bad("operators.multiply_op(a=[2.0], b=3)", "arg-type", "arg-type", "reportArgumentType"),
    Bad("operators.make_table_op(rows=2.5)", "arg-type", "arg-type", "reportArgumentType"),
    Bad("operators.make_table_op(rows=1, seed='0')", "arg-type", "arg-type", "reportArgumentType"),
    Bad("operators.describe_table_op(data, column=1)", "arg-type", "arg-type", "reportArgumentType"),
    Bad("operators.everything_op(data, 1, switch='yes')", "arg-type", "arg-type", "reportArgumentType"),
    Bad("operators.everything_op(data, 1, many={'a': 1})", "arg-type", "arg-type", "reportArgumentType"),
    Bad("operators.everything_op(data, 1, more=[1])", "arg-type", "arg-type", "reportArgumentType"),
    Bad("operators.subtract_op(minuend='5')", "arg-type", "arg-type", "reportArgumentType"),
    Bad("operators.multiply_op(text, 2)", "arg-type", "arg-type", "reportArgumentType"),
    # None
    Bad("operators.multiply_op(a=2, b=None)", "arg-type", "arg-type", "reportArgumentType"),
    Bad("operators.describe_table_op(table=None)", "arg-type", "arg-type", "reportArgumentType"),
    Bad("operators.make_table_op(rows=None, seed=None)", "arg-type", "arg-type", "reportArgumentType"),
    Bad("operators.multiply_op(maybe, 2)", "arg-type", "arg-type", "reportArgumentType"),
    Bad("operators.gather_op(tables=None)", "arg-type", "arg-type", "reportArgumentType"),
    # A constant for an artifact
    Bad('operators.describe_table_op(table="gs://table")', "arg-type", "arg-type", "reportArgumentType"),
    Bad("operators.describe_table_op(2)", "arg-type", "arg-type", "reportArgumentType"),
    Bad("operators.describe_table_op({'uri': 'gs://table'})", "arg-type", "arg-type", "reportArgumentType"),
    Bad('operators.gather_op(tables=["gs://table"])', "list-item", "list-item", "reportArgumentType"),
    # One of several outputs
    Bad("operators.describe_table_op(parts.output)", "arg-type", "arg-type", "reportArgumentType"),
    Bad("operators.multiply_op(operators.mute_op().output, 2)", "arg-type", "arg-type", "reportArgumentType"),
    # An output of another type, which mypy sees where it follows kfp's imports
    Bad("operators.describe_table_op(product.output)", "", "arg-type", "reportArgumentType"),
    Bad("operators.multiply_op(made.output, 2)", "", "arg-type", "reportArgumentType"),
    Bad('operators.describe_table_op(described.outputs["metrics"])', "", "arg-type", "reportArgumentType"),
    Bad('operators.everything_op(data, 1, many=described.outputs["mean"])', "", "arg-type", "reportArgumentType"),
    Bad('operators.describe_table_op(parts.outputs["tables"])', "", "arg-type", "reportArgumentType"),
    Bad("operators.gather_op(tables=made.output)", "", "arg-type", "reportArgumentType"),
    Bad("operators.make_table_op(rows=product.output)", "", "arg-type", "reportArgumentType"),
    # A task, a component, an input of the pipeline
    Bad("operators.multiply_op(product, 2)", "", "arg-type", "reportArgumentType"),
    Bad("operators.multiply_op(operators.multiply_op, 2)", "", "arg-type", "reportArgumentType"),
    Bad("operators.multiply_op(data, 2)", "", "arg-type", "reportArgumentType"),
    Bad("product.set_retry('3')", "arg-type", "arg-type", "reportArgumentType"),
]
BAD_PROGRAM = """\
from typing import Optional

from kfp import dsl

from kubeflow_demo_components import operators


@dsl.pipeline(name="bad")
def bad(data: dsl.Input[dsl.Dataset], text: str = "", maybe: Optional[float] = None) -> None:
    production = operators.load(registry="mirror.example")
    product = operators.multiply_op(2, 3)
    made = operators.make_table_op(1)
    described = operators.describe_table_op(made.output)
    parts = operators.split_op(whole=1)
"""

(SILENCED,) = (snippet for page, snippet in blocks("python") if page == "pipelines.md" and "type: ignore" in snippet)
SOUND = [
    Bad("operators.multiply_op(a=row.a, b=row.b)", "", "union-attr", "reportAttributeAccessIssue"),
    Bad('compiler.Compiler().compile(rows, "rows.yaml")', "", "arg-type", "reportArgumentType"),
    Bad('compiler.Compiler().compile(named, "named.yaml")', "", "", "reportArgumentType"),
]
"""Lines of which kfp's own types are not true."""
NAMED = """

@dsl.pipeline(name="named")
def named() -> None:
    operators.multiply_op(a=1, b=2)


compiler.Compiler().compile(named, "named.yaml")
"""


CHECKERS = pytest.mark.parametrize(
    ("checker", "column"),
    [(mypy, "mypy"), (strict_mypy, "strict"), (pyright, "pyright")],
    ids=["mypy", "strict", "pyright"],
)


@CHECKERS
def test_sound_pipelines_are_accepted(environment: Environment, tmp_path: Path, checker: Checker, column: str) -> None:
    program = tmp_path / "good.py"
    program.write_text(GOOD, encoding="utf-8")
    assert checker(environment, program) == [], column


def test_sound_pipelines_compile(environment: Environment, tmp_path: Path) -> None:
    program = tmp_path / "good.py"
    program.write_text(GOOD, encoding="utf-8")
    done = subprocess.run([environment.python, program], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "multiply.yaml").is_file()


TRIED = """
    for line in LINES:
        try:
            eval(line)
        except (TypeError, KeyError, AttributeError):
            continue
        print(line)
"""


def test_what_checkers_refuse_does_not_compile_but_for_what_may_be_none(installed: Environment, tmp_path: Path) -> None:
    program = tmp_path / "bad.py"
    program.write_text(f"LINES = {[bad.line for bad in BAD]}\n{BAD_PROGRAM}{TRIED}", encoding="utf-8")
    done = subprocess.run(
        [installed.python, "-W", "ignore", program], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["operators.multiply_op(maybe, 2)", "product.set_retry('3')"]


@CHECKERS
def test_every_mistake_is_refused_where_it_is(
    environment: Environment, tmp_path: Path, checker: Checker, column: str
) -> None:
    program = tmp_path / "bad.py"
    program.write_text(BAD_PROGRAM + "".join(f"    {bad.line}\n" for bad in BAD), encoding="utf-8")
    first = BAD_PROGRAM.count("\n") + 1
    expected = [(bad.line, rule) for bad in BAD if (rule := getattr(bad, column))]
    said = {(BAD[each.line - first].line, each.rule) for each in checker(environment, program)}
    assert sorted(said) == sorted(expected)


@CHECKERS
def test_what_is_sound_and_refused_is_told_with_what_silences_it(
    environment: Environment, tmp_path: Path, checker: Checker, column: str
) -> None:
    program = tmp_path / "refused.py"
    lines = [line.partition("  # type: ignore")[0] for line in f"{SILENCED}{NAMED}".splitlines()]
    program.write_text("\n".join([*lines, ""]), encoding="utf-8")
    said = {(lines[each.line - 1].strip(), each.rule) for each in checker(environment, program)}
    expected = {(each.line, rule) for each in SOUND if (rule := getattr(each, column))}
    assert said == expected
    page = (PROJECT / "docs/pipelines.md").read_text(encoding="utf-8")
    silence = "pyright: ignore" if column == "pyright" else "type: ignore"
    assert all(f"# {silence}[{rule}]" in page for _, rule in expected)
    program.write_text(SILENCED, encoding="utf-8")
    assert checker(environment, program) == []  # nor is a comment of no use, which strict mypy would tell


def test_strict_mypy_that_knows_nothing_of_kfp_refuses_the_same_mistakes_and_kfp(
    installed: Environment, tmp_path: Path
) -> None:
    bad, good = tmp_path / "bad.py", tmp_path / "good.py"
    bad.write_text(BAD_PROGRAM + "".join(f"    {each.line}\n" for each in BAD), encoding="utf-8")
    good.write_text(GOOD, encoding="utf-8")
    first = BAD_PROGRAM.count("\n") + 1
    found = [each for each in strictest_mypy(installed, bad) if each.rule not in OF_KFP]
    assert [(BAD[each.line - first].line, each.rule) for each in found] == [
        (each.line, each.mypy) for each in BAD if each.mypy
    ]
    assert {each.rule for each in strictest_mypy(installed, good)} == OF_KFP


@pytest.mark.parametrize("checker", [mypy, strict_mypy, strictest_mypy, pyright])
def test_the_types_themselves_are_sound(installed: Environment, tmp_path: Path, checker: Checker) -> None:
    """Whoever checks a checkout has them among what is checked."""
    stub = tmp_path / "operators.pyi"
    stub.write_bytes((installed.site_packages / "kubeflow_demo_components/operators.pyi").read_bytes())
    assert checker(installed, stub) == []


def test_without_the_types_nothing_is_refused(installed: Environment, tmp_path: Path) -> None:
    """So that the tests above are of the types, and not of what a checker finds by itself."""
    other = Environment.make(tmp_path / "venv")
    package = other.site_packages / "kubeflow_demo_components"
    package.mkdir()
    for file in (installed.site_packages / "kubeflow_demo_components").glob("*.py"):
        (package / file.name).write_bytes(file.read_bytes())
    (package / "py.typed").touch()
    program = tmp_path / "bad.py"
    program.write_text(BAD_PROGRAM + "".join(f"    {each.line}\n" for each in BAD), encoding="utf-8")
    assert mypy(other, program) == []


@pytest.mark.parametrize("checker", [mypy, pyright])
@pytest.mark.parametrize(("page", "snippet"), [block for block in blocks("python") if block[0] != "components.md"])
def test_pipelines_of_the_docs_are_accepted(
    installed: Environment, tmp_path: Path, checker: Checker, page: str, snippet: str
) -> None:
    program = tmp_path / "snippet.py"
    program.write_text(snippet, encoding="utf-8")
    assert checker(installed, program) == [], page


@pytest.mark.parametrize("checker", [mypy, strict_mypy, pyright])
def test_the_example_needs_no_more_than_kfp_does(installed: Environment, tmp_path: Path, checker: Checker) -> None:
    program = tmp_path / "pipeline.py"
    text = (PROJECT / "examples/pipeline.py").read_text(encoding="utf-8")
    assert text.count("# type: ignore") == 1
    program.write_text(text.replace("# type: ignore[untyped-decorator]", "#"), encoding="utf-8")
    found = checker(installed, program)
    # kfp says that its compiler takes a component, and a checker that @dsl.pipeline gives the function back.
    assert [each.line for each in found if "compile(demo" not in text.splitlines()[each.line - 1]] == []
