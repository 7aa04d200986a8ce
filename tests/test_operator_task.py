from typing import Any

import pytest
from kfp import dsl
from test_operators import operator

from kfp_release.package_files._operators.yaml_operator import YamlOperator


def in_pipeline(body: Any) -> None:
    dsl.pipeline(name="tried")(body)


def test_a_misspelt_output_is_answered_with_the_near_one() -> None:
    def body() -> None:
        task = operator("make_table")(3)
        assert task.outputs["table"] is task.output
        with pytest.raises(KeyError, match="no output 'tabel'; did you mean 'table'"):
            task.outputs["tabel"]

    in_pipeline(body)


def test_an_output_that_is_like_none_is_answered_with_all() -> None:
    def body() -> None:
        described = operator("describe_table")(operator("make_table")(3).output)
        with pytest.raises(KeyError, match=r"no output 'zzz'; there is \.outputs\['metrics'\] and \.outputs\['mean'\]"):
            described.outputs["zzz"]
        assert described.outputs.get("zzz") is None

    in_pipeline(body)


def test_the_output_of_a_task_that_has_several_or_none_is_answered_with_their_names() -> None:
    mute = "name: Mute\nimplementation: {container: {image: registry.example/some:1, command: [run]}}\n"

    def body() -> None:
        described = operator("describe_table")(operator("make_table")(3).output)
        with pytest.raises(AttributeError, match=r"'describe-table' has 2 outputs, not one; there is \.outputs\['metr"):
            _ = described.output
        with pytest.raises(AttributeError, match="task 'mute' has no outputs, not one; it has none"):
            _ = YamlOperator.from_text("mute_op", mute)().output
        assert not hasattr(described, "output")

    in_pipeline(body)


def test_it_is_kfps_task_that_its_pipeline_knows() -> None:
    def body() -> None:
        first = operator("multiply")(2, 3)
        assert isinstance(first, dsl.PipelineTask)
        second = operator("multiply")(2, 3).after(first).set_caching_options(enable_caching=False).set_retry(2)
        assert second.outputs["product"].task is second

    in_pipeline(body)
