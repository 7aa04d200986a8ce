"""The pipeline compiles to images that cannot change, and computes what it should in their containers."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import DockerException
from kfp import compiler, local
from pipeline import volume


def engine_is_missing() -> bool:
    """Whether there is no Docker engine here."""
    try:
        docker.from_env().ping()
    except DockerException:
        return True
    return False


def test_every_image_is_pinned_by_its_digest(tmp_path: Path) -> None:
    compiled = tmp_path / "pipeline.yaml"
    compiler.Compiler().compile(volume, str(compiled))
    images = re.findall(r"^ +image: (.+)$", compiled.read_text(encoding="utf-8"), re.MULTILINE)
    assert images
    assert [image for image in images if not re.fullmatch(r"\S+@sha256:[0-9a-f]{64}", image)] == []


@pytest.mark.containers
@pytest.mark.skipif(engine_is_missing(), reason="there is no Docker engine")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [({}, 24.0), ({"length": 0.5, "width": 0.5, "height": -8.0}, -2.0)],
    ids=["defaults", "others"],
)
def test_it_multiplies_three_numbers(arguments: dict[str, float], expected: float, tmp_path: Path) -> None:
    # The containers write into folders of the user who runs this, whatever user the image names.
    runner = local.DockerRunner(user=f"{os.getuid()}:{os.getgid()}", network_mode="none")
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    local.init(runner, pipeline_root=str(tmp_path / "tasks"), workspace_root=str(workspace))
    outputs: dict[str, Any] = volume(**arguments).outputs
    assert outputs == {"Output": expected}
