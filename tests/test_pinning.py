import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from kfp import compiler, dsl
from kfp.components import load_component_from_text

from kfp_release import yaml_text
from kfp_release.component import ComponentFile
from kfp_release.errors import Problems, ReleaseError
from kfp_release.pinning import pin

DEMO = "533211398604.dkr.ecr.eu-north-1.amazonaws.com/data-science/demo"
OTHER = "533211398604.dkr.ecr.eu-north-1.amazonaws.com/data-science/other"
FOREIGN = f"ghcr.io/owner/tool:3@sha256:{'f' * 64}"
PINS = {DEMO: f"{DEMO}:1.0@sha256:{'a' * 64}", OTHER: f"{OTHER}:1.0@sha256:{'b' * 64}"}

HEAD = "name: Multiply\nimplementation:\n  container:\n"
TAIL = "    command: [multiply]\n"
ESCAPED = "".join(f"\\x{ord(letter):02x}" for letter in DEMO)

WRITTEN = {
    "plain": "    image: {}\n",
    "plain with a comment": "    image: {}   # {{}} stays\n",
    "plain on the next line": "    image:\n      {}\n",
    "single quotes": "    image: '{}' # why\n",
    "double quotes": '    image: "{}"\n',
    "quoted key": '    "image" : {}\n',
    "complex key": "    ? image\n    : {}\n",
    "literal block": "    image: |-\n      {}\n",
    "literal block with a comment": "    image: |-  # {{}}\n      {}\n\n",
    "literal block, indented by number": "    image: |2-\n      {}\n",
    "folded block": "    image: >-\n        {}\n\n",
    "anchor": "    image: &image {}\n",
    "anchor and tag": "    image: &image !!str {}\n",
    "tag and quotes": "    image: !!str '{}'\n",
    "anchor, comment and tag": "    image: &image # {{}} one\n      !!str # two\n\n      {}\n",
}


def pinned(text: str, pins: dict[str, str] | None = None) -> str:
    return pin(ComponentFile.parse("yaml/x.yaml", text.encode()), PINS if pins is None else pins).decode()


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN.keys())
def test_the_image_alone_is_replaced_however_it_is_written(written: str) -> None:
    text = HEAD + written.format(DEMO) + TAIL
    assert pinned(text) == HEAD + written.format(PINS[DEMO]) + TAIL


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN.keys())
def test_pinning_a_pinned_file_changes_nothing(written: str) -> None:
    once = HEAD + written.format(PINS[DEMO]) + TAIL
    assert pinned(once) == once


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN.keys())
def test_the_pure_python_loader_gives_the_same(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_text, "_LOADER", yaml.SafeLoader)
    text = "\ufeff# 😀\r\n" + (HEAD + written.format(DEMO) + TAIL).replace("\n", "\r\n")
    assert pinned(text) == text.replace(
        written.format(DEMO).replace("\n", "\r\n"), written.format(PINS[DEMO]).replace("\n", "\r\n")
    )


def test_an_image_in_braces_is_replaced() -> None:
    text = f"{{name: A, implementation: {{container: {{image: {DEMO}, command: [multiply]}}}}}}\n"
    assert pinned(text) == text.replace(DEMO, PINS[DEMO])


def test_an_image_written_with_escapes_is_replaced_inside_of_its_quotes() -> None:
    assert pinned(f'{HEAD}    image: "{ESCAPED}"\n{TAIL}') == f'{HEAD}    image: "{PINS[DEMO]}"\n{TAIL}'


def test_an_image_broken_over_two_lines_becomes_one() -> None:
    text = f'{HEAD}    image: "{DEMO[:30]}\\\n      {DEMO[30:]}"\n{TAIL}'
    assert pinned(text) == f'{HEAD}    image: "{PINS[DEMO]}"\n{TAIL}'


def test_a_file_without_a_line_end_keeps_none() -> None:
    text = f"implementation:\n  container:\n    image: {DEMO}"
    assert pinned(text) == text + PINS[DEMO].removeprefix(DEMO)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\x85", "\u2028"])
def test_line_ends_and_a_byte_order_mark_stay(line_end: str) -> None:
    text = "\ufeff" + (f"# é 😀 {DEMO}\n{HEAD}    image: {DEMO} # 😀\n{TAIL}").replace("\n", line_end)
    before, after = text.rsplit(DEMO, 1)
    assert pinned(text) == before + PINS[DEMO] + after


def test_the_image_s_name_in_a_description_stays() -> None:
    text = f"description: |\n  image: {DEMO}\n{HEAD}    image: {DEMO}\n{TAIL}# image: {DEMO}\n"
    assert pinned(text) == text.replace(f"    image: {DEMO}\n{TAIL}", f"    image: {PINS[DEMO]}\n{TAIL}")


def test_a_foreign_image_stays() -> None:
    text = f"{HEAD}    image: {FOREIGN}\n{TAIL}"
    assert pinned(text) == text


def test_a_host_that_yaml_would_take_for_a_list_gets_quotes() -> None:
    pins = {DEMO: f"[::1]:5000/data-science/demo:1.0@sha256:{'a' * 64}"}
    text = pinned(f"{HEAD}    image: {DEMO}\n{TAIL}", pins)
    assert yaml.safe_load(text)["implementation"]["container"]["image"] == pins[DEMO]
    assert pinned(f"{HEAD}    image: '{DEMO}'\n{TAIL}", pins) == text


def test_a_tag_only_pin_is_written_where_no_digest_is_at_hand() -> None:
    assert f"image: {DEMO}:1.0\n" in pinned(f"{HEAD}    image: {DEMO}\n{TAIL}", {DEMO: f"{DEMO}:1.0"})


IR = f"""\
# PIPELINE DEFINITION
# Description: uses {DEMO}
deploymentSpec:
  executors:
    exec-a:
      container:
        image: {DEMO}
    exec-b:
      container: {{args: [], image: '{OTHER}'}}
    exec-c:
      importer: {{artifactUri: {{constant: s3://bucket}}}}
    exec-d:
      container:
        image: {FOREIGN}
pipelineInfo:
  name: pipe
schemaVersion: 2.1.0
sdkVersion: kfp-2.17.0
---
platforms:
  kubernetes:
    deploymentSpec:
      executors:
        exec-a:
          image: {DEMO}
"""


def test_every_executor_of_compiled_yaml_is_pinned_and_the_second_document_stays() -> None:
    text = pinned(IR)
    one, two = IR.split("---\n")
    assert text == (
        one.replace(f"image: {DEMO}", f"image: {PINS[DEMO]}").replace(f"'{OTHER}'", f"'{PINS[OTHER]}'") + "---\n" + two
    )


EXECUTORS = "deploymentSpec:\n  executors:\n"


def test_an_image_that_executors_share_by_an_alias_is_pinned_at_its_anchor() -> None:
    text = f"{EXECUTORS}    a: {{container: {{image: &image {DEMO}}}}}\n    b: {{container: {{image: *image}}}}\n"
    assert pinned(text) == text.replace(DEMO, PINS[DEMO])


def test_a_container_that_executors_share_by_an_alias_is_pinned_at_its_anchor() -> None:
    text = f"{EXECUTORS}    exec-a:\n      container: &same\n        image: {DEMO}\n    exec-b: {{container: *same}}\n"
    assert pinned(text) == text.replace(DEMO, PINS[DEMO])


def test_an_image_that_is_an_alias_of_another_text_is_pinned_at_the_alias() -> None:
    text = f"description: &image {DEMO}\n{HEAD}    image: *image # the one above\n{TAIL}"
    assert pinned(text) == text.replace("*image", PINS[DEMO])
    assert pinned(pinned(text)) == pinned(text)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (f"{HEAD}    image: &image {DEMO}\n{TAIL}description: *image\n", 6, "by an alias, an image where no image"),
        (
            f"implementation:\n  container: &here\n    image: {DEMO}\nmetadata:\n  annotations: {{a: *here}}\n",
            5,
            "by an alias, an image where no image",
        ),
        (
            f"metadata: {{annotations: {{a: &there {{image: {DEMO}}}}}}}\nimplementation:\n  container: *there\n",
            1,
            "has its container at an alias",
        ),
    ],
)
def test_an_image_whose_change_would_show_elsewhere_is_refused(text: str, line: int, message: str) -> None:
    with pytest.raises(Problems, match=message) as caught:
        pinned(text)
    assert caught.value.problems[0].line == line
    assert caught.value.problems[0].remedy.startswith("write the ")


@pytest.mark.parametrize("extra", [":latest", ":1.0", f"@sha256:{'c' * 64}", f":1.0@sha256:{'c' * 64}"])
def test_an_owned_image_with_another_tag_or_digest_is_refused_with_what_it_carries(extra: str) -> None:
    with pytest.raises(Problems) as caught:
        pinned(f"{HEAD}    image: {DEMO}{extra}\n{TAIL}")
    assert str(caught.value).startswith(f"yaml/x.yaml:4: owned image {DEMO} carries {extra}")
    assert caught.value.problems[0].remedy == f"write the image by its repository alone: {DEMO}"


def test_all_owned_images_with_another_pin_are_told_at_once() -> None:
    text = f"{EXECUTORS}    a: {{container: {{image: '{DEMO}:1'}}}}\n    b: {{container: {{image: '{OTHER}:2'}}}}\n"
    with pytest.raises(Problems) as caught:
        pinned(text)
    assert [problem.line for problem in caught.value.problems] == [3, 4]


@pytest.mark.parametrize("text", ["", "a b", "x'y", 'x"y', "x\ny", "x: y", "a#b", "{x}", "*x", "&x", "!x"])
def test_what_names_no_image_cannot_be_a_pin(text: str) -> None:
    with pytest.raises(ReleaseError, match="cannot be a pin"):
        pinned(f"{HEAD}    image: {DEMO}\n{TAIL}", {DEMO: text})


LINE = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\ufeff"), max_size=40)
PROSE = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)


@given(
    description=PROSE,
    comment=LINE,
    style=st.sampled_from(["", "'", '"', "|", ">"]),
    written=st.sampled_from(sorted(WRITTEN.values())),
    line_end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
)
@example(description="", comment=f"image: {DEMO}", style="|", written=WRITTEN["plain"], line_end="\r\n", mark="\ufeff")
def test_whatever_stands_around_it_only_the_image_changes(
    *, description: str, comment: str, style: str, written: str, line_end: str, mark: str
) -> None:
    prose = yaml.safe_dump({"description": f"{DEMO} {description}"}, default_style=style, allow_unicode=True, width=40)
    before, after = f"{prose}# {comment}\n{HEAD}", f"{TAIL}# {comment}\nmetadata: {{annotations: {{a: {DEMO}}}}}\n"

    def text(image: str) -> str:
        return mark + (before + written.format(image) + after).replace("\n", line_end)

    result = pinned(text(DEMO))
    assert result == text(PINS[DEMO])
    wanted: dict[str, Any] = copy.deepcopy(yaml.safe_load(text(DEMO)))
    wanted["implementation"]["container"]["image"] = PINS[DEMO]
    assert yaml.safe_load(result) == wanted
    assert pinned(result) == result


def test_a_file_near_the_limit_of_its_size_is_pinned() -> None:
    filler = "".join(f"    - --option-{number}\n" for number in range(40_000))
    text = f"{HEAD}    image: {DEMO}\n    args:\n{filler}{TAIL}"
    assert pinned(text) == text.replace(DEMO, PINS[DEMO])


def test_a_pipeline_that_kfp_compiled_is_pinned_and_loads_with_its_description(tmp_path: Path) -> None:
    parts = [
        load_component_from_text(
            f"name: Part {number}\ninputs: [{{name: a, type: Float}}]\nimplementation:\n  container:\n"
            f"    image: {image}\n    command: [run, {{inputValue: a}}]\n"
        )
        for number, image in enumerate((DEMO, OTHER))
    ]

    @dsl.pipeline(name="two", description=f"Two steps on {DEMO}")  # type: ignore[untyped-decorator] # kfp's
    def two() -> None:
        for part in parts:
            part(a=2.0)

    compiler.Compiler().compile(two, str(tmp_path / "two.yaml"))
    text = (tmp_path / "two.yaml").read_text()
    result = pinned(text)
    assert result == "".join(
        line.replace(DEMO, PINS[DEMO]).replace(OTHER, PINS[OTHER]) if "image:" in line else line
        for line in text.splitlines(keepends=True)
    )
    assert result.count("@sha256:") == 2
    assert load_component_from_text(result).description == f"Two steps on {DEMO}"
