from __future__ import annotations

import pytest

from kfp_release.compile_mark import BadMark, CompileMark, marked, name_hash, source_hash, text_hash, unmarked

SOURCES = {"src/a/b.py": b"x = 1\n", "src/a/__init__.py": b""}
TEXT = "name: é\nimplementation: {}\n"


def mark_of(text: str) -> CompileMark:
    mark = CompileMark.find(text)
    assert mark is not None
    return mark


def written(text: str = TEXT) -> str:
    return marked(text, module="a.b", function="train", functions=("train", "score"), sources=SOURCES)


def test_a_mark_is_the_last_line_and_says_what_the_file_is_from() -> None:
    text = written()
    mark = mark_of(text)
    assert text.startswith(TEXT + "# kfp-release compile: {")
    assert text.count("\n") == TEXT.count("\n") + 1
    assert (mark.module, mark.function, mark.origin) == ("a.b", "train", "a.b:train")
    assert mark.functions == name_hash(["score", "train"]) == name_hash(iter(["train", "score"]))
    assert mark.functions != name_hash(["train"])
    assert mark.files == ("src/a/__init__.py", "src/a/b.py")
    assert mark.sources == source_hash(SOURCES)
    assert unmarked(text) == TEXT


@pytest.mark.parametrize("text", [TEXT, "", "\n", "# kfp-release compiles\n", f"# kfp-release compile: {{}}\n{TEXT}"])
def test_other_files_have_none(text: str) -> None:
    assert CompileMark.find(text) is None
    assert unmarked(text) == text


def test_a_change_of_the_text_is_seen_and_another_line_end_is_none() -> None:
    text = written()
    assert mark_of(text).is_of(text)
    windows = text.replace("\n", "\r\n")
    assert mark_of(windows).is_of(windows)
    edited = text.replace("é", "e")
    assert not mark_of(edited).is_of(edited)
    assert text_hash("a\r\nb") == text_hash("a\nb")


def test_the_hash_of_sources_knows_names_and_contents_and_not_their_order_or_line_ends() -> None:
    hashed = source_hash(SOURCES)
    assert source_hash(dict(reversed(SOURCES.items()))) == hashed
    assert source_hash({**SOURCES, "src/a/b.py": b"x = 1\r\n"}) == hashed
    assert source_hash({**SOURCES, "src/a/b.py": b"x = 2\n"}) != hashed
    assert source_hash({"src/a/c.py": b"x = 1\n", "src/a/__init__.py": b""}) != hashed
    assert source_hash({"src/a/b.py": b"", "src/a/__init__.py": b"x = 1\n"}) != hashed


def test_comments_of_python_do_not_count_and_neither_do_marks_of_component_files() -> None:
    hashed = source_hash({**SOURCES, "yaml/a.yaml": written().encode()})
    for text in (TEXT, marked(TEXT, module="c", function="d", functions=("d",), sources={})):
        assert source_hash({**SOURCES, "yaml/a.yaml": text.encode()}) == hashed
    assert source_hash({**SOURCES, "yaml/a.yaml": f"# A comment.\n{TEXT}".encode()}) != hashed
    assert source_hash({**SOURCES, "src/a/b.py": b"x  =  1  # one\n"}) == source_hash(SOURCES)
    assert source_hash({"a.txt": b"# a"}) != source_hash({"a.txt": b"# b"})


def test_a_text_without_a_last_line_end_gets_one() -> None:
    assert unmarked(written("name: x")) == "name: x\n"


def test_names_are_those_of_python_and_cannot_write_lines_of_their_own() -> None:
    for name in ("a\\nb", "", "a..b", "../a", "\\u001b[2J"):
        with pytest.raises(BadMark, match="has a damaged last line"):
            CompileMark.find(written().replace('"a.b"', f'"{name}"'))


@pytest.mark.parametrize(
    "value",
    ["", "{", "[]", "null", "{}", '{"module": 1}', '{"module": "a", "function": "b", "functions": "", "files": [1]}'],
)
def test_a_damaged_mark_is_refused(value: str) -> None:
    with pytest.raises(BadMark, match="has a damaged last line") as caught:
        CompileMark.find(f"{TEXT}# kfp-release compile: {value} ")
    assert str(caught.value)
