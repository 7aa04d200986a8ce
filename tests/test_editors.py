"""What an author sees of the operators while a pipeline is written: in an editor, in a notebook, by help()."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import jedi
import pytest
from language_server import LanguageServer, language_server
from type_checkers import Environment
from typed_environments import editable, environment, installed, project

__all__ = ["editable", "environment", "installed", "project"]

IMPORT = "from kubeflow_demo_components import operators\n\n"
SCALE_TABLE = (
    "A table with one of its columns multiplied by a factor.\n\n"
    "Inputs:\n"
    "    table: Dataset  The table as CSV.\n"
    "    factor: Float  What to multiply by.\n"
    "    column: String = value  The column to multiply.\n\n"
    "Outputs:\n"
    "    scaled: Dataset  The table with the column multiplied."
)
# kfp keeps no empty lines of a description.
SUBTRACT = (
    "The difference of two numbers.\n"
    "Its second paragraph.\n\n"
    "Inputs:\n"
    "    minuend: Float\n"
    "    subtrahend: Float = 1.5\n\n"
    "Outputs:\n"
    "    difference: Float"
)
SPLIT = (
    "A pipeline as a component.\n\n"
    "Inputs:\n    whole: Float\n    rows: Integer = 2\n\n"
    "Outputs:\n    difference: Float\n    best: Dataset\n    tables: List[Dataset]"
)
WORDS = pytest.mark.parametrize(
    ("operator", "words"), [("scale_table_op", SCALE_TABLE), ("subtract_op", SUBTRACT), ("split_op", SPLIT)]
)


@pytest.fixture
def editor(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    with language_server(environment, tmp_path_factory.mktemp("editor")) as server:
        yield server


def test_an_editor_shows_all_of_an_operator(editor: LanguageServer) -> None:
    shown = editor.hover(f"{IMPORT}operators.scale_table_op")
    assert shown == f"(variable) scale_table_op: _ScaleTableOp\n\n{SCALE_TABLE}"
    assert editor.hover(f"{IMPORT}operators.subtract_op").endswith(SUBTRACT)
    call = editor.signature(f"{IMPORT}operators.scale_table_op(")
    assert call["label"] == (
        "(table: _Dataset, factor: float | _Channel, column: str | _Channel | None = 'value') -> _ScaleTableTask"
    )
    assert call["documentation"]["value"] == SCALE_TABLE
    compiled = editor.signature(f"{IMPORT}operators.subtract_op(")
    assert compiled["label"] == (
        "(*, minuend: float | _Channel, subtrahend: float | _Channel | None = 1.5) -> _SubtractTask"
    )
    assert compiled["documentation"]["value"] == SUBTRACT


def test_an_editor_completes_operators_inputs_and_outputs(editor: LanguageServer) -> None:
    names = editor.completions(f"{IMPORT}operators.")
    assert {"multiply_op", "split_op", "everything_op"} <= set(names)
    assert {name for name in names if not name.startswith("_") and not name.endswith("_op")} == {"UnpinnedWarning"}
    inputs = editor.completions(f"{IMPORT}operators.subtract_op(")
    assert [name for name in inputs if name.endswith("=")] == ["minuend=", "subtrahend="]
    outputs = editor.completions(f"{IMPORT}task = operators.split_op(whole=1).set_retry(3)\ntask.outputs[")
    assert {"tables", "best", "difference"} <= {name.strip("\"'") for name in outputs}
    assert {"component_spec", "name", "pipeline_spec"} <= set(editor.completions(f"{IMPORT}operators.multiply_op."))
    assert {"after", "outputs", "set_caching_options"} <= set(
        editor.completions(f"{IMPORT}operators.multiply_op(1, 2).set_retry(3).")
    )


@WORDS
def test_jedi_shows_the_same(environment: Environment, operator: str, words: str) -> None:
    python = jedi.create_environment(str(environment.folder), safe=False)

    def script(text: str) -> jedi.Script:
        return jedi.Script(f"{IMPORT}{text}", environment=python)

    completed = {completion.name for completion in script("operators.").complete()}
    assert {"multiply_op", "split_op", "everything_op"} <= completed
    (signature,) = script(f"operators.{operator}(").get_signatures()
    assert signature.docstring(raw=True) == words
    assert "after" in {completion.name for completion in script(f"operators.{operator}(1).").complete()}


@WORDS
def test_a_notebook_shows_the_same_of_the_operator_itself(installed: Environment, operator: str, words: str) -> None:
    code = (
        f"import inspect; from kubeflow_demo_components import operators; op = operators.{operator}\n"
        "print(inspect.signature(op)); print(inspect.getdoc(op)); print('---'); help(op)"
    )
    done = subprocess.run(
        [installed.python, "-W", "ignore", "-c", code], check=True, capture_output=True, text=True
    ).stdout
    signature, _, rest = done.partition("\n")
    shown, _, helped = rest.partition("---\n")
    assert {
        "scale_table_op": "(table: kfp.dsl.types.artifact_types.Dataset, factor: float, column: str = 'value')",
        "subtract_op": "(*, minuend: float, subtrahend: float = 1.5)",
        "split_op": "(*, whole: float, rows: int = 2)",
    }[operator] == signature.partition(" -> ")[0]
    assert words in shown
    assert shown.startswith(f"{operator}(")
    assert all(line.strip() in helped for line in words.splitlines())
