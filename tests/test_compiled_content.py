from __future__ import annotations

import pytest
from component_files import IR

from kfp_release.compiled_content import compiled_content, first_difference

HEAD = "# PIPELINE DEFINITION\n# Name: train\n"


def test_what_kfp_loads_as_the_same_is_the_same() -> None:
    for other in (
        IR.replace("sdkVersion: kfp-2.17.0", "sdkVersion: kfp-2.99.1"),
        IR.replace("sdkVersion: kfp-2.17.0\n", ""),
        f"# A comment.\n{IR}# Another.\n",
        IR.replace("name: train}", "name: 'train' }"),
        "schemaVersion: 2.1.0\n" + IR.replace("schemaVersion: 2.1.0\n", ""),
    ):
        assert other != IR
        assert compiled_content(other) == compiled_content(IR)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("command: [train]", "command: [score]"),
        ("defaultValue: x", "defaultValue: 1"),
        ("isOptional: true", "isOptional: 1"),
        ("schemaVersion: 2.1.0\n", "schemaVersion: 2.1.0\n---\nplatforms: {}\n"),
    ],
)
def test_what_it_loads_otherwise_is_not(old: str, new: str) -> None:
    assert old in IR
    assert compiled_content(IR.replace(old, new)) != compiled_content(IR)


def test_the_description_counts_which_kfp_reads_from_a_comment() -> None:
    one = f"{HEAD}# Description: It trains.\n#              A model.\n# Inputs:\n#    a: int\n{IR}"
    assert compiled_content(one) != compiled_content(one.replace("trains", "tests"))
    assert compiled_content(one) != compiled_content(one.replace("A model", "Models"))
    assert compiled_content(one) == compiled_content(one.replace("a: int", "a: float"))
    assert compiled_content(HEAD + IR) == compiled_content(IR)


def test_the_first_difference_is_a_line_of_the_old_text() -> None:
    assert first_difference("a\nb\nc\n", "a\nX\nc\n") == 2
    assert first_difference("a\nb\n", "a\n") == 2
    assert first_difference("a\n", "a\nb\n") == 0
    assert first_difference("sdkVersion: kfp-1\nb\n", "sdkVersion: kfp-2\nX\n") == 2
