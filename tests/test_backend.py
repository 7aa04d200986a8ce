from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import commit_all, copy_project, run_git
from small_project import DEMO, EXACT, FOREIGN, HookFailed, component, exact_pins, hooks, make_project

from kfp_release.carried_pins import SDIST_PINS
from kfp_release.pinned import PINS_SETTING
from kfp_release.record import Pins
from kfp_release.sdist import Sdist
from kfp_release.stub import HEADER
from kfp_release.wheel import Wheel


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")


def build_wheel(
    project: Path, out: Path, settings: Mapping[str, str] | None = None, environ: Mapping[str, str] | None = None
) -> Wheel:
    out.mkdir(exist_ok=True)
    name = hooks(project, environ).build_wheel(str(out), settings)
    return Wheel.parse(name, (out / name).read_bytes())


def build_sdist(project: Path, out: Path, settings: Mapping[str, str] | None = None) -> Sdist:
    out.mkdir(exist_ok=True)
    name = hooks(project).build_sdist(str(out), settings)
    return Sdist.parse(name, (out / name).read_bytes())


def pins_of(wheel: Wheel) -> Pins:
    return Pins.parse(wheel.read("demo_parts/pins.json"))


def write_pins(pins: Pins, path: Path) -> dict[str, str]:
    path.write_bytes(pins.to_json())
    return {PINS_SETTING: str(path)}


def contents(project: Path) -> dict[Path, bytes]:
    files = (path for path in project.rglob("*") if path.is_file() and ".git" not in path.relative_to(project).parts)
    return {path: path.read_bytes() for path in files}


def test_without_a_releases_pins_a_wheel_is_pinned_to_the_versions_tag(project: Path, tmp_path: Path) -> None:
    wheel = build_wheel(project, tmp_path / "out")
    assert wheel.read("demo_parts/yaml/multiply.yaml") == component(f"{DEMO}:1.0")
    assert wheel.read("demo_parts/yaml/foreign.yml") == component(FOREIGN)
    pins = pins_of(wheel)
    assert (pins.distribution, str(pins.version), pins.is_exact) == ("demo-parts", "1.0", False)
    assert pins.commit == run_git(project, "rev-parse", "HEAD").strip()
    assert [(item.name, item.images) for item in pins.components] == [
        ("foreign_op", (FOREIGN,)),
        ("multiply_op", (f"{DEMO}:1.0",)),
    ]
    assert not [member.path for member in wheel.members if "README" in member.path]


def test_with_a_releases_pins_only_the_images_value_changes(project: Path, tmp_path: Path) -> None:
    pins = exact_pins(project)
    wheel = build_wheel(project, tmp_path / "out", write_pins(pins, tmp_path / "pins.json"))
    assert wheel.read("demo_parts/yaml/multiply.yaml") == component(EXACT)
    assert wheel.read("demo_parts/pins.json") == pins.to_json()


def test_a_staging_registry_takes_the_tag_pins(project: Path, tmp_path: Path) -> None:
    wheel = build_wheel(project, tmp_path / "out", environ={"KFP_RELEASE_REGISTRY": "localhost:5000"})
    assert wheel.read("demo_parts/yaml/multiply.yaml") == component("localhost:5000/team/demo:1.0")
    assert str(pins_of(wheel).images[0].declared) == DEMO


def test_an_untagged_commit_is_pinned_to_an_image_tag_without_a_plus(project: Path, tmp_path: Path) -> None:
    commit = commit_all(project, "Next")[:7]
    wheel = build_wheel(project, tmp_path / "out")
    assert wheel.version.startswith(f"1.1.dev1+g{commit}")
    assert pins_of(wheel).images[0].pin == f"{DEMO}:{wheel.version.replace('+', '-')}"


@pytest.mark.parametrize("exact", [True, False])
def test_the_wheel_of_the_sdist_is_the_wheel_of_the_checkout(project: Path, tmp_path: Path, exact: bool) -> None:  # noqa: FBT001
    settings = write_pins(exact_pins(project), tmp_path / "pins.json") if exact else None
    wheel = build_wheel(project, tmp_path / "one", settings)
    sdist = build_sdist(project, tmp_path / "one", settings)
    assert sdist.read(SDIST_PINS) == wheel.read("demo_parts/pins.json")
    assert sdist.read("yaml/multiply.yaml") == component(DEMO)
    with tarfile.open(tmp_path / "one" / sdist.filename) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    again = build_wheel(
        tmp_path / "unpacked" / sdist.root, tmp_path / "two", environ={"KFP_RELEASE_REGISTRY": "localhost:5000"}
    )
    assert again.to_bytes() == wheel.to_bytes()
    assert "demo_parts/data.json" in {member.path for member in again.members}


def test_folder_branch_umask_time_and_hash_seed_do_not_show(project: Path, tmp_path: Path) -> None:
    settings = write_pins(exact_pins(project), tmp_path / "pins.json")
    build_wheel(project, tmp_path / "one", settings)
    build_sdist(project, tmp_path / "one", settings)
    umask = os.umask(0o077)
    try:
        other = tmp_path / "a folder of another name"
        run_git(tmp_path, "clone", "--quiet", str(project), str(other))
        run_git(other, "checkout", "--quiet", "--detach", "v1.0")
        for path in other.rglob("*.py"):
            os.utime(path, (1_000_000_000, 1_000_000_000))
        build_wheel(other, tmp_path / "two", settings, {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"})
        build_sdist(other, tmp_path / "two", settings)
    finally:
        os.umask(umask)
    made = sorted((tmp_path / "one").iterdir())
    assert [path.suffix for path in made] == [".whl", ".gz"]
    assert [path.read_bytes() for path in made] == [(tmp_path / "two" / path.name).read_bytes() for path in made]


def test_the_checkout_stays_as_it_was_and_its_remains_stay_out(project: Path, tmp_path: Path) -> None:
    for remain in ("build/lib/demo_parts/stale.py", "src/demo_parts.egg-info/SOURCES.txt", "src/demo_parts/new.py"):
        (project / remain).parent.mkdir(parents=True, exist_ok=True)
        (project / remain).write_text("")
    before = {path: path.lstat().st_mtime_ns for path in project.rglob("*")}
    wheel = build_wheel(project, tmp_path / "out")
    sdist = build_sdist(project, tmp_path / "out")
    hooks(project).prepare_metadata_for_build_wheel(str(tmp_path / "out"))
    assert {path: path.lstat().st_mtime_ns for path in project.rglob("*")} == before
    paths = {member.path for member in (*wheel.members, *sdist.members)}
    assert not [path for path in paths if "stale" in path or path.endswith("new.py")]


def test_an_editable_install_reads_the_checkout_which_stays_unpinned(project: Path, tmp_path: Path) -> None:
    before = contents(project)
    metadata = hooks(project).prepare_metadata_for_build_editable(str(tmp_path))
    name = hooks(project).build_editable(str(tmp_path), None, str(tmp_path / metadata))
    assert contents(project) == before
    wheel = Wheel.parse(name, (tmp_path / name).read_bytes())
    assert str(project / "src") in wheel.read("__editable__.demo_parts-1.0.pth").decode()
    assert not [member for member in wheel.members if "yaml" in member.path or "pins" in member.path]


LAZY = b"def __getattr__(name):\n    return name\n"


def with_operators(project: Path, ignored: str) -> Path:
    (project / "src/demo_parts/operators.py").write_bytes(LAZY)
    with (project / ".gitignore").open("a") as file:
        file.write(ignored)
    commit_all(project, "Operators")
    return project


def test_an_editable_install_leaves_the_operators_types_where_git_ignores_them(project: Path, tmp_path: Path) -> None:
    with_operators(project, "*.pyi\npy.typed\n")
    before = contents(project)
    hooks(project).build_editable(str(tmp_path))
    added = contents(project).keys() - before.keys()
    assert sorted(path.relative_to(project).as_posix() for path in added) == [
        "src/demo_parts/operators.pyi",
        "src/demo_parts/py.typed",
    ]
    wheel = build_wheel(project, tmp_path / "out")
    assert wheel.read("demo_parts/operators.pyi") == (project / "src/demo_parts/operators.pyi").read_bytes()


def test_an_editable_install_leaves_nothing_that_git_would_see(project: Path, tmp_path: Path) -> None:
    with_operators(project, "")
    before = contents(project)
    hooks(project).build_editable(str(tmp_path))
    assert contents(project) == before


def test_an_editable_install_works_with_component_files_that_are_wrong(project: Path, tmp_path: Path) -> None:
    with_operators(project, "*.pyi\npy.typed\n")
    (project / "yaml/multiply.yaml").write_text("a: [\n")
    assert hooks(project).build_editable(str(tmp_path)).endswith(".whl")
    assert not (project / "src/demo_parts/operators.pyi").exists()


def test_the_types_in_a_wheel_are_not_those_that_lie_in_the_checkout(project: Path, tmp_path: Path) -> None:
    with_operators(project, "")
    stale = project / "src/demo_parts/operators.pyi"
    stale.write_text(f"{HEADER}nothing_op: object\n")
    commit_all(project, "Somebody adds what is made")
    assert b"nothing_op" not in build_wheel(project, tmp_path / "one").read("demo_parts/operators.pyi")
    stale.write_text("mine_op: object\n")
    commit_all(project, "Somebody writes it")
    assert build_wheel(project, tmp_path / "two").read("demo_parts/operators.pyi") == b"mine_op: object\n"


def test_the_metadata_that_is_prepared_is_the_wheels(project: Path, tmp_path: Path) -> None:
    for name in ("metadata", "out"):
        (tmp_path / name).mkdir()
    folder = hooks(project).prepare_metadata_for_build_wheel(str(tmp_path / "metadata"))
    name = hooks(project).build_wheel(str(tmp_path / "out"), None, str(tmp_path / "metadata" / folder))
    wheel = Wheel.parse(name, (tmp_path / "out" / name).read_bytes())
    assert wheel.dist_info == folder
    assert wheel.read(f"{folder}/METADATA") == (tmp_path / "metadata" / folder / "METADATA").read_bytes()


def test_what_is_refused_is_a_message_without_a_traceback_and_no_wheel(project: Path, tmp_path: Path) -> None:
    path = tmp_path / "pins.json"
    path.write_bytes(exact_pins(project).to_json().replace(b'"version": "1.0"', b'"version": "1.1"'))
    with pytest.raises(HookFailed) as caught:
        build_wheel(project, tmp_path / "out", {PINS_SETTING: str(path)})
    told = str(caught.value)
    assert "error: the pins are of version 1.1, and 1.0 is being built\n  → give the pins of this build" in told
    assert "Traceback" not in told
    assert not list((tmp_path / "out").iterdir())


def test_a_package_that_is_not_in_the_wheel_is_refused(project: Path, tmp_path: Path) -> None:
    text = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text(text.replace('package = "demo_parts"', 'package = "demo_part"'))
    with pytest.raises(HookFailed, match="error: the wheel has no package demo_part"):
        build_wheel(project, tmp_path / "out")


def test_a_source_date_that_is_none_is_refused(project: Path, tmp_path: Path) -> None:
    with pytest.raises(HookFailed, match="error: SOURCE_DATE_EPOCH is 'yesterday'"):
        hooks(project, {"SOURCE_DATE_EPOCH": "yesterday"}).build_sdist(str(tmp_path))


def test_this_project_is_the_same_wheel_by_pip_from_git_and_by_build_through_the_sdist(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    copy_project(project)
    run_git(project, "tag", "v1.0")
    pip = ["pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path / "pip"), f"git+file://{project}@v1.0"]
    for command in (pip, ["build", "--outdir", str(tmp_path / "build"), str(project)]):
        subprocess.run([sys.executable, "-m", *command], check=True, capture_output=True)
    (of_pip,) = (tmp_path / "pip").glob("*.whl")
    (of_build,) = (tmp_path / "build").glob("*.whl")
    assert of_pip.name == of_build.name
    assert of_pip.read_bytes() == of_build.read_bytes()
    wheel = Wheel.parse(of_pip.name, of_pip.read_bytes())
    assert b"/demo:1.0\n" in wheel.read("kubeflow_demo_components/yaml/multiply.yaml")
    assert b"\nmultiply_op: _MultiplyOp\n" in wheel.read("kubeflow_demo_components/operators.pyi")
    assert wheel.read("kubeflow_demo_components/py.typed") == b""
    assert Pins.parse(wheel.read("kubeflow_demo_components/pins.json")).commit
    (archive,) = (tmp_path / "build").glob("*.tar.gz")
    sdist = Sdist.parse(archive.name, archive.read_bytes())
    assert "src/kfp_release/backend.py" in sdist.paths
    assert run_git(project, "status", "--porcelain") == ""
