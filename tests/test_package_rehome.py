"""``python -m`` of an installed package: the same pipeline with its images on a mirror."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from installation import COMMIT, DIGEST, EXACT_PIN, REPOSITORY, YAML, Installation, as_checkout, install_code
from kfp import components
from traced_pipelines import FOREIGN, STATES, compiled_with

from kfp_release.package_files._operators.image_name import Registry
from kfp_release.package_files._operators.owned import Owned
from kfp_release.package_files._operators.pipeline import Pipeline
from kfp_release.package_files._operators.rehoming import rehome

REHOME = ("-m", "kubeflow_demo_components", "rehome")
MIRROR = "mirror.example:5000/cache"
TEAM = REPOSITORY.partition("/")[2].rpartition("/")[0]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Version 1.2, whose folder has pipelines that were compiled with it."""
    return compiled_with(tmp_path_factory.mktemp("released"), "1.2")


def moved(text: str) -> str:
    """The text with the host of the package's images replaced."""
    return text.replace(REPOSITORY.partition("/")[0], MIRROR)


def read(file: Path) -> str:
    return file.read_bytes().decode()


@pytest.mark.parametrize("file", ["whole.yaml", "small.yaml", "small.json", "manifests.yaml", "multiply.yaml"])
def test_only_the_images_change(released: Installation, tmp_path: Path, file: str) -> None:
    output = tmp_path / file
    done = released.python(*REHOME, file, "--to", MIRROR, "--output", output)
    assert (done.returncode, done.stderr) == (0, "")
    before, after = read(released.folder / file), read(output)
    assert after == moved(before)
    assert after.count(f"{MIRROR}/{TEAM}/") == before.count(f"/{TEAM}/") > 0


def test_kfp_loads_it_and_it_is_the_same_but_for_the_images(released: Installation, tmp_path: Path) -> None:
    for file in ("whole.yaml", "small.yaml"):
        output = tmp_path / file
        released.python(*REHOME, file, "--to", MIRROR, "--output", output)
        before = components.load_component_from_file(str(released.folder / file))
        after = components.load_component_from_file(str(output))
        assert before.pipeline_spec != after.pipeline_spec
        assert yaml.safe_load(moved(str(yaml.safe_dump(list(yaml.safe_load_all(before.component_yaml)))))) == list(
            yaml.safe_load_all(after.component_yaml)
        )
        assert after.description == before.description


def test_it_tells_what_it_did_and_traces_what_it_wrote(released: Installation, tmp_path: Path) -> None:
    done = released.python(*REHOME, "whole.yaml", "--to", MIRROR, "--output", tmp_path / "out.yaml")
    first, *others = done.stdout.splitlines()
    assert first == f"{tmp_path / 'out.yaml'}: 1 image moved to {MIRROR}"
    left = "left as it is, an image of others: "
    assert f"{left}{FOREIGN}" in others
    assert f"{left}python:3.12" in others
    rows = {line.split()[0]: line.split() for line in others if line.startswith(("exit-handler-1/", "make-table"))}
    assert list(rows) == list(STATES)
    assert rows["make-table"][1:] == ["make_table_op", "1.2", COMMIT[:12], "demo:1.2", DIGEST.short, "mirrored"]
    assert any(line.startswith("all-of-it: 13 tasks: 9 mirrored, ") for line in others)


def test_it_moves_on_to_a_third_registry_and_back_home(released: Installation, tmp_path: Path) -> None:
    source = released.folder / "small.yaml"
    for step, (registry, wanted) in enumerate(
        [(MIRROR, MIRROR), (MIRROR, MIRROR), ("other.example", "other.example"), (REPOSITORY.partition("/")[0],) * 2]
    ):
        output = tmp_path / f"{step}.yaml"
        done = released.python(*REHOME, source, "--to", registry, "--output", output)
        assert done.returncode == 0, done.stderr
        assert read(output).count(f"image: {wanted}/{TEAM}/") == 3
        source = output
    assert read(source) == read(released.folder / "small.yaml")
    assert read(tmp_path / "0.yaml") == read(tmp_path / "1.yaml")
    again = released.python(*REHOME, tmp_path / "0.yaml", "--to", MIRROR, "--output", tmp_path / "0.yaml")
    assert again.stdout.startswith(f"{tmp_path / '0.yaml'}: 0 images moved to {MIRROR}; 2 already there\n")


def test_it_is_written_beside_the_pipeline_unless_told_otherwise(released: Installation, tmp_path: Path) -> None:
    source = tmp_path / "a.b.yaml"
    source.write_bytes((released.folder / "small.yaml").read_bytes())
    assert released.python(*REHOME, source, "--to", MIRROR).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.b.rehomed.yaml", "a.b.yaml"]
    assert read(source) == read(released.folder / "small.yaml")
    assert released.python(*REHOME, source, "--to", MIRROR).returncode == 0  # it is there, and the same


def test_another_file_at_the_output_is_replaced_with_force_alone(released: Installation, tmp_path: Path) -> None:
    output = tmp_path / "out.yaml"
    output.write_text("mine\n", encoding="utf-8")
    done = released.python(*REHOME, "small.yaml", "--to", MIRROR, "--output", output)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{output} is there, and is another\n  → name another file with --output, or replace it" in done.stderr
    assert read(output) == "mine\n"
    assert released.python(*REHOME, "small.yaml", "--to", MIRROR, "--output", output, "--force").returncode == 0
    assert read(output) == moved(read(released.folder / "small.yaml"))


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_at_the_output_stays_one(released: Installation, tmp_path: Path, *, is_there: bool) -> None:
    target, output = tmp_path / "target.yaml", tmp_path / "out.yaml"
    if is_there:
        target.write_text("mine\n", encoding="utf-8")
    output.symlink_to(target)
    done = released.python(*REHOME, "small.yaml", "--to", MIRROR, "--output", output, "--force")
    assert done.returncode == 0, done.stderr
    assert output.readlink() == target
    assert read(target) == moved(read(released.folder / "small.yaml"))


def test_what_is_no_plain_file_is_no_output(released: Installation, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = released.python(*REHOME, "small.yaml", "--to", MIRROR, "--output", tmp_path / "pipe", "--force")
    assert done.returncode == 1
    assert "pipe cannot be written: it is no plain file\n  → name another file with --output" in done.stderr
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("options", [("--json", "rehome"), ("rehome", "--json")])
def test_as_json_it_tells_everything_wherever_that_is_asked_for(
    released: Installation, tmp_path: Path, options: tuple[str, ...]
) -> None:
    output = tmp_path / "out.yaml"
    done = released.python(*REHOME[:-1], *options, "whole.yaml", "--to", MIRROR, "--output", output)
    value = json.loads(done.stdout)
    trace = value.pop("trace")
    assert (value["output"], value["registry"], value["written"], value["stayed"]) == (str(output), MIRROR, True, [])
    assert value["moved"] == {EXACT_PIN: moved(EXACT_PIN)}
    assert FOREIGN in value["left"]
    assert {task["task"]: task["state"] for task in trace["tasks"]}["make-table"] == "mirrored"


@pytest.mark.parametrize("file", [".", "/", "gone.yaml"])
def test_a_pipeline_that_is_none_is_told_before_all_else(released: Installation, file: str) -> None:
    done = released.python(*REHOME, file, "--to", MIRROR)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"kubeflow_demo_components: {file} cannot be read: ")


def link(source: Path, target: Path) -> Path:
    target.symlink_to(source)
    return target


def hard_link(source: Path, target: Path) -> Path:
    target.hardlink_to(source)
    return target


@pytest.mark.parametrize("named", [lambda source, _: source, link, hard_link])
def test_the_pipeline_itself_is_never_overwritten(
    released: Installation, tmp_path: Path, named: Callable[[Path, Path], Path]
) -> None:
    source = tmp_path / "a.yaml"
    source.write_bytes((released.folder / "small.yaml").read_bytes())
    output = named(source, tmp_path / "b.yaml")
    done = released.python(*REHOME, source, "--to", MIRROR, "--output", output, "--force")
    assert done.returncode == 1
    assert "is the pipeline itself, which stays as it is" in done.stderr
    assert read(source) == read(released.folder / "small.yaml")


@pytest.mark.parametrize(
    ("old", "new", "registry", "message"),
    [
        (
            EXACT_PIN,
            f"{REPOSITORY}:1.2",
            MIRROR,
            f"without a digest there is nothing to keep: {REPOSITORY}:1.2\n  → compile",
        ),
        (f"/{TEAM}/", "/others/", MIRROR, "no image in it is of "),
        ("", "", "https://mirror.example", "'https://mirror.example' is not a registry: write HOST or HOST/PREFIX"),
        ("", "", f"mirror.example/{'a' * 230}", "255 at most"),
        ("image: ", "image: &a ", MIRROR, None),
        ("sdkVersion: ", "more: &all {a: b}\nother: *all\nsdkVersion: ", MIRROR, None),
    ],
)
def test_what_cannot_be_done_is_refused_and_nothing_written(
    released: Installation, tmp_path: Path, old: str, new: str, *, registry: str, message: str | None
) -> None:
    source, output = tmp_path / "a.yaml", tmp_path / "b.yaml"
    text = read(released.folder / "small.yaml")
    text = text.replace(DIGEST.hex, "0" * 64) if old == f"/{TEAM}/" else text
    source.write_text(text.replace(old, new) if old else text, encoding="utf-8")
    done = released.python(*REHOME, source, "--to", registry, "--output", output)
    if message is None:
        assert done.returncode == 0, done.stderr
        assert read(output) == moved(read(source))
        return
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
    assert done.stderr.count("\n") <= 2
    assert not output.exists()


@pytest.mark.parametrize("output", ["gone/out.yaml", "."])
def test_where_nothing_can_be_written_that_is_told(released: Installation, tmp_path: Path, output: str) -> None:
    done = released.python(*REHOME, "small.yaml", "--to", MIRROR, "--output", tmp_path / output)
    assert done.returncode == 1
    assert "cannot be written: " in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_checkout_rehomes_what_a_release_has_pinned(released: Installation, tmp_path: Path) -> None:
    checkout = install_code(tmp_path)
    as_checkout(checkout, YAML)
    done = checkout.python(*REHOME, released.folder / "small.yaml", "--to", MIRROR, "--output", tmp_path / "out.yaml")
    assert done.returncode == 0, done.stderr
    assert read(tmp_path / "out.yaml") == moved(read(released.folder / "small.yaml"))


def test_help_teaches_and_wrong_use_is_2(released: Installation) -> None:
    told = released.python(*REHOME, "--help").stdout
    assert "python -m kubeflow_demo_components rehome pipeline.yaml --to mirror.example/team --output" in told
    assert released.python(*REHOME, "small.yaml").returncode == 2


ALIASED = f"""\
components: {{comp-a: {{executorLabel: exec-a}}, comp-b: {{executorLabel: exec-b}}}}
deploymentSpec:
  executors:
    exec-a: {{container: {{image: &image {EXACT_PIN}}}}}
    exec-b: {{container: {{image: *image}}}}
pipelineInfo: {{name: aliased}}
root: {{dag: {{tasks: {{a: {{componentRef: {{name: comp-a}}}}, b: {{componentRef: {{name: comp-b}}}}}}}}}}
"""


def test_an_image_that_an_alias_repeats_is_refused_with_its_line() -> None:
    pipeline = Pipeline.parse("a.yaml", ALIASED.encode())
    assert [task.image for task in pipeline.tasks] == [EXACT_PIN] * 2
    with pytest.raises(ValueError, match=r"a\.yaml:5: repeats an image by an alias\n  → write it out"):
        rehome("a.yaml", pipeline, Owned((REPOSITORY,)), Registry.parse(MIRROR))
