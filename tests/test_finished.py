"""A release is finished where dist/ is this commit's and all of it is public; anything less is built anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from archives import NAME, wheel_packed_anew
from ecr_fixtures import LocalEcr
from publish_fixtures import COMMIT, KEY, MATERIALS, PROJECT, SDIST, VERSION, Place, place_at, record

from kfp_release.built import BuiltRelease, this_tool
from kfp_release.digest import Digest
from kfp_release.finished import earlier_build, is_public
from kfp_release.image import Image
from kfp_release.image_ref import Repository
from kfp_release.interpreter import Interpreter
from kfp_release.manifest import ImageConfig
from kfp_release.plan import Plan
from kfp_release.planned_image import PlannedImage
from kfp_release.record import ReleaseRecord
from kfp_release.source import Source
from kfp_release.version import ReleaseVersion

SOURCE = Source(VERSION, "v1.2", COMMIT, 1_800_000_000)
OTHER = Digest.of(b"other")


@pytest.fixture
def place(local: LocalEcr, tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    """One whose release is public."""
    made = place_at(local, tmp_path, request.node.name)
    rewrite(made, lambda old: replace(old, tools=this_tool()))
    (made.folder / "notes.md").write_text("Changed.\n", encoding="utf-8")
    made.publish()
    return made


def rewrite(place: Place, change: Callable[[ReleaseRecord], ReleaseRecord]) -> None:
    (place.folder / "release.json").write_bytes(change(record(place)).to_json())


def earlier(place: Place) -> BuiltRelease:
    found = earlier_build(place.folder, SOURCE)
    assert found is not None
    return found


def image_at(place: Place, tag: str) -> Image | None:
    manifest = place.store.find(tag)
    return Image(manifest, ImageConfig.parse(place.store.read_blob(manifest.config))) if manifest else None


def plan_of(place: Place) -> Plan:
    """What `plan` sees."""
    pinned = record(place).pins.images[0]
    image = PlannedImage(
        name=pinned.name,
        declared=pinned.declared,
        repository=pinned.repository,
        repository_exists=True,
        runtime_key=KEY,
        platform=pinned.platform,
        materials=MATERIALS,
        interpreter=Interpreter("/usr/bin/python3"),
        runtime=image_at(place, f"runtime-{KEY}"),
        existing=image_at(place, "1.2"),
    )
    files = {name: file.sha256 for name, file in place.index.files(PROJECT).items()}
    return Plan(SOURCE, PROJECT, (image,), {PROJECT: files}, ())


def with_image(plan: Plan, **changes: object) -> Plan:
    return replace(plan, images=(replace(plan.images[0], **changes),))  # type: ignore[arg-type]  # as a test has them


def test_what_is_public_as_it_lies_there_is_finished(place: Place) -> None:
    assert earlier(place).record == record(place)
    assert is_public(earlier(place), plan_of(place))


@pytest.mark.parametrize(
    "source",
    [
        replace(SOURCE, commit="d" * 40),
        replace(SOURCE, tag="v1.3"),
        replace(SOURCE, created=SOURCE.created + 1),
        replace(SOURCE, version=ReleaseVersion.parse("1.3")),
    ],
)
def test_a_build_of_something_else_is_not(place: Place, source: Source) -> None:
    assert earlier_build(place.folder, source) is None


@pytest.mark.parametrize("tool", ["kfp-release", "python"])
def test_a_build_of_another_tool_is_not(place: Place, tool: str) -> None:
    rewrite(place, lambda old: replace(old, tools={**old.tools, tool: "0.1"}))
    assert earlier_build(place.folder, SOURCE) is None


@pytest.mark.parametrize("name", [NAME, SDIST, "notes.md", "release.json"])
def test_a_build_that_lacks_a_file_is_not(place: Place, name: str) -> None:
    (place.folder / name).unlink()
    assert earlier_build(place.folder, SOURCE) is None


def test_a_build_that_has_changed_since_is_not(place: Place) -> None:
    path = place.folder / NAME
    path.write_bytes(wheel_packed_anew(path.read_bytes()))
    assert earlier_build(place.folder, SOURCE) is None


def test_what_would_now_be_made_otherwise_is_not_public(place: Place) -> None:
    built, plan = earlier(place), plan_of(place)
    image = plan.images[0]
    for changes in (
        {"runtime_key": "1" * 32},  # another build argument, in the same commit
        {"platform": "linux/arm64"},
        {"repository": Repository("another.example", image.repository.name)},
        {"declared": Repository(image.declared.host, "another")},
        {"name": "another"},
    ):
        assert not is_public(built, with_image(plan, **changes))
    assert not is_public(built, replace(plan, images=(image, replace(image, name="another"))))
    assert not is_public(built, replace(plan, images=()))
    assert not is_public(built, replace(plan, distribution="another"))
    assert not is_public(built, replace(plan, files={**plan.files, "another": {}}))
    assert not is_public(built, replace(plan, files={}))


def test_what_ecr_has_not_or_has_otherwise_is_not_public(place: Place) -> None:
    built, plan = earlier(place), plan_of(place)
    runtime, existing = plan.images[0].runtime, plan.images[0].existing
    assert runtime is not None
    assert existing is not None
    assert not is_public(built, with_image(plan, runtime=None))
    assert not is_public(built, with_image(plan, existing=None))
    assert not is_public(built, with_image(plan, existing=runtime))
    assert not is_public(built, with_image(plan, runtime=existing))


@pytest.mark.parametrize("name", [NAME, SDIST])
@pytest.mark.parametrize("sha256", [None, OTHER.hex])
def test_what_the_index_has_not_or_has_otherwise_is_not_public(place: Place, name: str, sha256: str | None) -> None:
    built, plan = earlier(place), plan_of(place)
    files = dict(plan.files[PROJECT])
    assert not is_public(built, replace(plan, files={PROJECT: {**files, name: sha256}}))
    del files[name]
    assert not is_public(built, replace(plan, files={PROJECT: files}))
