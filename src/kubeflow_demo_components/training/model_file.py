"""Models as the programs hand them on: scikit-learn pipelines in files of skops.

Not pickles: who loads a pickle runs whatever code its writer put into it, and a model lies in a store that others
write to. skops makes objects of known types alone, and says which types of a file it does not know.
"""

from __future__ import annotations

import io
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

from kubeflow_demo_components.executor import output_file

_TREE = "sklearn.tree._tree.Tree"
_TRUSTED = ("numpy.dtype", _TREE)
"""What skops does not trust by itself. The first can do nothing; each tree is looked at before it is used."""
_SCHEMA = "schema.json"
_ADDRESS = re.compile(r'(?<="__id__": )\d+|(?<="file": ")\d+')
"""What skops tells objects apart by: where they were in memory."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_model(model: Any, path: Path) -> None:
    """Write `model` to `path`, whose folder is made: the same bytes for the same model."""
    import skops.io  # noqa: PLC0415 - the programs' parsers are read where skops is not installed

    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(model))) as written:
        schema = written.read(_SCHEMA).decode()
        numbers = {address: str(number) for number, address in enumerate(dict.fromkeys(_ADDRESS.findall(schema)))}
        members = {_SCHEMA: _ADDRESS.sub(lambda found: numbers[found[0]], schema).encode()}
        for name in written.namelist():
            if name != _SCHEMA:
                address, _, suffix = name.partition(".")
                members[f"{numbers[address]}.{suffix}"] = written.read(name)
    with zipfile.ZipFile(output_file(path), "w") as file:
        for name, data in sorted(members.items()):
            file.writestr(zipfile.ZipInfo(name, _EPOCH), data)


def read_model(path: Path) -> Any:
    """The model at `path`. Ends the program with a message where the file is none, or is not to be trusted."""
    import skops.io  # noqa: PLC0415 - see above

    try:
        _require_unpacked(path)
        unknown = sorted(set(skops.io.get_untrusted_types(file=path)) - set(_TRUSTED))
        if unknown:
            sys.exit(f"{path} holds {', '.join(unknown)}, which no model of train-model does: it is not loaded")
        model = skops.io.load(path, trusted=list(_TRUSTED))
        trees = {id(tree): tree for tree in (each.tree_ for each in getattr(model[-1], "estimators_", ()))}
        is_sound = len(trees) == _tree_count(path) and all(
            _is_sound(tree, model[-1].n_features_in_) for tree in trees.values()
        )
        names = model.feature_names_in_
    except Exception as error:  # noqa: BLE001 - of a damaged file, whatever the types in it raise
        sys.exit(f"{path} is no model that train-model wrote: {type(error).__name__}: {' '.join(str(error).split())}")
    if not is_sound or not len(names):
        sys.exit(f"{path} is no model that train-model wrote: a tree in it is damaged")
    return model


def _require_unpacked(path: Path) -> None:
    """Raise `ValueError` for a file that is larger than it looks: write_model packs nothing."""
    with zipfile.ZipFile(path) as file:
        unpacked = sum(member.file_size for member in file.infolist())
    if unpacked > path.stat().st_size:
        raise ValueError(f"there are {unpacked:,} bytes in it, packed into {path.stat().st_size:,}")


def _tree_count(path: Path) -> int:
    """How many trees the file holds, wherever they are in the model."""
    trees: list[object] = []

    def note(node: dict[str, Any]) -> dict[str, Any]:
        if node.get("__loader__") == "TreeNode" or f"{node.get('__module__')}.{node.get('__class__')}" == _TREE:
            trees.append(node)
        return node

    with zipfile.ZipFile(path) as file:
        json.loads(file.read(_SCHEMA), object_hook=note)
    return len(trees)


def _is_sound(tree: Any, features: int) -> bool:
    """Whether the tree leads downwards and ends within itself: scikit-learn follows it through memory, unchecked."""
    import numpy as np  # noqa: PLC0415 - see above

    inner = np.flatnonzero(tree.children_left != -1)
    children = np.stack([tree.children_left[inner], tree.children_right[inner]])
    asked = tree.feature[inner]
    is_downwards = ((inner < children) & (children < tree.node_count)).all()
    return bool(tree.node_count > 0 and is_downwards and ((asked >= 0) & (asked < features)).all())
