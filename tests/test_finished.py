"""A release is finished where dist/ is this commit's and all of it is public; anything less is looked at anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from archives import NAME, wheel_packed_anew
from ecr_fixtures import HOST, LocalEcr, running_ecr
from publish_fixtures import COMMIT, KEY, PROJECT, VERSION, Place, place_at, record

from kfp_release.built import this_tool
from kfp_release.config import Config
from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.finished import Finished, find_finished
from kfp_release.record import ReleaseRecord
from kfp_release.source import Source

SOURCE = Source(VERSION, "v1.2", COMMIT, 1_800_000_000)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEcr]:
    with running_ecr(tmp_path_factory.mktemp("ecr")) as running:
        yield running


@pytest.fixture
def place(local: LocalEcr, tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    """One whose release is public."""
    made = place_at(local, tmp_path, request.node.name)
    rewrite(made, lambda old: replace(old, tools=this_tool()))
    made.publish()
    return made


def rewrite(place: Place, change: Callable[[ReleaseRecord], ReleaseRecord]) -> None:
    (place.folder / "release.json").write_bytes(change(record(place)).to_json())


def find(place: Place, source: Source = SOURCE, *, host: str = "", repository: str = "") -> Finished | None:
    name = repository or place.store.repository.name
    text = f"""
[project]
name = "{PROJECT}"
[tool.kfp-release]
components = "yaml"
package = "some_components"
source = "https://example.com/some"
[tool.kfp-release.images.demo]
repository = "{HOST}/{name}"
"""
    registry = host or place.store.repository.host
    config = Config.parse(text.encode(), {"KFP_RELEASE_REGISTRY": registry})
    return find_finished(place.folder.parent, config, source, place.folder, stores=place.stores, index=place.index)


def test_what_is_public_as_it_lies_there_is_finished(place: Place) -> None:
    found = find(place)
    assert found is not None
    assert found.built.record == record(place)
    assert [(runtime.name, runtime.key, runtime.how) for runtime in found.runtimes] == [("demo", KEY, "found")]


@pytest.mark.parametrize(
    "source",
    [
        replace(SOURCE, commit="d" * 40),
        replace(SOURCE, tag="v1.3"),
        replace(SOURCE, created=SOURCE.created + 1),
    ],
)
def test_a_build_of_something_else_is_not(place: Place, source: Source) -> None:
    assert find(place, source) is None


def test_a_build_for_another_registry_or_repository_is_not(place: Place) -> None:
    assert find(place, host="another.example") is None
    assert find(place, repository="another") is None


@pytest.mark.parametrize("tool", ["kfp-release", "python"])
def test_a_build_of_another_tool_is_not(place: Place, tool: str) -> None:
    rewrite(place, lambda old: replace(old, tools={**old.tools, tool: "0.1"}))
    assert find(place) is None


def test_a_build_that_has_changed_since_is_not(place: Place) -> None:
    path = place.folder / NAME
    path.write_bytes(wheel_packed_anew(path.read_bytes()))
    assert find(place) is None
    path.unlink()
    assert find(place) is None


def test_nor_is_one_whose_file_the_index_lacks_or_has_in_other_bytes(place: Place) -> None:
    there = place.index.contents[NAME]
    place.index.contents[NAME] = wheel_packed_anew(there)
    assert find(place) is None
    del place.index.contents[NAME]
    assert find(place) is None
    place.index.contents[NAME] = there
    assert find(place) is not None


def test_nor_is_one_whose_image_or_runtime_ecr_lacks(place: Place) -> None:
    client, name = place.local.client(), place.store.repository.name

    def untag(tag: str) -> None:
        client.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": tag}])

    runtime = place.store.find(f"runtime-{KEY}")
    assert runtime is not None
    untag(f"runtime-{KEY}")
    assert find(place) is None
    place.store.put(runtime, f"runtime-{KEY}")
    assert find(place) is not None
    untag("1.2")
    assert find(place) is None


def test_who_cannot_ask_does_not_know(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> dict[str, Digest]:
        raise ReleaseError("the index is down")

    monkeypatch.setattr(place.index, "files", refuse)
    assert find(place) is None
