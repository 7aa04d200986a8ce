from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier
from training_fixtures import split, trained

from kubeflow_demo_components.table import read_table
from kubeflow_demo_components.training.model_file import read_model, write_model


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows to learn from."""
    train, _ = split(tmp_path_factory.mktemp("wine"), "sklearn:wine")
    return train


def fitted(wine: Path, *steps: Any) -> Any:
    frame = read_table(wine)
    return make_pipeline(*steps).fit(frame.drop(columns="target"), frame["target"])


def refusal(path: Path) -> str:
    with pytest.raises(SystemExit) as caught:
        read_model(path)
    return str(caught.value)


@pytest.mark.parametrize("algorithm", ["logistic_regression", "random_forest"])
def test_a_model_that_was_written_predicts_what_it_did(tmp_path: Path, wine: Path, algorithm: str) -> None:
    frame = read_table(wine).drop(columns="target")
    model = read_model(trained(wine, tmp_path / "model", "--algorithm", algorithm))
    write_model(model, tmp_path / "new/again")
    again = read_model(tmp_path / "new/again")
    assert list(again.feature_names_in_) == list(frame.columns)
    np.testing.assert_array_equal(again.predict_proba(frame), model.predict_proba(frame))


def test_skops_reads_it_anywhere(tmp_path: Path, wine: Path) -> None:
    path = trained(wine, tmp_path / "model")
    assert skops.io.load(path, trusted=["numpy.dtype"]).classes_.tolist() == ["class_0", "class_1", "class_2"]


def test_where_objects_were_in_memory_and_when_it_was_does_not_show(tmp_path: Path, wine: Path) -> None:
    code = "from kubeflow_demo_components.programs.train_model import main; main()"
    for name in ("a", "b"):
        options = ["--table", str(wine), "--algorithm", "random_forest", "--model", str(tmp_path / name)]
        environ = {**os.environ, "PYTHONHASHSEED": str(len(list(tmp_path.iterdir())))}
        subprocess.run([sys.executable, "-c", code, *options], check=True, env=environ, capture_output=True)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with zipfile.ZipFile(tmp_path / "a") as file:
        assert {member.date_time for member in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_pickle_is_not_loaded(tmp_path: Path, wine: Path) -> None:
    joblib.dump(fitted(wine, LogisticRegression(max_iter=9000)), tmp_path / "model")
    assert refusal(tmp_path / "model").startswith(
        f"{tmp_path / 'model'} is no model that train-model wrote: BadZipFile"
    )


def test_a_type_that_no_model_has_is_named_and_not_loaded(tmp_path: Path, wine: Path) -> None:
    function = FunctionTransformer(joblib.dump)
    write_model(make_pipeline(function, LogisticRegression()), tmp_path / "model")
    assert wine
    expected = "joblib.numpy_pickle.dump, which no model of train-model does: it is not loaded"
    assert refusal(tmp_path / "model") == f"{tmp_path / 'model'} holds {expected}"


@pytest.mark.parametrize("content", [b"", b"PK", b"no model"])
def test_what_is_no_model_at_all_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model").write_bytes(content)
    assert refusal(tmp_path / "model").startswith(f"{tmp_path / 'model'} is no model that train-model wrote: ")


def test_a_small_file_with_much_in_it_is_not_unpacked(tmp_path: Path, wine: Path) -> None:
    path = trained(wine, tmp_path / "model")
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    members["schema.json"] += b" " * 100_000_000
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    tracemalloc.start()
    said = refusal(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert re.search(r"is no model that train-model wrote: ValueError: there are 100,\d+,\d+ bytes in it, packed", said)
    assert most < 1_000_000


def test_something_else_of_known_types_is_told(tmp_path: Path) -> None:
    skops.io.dump({"a": [1]}, tmp_path / "model")
    assert refusal(tmp_path / "model").startswith(f"{tmp_path / 'model'} is no model that train-model wrote: ")


def rewritten(path: Path, change: Callable[[np.ndarray[Any, Any]], None]) -> None:
    """The model at `path`, with the nodes of its first tree changed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(buffer, "w") as new:
        is_changed = False
        for name in sorted(old.namelist()):
            data = old.read(name)
            if name.endswith(".npy") and not is_changed:
                array = np.load(io.BytesIO(data), allow_pickle=False)
                if "left_child" in (array.dtype.names or ()):
                    change(array)
                    file = io.BytesIO()
                    np.save(file, array)
                    data, is_changed = file.getvalue(), True
            new.writestr(name, data)
    assert is_changed
    path.write_bytes(buffer.getvalue())


def far_child(nodes: np.ndarray[Any, Any]) -> None:
    nodes["left_child"][0] = 10_000


def child_before_it(nodes: np.ndarray[Any, Any]) -> None:
    nodes["right_child"][0] = 0


def far_feature(nodes: np.ndarray[Any, Any]) -> None:
    nodes["feature"][0] = 10_000


def negative_feature(nodes: np.ndarray[Any, Any]) -> None:
    nodes["feature"][0] = -5


@pytest.mark.parametrize("change", [far_child, child_before_it, far_feature, negative_feature])
def test_a_tree_that_leads_outside_of_itself_is_not_used(
    tmp_path: Path, wine: Path, change: Callable[[np.ndarray[Any, Any]], None]
) -> None:
    path = trained(wine, tmp_path / "model", "--algorithm", "random_forest")
    rewritten(path, change)
    assert refusal(path) == f"{path} is no model that train-model wrote: a tree in it is damaged"


def test_a_tree_that_is_none_of_a_forests_is_not_used(tmp_path: Path, wine: Path) -> None:
    write_model(fitted(wine, DecisionTreeClassifier()), tmp_path / "model")
    assert refusal(tmp_path / "model").endswith("a tree in it is damaged")


def test_a_tree_without_a_node_is_not_used(tmp_path: Path, wine: Path) -> None:
    path = trained(wine, tmp_path / "model", "--algorithm", "random_forest")
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    schema = json.loads(members["schema.json"])
    counts = [node for node in _nodes(schema) if "node_count" in node]
    assert counts
    counts[0]["node_count"] |= {"content": "0", "__id__": 10**9}
    with zipfile.ZipFile(path, "w") as file:
        for name, data in {**members, "schema.json": json.dumps(schema).encode()}.items():
            file.writestr(name, data)
    assert refusal(path) == f"{path} is no model that train-model wrote: a tree in it is damaged"


def _nodes(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value, *(node for item in value.values() for node in _nodes(item))]
    return [node for item in value for node in _nodes(item)] if isinstance(value, list) else []
