"""Files as the layers of an image lie on each other. Source: OCI image-spec, layer.md."""

from __future__ import annotations

import tarfile
from collections.abc import Callable

import pytest
from layer_fixtures import Entry, layer

from kfp_release.layered_files import layered_files
from kfp_release.manifest import BadImage

Layers = list[dict[str, Entry]]


def files(
    *layers: dict[str, Entry] | list[tuple[str, Entry]], wanted: Callable[[str], bool] | None = None
) -> dict[str, bytes | None]:
    found = layered_files([layer(entries) for entries in layers], wanted or (lambda path: path.endswith(".txt")))
    return {path: file.data for path, file in found.items()}


def test_chosen_files_of_all_layers_are_found() -> None:
    assert files({"a.txt": b"1", "b": b"x"}, {"c/d.txt": b"2"}) == {"a.txt": b"1", "c/d.txt": b"2"}


@pytest.mark.parametrize("name", ["a/b.txt", "./a/b.txt", "/a/b.txt", "a//b.txt", "a/./b.txt", "x/../a/b.txt"])
def test_one_path_has_many_names(name: str) -> None:
    assert files({name: b"1"}) == {"a/b.txt": b"1"}


def test_a_path_that_leads_out_ends_at_the_root() -> None:
    assert files({"../../etc/a.txt": b"1"}) == {"etc/a.txt": b"1"}


def test_the_later_layer_has_it() -> None:
    found = layered_files([layer({"a.txt": b"1"}), layer({}), layer({"a.txt": b"2"})], lambda _: True)
    assert [(file.data, file.layer) for file in found.values()] == [(b"2", 3)]
    before = found["a.txt"].replaced
    assert before is not None
    assert (before.data, before.layer) == (b"1", 1)


@pytest.mark.parametrize(
    ("layers", "left"),
    [
        ([{"a/b.txt": b"1", "a/c.txt": b"2"}, {"a/.wh.b.txt": b""}], ["a/c.txt"]),
        ([{"a/b.txt": b"1", "c.txt": b"2"}, {".wh.a": b""}], ["c.txt"]),
        ([{"a/b/c.txt": b"1", "a/d.txt": b"2"}, {"a/b/.wh..wh..opq": b""}], ["a/d.txt"]),
        ([{"a/b.txt": b"1"}, {"a/.wh..wh..opq": b"", "a/new.txt": b"2"}], ["a/new.txt"]),
        ([{"a/b.txt": b"1"}, {"a/new.txt": b"2", "a/.wh..wh..opq": b""}], ["a/new.txt"]),
        ([{"a/b.txt": b"1"}, {"a/b.txt": b"2", "a/.wh.b.txt": b""}], ["a/b.txt"]),
        ([{"a/b.txt": b"1"}, {".wh..wh..opq": b""}], []),
        ([{"a/b.txt": b"1"}, {".wh.a": b""}, {"a/b.txt": b"3"}], ["a/b.txt"]),
        ([{"a/b.txt": b"1"}, {"a": b"a file"}], []),
        ([{"a/b.txt": b"1"}, {"a": (tarfile.SYMTYPE, "/elsewhere")}], []),
        ([{"a.txt": b"1"}, {"a.txt": None}], []),
        ([{"ab/c.txt": b"1"}, {".wh.a": b""}], ["ab/c.txt"]),
    ],
)
def test_what_a_layer_takes_away_is_of_those_below_alone(layers: Layers, left: list[str]) -> None:
    found = layered_files([layer(entries) for entries in layers], lambda path: path.endswith(".txt"))
    assert list(found) == left


def test_a_whiteout_is_no_file() -> None:
    assert files({".wh.a.txt": b"1"}, wanted=lambda _: True) == {}


def test_a_hard_link_is_the_file_that_it_links() -> None:
    link = (tarfile.LNKTYPE, "a.txt")
    assert files({"a.txt": b"1", "b.txt": link}, {"c.txt": link}) == {"a.txt": b"1", "b.txt": b"1", "c.txt": b"1"}


def test_a_hard_link_to_what_is_not_wanted_is_that_too() -> None:
    link = (tarfile.LNKTYPE, "cache/a")
    linked: list[tuple[str, Entry]] = [
        ("cache/a", b"1"),
        ("cache/b", b"2"),
        ("a.txt", link),
        ("b.txt", link),
        ("c.txt", link),
    ]
    assert files({"a.txt": b"0"}, [*linked, ("b.txt", b"3"), ("c.txt", (tarfile.SYMTYPE, "cache/a"))]) == {
        "a.txt": b"1",
        "b.txt": b"3",
        "c.txt": None,
    }
    assert files({"cache/a": b"1"}, {"a.txt": link}, {"cache/a": b"2"}) == {"a.txt": None}


def test_a_hard_link_to_what_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kfp_release.layered_files._MOST_FILE", 1000)
    with pytest.raises(BadImage, match="layer 1 has cache/a of 2,000 bytes, of 1,000 at most"):
        files({"cache/a": bytes(2000), "a.txt": (tarfile.LNKTYPE, "cache/a")})


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_what_is_no_plain_file_is_there_without_its_bytes(kind: bytes) -> None:
    assert files({"a.txt": b"1"}, {"a.txt": (kind, "nowhere")}) == {"a.txt": None}


def test_of_two_members_of_one_path_the_last_counts() -> None:
    assert files([("a.txt", b"1"), ("a.txt", b"2")]) == {"a.txt": b"2"}


def test_a_file_that_no_installation_has_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kfp_release.layered_files._MOST_FILE", 1000)
    with pytest.raises(BadImage, match=r"layer 2 has big\.txt of 2,000 bytes, of 1,000 at most") as caught:
        files({"a.txt": b"1"}, {"big.txt": bytes(2000)})
    assert "Dockerfile" in caught.value.remedy
    assert files({"other": bytes(2000)}) == {}


@pytest.mark.parametrize(("what", "most"), [("_MOST_FILES", 3), ("_MOST_HELD", 30)])
def test_more_files_than_an_installation_has_are_refused(monkeypatch: pytest.MonkeyPatch, what: str, most: int) -> None:
    monkeypatch.setattr(f"kfp_release.layered_files.{what}", most)
    with pytest.raises(BadImage, match="layer 2 has more than"):
        files({"a.txt": b"1" * 10, "b.txt": b"1" * 10}, {"c.txt": b"1" * 10, "d.txt": b"1" * 10})


def test_a_path_that_is_too_deep_to_be_held_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kfp_release.layered_files._MOST_HELD", 12_000)
    deep: dict[str, Entry] = {f"{number}{'/a' * 50}.txt": b"1" for number in range(2)}
    assert len(files(deep, {".wh.0": b"", ".wh.1": b""}, {"c/d.txt": b"1"}, {f"x/{'a/' * 50}b.txt": b"1"})) == 2
    with pytest.raises(BadImage, match=r"layer 2 has more than .* bytes of them and of the names of their folders"):
        files({"a.txt": b"1"}, {f"{'a/' * 100}b.txt": b"1"})
    assert files({f"{'a/' * 100}b": b"1"}) == {}


def test_a_name_that_utf_8_cannot_hold_is_survived() -> None:
    assert list(files({"\udcff.txt": b"1"})) == ["\udcff.txt"]


def test_a_file_of_many_layers_can_go() -> None:
    many = [layer({"a.txt": b"%d" % number}) for number in range(1200)]
    assert layered_files([*many, layer({".wh.a.txt": b""})], lambda path: path == "a.txt") == {}
