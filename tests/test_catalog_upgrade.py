"""What changes from one version to the next, read once for the same files; and files that nobody can read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from interface_fixtures import v1

from kfp_release.catalog.facts import Facts
from kfp_release.catalog.history import histories, previous_version
from kfp_release.catalog.tagged import TaggedVersion
from kfp_release.catalog.upgrade import Upgrade, upgrades
from kfp_release.git_trees import CommittedFolder
from kfp_release.version import ReleaseVersion

MORE = v1(("name: rate, type: Float", "name: data, type: Dataset", "name: rounds, type: Integer"))


@dataclass
class Repository:
    """Blobs by name, and how often each was asked for."""

    contents: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def version(self, text: str, files: Mapping[str, bytes]) -> TaggedVersion:
        names = {f"yaml/{path}": f"{hash(data):x}" for path, data in files.items()}
        self.contents |= {names[f"yaml/{path}"]: data for path, data in files.items()}
        return TaggedVersion(ReleaseVersion.parse(text), "c" * 40, 0, None, CommittedFolder(names))

    def blobs(self, names: Iterable[str]) -> Mapping[str, bytes]:
        wanted = set(names)
        self.asked += sorted(wanted)
        return {name: self.contents[name] for name in wanted}


def chain(repository: Repository, *versions: TaggedVersion, facts: Facts | None = None) -> list[Upgrade]:
    """Each after the one before it."""
    pairs = list(zip(versions, [None, *versions], strict=False))
    return list(upgrades(pairs, blobs=repository.blobs, facts=facts or Facts()).values())


def test_each_file_is_read_once_however_many_versions_have_it() -> None:
    repository = Repository()
    versions = [repository.version(f"1.{number}", {"train.yaml": v1(), "other.yaml": MORE}) for number in range(30)]
    found = chain(repository, *versions)
    assert [one.changes for one in found] == [()] * 30
    assert len(repository.asked) == 2


def test_what_is_known_is_not_read_again(tmp_path: Path) -> None:
    repository, path = Repository(), tmp_path / "facts.json"
    versions = [repository.version("1.0", {"train.yaml": v1()}), repository.version("1.1", {"train.yaml": MORE})]
    facts = Facts(path)
    first = chain(repository, *versions, facts=facts)
    assert [change.what for change in first[1].changes] == [
        "input seed removed",
        "input rounds added, required",
    ]
    facts.write()
    repository.asked.clear()
    assert chain(repository, *versions, facts=Facts(path)) == first
    assert repository.asked == []
    third = repository.version("1.2", {"train.yaml": v1(), "more.yaml": MORE})
    chain(repository, *versions, third, facts=Facts(path))
    assert len(repository.asked) == 2  # those that differ from the version before


def test_a_file_that_cannot_be_read_is_told_in_each_version_that_has_it() -> None:
    repository = Repository()
    bad = {"train.yaml": v1(), "bad.yaml": b"name: [\n"}
    found = chain(repository, repository.version("1.0", bad), repository.version("1.1", {**bad, "more.yaml": MORE}))
    for one in found:
        (operator,) = one.unreadable
        assert operator == "bad_op"
        assert one.unreadable[operator].startswith("yaml/bad.yaml:")
    assert [change.operator for change in found[1].changes] == ["more_op"]


BAD = b"name: [\n"


def test_a_file_that_can_be_read_again_is_compared_with_the_last_that_could() -> None:
    repository = Repository()
    found = chain(
        repository,
        repository.version("1.0", {"train.yaml": v1(), "other.yaml": v1()}),
        repository.version("1.1", {"train.yaml": BAD, "other.yaml": v1()}),
        repository.version("1.2", {"train.yaml": BAD + b"#", "other.yaml": v1()}),
        repository.version("1.3", {"train.yaml": MORE, "other.yaml": v1()}),
    )
    assert [[(one.operator, one.what) for one in each.changes] for each in found] == [
        *([], [], []),
        [("train_op", "input seed removed"), ("train_op", "input rounds added, required")],
    ]
    assert [list(each.unreadable) for each in found] == [[], ["train_op"], ["train_op"], []]


def test_a_file_that_went_after_it_could_not_be_read_breaks_what_used_it() -> None:
    repository = Repository()
    files = {"other.yaml": MORE}
    found = chain(
        repository,
        repository.version("1.0", {**files, "train.yaml": v1()}),
        repository.version("1.1", {**files, "train.yaml": BAD, "never.yaml": BAD}),
        repository.version("1.2", files),
    )
    assert [(one.operator, one.what) for one in found[2].changes] == [("train_op", "removed")]


def test_of_two_files_of_one_operator_the_first_counts() -> None:
    repository = Repository()
    found = chain(
        repository,
        repository.version("1.0", {"train.yaml": v1()}),
        repository.version("1.1", {"train.yaml": v1(), "train.yml": MORE}),
    )
    assert found[1].changes == ()


VERSIONS = [ReleaseVersion.parse(text) for text in ("0.9", "1.0rc1", "1.0", "1.1", "2.0rc1", "2.0rc2")]


@pytest.mark.parametrize(
    ("version", "before"),
    [
        *(("0.9", None), ("1.0rc1", "0.9"), ("1.0", "0.9"), ("1.1", "1.0"), ("2.0rc1", "1.1"), ("2.0rc2", "2.0rc1")),
        *(("2.0", "1.1"), ("1.0.1", "1.0"), ("0.1", None)),
    ],
)
def test_the_version_before_a_final_one_is_final(version: str, before: str | None) -> None:
    found = previous_version(ReleaseVersion.parse(version), VERSIONS)
    assert (str(found) if found else None) == before


def test_a_first_final_version_follows_its_pre_release() -> None:
    assert previous_version(ReleaseVersion.parse("1.0"), VERSIONS[1:2]) == VERSIONS[1]


def history(repository: Repository, *versions: TaggedVersion) -> dict[str, list[str]]:
    out = [one.version for one in versions]
    by_version = {one.version: one for one in versions}
    before = {one.version: previous_version(one.version, out) for one in versions}
    pairs = [(one, by_version[last] if (last := before[one.version]) else None) for one in versions]
    found = upgrades(pairs, blobs=repository.blobs, facts=Facts())
    told = histories(list(found.values()), out)
    return {name: [f"{event.version} {event.kind}" for event in events] for name, events in sorted(told.items())}


def test_a_pre_release_counts_until_its_final_version_is_there() -> None:
    repository = Repository()
    files: dict[str, bytes] = {"train.yaml": v1()}
    first = repository.version("1.0", files)
    candidate = repository.version("1.1rc1", {**files, "more.yaml": MORE})
    final = repository.version("1.1", {**files, "more.yaml": MORE})
    assert history(repository, first, candidate)["more_op"] == ["1.1rc1 came"]
    assert history(repository, first, candidate, final)["more_op"] == ["1.1 came"]


def test_what_a_pre_release_alone_had_is_told_by_it() -> None:
    repository = Repository()
    files: dict[str, bytes] = {"train.yaml": v1()}
    first, final = repository.version("1.0", files), repository.version("1.1", files)
    candidate = repository.version("1.1rc1", {**files, "more.yaml": MORE})
    assert history(repository, first, candidate, final)["more_op"] == ["1.1rc1 came"]


def test_a_component_that_is_renamed_goes_and_comes_and_one_that_returns_comes_again() -> None:
    repository = Repository()
    told = history(
        repository,
        repository.version("1.0", {"train.yaml": v1()}),
        repository.version("1.1", {"fit.yaml": v1()}),
        repository.version("1.2", {"fit.yaml": v1(), "train.yaml": v1()}),
    )
    assert told == {"fit_op": ["1.1 came"], "train_op": ["1.2 came", "1.1 went", "1.0 came"]}
