"""A repository with many components and images, of which one image changes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

from bench.child import BenchError
from bench.components import write_components
from bench.figure import Values
from bench.goals import Unit
from bench.ours import HOST, Ours
from bench.side import Released
from bench.stage import Stage
from bench.table import told

_COMPONENTS: Final = 1_000
_IMAGES: Final = tuple(f"part-{number}" for number in range(1, 6))
_IMAGE: Final = """\
[tool.kfp-release.images.{image}]
repository = "{host}/{repository}"
dockerfile = "Dockerfile"
context = ["parts/{image}.txt"]
platform = "linux/amd64"

[tool.kfp-release.images.{image}.build-args]
BASE = "docker.io/library/python:3.12-slim-bookworm@sha256:{digest}"
PART = "{image}"

"""
_DOCKERFILE: Final = """\
ARG BASE
FROM ${BASE}
ARG PART
COPY parts/${PART}.txt /part.txt
USER 65532:65532
"""


class Many(Ours):
    """One repository, five images, a thousand components."""

    def __init__(self, folder: Path, stage: Stage) -> None:
        super().__init__(folder, name="demo-many", registry=stage.registry, environ=stage.environ)
        self.images = tuple(f"{self.image}/{image}" for image in _IMAGES)
        project = self.repository / "pyproject.toml"
        described = "".join(
            _IMAGE.format(image=image, host=HOST, repository=repository, digest="0" * 64)
            for image, repository in zip(_IMAGES, self.images, strict=True)
        )
        text, count = re.subn(
            r"^\[tool\.kfp-release\.images\.demo\]\n.*?(?=^\[tool\.kfp-release\.index\])",
            lambda _: described,
            project.read_text(encoding="utf-8"),
            flags=re.MULTILINE | re.DOTALL,
        )
        if count != 1:
            raise BenchError("pyproject.toml has not the one image that the bench knows")
        project.write_text(re.sub(r"^python-components = .*\n", "", text, flags=re.MULTILINE), encoding="utf-8")
        (self.repository / "Dockerfile").write_text(_DOCKERFILE, encoding="utf-8")
        shutil.rmtree(self.repository / "yaml")
        write_components(self.repository / "yaml", [f"{HOST}/{image}" for image in self.images], _COMPONENTS)
        for image in _IMAGES:
            self.change(image, "first")

    def change(self, image: str, content: str) -> None:
        """Change what one image's runtime is built from."""
        part = self.repository / "parts" / f"{image}.txt"
        part.parent.mkdir(exist_ok=True)
        part.write_text(f"{image}: {content}\n", encoding="utf-8")


def run(stage: Stage) -> dict[str, Values]:
    """Seconds of a release in which all is new, and seconds and bytes of those in which one runtime is."""
    many = Many(stage.folder / "scale", stage)
    first = stage.told(many, many.release_next())
    releases: list[Released] = []
    for number in stage.count(3):
        many.forget()
        many.change(_IMAGES[number % len(_IMAGES)], f"change {number}")
        releases.append(stage.told(many, many.release_next()))
    return {
        "scale.first": Values((first.seconds,)),
        "scale.seconds": Values(tuple(one.seconds for one in releases)),
        "scale.bytes": Values(tuple(one.registry for one in releases), note=_arrived(releases[-1])),
    }


def _arrived(released: Released) -> str:
    """What the bytes of one release are."""
    manifests = told(released.registry - released.layers, Unit.BYTES)
    layers = told(released.layers, Unit.BYTES)
    return f"the last is {layers} of layers and configs and {manifests} of manifests, in {released.repositories} images"
