# No `from __future__ import annotations`: kfp reads the function's annotations as they are.

from pathlib import Path

import pytest
from component_files import IR, OWNED, V1, changed, errors
from kfp import compiler, dsl

from kfp_release.component import ComponentFile
from kfp_release.lightweight_rules import lightweight_problems

V1_LIGHTWEIGHT = """\
    command:
    - sh
    - -ec
    - |
      program_path=$(mktemp)
      printf "%s" "$0" > "$program_path"
      python3 -u "$program_path" "$@"
    - print(1)
"""


@pytest.mark.filterwarnings("ignore:The default base_image:FutureWarning")
@pytest.mark.parametrize("image", [None, OWNED])
def test_what_dsl_component_makes_is_refused_with_the_reason(tmp_path: Path, image: str | None) -> None:
    def light(a: int) -> int:
        return a

    file = tmp_path / "light.yaml"
    compiler.Compiler().compile(dsl.component(light, base_image=image), str(file))
    parsed = ComponentFile.parse("yaml/light.yaml", file.read_bytes())
    (problem,) = lightweight_problems(parsed)
    assert problem.message == (
        "exec-light is made by @dsl.component: it installs kfp and its packages each time it runs, "
        "and bypasses the image of the release"
    )
    assert problem.remedy.startswith("write a program of the package, and a @dsl.container_component")
    assert file.read_text().splitlines()[problem.line - 1].strip() in {"args:", "container:"}


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("    command: [sh, -c, 'pip install pandas && train']\n", "runs pip install: it installs"),
        ("    command: [python3, -m, pip, install, pandas]\n", "runs pip install: it installs"),
        (V1_LIGHTWEIGHT, "is made by @dsl.component: it installs"),
    ],
)
def test_so_is_what_installs_by_itself_in_v1(command: str, message: str) -> None:
    text = changed(V1, "    command: [train, --name, {inputValue: my a}]\n", command)
    assert [problem.message.startswith(message) for problem in errors(text)] == [True]


def test_each_executor_of_a_pipeline_is_looked_at() -> None:
    text = changed(IR, "command: [train]", "command: [sh, -c, python3 -m kfp.dsl.executor_main]")
    assert [problem.message.partition(":")[0] for problem in errors(text)] == ["exec-train is made by @dsl.component"]


@pytest.mark.parametrize("word", ["--pipeline", "pipx install", "pip", "install", "--note=pip-install"])
def test_other_words_are_no_installation(word: str) -> None:
    assert errors(changed(V1, "    - --rate\n", f"    - {word}\n    - --rate\n")) == []
