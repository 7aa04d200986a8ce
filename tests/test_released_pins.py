"""The pins of a version, from an index alone: whole, exact, and whether somebody withdraws it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from promote_fixtures import PROJECT, write_files

from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.index import IndexFile
from kfp_release.record import PinnedComponent, PinnedImage, Pins
from kfp_release.released_pins import released_pins
from kfp_release.version import ReleaseVersion

VERSION = ReleaseVersion.parse("1.2")
REPOSITORY = "533211398604.dkr.ecr.eu-north-1.amazonaws.com/team/demo"
WHEEL, SDIST = "some_components-1.2-py3-none-any.whl", "some_components-1.2.tar.gz"


@dataclass
class Folder:
    """An index of the files in a folder, some of them yanked."""

    path: Path
    yanked: set[str] = field(default_factory=set)

    def files(self, project: str) -> Mapping[str, IndexFile]:
        assert project == PROJECT
        return {
            one.name: IndexFile(one.name, one.as_uri(), Digest.of(one.read_bytes()).hex, one.name in self.yanked)
            for one in self.path.iterdir()
        }

    def download(self, file: IndexFile) -> bytes:
        return (self.path / file.filename).read_bytes()


@pytest.fixture
def pins() -> Pins:
    pin = f"{REPOSITORY}:1.2@{Digest('a' * 64)}"
    image = PinnedImage("demo", Repository.parse(REPOSITORY), pin, "0" * 32, "linux/amd64")
    text = f"name: Multiply\nimplementation:\n  container:\n    image: {pin}\n    command: [multiply]\n"
    component = PinnedComponent("demo_op", "demo.yaml", (pin,), Digest.of(text.encode()).hex)
    return Pins(PROJECT, VERSION, "c" * 40, (image,), (component,))


@pytest.fixture
def index(tmp_path: Path, pins: Pins) -> Folder:
    write_files(tmp_path, pins)
    return Folder(tmp_path)


def test_they_are_those_of_the_wheel(index: Folder, pins: Pins) -> None:
    found = released_pins(VERSION, distribution=PROJECT, index=index)
    assert (found.pins, found.withdrawn) == (pins, "")
    found.require_current("nothing")


def test_an_index_that_has_wheels_alone_will_do(index: Folder, pins: Pins) -> None:
    (index.path / SDIST).unlink()
    assert released_pins(VERSION, distribution=PROJECT, index=index).pins == pins


def test_a_version_without_a_wheel_is_no_release_yet(index: Folder) -> None:
    (index.path / WHEEL).unlink()
    with pytest.raises(ReleaseError, match=r"the index has 0 wheels of some-components 1\.2, not one") as caught:
        released_pins(VERSION, distribution=PROJECT, index=index)
    assert "kfp-release reconcile 1.2" in caught.value.remedy


def test_a_version_that_the_index_lacks_is_told(index: Folder) -> None:
    with pytest.raises(ReleaseError, match=r"the index has no file of some-components 1\.3"):
        released_pins(ReleaseVersion.parse("1.3"), distribution=PROJECT, index=index)


def test_a_wheel_that_pins_tags_alone_is_refused(index: Folder, pins: Pins) -> None:
    tags = replace(pins.images[0], pin=f"{REPOSITORY}:1.2", runtime_key="")
    write_files(index.path, replace(pins, images=(tags,)))
    with pytest.raises(ReleaseError, match=f"{WHEEL}: it pins tags alone, no digests"):
        released_pins(VERSION, distribution=PROJECT, index=index)


def test_files_that_disagree_are_refused(index: Folder, pins: Pins, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("other")
    write_files(elsewhere, replace(pins, commit="d" * 40))
    (index.path / SDIST).write_bytes((elsewhere / SDIST).read_bytes())
    with pytest.raises(ReleaseError, match=f"{SDIST}: its pins are not {WHEEL}'s"):
        released_pins(VERSION, distribution=PROJECT, index=index)


@pytest.mark.parametrize("file", [WHEEL, SDIST])
def test_what_the_index_yanks_is_withdrawn(index: Folder, file: str) -> None:
    index.yanked.add(file)
    found = released_pins(VERSION, distribution=PROJECT, index=index)
    with pytest.raises(ReleaseError, match=f"some-components 1.2 is withdrawn: the index has yanked {file}") as caught:
        found.require_current("take another one")
    assert caught.value.remedy == "take another one"


def test_what_a_branch_withdraws_is_withdrawn(index: Folder) -> None:
    withdrawn = {VERSION: "refs/heads/main"}
    assert released_pins(VERSION, distribution=PROJECT, index=index, withdrawn=withdrawn).withdrawn == (
        "refs/heads/main says so"
    )
    assert not released_pins(
        VERSION, distribution=PROJECT, index=index, withdrawn={ReleaseVersion.parse("1.1"): "refs/heads/main"}
    ).withdrawn
