from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from installation import (
    COMMIT,
    DIGEST,
    EXACT_PIN,
    IMAGES,
    OPERATORS,
    PROJECT,
    TAG_PIN,
    YAML,
    Installation,
    as_checkout,
    install,
    install_code,
    pin_of,
)

from kfp_release.config import Config
from kfp_release.index_settings import IndexUrls
from kfp_release.package_files._operators.half_pin import INDEX_LABEL

LIST = ("-m", "kubeflow_demo_components")

RELEASED = (
    "pip install --force-reinstall --no-deps --index-url https://pypi.data-science.example/simple/ "
    "kubeflow-demo-components"
)


@pytest.fixture
def released(tmp_path: Path) -> Installation:
    return install(tmp_path, EXACT_PIN)


def test_the_listing_shows_component_inputs_outputs_image_digest_and_commit(released: Installation) -> None:
    done = released.python(*LIST)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["component", "inputs", "outputs", "image", "digest", "commit"]
    (multiply,) = (line for line in lines if line.startswith("multiply_op"))
    assert "  a: Float, b: Float  " in multiply
    assert "  product: Float  " in multiply
    assert multiply.split()[-3:] == ["demo:1.2", DIGEST.short, COMMIT[:12]]
    images = [f"{name}: {pin_of(name, EXACT_PIN)}" for name in IMAGES]
    assert lines[-3:] == ["kubeflow-demo-components 1.2", *images]
    (train,) = (line for line in lines if line.startswith("train_model_op"))
    assert train.split()[-3] == "training:1.2"


def test_the_listing_as_json_has_everything_in_full(released: Installation) -> None:
    value = json.loads(released.python(*LIST, "--json").stdout)
    assert (value["version"], value["commit"], value["exact"]) == ("1.2", COMMIT, True)
    assert (value["warning"], value["remedy"]) == (None, None)
    assert value["components"]["make_table_op"] == {
        "inputs": [
            {"name": "rows", "type": "Integer", "optional": False, "default": None},
            {"name": "seed", "type": "Integer", "optional": True, "default": "0"},
        ],
        "outputs": [{"name": "table", "type": "Dataset"}],
        "images": [EXACT_PIN],
    }


def test_the_listing_needs_no_kfp(released: Installation) -> None:
    run = "runpy.run_module('kubeflow_demo_components', run_name='__main__')"
    code = f"import runpy, sys; {run}; print('kfp' in sys.modules)"
    assert released.python("-c", code).stdout.endswith("False\n")


def test_pins_by_tag_alone_are_said_to_be_that(tmp_path: Path) -> None:
    installation = install(tmp_path, TAG_PIN)
    done = installation.python(*LIST)
    *_, message, remedy = done.stdout.splitlines()
    assert f"demo: {TAG_PIN}" in done.stdout.splitlines()
    assert message.startswith("Not pinned: version 1.2 was built outside a release: its components name their image by")
    assert remedy == f"  {RELEASED}"
    value = json.loads(installation.python(*LIST, "--json").stdout)
    assert (value["exact"], value["remedy"]) == (False, RELEASED)
    assert value["warning"] in message


def test_a_checkout_is_said_to_be_one(tmp_path: Path) -> None:
    installation = install_code(tmp_path)
    as_checkout(installation, YAML)
    done = installation.python(*LIST)
    message, remedy = done.stdout.splitlines()[-2:]
    assert message.startswith(f"Not pinned: the components are those of the folder {YAML} and")
    assert remedy == f"  {RELEASED}"
    assert json.loads(installation.python(*LIST, "--json").stdout)["version"] is None


def test_a_checkout_whose_component_files_lie_in_the_package_has_its_name(tmp_path: Path) -> None:
    installation = install_code(tmp_path)
    shutil.copytree(YAML, installation.package / "yaml")
    as_checkout(installation, installation.package / "yaml")
    value = json.loads(installation.python(*LIST, "--json").stdout)
    assert (value["distribution"], value["version"]) == ("kubeflow-demo-components", None)
    assert list(value["components"]) == OPERATORS


def test_without_component_files_there_is_nothing_to_list(tmp_path: Path) -> None:
    done = install_code(tmp_path).python(*LIST)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("kubeflow_demo_components: no component files in ")


@pytest.mark.parametrize(
    ("default", "shown"),
    [
        ("2020-01-01", "2020-01-01"),
        (".nan", "nan"),
        ("{2020-01-01: 1}", "{datetime.date(2020, 1, 1): 1}"),
        ("&a [*a]", "[[...]]"),
        ("[1, {a: null}]", [1, {"a": None}]),
    ],
)
def test_a_default_that_json_has_no_form_for_is_shown_as_text(tmp_path: Path, default: str, shown: object) -> None:
    installation = install(tmp_path, EXACT_PIN)
    file = installation.package / "yaml/make_table.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("default: '0'", f"default: {default}"), encoding="utf-8")
    done = installation.python(*LIST, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["components"]["make_table_op"]["inputs"][1]["default"] == shown
    assert installation.python(*LIST).returncode == 0


def test_an_image_that_is_no_text_is_shown_as_text(released: Installation) -> None:
    file = released.package / "yaml/make_table.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(f"image: {EXACT_PIN}", "image: 2020-01-01"), encoding="utf-8")
    assert " 2020-01-01 " in released.python(*LIST).stdout
    value = json.loads(released.python(*LIST, "--json").stdout)
    assert value["components"]["make_table_op"]["images"] == ["2020-01-01"]


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_it_ends_quietly_where_its_reader_has_seen_enough(released: Installation, options: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, *LIST, *options],
        cwd=released.folder,
        env={**os.environ, "PYTHONPATH": str(released.folder)},
        check=False,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


def test_where_its_output_has_no_room_that_is_one_line(released: Installation) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, *LIST],
            cwd=released.folder,
            env={**os.environ, "PYTHONPATH": str(released.folder)},
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    told = "kubeflow_demo_components: its output cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, told)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("pins.json", "{", "pins.json of this installation is damaged"),
        ("pins.json", '{"schema": 1, "images": {"demo": {}}}', "KeyError('pin')): install the package anew"),
        ("pins.json", '{"schema": 1, "version": "1", "commit": "", "images": {}}', "KeyError('components')): install"),
        (
            "pins.json",
            '{"schema": 1, "distribution": "a", "version": "1", "commit": "", "images": {}, "components": {"a": 5}}',
            "pins.json of this installation is damaged (TypeError",
        ),
        ("yaml/multiply.yaml", "implementation: 3", "the definition of multiply_op is no component YAML"),
        ("yaml/multiply.yaml", "a: [", "the definition of multiply_op is no component YAML"),
        ("yaml/multiply.yaml", "", "the definition of multiply_op is no component YAML"),
    ],
)
def test_damaged_files_are_named(released: Installation, file: str, content: str, message: str) -> None:
    (released.package / file).write_text(content, encoding="utf-8")
    done = released.python(*LIST)
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_the_version_is_that_of_the_installed_distribution(released: Installation) -> None:
    info = released.folder / "kubeflow_demo_components-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: kubeflow-demo-components\nVersion: 1.2\n", encoding="utf-8")
    done = released.python("-c", "import kubeflow_demo_components as k; print(k.__version__)")
    assert done.stdout == "1.2\n", done.stderr


@pytest.mark.parametrize(
    ("headers", "index"),
    [
        ("", "<your index>"),
        ("Project-URL: Documentation, https://docs.example/\n", "<your index>"),
        ("Project-URL: Index, https://other.example/simple/\n", "https://other.example/simple/"),
    ],
)
def test_the_index_of_a_released_version_is_the_one_that_the_package_names(
    tmp_path: Path, headers: str, index: str
) -> None:
    installation = install(tmp_path, TAG_PIN)
    info = tmp_path / "kubeflow_demo_components-1.2.dist-info"
    info.mkdir()
    text = f"Metadata-Version: 2.1\nName: kubeflow-demo-components\nVersion: 1.2\n{headers}"
    (info / "METADATA").write_text(text, encoding="utf-8")
    told = json.loads(installation.python(*LIST, "--json").stdout)
    assert f" --index-url {index} kubeflow-demo-components" in told["remedy"]


def test_the_index_that_the_package_names_is_the_configured_one() -> None:
    pyproject = (PROJECT / "pyproject.toml").read_bytes()
    urls = tomllib.loads(pyproject.decode())["project"]["urls"]
    index = Config.parse(pyproject, {}).require_index()
    assert isinstance(index, IndexUrls)
    assert urls[INDEX_LABEL] == index.simple_url
