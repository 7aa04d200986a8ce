from __future__ import annotations

import pytest
from interface_fixtures import INPUTS, OUTPUTS, diff, files, told, v1

from kfp_release.errors import Problems
from kfp_release.interface_diff import compare
from kfp_release.interface_notes import interface_notes

OTHER = v1(("name: a, type: String",), ("name: b, type: String",), program="other")


def test_operators_that_come_and_go_are_told_with_what_they_take_and_give() -> None:
    found = compare(files("1.0", {"train.yaml": v1()}), files("here", {"other.yml": OTHER}))
    signature = "(rate: Float, data: Dataset, seed: Integer = 0) → model: Model, loss: Float"
    assert told(found) == [f"! removed [{signature} > ]", "added [ > (a: String) → b: String]"]
    assert [(change.operator, change.path, change.line) for change in found.changes] == [
        ("train_op", "yaml/train.yaml", 0),
        ("other_op", "yaml/other.yml", 1),
    ]


def test_an_operator_that_comes_back_with_the_same_interface_is_renamed() -> None:
    found = compare(files("1.0", {"train.yaml": v1()}), files("here", {"learn.yaml": v1(), "other.yaml": OTHER}))
    assert told(found) == ["! renamed [train_op > learn_op]", "added [ > (a: String) → b: String]"]
    assert found.changes[0].operator == "train_op"


def test_of_several_with_that_interface_the_one_is_meant_that_runs_the_same_program() -> None:
    there = {"trains.yaml": v1(program="other"), "x.yaml": v1(), "train-1.yaml": v1(program="other")}
    found = compare(files("1.0", {"train.yaml": v1()}), files("here", there))
    assert [change.after for change in found.breaking] == ["x_op"]
    assert sorted(change.operator for change in found.harmless) == ["train_1_op", "trains_op"]


def test_what_takes_and_gives_nothing_is_never_renamed() -> None:
    empty = v1((), ())
    found = compare(files("1.0", {"a.yaml": empty}), files("here", {"b.yaml": empty}))
    assert told(found) == ["! removed [() > ]", "added [ > ()]"]


def test_the_name_of_the_file_counts_as_its_operator_only() -> None:
    assert told(compare(files("1.0", {"a-b.yml": v1()}), files("here", {"a_b.yaml": v1(program="x")}))) == []


def test_what_cannot_be_parsed_is_told_with_its_side_and_the_rest_is_compared() -> None:
    before = files("v1.0", {"a.yaml": b"name: [", "b.yaml": v1(), "c.yaml": b"x: 1"})
    after = files("here", {"a.yaml": v1(), "b.yaml": v1(OUTPUTS), "d.yaml": b"\xff"})
    found = compare(before, after)
    assert {change.operator for change in found.changes} == {"b_op"}
    assert [(problem.path, problem.line) for problem in found.problems] == [
        ("v1.0:yaml/a.yaml", 2),
        ("v1.0:yaml/c.yaml", 0),
        ("here:yaml/d.yaml", 1),
    ]
    with pytest.raises(Problems, match=r"v1\.0:yaml/a.yaml:2: is not YAML"):
        found.require_parsed()


def test_files_of_the_same_bytes_are_the_same_whatever_they_hold() -> None:
    assert told(compare(files("1.0", {"a.yaml": b"["}), files("here", {"a.yaml": b"["})).require_parsed()) == []


def test_the_version_that_follows_is_told() -> None:
    more = v1((*INPUTS, "name: more, type: Float, default: '1'"))
    for new, bump, follows in ((v1(INPUTS[1:]), "major", "2.0"), (more, "minor", "1.1"), (v1(), "patch", "1.0.1")):
        found = diff(v1(), new)
        assert (found.bump, str(found.next_version), found.is_enough) == (bump, follows, None)


@pytest.mark.parametrize(
    ("old", "new", "enough"),
    [("1.0", "1.1", False), ("1.0", "2.0rc1", True), ("1.1", "1.0", None), ("1.0", "1.0", None)],
)
def test_two_versions_in_order_are_told_whether_the_later_says_enough(
    old: str, new: str, *, enough: bool | None
) -> None:
    sides = files(old, {"a.yaml": v1()}, old), files(new, {"a.yaml": v1(INPUTS[1:])}, new)
    assert compare(*sides).is_enough is enough


def test_another_description_alone_needs_no_more_than_a_patch_version() -> None:
    found = diff(v1(), v1(about="Learns."), descriptions=True)
    assert (len(found.changes), found.bump) == (1, "patch")


def test_json_has_all_of_it() -> None:
    value = diff(v1(), v1(("name: rate, type: Integer", *INPUTS[1:]))).to_json()
    assert value == {
        "schema": 1,
        "before": {"name": "1.0", "version": "1.0", "commit": None},
        "after": {"name": "here", "version": None, "commit": None},
        "changes": [
            {
                "operator": "train_op",
                "kind": "input-retyped",
                "port": "rate",
                "what": "input rate retyped",
                "before": "Float",
                "after": "Integer",
                "breaking": True,
                "path": "yaml/train.yaml",
                "line": 4,
            }
        ],
        "breaking": 1,
        "bump": "major",
        "next_version": "2.0",
        "enough": None,
    }


NOTES = """\
### Added

- **Breaking:** `train_op`: input `epochs` (`Integer`), which every call must give.
- `other_op`: `(a: String) → b: String`.
- `train_op`: input `log` (`String, optional`).
- `train_op`: output `page` (`HTML`).

### Changed

- **Breaking:** `gone_op` is called `come_op`.
- **Breaking:** `train_op`: input `rate` is `Integer` instead of `Float`.
- **Breaking:** `train_op`: every call must give input `seed` (`Integer`).
- **Breaking:** `train_op`: output `model` is `Artifact` instead of `Model`.

### Removed

- **Breaking:** `old_op`.
- **Breaking:** `train_op`: input `data` (`Dataset`).
- **Breaking:** `train_op`: output `loss` (`Float`).
"""


def test_notes_for_the_changelog_have_its_sections_and_mark_what_breaks() -> None:
    inputs = ("name: rate, type: Integer", "name: seed, type: Integer", "name: epochs, type: Integer")
    new = v1(
        (*inputs, "name: log, type: String, optional: true"), ("name: model, type: Artifact", "name: page, type: HTML")
    )
    gone = v1(("name: a, type: Float",), ())
    before = files("1.0", {"train.yaml": v1(), "gone.yaml": gone, "old.yaml": v1(())})
    after = files("here", {"train.yaml": new, "come.yaml": gone, "other.yaml": OTHER})
    assert interface_notes(compare(before, after).changes) == NOTES


def test_notes_of_what_is_the_same_are_empty() -> None:
    assert interface_notes(diff(v1(), v1(image="a/b:1")).changes) == ""


def test_notes_tell_of_the_way_a_component_is_called() -> None:
    inputs = (
        INPUTS[1],
        INPUTS[0],
        "name: seed, type: Integer, default: '7'",
        "name: status, type: PipelineTaskFinalStatus",
    )
    assert interface_notes(diff(v1(), v1(inputs, about="New"), descriptions=True).changes) == (
        "### Changed\n\n"
        "- **Breaking:** `train_op` can be called as an exit handler's task only.\n"
        "- **Breaking:** `train_op`: the order of its inputs is `data, rate, seed` instead of `rate, data, seed`.\n"
        "- `train_op`: the default of `seed` is `7` instead of `0`.\n"
        "- `train_op`: another description.\n"
    )


def test_a_backtick_in_a_name_does_not_end_the_code_around_it() -> None:
    odd = ("name: a, type: String, default: 'b`c'",)
    assert '(`String = "b\'c"`)' in interface_notes(diff(v1(()), v1(odd)).changes)
