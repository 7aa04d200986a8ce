"""Every route from a release's tag to a wheel: what the pins are, and which of these wheels can be published."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import kfp_release, run_git
from test_refusals import _images, _state
from test_release import DECLARED, DISTRIBUTION, small_project

from kfp_release.built import BadBuild, BuiltRelease
from kfp_release.carried_pins import sdist_pins, wheel_pins
from kfp_release.record import Pins
from kfp_release.sandbox import Sandbox
from kfp_release.sdist import Sdist
from kfp_release.wheel import Wheel

TAG_PIN = f"{DECLARED.decode()}:1.0"


@dataclass(frozen=True)
class Routes:
    """A repository that is released as 1.0, and what each route made of its tag."""

    repository: Path
    sandbox: Sandbox
    before: tuple[str, str, str]
    """The checkout's state before the routes."""
    from_git: Path
    from_checkout: Path
    """The wheel of ``python -m build``, which goes by way of an sdist."""
    sdist: Path
    """That sdist."""
    from_published_sdist: Path

    @property
    def dist(self) -> Path:
        return self.repository / "dist"

    @property
    def released(self) -> Path:
        (path,) = self.dist.glob("*.whl")
        return path


def python(*arguments: str | Path, **environ: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *arguments], env={**os.environ, **environ}, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def routes(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Routes:
    folder = tmp_path_factory.mktemp("routes")
    repository = small_project(folder / "project")
    run_git(repository, "tag", "v1.0")
    done = kfp_release(["release", "v1.0", "--create-repository"], cwd=repository, environ=sandbox.environ)
    assert done.returncode == 0, done.stderr
    before = _state(repository)
    # The build requirements are those of this environment; tests/test_backend.py has the isolated builds.
    pip = ("pip", "wheel", "--quiet", "--no-deps", "--no-cache-dir", "--no-build-isolation")
    python(*pip, "--wheel-dir", folder / "git", f"{DISTRIBUTION} @ git+{repository.as_uri()}@v1.0")
    python("build", "--no-isolation", "--outdir", folder / "build", repository)
    # As a user of the index has it, with an isolated build.
    command = ("pip", "wheel", "--quiet", "--no-deps", "--no-cache-dir", f"--no-binary={DISTRIBUTION}")
    index = {"PIP_INDEX_URL": sandbox.pip_index_url}
    python(*command, "--wheel-dir", folder / "index", f"{DISTRIBUTION}==1.0", **index)
    wheels = [next((folder / name).glob("*.whl")) for name in ("git", "build", "index")]
    (sdist,) = (folder / "build").glob("*.tar.gz")
    return Routes(repository, sandbox, before, wheels[0], wheels[1], sdist, wheels[2])


def pins_of(path: Path) -> Pins:
    if path.suffix == ".whl":
        return wheel_pins(Wheel.parse(path.name, path.read_bytes()))[0]
    return sdist_pins(Sdist.parse(path.name, path.read_bytes()))


def test_the_wheel_of_the_published_sdist_is_the_released_one(routes: Routes) -> None:
    assert routes.from_published_sdist.name == routes.released.name
    assert routes.from_published_sdist.read_bytes() == routes.released.read_bytes()
    assert all(image.is_exact for image in pins_of(routes.from_published_sdist).images)


@pytest.mark.parametrize("route", ["from_git", "from_checkout", "sdist"])
def test_without_the_release_the_pin_is_the_tag_and_says_so(routes: Routes, route: str) -> None:
    path: Path = getattr(routes, route)
    pins = pins_of(path)
    assert [(image.pin, image.is_exact, image.runtime_key) for image in pins.images] == [(TAG_PIN, False, "")]
    assert (str(pins.version), pins.commit) == ("1.0", run_git(routes.repository, "rev-parse", "v1.0").strip())
    assert {component.images for component in pins.components} == {(TAG_PIN,)}


@pytest.mark.parametrize("route", ["from_git", "from_checkout"])
def test_such_a_wheel_has_the_released_ones_files_but_for_the_pins(routes: Routes, route: str) -> None:
    path: Path = getattr(routes, route)
    made, released = (
        {member.path: member.data for member in Wheel.parse(wheel.name, wheel.read_bytes()).members}
        for wheel in (path, routes.released)
    )
    info = f"{DISTRIBUTION.replace('-', '_')}-1.0.dist-info"
    assert released.keys() - made.keys() == {f"{info}/sboms/{DISTRIBUTION}.cdx.json"}, "of a release alone"
    assert made.keys() <= released.keys()
    others = {name for name in made if made[name] != released[name]}
    yaml = {f"kubeflow_demo_components/yaml/{path.name}" for path in (routes.repository / "yaml").glob("*.yaml")}
    assert others == {*yaml, "kubeflow_demo_components/pins.json", f"{info}/RECORD"}
    for name in yaml:
        assert made[name] == (routes.repository / "yaml" / Path(name).name).read_bytes().replace(
            DECLARED, TAG_PIN.encode()
        )


@pytest.mark.parametrize("route", ["from_git", "from_published_sdist"])
def test_an_author_is_told_which_of_them_is_not_exact(routes: Routes, route: str, tmp_path: Path) -> None:
    path: Path = getattr(routes, route)
    python("pip", "install", "--quiet", "--no-deps", "--no-index", "--target", tmp_path, path)
    done = subprocess.run(
        [sys.executable, "-c", "from kubeflow_demo_components import operators; operators.multiply_op"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert ("UnpinnedWarning" in done.stderr) == (route == "from_git")


def test_no_route_changes_the_checkout(routes: Routes) -> None:
    assert _state(routes.repository) == routes.before


def replaced(dist: Path, made: Path) -> None:
    """Another file under the released one's name."""
    shutil.copyfile(made, dist / made.name)


def with_its_hash(dist: Path, made: Path) -> None:
    """And release.json says that it is this one."""
    replaced(dist, made)
    data = made.read_bytes()
    record = read(dist)
    for item in record["distributions"]:
        if item["filename"] == made.name:
            item |= {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    write(dist, record)


def with_its_pins(dist: Path, made: Path) -> None:
    """And release.json has its pins, as has the other file."""
    with_its_hash(dist, made)
    write(dist, {**read(dist), **pins_of(made).to_value()})


def read(dist: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((dist / "release.json").read_bytes())
    return record


def write(dist: Path, record: dict[str, Any]) -> None:
    (dist / "release.json").write_text(json.dumps(record))


@pytest.mark.parametrize("route", ["from_git", "from_checkout", "sdist"])
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (replaced, "release.json says"),
        (with_its_hash, "carries other pins than release.json has"),
    ],
)
def test_a_wheel_or_sdist_pinned_to_tags_is_no_built_release(
    routes: Routes, tmp_path: Path, route: str, spoil: Callable[[Path, Path], None], message: str
) -> None:
    path: Path = getattr(routes, route)
    dist = tmp_path / "dist"
    shutil.copytree(routes.dist, dist)
    spoil(dist, path)
    with pytest.raises(BadBuild) as caught:
        BuiltRelease.read(dist)
    assert f"{dist / path.name}" in str(caught.value)
    assert message in str(caught.value)


def test_a_release_that_is_pinned_to_tags_throughout_is_not_published(routes: Routes, tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    shutil.copytree(routes.dist, dist)
    for path in (routes.from_checkout, routes.sdist):
        with_its_pins(dist, path)
    before = _public(routes.sandbox)
    done = kfp_release(["publish", str(dist)], cwd=routes.repository, environ=routes.sandbox.environ)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"image demo is pinned to the tag alone: {TAG_PIN}" in done.stderr
    assert "only what kfp-release build made from a plan can be published" in done.stderr
    assert _public(routes.sandbox) == before


def _public(sandbox: Sandbox) -> Any:
    return _images(sandbox), sorted((path.name, path.stat().st_mtime_ns) for path in sandbox.packages.iterdir())
