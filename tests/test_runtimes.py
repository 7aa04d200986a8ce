"""The runtimes of several images, in a real registry behind the ECR stand-in."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from ecr_fixtures import LocalEcr, running_ecr
from test_runtime import BASE, QuickBuilder

from kfp_release.buildah import BuildRequest
from kfp_release.commands import options
from kfp_release.ecr import EcrRepository
from kfp_release.errors import Problems, ReleaseError
from kfp_release.git_files import CommittedFile
from kfp_release.image_ref import Repository
from kfp_release.kept_builds import KeptBuilds
from kfp_release.layout import Layout
from kfp_release.program import run_program
from kfp_release.progress import Progress, Silent
from kfp_release.runtime import RuntimeResult
from kfp_release.runtimes import JOBS, BuildOptions, ensure_runtimes, look_at_runtimes
from kfp_release.settings import ImageSettings

TOGETHER = 60


@dataclass
class Lines(Silent):
    """Progress that remembers its steps and notes."""

    steps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sendings: set[str] = field(default_factory=set)

    def step(self, text: str) -> None:
        self.steps.append(text)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def sent(self, what: str, done: int, total: int) -> None:
        assert done <= total
        self.sendings.add(what)


@dataclass
class Place:
    """Images of a project, each with a repository and a Dockerfile of its own, and the files of its commit."""

    ecr: LocalEcr
    images: list[ImageSettings]
    files: dict[str, bytes]
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def committed(self, paths: Sequence[str]) -> dict[str, CommittedFile]:
        self.asked.append(tuple(paths))
        return {path: CommittedFile(0o644, self.files[path]) for path in paths if path in self.files}

    def stores(self, repository: Repository) -> EcrRepository:
        return EcrRepository(self.ecr.client(), repository)

    def ensure(
        self, builder: QuickBuilder | KeptBuilds, progress: Progress | None = None, *, jobs: int = 4
    ) -> tuple[RuntimeResult, ...]:
        return ensure_runtimes(
            self.images,
            self.committed,
            stores=self.stores,
            builder=builder,
            progress=progress or Silent(),
            options=BuildOptions(create_repository=True, jobs=jobs),
        )

    def missing(self) -> list[str]:
        states = look_at_runtimes(self.images, self.committed, stores=self.stores)
        return [state.name for state in states if not state.is_whole]


@pytest.fixture(scope="module")
def ecr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEcr]:
    with running_ecr(tmp_path_factory.mktemp("ecr")) as running:
        yield running


@pytest.fixture
def place(ecr: LocalEcr, tmp_path: Path) -> Place:
    home = f"runtimes/{tmp_path.name.replace('_', '-').lower().strip('-')}"
    names = ("train", "serve", "tables")
    images = [
        ImageSettings(
            name,
            Repository.parse(f"example.com/{home}/{name}"),
            Repository.parse(f"example.com/{home}/{name}").at_host(ecr.registry.host),
            dockerfile=f"{name}.Dockerfile",
            build_args={"BASE": BASE},
        )
        for name in names
    ]
    return Place(
        ecr, images, {f"{name}.Dockerfile": f"ARG BASE\nFROM ${{BASE}}\n# {name}\n".encode() for name in names}
    )


@dataclass
class MeetingBuilder(QuickBuilder):
    """Builds only where as many are building at once."""

    together: threading.Barrier = field(default_factory=lambda: threading.Barrier(3))

    def build(self, request: BuildRequest, target: Path, *, progress: Progress) -> Layout:
        self.together.wait(TOGETHER)
        return super().build(request, target, progress=progress)


def test_runtimes_are_built_beside_each_other_and_told_in_the_order_of_the_images(place: Place) -> None:
    results = place.ensure(MeetingBuilder())
    assert [(result.name, result.how) for result in results] == [
        ("train", "built"),
        ("serve", "built"),
        ("tables", "built"),
    ]
    assert len({result.digest for result in results}) == 3


def test_no_more_are_built_at_a_time_than_was_asked_for(place: Place) -> None:
    lock, most = threading.Lock(), [0, 0]

    class Counting(QuickBuilder):
        def build(self, request: BuildRequest, target: Path, *, progress: Progress) -> Layout:
            with lock:
                most[0] += 1
                most[1] = max(most)
            layout = super().build(request, target, progress=progress)
            with lock:
                most[0] -= 1
            return layout

    place.ensure(Counting(), jobs=1)
    assert most == [0, 1]


def test_one_that_changed_is_built_and_of_the_others_no_layer_is_read_or_sent(place: Place) -> None:
    place.ensure(QuickBuilder())
    place.files["serve.Dockerfile"] += b"# 2\n"
    assert place.missing() == ["serve"]
    builder, progress = QuickBuilder(), Lines()
    results = place.ensure(builder, progress)
    assert {result.name: result.how for result in results} == {"train": "found", "serve": "built", "tables": "found"}
    assert [result.name for result in results if result.bytes_sent] == ["serve"]
    assert len(builder.requests) == 1
    assert {what.partition(":")[0] for what in progress.sendings} == {"serve"}
    assert place.missing() == []


def test_one_whose_sbom_is_missing_is_listed_and_gets_it_without_a_build(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("kfp_release.runtime.ensure_runtime_sbom", lambda *_, **__: 0)
        place.images = place.images[:2]
        place.ensure(QuickBuilder())
    assert place.missing() == ["train", "serve"]
    states = look_at_runtimes(place.images, place.committed, stores=place.stores)
    assert [(state.digest is None, state.has_sbom, state.to_json()["sbom"]) for state in states] == [
        (False, False, False)
    ] * 2
    builder = QuickBuilder()
    assert [result.how for result in place.ensure(builder)] == ["found", "found"]
    assert (builder.requests, place.missing()) == ([], [])


def test_each_file_is_read_from_the_commit_once(place: Place) -> None:
    place.ensure(QuickBuilder())
    assert [place.asked.count((image.dockerfile,)) for image in place.images] == [1, 1, 1]


def test_images_of_one_key_have_it_built_once_and_each_has_it_in_its_repository(place: Place, tmp_path: Path) -> None:
    place.images = [replace(image, dockerfile="train.Dockerfile") for image in place.images]
    builder = QuickBuilder()
    results = place.ensure(KeptBuilds(builder, tmp_path / "kept", keep=3))
    assert len(builder.requests) == 1
    assert len({(result.key, result.digest) for result in results}) == 1
    assert place.missing() == []


def test_images_of_one_key_and_one_repository_have_it_sent_once(place: Place) -> None:
    first = place.images[0]
    place.images = [first, replace(first, name="again")]
    builder = QuickBuilder()
    results = place.ensure(builder)
    assert [(result.name, result.how) for result in results] == [("train", "built"), ("again", "found")]
    assert (len(builder.requests), results[1].bytes_sent) == (1, 0)


def test_each_line_says_which_image_it_is_of(place: Place) -> None:
    progress = Lines()
    place.ensure(QuickBuilder(), progress)
    assert progress.steps == ["runtimes of 3 images"]
    for name in ("train", "serve", "tables"):
        lines = [note for note in progress.notes if note.startswith(f"{name}: ")]
        assert [line for line in lines if "which is new" in line]
        assert f"{name}: STEP 1/1: FROM base" in lines
    assert {note.partition(": ")[0] for note in progress.notes} == {"train", "serve", "tables"}


def test_a_single_image_has_its_steps_as_ever(place: Place) -> None:
    place.images, progress = place.images[:1], Lines()
    (result,) = place.ensure(QuickBuilder(), progress)
    tag = f"runtime-{result.key}"
    built = ["runtime of train", f"build {tag}, which is new", f"push {tag}"]
    assert progress.steps == [*built, f"read what is installed in {tag}"]


@dataclass
class FailingBuilder(QuickBuilder):
    """Fails for `broken`, once the others run a program that would take ten minutes."""

    broken: frozenset[str] = frozenset({"serve"})
    running: threading.Barrier = field(default_factory=lambda: threading.Barrier(3))
    left: list[str] = field(default_factory=list)

    def build(self, request: BuildRequest, target: Path, *, progress: Progress) -> Layout:  # noqa: ARG002
        name = request.dockerfile.decode().split()[-1]
        if name in self.broken:
            self.running.wait(TOGETHER)
            raise ReleaseError(f"{name} could not be built", remedy="mend it")
        command = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
        try:
            run_program(command, what=f"{name} failed", folder=target.parent, on_line=self.is_up)
        finally:
            self.left.append(name)
        raise AssertionError

    def is_up(self, _: str) -> None:
        self.running.wait(TOGETHER)


def test_one_that_fails_stops_the_others_and_is_named(place: Place) -> None:
    builder = FailingBuilder()
    with pytest.raises(Problems) as caught:
        place.ensure(builder)
    assert str(caught.value) == "serve: serve could not be built\n  → mend it"
    assert sorted(builder.left) == ["tables", "train"]
    assert place.missing() == ["train", "serve", "tables"]


def test_all_that_fail_are_told(place: Place) -> None:
    builder = FailingBuilder(broken=frozenset({"serve", "tables"}))
    with pytest.raises(Problems) as caught:
        place.ensure(builder)
    assert str(caught.value).splitlines() == [
        "serve: serve could not be built",
        "  → mend it",
        "tables: tables could not be built",
        "  → mend it",
    ]
    assert builder.left == ["train"]


def test_sources_that_give_no_key_are_all_told_before_anything_is_built(place: Place) -> None:
    place.files["train.Dockerfile"] = b"FROM python:3.12\n"
    del place.files["tables.Dockerfile"]
    builder = QuickBuilder()
    with pytest.raises(Problems) as caught:
        place.ensure(builder)
    tables, _, train, _ = str(caught.value).splitlines()
    assert tables.startswith("tables: image 'tables', tables.Dockerfile: there is no such file in the commit")
    assert train.startswith("train: the base image 'python:3.12' has no digest")
    assert builder.requests == []


def test_a_repository_that_is_not_there_has_no_runtime(place: Place) -> None:
    assert place.missing() == ["train", "serve", "tables"]


def test_a_program_of_a_thread_that_fails_is_its_own_error(place: Place) -> None:
    class Broken(QuickBuilder):
        def build(self, request: BuildRequest, target: Path, *, progress: Progress) -> Layout:  # noqa: ARG002
            run_program(["false"], what="the runtime could not be built", folder=target.parent, on_line=print)
            raise AssertionError

    place.images = place.images[:2]
    with pytest.raises(Problems, match=r"(train|serve): the runtime could not be built: false ended with exit code 1"):
        place.ensure(Broken())


def test_the_option_and_the_library_build_as_many_at_a_time() -> None:
    assert options.JOBS == JOBS == BuildOptions().jobs
