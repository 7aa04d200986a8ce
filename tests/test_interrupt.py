"""A release that is cut off, again and again and each time elsewhere, and then completed by the same command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT, SMALL_DOCKERFILE, commit_all, kfp_release, run_git
from processes import alive, command_line, descendants, marked, mounts_below, still_running
from relay import Call, Relay
from test_engine import needs_root
from test_refusals import _images, _state
from test_release import small_project

from kfp_release.sandbox import Sandbox

RELEASE = ["release", "v1.0", "--create-repository", "--json"]
PATIENCE = 400
"""Seconds until a program that hangs is killed, and the test has failed. A demo may have a runtime to build first."""


@dataclass(frozen=True)
class Cut:
    """What a run that was cut off left."""

    code: int
    stderr: str
    running: list[str]
    scratch: list[str]
    beside_dist: list[Path]
    changed: bool
    """Whether the checkout is another than before."""
    tags: set[str]
    """Of images that ECR has."""
    packages: list[str]


@dataclass
class Workplace:
    """A repository at v1.0 whose runtime takes as long to build as `delay` says, and relays to ECR and the index."""

    repository: Path
    sandbox: Sandbox
    ecr: Relay
    index: Relay
    scratch: Path
    cuts: dict[str, Cut] = field(default_factory=dict)

    @property
    def delay(self) -> Path:
        return self.repository.with_name("delay")

    @property
    def environ(self) -> dict[str, str]:
        urls = {"AWS_ENDPOINT_URL_ECR": self.ecr.url, "TWINE_REPOSITORY_URL": self.index.url}
        cache = self.repository.with_name("cache")
        return {**self.sandbox.environ, **urls, "TMPDIR": str(self.scratch), "XDG_CACHE_HOME": str(cache)}

    @property
    def command(self) -> list[str]:
        return [*RELEASE, f"--secret=id=delay,src={self.delay}"]

    def images(self) -> dict[str, str]:
        """Digests by tag."""
        return {tag: image["imageDigest"] for image in _images(self.sandbox) for tag in image.get("imageTags", ())}

    def packages(self) -> list[str]:
        return sorted(path.name for path in self.sandbox.packages.iterdir())

    def cut(self, name: str, there: Callable[[int], bool], number: signal.Signals) -> None:
        """Run the command until it is `there`, then send the signal: SIGINT to the whole group, as a terminal does."""
        before = _state(self.repository)
        log = self.repository.with_name(f"{name}.log")
        with log.open("w") as stderr:
            child = subprocess.Popen(
                [sys.executable, "-m", "kfp_release", *self.command],
                cwd=self.repository,
                env={**os.environ, **self.environ},
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
        try:
            wait(child, there, log)
            started = descendants(child.pid)
            (os.killpg if number is signal.SIGINT else os.kill)(child.pid, number)
            code = child.wait(PATIENCE)
        finally:
            child.kill()
            child.wait()
        self.cuts[name] = Cut(
            code=code,
            stderr=log.read_text(),
            running=still_running(started | marked(str(self.scratch))),
            scratch=sorted(path.name for path in self.scratch.iterdir()),
            beside_dist=list(self.repository.glob(".dist*")),
            changed=_state(self.repository) != before,
            tags=set(self.images()),
            packages=self.packages(),
        )


def wait(child: subprocess.Popen[Any], there: Callable[[int], bool], log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not there(child.pid):
        assert child.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.02)


def runs(words: str) -> Callable[[int], bool]:
    """Whether something that a process started has `words` in its command line."""
    return lambda pid: any(words in command_line(one.pid) for one in descendants(pid))


class Held:
    """Requests to a relay that are `wanted` come to it and go no further."""

    def __init__(self, relay: Relay, wanted: Callable[[Call], bool]) -> None:
        self._come, self._go = threading.Event(), threading.Event()
        self._relay, self._wanted = relay, wanted

    def __enter__(self) -> Callable[[int], bool]:
        self._relay.before = self._hold
        return lambda _: self._come.is_set()

    def __exit__(self, *_: object) -> None:
        self._relay.before = None
        self._go.set()

    def _hold(self, call: Call) -> None:
        if self._wanted(call):
            self._come.set()
            self._go.wait(PATIENCE)
            raise ConnectionAbortedError


def is_layer_part(call: Call) -> bool:
    return call.target == "UploadLayerPart"


def is_wheel(call: Call) -> bool:
    return b'.whl"' in call.body[:20_000]


@pytest.fixture(scope="module")
def place(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """One release, cut off at each of its long steps; nothing of it was completed in between."""
    folder = tmp_path_factory.mktemp("interrupt")
    repository = small_project(folder / "project")
    # A runtime that nobody has built before, on this machine either.
    slow = f"RUN --mount=type=secret,id=delay : {uuid.uuid4()} && sleep $(cat /run/secrets/delay)\n"
    text = SMALL_DOCKERFILE.replace("USER", f"{slow}USER")
    (repository / "Dockerfile").write_text(text)
    commit_all(repository, "A runtime that can wait")
    run_git(repository, "tag", "v1.0")
    (folder / "tmp").mkdir()
    with ExitStack() as stack:
        environ = sandbox.environ
        ecr = stack.enter_context(Relay(environ["AWS_ENDPOINT_URL_ECR"]).running())
        index = stack.enter_context(Relay(environ["TWINE_REPOSITORY_URL"]).running())
        place = Workplace(repository, sandbox, ecr, index, folder / "tmp")
        place.delay.write_text("600")
        place.cut("runtime build, SIGINT", runs("sleep 600"), signal.SIGINT)
        place.cut("runtime build, SIGTERM", runs("sleep 600"), signal.SIGTERM)
        place.delay.write_text("0")
        with Held(ecr, is_layer_part) as there:
            place.cut("runtime push, SIGINT", there, signal.SIGINT)
        with Held(ecr, is_layer_part) as there:
            place.cut("runtime push, SIGTERM", there, signal.SIGTERM)
        # Packages are built while runtimes are looked at: what comes now is cut off when that has ended.
        made = kfp_release(["runtime", f"--secret=id=delay,src={place.delay}"], cwd=repository, environ=place.environ)
        assert made.returncode == 0, made.stderr
        place.cut("package build, SIGINT", runs("_in_process.py build_wheel"), signal.SIGINT)
        place.cut("package build, SIGTERM", runs("_in_process.py build_wheel"), signal.SIGTERM)
        with Held(ecr, is_layer_part) as there:
            place.cut("layer push, SIGTERM", there, signal.SIGTERM)
        with Held(index, is_wheel) as there:
            place.cut("wheel upload, SIGKILL", there, signal.SIGKILL)
        yield place


SIGNALLED = [
    "runtime build, SIGINT",
    "runtime build, SIGTERM",
    "runtime push, SIGINT",
    "runtime push, SIGTERM",
    "package build, SIGINT",
    "package build, SIGTERM",
    "layer push, SIGTERM",
]


@pytest.mark.parametrize("name", SIGNALLED)
def test_a_signal_ends_it_with_one_line_and_all_that_it_started(place: Workplace, name: str) -> None:
    cut = place.cuts[name]
    assert cut.code == (130 if name.endswith("SIGINT") else 143), cut.stderr
    assert cut.running == []
    assert "Traceback" not in cut.stderr
    assert "error" not in cut.stderr.lower()


@pytest.mark.parametrize("name", SIGNALLED)
def test_a_signal_leaves_nothing_lying_about(place: Workplace, name: str) -> None:
    cut = place.cuts[name]
    assert cut.scratch == []
    assert cut.beside_dist == []
    assert not cut.changed


@pytest.mark.parametrize("name", SIGNALLED)
def test_nothing_is_public_before_it_is_whole(place: Workplace, name: str) -> None:
    cut = place.cuts[name]
    assert "1.0" not in cut.tags
    assert bool(cut.tags) == (not name.startswith("runtime"))
    assert cut.packages == []


def test_the_same_command_completes_what_was_killed_between_image_and_wheel(place: Workplace) -> None:
    killed = place.cuts["wheel upload, SIGKILL"]
    assert (killed.code, killed.running, killed.changed) == (-signal.SIGKILL, [], False)
    assert "1.0" in killed.tags
    assert [name.rpartition(".")[2] for name in killed.packages] == ["gz"]
    digest = place.images()["1.0"]
    done = kfp_release(place.command, cwd=place.repository, environ=place.environ)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["images"]["demo"].endswith(f":1.0@{digest}")
    assert place.images()["1.0"] == digest
    assert [outcome["state"] for outcome in result["outcomes"]] == ["already there"] * 4 + ["sent"]
    assert [runtime["how"] for runtime in result["runtimes"]] == ["found"]
    assert [name.rpartition(".")[2] for name in place.packages()] == ["whl", "gz"]


def test_ctrl_c_before_the_program_has_begun_is_no_traceback(tmp_path: Path) -> None:
    # The first library that it loads, and the moment in which it does.
    (tmp_path / "click.py").write_text("import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n")
    done = subprocess.run(
        [sys.executable, "-m", "kfp_release", "--help"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "stopped\n")


@pytest.fixture
def shallow_tmp() -> Iterator[Path]:
    """A folder for TMPDIR that is near the root: an engine's sockets are below it."""
    with tempfile.TemporaryDirectory(prefix="cut-") as folder:
        yield Path(folder)


@needs_root
@pytest.mark.usefixtures("engines_turn")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_stopped_leaves_nothing_running(
    number: signal.Signals, shallow_tmp: Path, tmp_path: Path
) -> None:
    # No engine answers there, so that it starts one of its own.
    environ = {**os.environ, "TMPDIR": str(shallow_tmp), "DOCKER_HOST": f"unix://{tmp_path}/none"}
    log = tmp_path / "log"
    with log.open("w") as output:
        child = subprocess.Popen(
            [sys.executable, "examples/demo.py", tmp_path / "out"],
            cwd=PROJECT,
            env=environ,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait(child, runs("_in_process.py build_wheel"), log)
        started = descendants(child.pid)
        assert any("dockerd" in line for line in alive(started))
        (os.killpg if number is signal.SIGINT else os.kill)(child.pid, number)
        code = child.wait(PATIENCE)
    finally:
        child.kill()
        child.wait()
    assert code == (130 if number is signal.SIGINT else 143), log.read_text()
    assert still_running(started | marked(str(shallow_tmp))) == []
    assert list(shallow_tmp.iterdir()) == []
    assert mounts_below(shallow_tmp) == []
    assert "Traceback" not in log.read_text()
