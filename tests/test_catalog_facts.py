"""What was found out is kept by its content, and nobody misses it when it is gone or damaged."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from kfp_release.catalog.facts import Facts


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog/some.json"


def kept(path: Path, **values: object) -> None:
    facts = Facts(path)
    for key, value in values.items():
        facts.put("kind", key, value)
    assert facts.write()


def test_what_was_put_is_known_to_the_next_run(path: Path) -> None:
    kept(path, a=[1, "x"], b={"c": None})
    facts = Facts(path)
    assert (facts.get("kind", "a"), facts.get("kind", "b")) == ([1, "x"], {"c": None})
    assert (facts.get("kind", "c"), facts.get("other", "a")) == (None, None)


def test_what_a_run_does_not_ask_for_is_gone_after_it(path: Path) -> None:
    kept(path, a=1, b=2)
    facts = Facts(path)
    facts.get("kind", "a")
    facts.put("kind", "c", 3)
    facts.write()
    assert json.loads(path.read_text(encoding="utf-8"))["facts"] == {"kind": {"a": 1, "c": 3}}


def test_nothing_is_written_where_all_was_known(path: Path) -> None:
    kept(path, a=1)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    facts = Facts(path)
    facts.get("kind", "a")
    assert facts.write()
    assert path.stat().st_mtime == 1_000_000_000


def test_a_fresh_run_knows_nothing_and_takes_its_place(path: Path) -> None:
    kept(path, a=1)
    facts = Facts(path, fresh=True)
    assert facts.get("kind", "a") is None
    facts.put("kind", "b", 2)
    facts.write()
    assert Facts(path).get("kind", "a") is None
    assert Facts(path).get("kind", "b") == 2


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema":"1"}', '{"schema":"0 of kfp-release 0","facts":{"kind":{"a":1}}}', "[" * 999]
)
def test_another_file_is_none(path: Path, text: str) -> None:
    kept(path, a=1)
    path.write_text(text, encoding="utf-8")
    assert Facts(path).get("kind", "a") is None


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "catalog").write_bytes(b"")
    facts = Facts(tmp_path / "catalog/some.json")
    facts.put("kind", "a", 1)
    assert not facts.write()


def test_projects_do_not_share_and_the_oldest_are_forgotten(tmp_path: Path) -> None:
    for number in range(25):
        facts = Facts.of(tmp_path, f"project {number}")
        facts.put("kind", "a", number)
        facts.write()
    assert Facts.of(tmp_path, "project 24").get("kind", "a") == 24
    assert len(list((tmp_path / "catalog").iterdir())) == 20
