from __future__ import annotations

import pytest
import yaml
from installation import EXACT_PIN, PROJECT, Installation, install, pin_of

EXAMPLES = PROJECT / "examples"


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A pipeline author's machine: a released version, the two example scripts, and what the first one compiled."""
    installation = install(tmp_path_factory.mktemp("author"), EXACT_PIN)
    for name in ("pipeline.py", "training.py", "run_local.py"):
        (installation.folder / name).write_bytes((EXAMPLES / name).read_bytes())
    done = installation.python("-W", "error", "pipeline.py", "pipeline.yaml")
    assert done.returncode == 0, done.stderr
    return installation


def test_the_example_pipeline_compiles_with_every_image_pinned(author: Installation) -> None:
    value = yaml.safe_load((author.folder / "pipeline.yaml").read_text(encoding="utf-8"))
    executors = value["deploymentSpec"]["executors"]
    assert len(executors) == 4
    assert {executor["container"]["image"] for executor in executors.values()} == {EXACT_PIN}
    parameters = value["root"]["inputDefinitions"]["parameters"]
    assert {name: item["defaultValue"] for name, item in parameters.items()} == {"a": 2, "b": 3, "rows": 100, "seed": 1}
    outputs = value["root"]["outputDefinitions"]
    assert [*outputs["parameters"], *outputs["artifacts"]] == ["mean", "product", "metrics"]


def test_the_training_pipeline_is_of_the_other_image_and_gives_typed_artifacts(author: Installation) -> None:
    done = author.python("-W", "error", "training.py", "training.yaml")
    assert done.returncode == 0, done.stderr
    value = yaml.safe_load((author.folder / "training.yaml").read_text(encoding="utf-8"))
    executors = value["deploymentSpec"]["executors"]
    assert len(executors) == 5
    assert {executor["container"]["image"] for executor in executors.values()} == {pin_of("training", EXACT_PIN)}
    outputs = value["root"]["outputDefinitions"]
    types = {name: item["artifactType"]["schemaTitle"] for name, item in outputs["artifacts"].items()}
    assert types == {"metrics": "system.Metrics", "model": "system.Model", "report": "system.HTML"}
    assert outputs["parameters"] == {"score": {"parameterType": "NUMBER_DOUBLE"}}


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("c=3", "the pipeline has no parameter 'c'; it has a, b, rows, seed"),
        ("b=x", "b=x: the parameter is of type Float: could not convert string to float"),
        ("rows", "'rows' is not NAME=VALUE"),
    ],
)
def test_a_local_run_refuses_wrong_arguments(author: Installation, argument: str, message: str) -> None:
    # No engine is asked: the arguments are read first.
    environ = {"DOCKER_HOST": f"unix://{author.folder}/none.sock", "TMPDIR": str(author.folder)}
    done = author.python("run_local.py", "pipeline.yaml", argument, environ=environ)
    assert done.returncode in {1, 2}
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not list(author.folder.glob("kfp-*"))
