"""How the bench measures: children, what arrives, the two sides, and what the rows say of that."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from bench import PROJECT
from bench.child import BenchError, Ran, run_child
from bench.docker import Docker
from bench.ending import ending
from bench.mounts import mounts_below
from bench.registry import Registry
from bench.rows import first as first_row
from bench.rows import pin as pin_row
from bench.rows import rerun as rerun_row
from bench.runner import Runner
from bench.side import Side
from bench.stage import Stage
from chaos.alarm import Overdue, alarm

from kfp_release.progress import Silent
from kfp_release.sandbox import Sandbox

SCRIPT = PROJECT / "bench/baseline.sh"


def ended(code: int, *, errors: str = "", stdout: str = "") -> Ran:
    return Ran(1.0, 1.0, stdout, code, errors)


def test_the_ending_of_a_script_is_what_it_printed() -> None:
    errors = "step: pin\nan error that was none\nstep: twine upload\n"
    stdout = "Uploading\n\x1b[31mERROR   \x1b[0m HTTPError: 409 Conflict from `here`  \n         Conflict     \nlast\n"
    assert ending(ended(1, errors=errors, stdout=stdout)) == (
        "ended with exit code 1 in its step \"twine upload\": `ERROR HTTPError: 409 Conflict from 'here' Conflict`"
        "; it stopped before its own verification, so its time has none"
    )
    assert ending(ended(2, errors="step: verify\nerror: no such tag\n")) == (
        'ended with exit code 2 in its step "verify": `error: no such tag`'
    )
    early = "step: build\ncopying errors.py\nstep: twine upload\nkilled\n"
    assert ending(ended(1, errors=errors, stdout=early)).startswith(
        'ended with exit code 1 in its step "twine upload"; it stopped'
    )
    assert ending(ended(0, errors="step: verify\nerror: none\n")) == ""


def test_the_steps_of_the_ending_are_the_scripts_own() -> None:
    text = SCRIPT.read_text()
    assert 'step() { echo "step: $1"; echo "step: $1" >&2; }' in text
    assert re.findall(r'^step "(.+)"$', text, re.MULTILINE)[-2:] == ["twine upload", "verify"]


def test_what_a_child_says_on_stderr_is_its_own_and_not_what_the_log_had(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    command = ["bash", "-c", "echo why >&2"]
    assert run_child(command, environ={"PATH": "/usr/bin:/bin"}, folder=tmp_path, log=log).errors == "why\n"
    assert log.read_text() == "before\nwhy\n"


class Copies(Side):
    """It releases by putting a blob and a manifest into each of its repositories but the last."""

    def start(self, clone: Path, *, environ: Mapping[str, str], ends: int) -> Ran:
        _ = clone, environ
        for image in self.images[:-1]:
            put(self.registry, image, "_layers", "aa11", 5)
            put(self.registry, image, "_layers", "cc33", 2)
            put(self.registry, image, "_manifests/revisions", "bb22", 7)
        return ended(ends)

    def mounted(self, ran: Ran) -> set[str]:
        _ = ran
        return {"cc33"}


def test_what_arrived_in_all_of_a_sides_repositories_is_counted(tmp_path: Path) -> None:
    (tmp_path / "index/packages").mkdir(parents=True)
    side = Copies(tmp_path / "side", image="team/many", registry=Registry(tmp_path), environ={})
    side.images = ("team/many/one", "team/many/two", "team/many/three")
    released = side.release(tmp_path)
    assert (released.layers, released.registry, released.linked, released.repositories) == (10, 24, 4, 2)


def test_both_sides_begin_with_one_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = stage_of(tmp_path, monkeypatch).make_sides()
    base = made.baseline.runner.environ["BASE"]
    assert made.ours.runner.environ["KFP_RELEASE_BUILD_ARG_BASE"] == base == "registry.example.com/base@sha256:1"


def stage_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """One whose base is made by nobody."""
    sandbox = Sandbox(folder / "sandbox")
    monkeypatch.setattr(Sandbox, "pip_index_url", "https://index.example.com/")
    monkeypatch.setattr(Stage, "base", SimpleNamespace(ref="registry.example.com/base@sha256:1"))
    docker = Docker(folder / "docker", environ={}, registry="registry.example.com", progress=Silent())
    return Stage(folder, sandbox, docker, Silent(), 1)


def test_pinning_is_measured_alone_and_as_a_process_beside_sed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pin_row, "_MANY", 20)
    monkeypatch.setattr(pin_row, "_FEW", 10)
    found = pin_row.run(stage_of(tmp_path, monkeypatch))
    assert found["pin.thousand"].baseline == ()
    whole = found["pin.process"]
    assert min(*whole.ours, *whole.baseline) > 0
    assert whole.ours[0] > found["pin.thousand"].ours[0], "the process has its start, its imports and its writing, too"
    assert whole.note == "an image: line inside a description is changed too by sed"


def test_a_child_that_fails_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    command = ["bash", "-c", "echo why >&2; exit 3"]
    with pytest.raises(BenchError, match=r"ended with 3, not 0:\nwhy"):
        run_child(command, environ={"PATH": "/usr/bin:/bin"}, folder=tmp_path, log=tmp_path / "log")
    ran = run_child(command, environ={"PATH": "/usr/bin:/bin"}, folder=tmp_path, ends=-1)
    assert ran.code == 3


def test_what_has_arrived_in_the_registry(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    before = registry.contents("team/demo")
    for kind, digest, size in (("_layers", "aa11", 5), ("_manifests/revisions", "bb22", 7)):
        put(registry, "team/demo", kind, digest, size)
    new = registry.contents("team/demo").since(before)
    assert (new.blobs, new.manifests) == ({"aa11": 5}, {"bb22": 7})
    registry.forget("team/demo")
    assert registry.contents("team/demo").blobs == {}
    assert not (storage(registry) / "blobs/sha256/aa/aa11").exists()


def storage(registry: Registry) -> Path:
    return registry.sandbox / "registry/storage/docker/registry/v2"


def put(registry: Registry, repository: str, kind: str, digest: str, size: int) -> None:
    """As the registry itself keeps a blob or a manifest."""
    link = storage(registry) / "repositories" / repository / kind / "sha256" / digest / "link"
    link.parent.mkdir(parents=True)
    link.write_text(f"sha256:{digest}")
    data = storage(registry) / "blobs/sha256" / digest[:2] / digest / "data"
    data.parent.mkdir(parents=True, exist_ok=True)
    data.write_bytes(b"x" * size)


def test_a_child_that_is_interrupted_is_stopped_with_all_that_it_started(tmp_path: Path) -> None:
    started = tmp_path / "started"
    command = ["bash", "-c", 'sleep 600 & echo "$!" > started; wait']
    with pytest.raises(Overdue), alarm(2):
        run_child(command, environ=dict(os.environ), folder=tmp_path)
    status = Path("/proc", started.read_text().strip(), "stat")
    end = time.monotonic() + 30
    while alive(status) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(status)


def alive(status: Path) -> bool:
    try:
        return ") Z " not in status.read_text()
    except OSError:
        return False


def test_mounts_are_found_below_a_folder_the_deepest_first() -> None:
    mounts = (
        "/dev/a / ext4 rw 0 0\n/dev/a /srv/one/b ext4 rw 0 0\nnone /srv/one/b/c tmpfs rw 0 0\n/dev/a /srv/ones x 0 0\n"
    )
    assert mounts_below(Path("/srv/one"), mounts) == [Path("/srv/one/b/c"), Path("/srv/one/b")]


class Ending(Side):
    """It releases nothing, and ends as the script does on an index that has its files, or well."""

    def start(self, clone: Path, *, environ: Mapping[str, str], ends: int) -> Ran:
        _ = clone, environ
        return ended(-ends, errors="step: twine upload\nHTTPError: a reason\n")


def test_the_remark_on_the_rerun_is_what_the_script_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = stage_of(tmp_path, monkeypatch)
    (tmp_path / "sandbox/index/packages").mkdir(parents=True)
    monkeypatch.setattr(Side, "tag", lambda side: side.versions.insert(0, "1.0") or "1.0")
    monkeypatch.setattr(Runner, "clone", lambda *_: tmp_path)
    sides = [Ending(tmp_path / who, image=who, registry=stage.registry, environ={}) for who in ("ours", "script")]
    for side in sides:
        link = storage(side.registry) / "repositories" / side.image / "_manifests/tags/1.0/current/link"
        link.parent.mkdir(parents=True)
        link.write_text("sha256:aa11")
    monkeypatch.setattr(Stage, "sides", lambda _: SimpleNamespace(both=sides))
    assert rerun_row.run(stage)["rerun.seconds"].note == (
        'the script ended with exit code 1 in its step "twine upload": `HTTPError: a reason`'
        "; it stopped before its own verification, so its time has none"
    )


def test_what_the_registry_linked_is_told_of_a_first_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = stage_of(tmp_path, monkeypatch)
    (tmp_path / "sandbox/index/packages").mkdir(parents=True)
    monkeypatch.setattr(Side, "release_next", lambda side: side.release(tmp_path))
    sides = [
        kind(tmp_path / kind.__name__, image="team/demo", registry=stage.registry, environ={})
        for kind in (Ending, Copies)
    ]
    sides[1].images = ("team/demo/one", "team/demo/two")
    monkeypatch.setattr(Stage, "make_sides", lambda _: SimpleNamespace(both=sides))
    assert first_row.run(stage)["first.bytes"].note == (
        "2 bytes of the script's image are linked from another repository and not uploaded"
    )
