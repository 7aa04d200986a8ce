"""Installations of the component package, as wheels leave them: files in a folder, run by a Python of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from kfp_release.component import ComponentFile
from kfp_release.digest import Digest
from kfp_release.image_ref import Repository
from kfp_release.package_files import package_files
from kfp_release.pinning import pin
from kfp_release.record import PinnedComponent, PinnedImage, Pins
from kfp_release.version import ReleaseVersion

PROJECT = Path(__file__).resolve().parent.parent
PACKAGE = PROJECT / "src/kubeflow_demo_components"
YAML = PROJECT / "yaml"
REPOSITORY = "533211398604.dkr.ecr.eu-north-1.amazonaws.com/data-science-kubeflow/demo"
COMMIT = "c0ffee" * 6 + "c0de"
DIGEST = Digest.of(b"an image")
EXACT_PIN = f"{REPOSITORY}:1.2@{DIGEST}"
TAG_PIN = f"{REPOSITORY}:1.2"
IMAGES = ("demo", "training")
OPERATORS = [f"{path.stem}_op" for path in sorted(YAML.glob("*.yaml"))]
"""Of all components."""


@dataclass(frozen=True)
class Installation:
    """A folder on the path of a child's Python."""

    folder: Path

    @property
    def package(self) -> Path:
        return self.folder / "kubeflow_demo_components"

    def python(self, *arguments: str | Path, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run Python with this installation and no other of the package; warnings stay warnings."""
        return subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, **(environ or {}), "PYTHONPATH": str(self.folder)},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )


def install_code(folder: Path) -> Installation:
    """The code alone, with neither component files nor pins."""
    installation = Installation(folder)
    written = shutil.ignore_patterns("__pycache__", "yaml", "pins.json", "_operators", "operators.py*", "__main__.py")
    shutil.copytree(PACKAGE, installation.package, ignore=written)
    for name, data in package_files().items():
        path = installation.package / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return installation


def as_checkout(installation: Installation, components: Path) -> None:
    """Have the code know where the component files of its checkout are."""
    told = {"distribution": "kubeflow-demo-components", "components": os.path.relpath(components, installation.package)}
    (installation.package / "_operators/checkout.json").write_text(json.dumps(told), encoding="utf-8")


def pin_of(name: str, image_pin: str) -> str:
    """The pin of another image that is tagged and identified as `image_pin` is."""
    return image_pin.replace(REPOSITORY, repository_of(name))


def repository_of(name: str) -> str:
    """That of an image, as the component files name it."""
    return f"{REPOSITORY.rpartition('/')[0]}/{name}"


def install(folder: Path, image_pin: str) -> Installation:
    """The code, the component files pinned to `image_pin`, or to the same of their own image, and pins.json."""
    installation = install_code(folder)
    target = installation.package / "yaml"
    target.mkdir()
    components = []
    for source in sorted(YAML.glob("*.yaml")):
        component = ComponentFile.parse(source.name, source.read_bytes())
        data = pin(component, {repository_of(name): pin_of(name, image_pin) for name in IMAGES})
        (target / source.name).write_bytes(data)
        named = tuple(image.value for image in ComponentFile.parse(source.name, data).images)
        components.append(PinnedComponent(component.operator, source.name, named, Digest.of(data).hex))
    images = tuple(
        PinnedImage(name, Repository.parse(repository_of(name)), pin_of(name, image_pin), "", "linux/amd64")
        for name in IMAGES
    )
    pins = Pins("kubeflow-demo-components", ReleaseVersion.parse("1.2"), COMMIT, images, tuple(components))
    (installation.package / "pins.json").write_bytes(pins.to_json())
    return installation
