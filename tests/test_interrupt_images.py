"""A release of two images that is stopped while both runtimes are built: by a signal, and by one that fails."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from conftest import SMALL_DOCKERFILE, commit_all, kfp_release, run_git
from processes import command_line, descendants, marked, still_running
from relay import Relay
from test_interrupt import Workplace
from test_two_images import two_images

from kfp_release.sandbox import Sandbox


def both_build(pid: int) -> bool:
    return sum(command_line(one.pid).startswith("sleep 600") for one in descendants(pid)) == 2


@pytest.fixture(scope="module")
def place(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """Two runtimes that nobody has built before, of which each takes ten minutes, or fails in the first line."""
    folder = tmp_path_factory.mktemp("interrupt")
    repository = two_images(folder / "project")
    for name in ("Dockerfile", "runtimes/tables.Dockerfile"):
        wait = f"RUN --mount=type=secret,id=delay : {uuid.uuid4()} && sleep $(cat /run/secrets/delay)\n"
        (repository / name).write_text(SMALL_DOCKERFILE.replace("USER", f"{wait}USER"))
    commit_all(repository, "Runtimes that can wait")
    run_git(repository, "tag", "v1.0")
    (folder / "tmp").mkdir()
    with ExitStack() as stack:
        environ = sandbox.environ
        ecr = stack.enter_context(Relay(environ["AWS_ENDPOINT_URL_ECR"]).running())
        index = stack.enter_context(Relay(environ["TWINE_REPOSITORY_URL"]).running())
        place = Workplace(repository, sandbox, ecr, index, folder / "tmp")
        place.delay.write_text("600")
        yield place


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_both_builds_and_leaves_nothing(place: Workplace, number: signal.Signals) -> None:
    place.cut(number.name, both_build, number)
    cut = place.cuts[number.name]
    assert cut.code == (130 if number is signal.SIGINT else 143), cut.stderr
    assert (cut.running, cut.scratch, cut.beside_dist, cut.changed) == ([], [], [], False)
    assert "Traceback" not in cut.stderr
    assert "error" not in cut.stderr.lower()
    assert not any(tag.startswith("runtime-") for tag in cut.tags)


def test_a_build_that_fails_ends_the_other_and_is_told_with_its_image(place: Workplace) -> None:
    tables = place.repository / "runtimes/tables.Dockerfile"
    broken = SMALL_DOCKERFILE.replace("USER", f"RUN : {uuid.uuid4()} && sleep 10 && false\nUSER")
    tables.write_text(broken)
    commit_all(place.repository, "A runtime that cannot be built")
    done = kfp_release(["runtime", *place.command[2:]], cwd=place.repository, environ=place.environ)
    assert done.returncode == 1
    assert "error: tables: the runtime could not be built: buildah ended with exit code 1" in done.stderr
    assert "Traceback" not in done.stderr
    assert [line for line in done.stderr.splitlines() if line.strip().startswith("demo: build runtime-")]
    assert still_running(marked(str(place.scratch))) == []
    assert list(place.scratch.iterdir()) == []
