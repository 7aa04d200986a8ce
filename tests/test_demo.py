"""The demo, as `make demo` runs it, beside a Docker engine that was there before."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browsing import axe_script, launched, violations, watched
from conftest import PROJECT
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from processes import Running, containers, descendants, marked, mounts_below, still_running
from test_engine import needs_root

from kfp_release.progress import Silent
from kfp_release.sandbox.engine import Engine

pytestmark = [needs_root, pytest.mark.usefixtures("engines_turn")]
VERSIONS = ("1.0", "1.1")
IMAGES = ("demo", "training")


@dataclass(frozen=True)
class Ran:
    """What a run of the demo left."""

    output: Path
    stdout: str
    stderr: str
    running: list[str]
    """What it started and did not end."""
    scratch: list[Path]
    mounts: list[str]
    new_containers: set[str]

    def record(self, version: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self.output / version / "release.json").read_bytes())
        return value

    def pin(self, version: str, image: str = "demo") -> str:
        pin: str = self.record(version)["images"][image]["pin"]
        return pin

    def row(self, name: str) -> list[str]:
        """The cells of a row of the table at the end."""
        cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in self.stdout.splitlines()]
        (found,) = [line[1:] for line in cells if line and line[0] == name]
        return found


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine of somebody else, with a container that runs."""
    engine = Engine(tmp_path_factory.mktemp("engine"), environ={"DOCKER_HOST": "unix:///none"}, progress=Silent())
    engine.start()
    try:
        docker = [str(engine.client), "--host", engine.host]
        subprocess.run([*docker, "import", "-", "sleep:1"], input=image_of_sleep(), check=True, capture_output=True)
        command = [*docker, "run", "--detach", "--network=none", "sleep:1", "/bin/sleep", "3000"]
        container = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        yield engine
        subprocess.run([*docker, "rm", "--force", container], check=True, capture_output=True)
    finally:
        engine.stop()


def image_of_sleep() -> bytes:
    """A root file system with one program and the libraries that it needs."""
    libraries = [word for word in subprocess.check_output(["ldd", "/bin/sleep"], text=True).split() if word[0] == "/"]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", dereference=True) as archive:
        for name in ("/bin/sleep", *libraries):
            archive.add(name)
    return buffer.getvalue()


class Seen:
    """All that a process starts while it runs."""

    def __init__(self, pid: int) -> None:
        self.processes: set[Running] = set()
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> set[Running]:
        self._thread.start()
        return self.processes

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.2):
            self.processes.update(descendants(self._pid))


@pytest.fixture(scope="module")
def ran(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    output = tmp_path_factory.mktemp("demo") / "out"
    (output / "1.0").mkdir(parents=True)
    (output / "1.0/of-an-earlier-run.whl").write_text("")
    before = set(containers(engine.client, engine.host))
    with tempfile.TemporaryDirectory(prefix="demo-") as scratch:
        child = subprocess.Popen(
            [sys.executable, "examples/demo.py", output],
            cwd=PROJECT,
            env={**os.environ, "DOCKER_HOST": engine.host, "TMPDIR": scratch},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            with Seen(child.pid) as started:
                stdout, stderr = child.communicate(timeout=500)
        finally:
            child.kill()
            child.wait()
        assert child.returncode == 0, stderr
        yield Ran(
            output=output,
            stdout=stdout,
            stderr=stderr,
            running=still_running(started | marked(scratch)),
            scratch=list(Path(scratch).iterdir()),
            mounts=mounts_below(scratch),
            new_containers=set(containers(engine.client, engine.host)) - before,
        )


@pytest.mark.parametrize("version", VERSIONS)
def test_it_leaves_each_versions_files_and_none_of_an_earlier_run(ran: Ran, version: str) -> None:
    promised = {item["filename"]: item["sha256"] for item in ran.record(version)["distributions"]}
    folder = ran.output / version
    names = {path.name for path in folder.iterdir() if path.suffix != ".log"}
    last = {"training.yaml", "report.html", "pipeline-production.yaml"}
    trained = last if version == VERSIONS[-1] else set()
    evidence = {"release.json", "provenance.intoto.jsonl", *(f"{image}.cdx.json" for image in IMAGES)}
    assert names == {*promised, *trained, *evidence, "pipeline.yaml"}
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in promised} == promised
    name = f"kubeflow_demo_components-{version}"
    assert {f"{name}-py3-none-any.whl", f"{name}.tar.gz"} <= promised.keys()


PIPELINES = [("1.0", "pipeline", "demo"), ("1.1", "pipeline", "demo"), ("1.1", "training", "training")]


@pytest.mark.parametrize(("version", "pipeline", "image"), PIPELINES)
def test_each_pipeline_names_its_image_of_its_version_alone(ran: Ran, version: str, pipeline: str, image: str) -> None:
    assert ran.pin("1.0", image) != ran.pin("1.1", image)
    compiled = (ran.output / version / f"{pipeline}.yaml").read_text()
    assert f"/{image}:{version}@sha256:" in ran.pin(version, image)
    assert compiled.count("@sha256:") == compiled.count(ran.pin(version, image)) > 0


def test_a_catalog_of_both_versions_is_written_and_named_at_the_end(ran: Ran) -> None:
    site = ran.output / "site"
    assert {path.stem for path in (site / "versions").iterdir()} == set(VERSIONS)
    assert (site / "components/multiply_op.html").is_file()
    assert f"open{site / 'index.html'}" in "".join(ran.stdout.split())


PAGES = ("index", "over-time", "components/multiply_op", "versions/1.0", "versions/1.1")
"""One of each kind, and both versions."""


def test_a_browser_opens_the_catalog_without_an_error_and_axe_finds_no_barrier(ran: Ran) -> None:
    axe = axe_script()
    with launched() as browser, watched(browser, reduced_motion="reduce") as context:
        page = context.new_page()
        for path in PAGES:
            page.goto((ran.output / "site" / f"{path}.html").as_uri())
            assert page.locator("h1").inner_text()
            page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
            page.evaluate(axe)
            for colours in ("light", "dark"):
                page.emulate_media(color_scheme=colours)
                assert violations(page) == [], (path, colours)
        page.goto((ran.output / "site/index.html").as_uri())
        page.locator("#find").fill("multiply")
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
        page.wait_for_url("**/components/multiply_op.html")
        assert "kfp" in page.locator(".python code").inner_text()


def test_the_model_has_its_score_and_the_report_shows_it(ran: Ran) -> None:
    before, score = ran.row("training: score")
    assert before == ""
    assert float(score) == pytest.approx(140 / 143, abs=0.01)
    assert score in (ran.output / VERSIONS[-1] / "report.html").read_text(encoding="utf-8")


def test_the_same_pipeline_runs_on_a_mirror_from_the_same_bytes(ran: Ran) -> None:
    here, there = (ran.output / VERSIONS[-1] / f"pipeline{end}.yaml" for end in ("", "-production"))
    (image,) = set(re.findall(r"image: (\S+)", there.read_text(encoding="utf-8")))
    assert image == ran.pin("1.1").replace("/data-science-kubeflow/", "/production/data-science-kubeflow/")
    assert there.read_text(encoding="utf-8").replace("/production/", "/") == here.read_text(encoding="utf-8")
    assert ran.row("from there: 2 * 3") == ["", "600.0"]
    copied = int(ran.row("bytes to the mirror")[1].replace(",", ""))
    assert copied > int(ran.row("bytes pushed")[0].replace(",", "")) * 0.9


def test_it_ends_with_a_table_of_both_versions(ran: Ran) -> None:
    assert ran.row("") == list(VERSIONS)
    assert ran.row("pipeline: 2 * 3") == ["6.0", "600.0"]
    assert ran.row("commit") == [ran.record(version)["commit"][:12] for version in VERSIONS]
    assert ran.row("wheel") == [f"kubeflow_demo_components-{version}-py3-none-any.whl" for version in VERSIONS]
    for image in IMAGES:
        for version, cell in zip(VERSIONS, ran.row(f"image {image}"), strict=True):
            assert ran.pin(version, image).partition("@")[2].startswith(cell.partition("…")[0])
    for version, cell in zip(VERSIONS, ran.row("signed, and verified"), strict=True):
        envelope = json.loads((ran.output / version / "provenance.intoto.jsonl").read_bytes())
        assert cell == f"by {envelope['signatures'][0]['keyid'][:12]}…"
    for version, cell in zip(VERSIONS, ran.row("sha256"), strict=True):
        wheel = next((ran.output / version).glob("kubeflow_demo_components-*.whl"))
        assert hashlib.sha256(wheel.read_bytes()).hexdigest().startswith(cell.removesuffix("…"))
    assert len(ran.row("seconds")) == len(VERSIONS)


def test_the_sboms_list_what_dpkg_and_pip_in_the_images_do(ran: Ran) -> None:
    """Which the demo itself compares."""
    assert "hold what dpkg and pip in the last one's images list against their SBOMs" in ran.stderr
    counts = dict(cell.split() for cell in ran.row("SBOM: components")[1].split(", "))
    for image in IMAGES:
        value = json.loads((ran.output / "1.1" / f"{image}.cdx.json").read_bytes())
        assert len(value["components"]) == int(counts[image])
        assert value["metadata"]["component"]["purl"].startswith(f"pkg:oci/{image}@{ran.pin('1.1', image)[-71:]}?")
    names = {one["name"] for one in value["components"]}
    assert {"base-files", "scikit-learn", "kubeflow-demo-components"} <= names


@pytest.mark.parametrize("version", VERSIONS)
def test_every_sbom_is_valid_and_that_of_the_wheel_names_the_images(ran: Ran, version: str) -> None:
    folder = ran.output / version
    with zipfile.ZipFile(next(folder.glob("kubeflow_demo_components-*.whl"))) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".cdx.json"))
        of_wheel = wheel.read(name).decode()
    texts = {image: (folder / f"{image}.cdx.json").read_text(encoding="utf-8") for image in IMAGES}
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    for text in (*texts.values(), of_wheel):
        assert validator.validate_str(text) is None
    for image in IMAGES:
        assert ran.pin(version, image).partition("@")[2] in of_wheel.replace("%3A", ":")


def test_the_second_release_built_no_runtime_and_pushed_kilobytes(ran: Ran) -> None:
    for image in IMAGES:
        assert [cell.rpartition(" ")[2] for cell in ran.row(f"image {image}")] == ["built", "found"]
    first, second = (int(cell.replace(",", "")) for cell in ran.row("bytes pushed"))
    assert 0 < second <= 192 * 1024 < first


def test_progress_goes_to_stderr_and_no_password_with_it(ran: Ran) -> None:
    assert "release v1.0" in ran.stderr
    assert "Traceback" not in ran.stderr
    for secret in ("PASSWORD=", "SECRET_ACCESS_KEY=", "://sandbox:"):
        assert secret not in ran.stdout + ran.stderr


def test_nothing_that_it_started_runs_on(ran: Ran) -> None:
    assert ran.running == []
    assert ran.scratch == []
    assert ran.mounts == []
    assert ran.new_containers == set()


def test_the_engine_that_ran_before_runs_on_with_its_container(ran: Ran, engine: Engine) -> None:
    assert f"the Docker engine at {engine.host} is used" in ran.stderr
    running = [str(engine.client), "--host", engine.host, "ps", "--format={{.Image}}"]
    assert subprocess.check_output(running, text=True).split() == ["sleep:1"]
