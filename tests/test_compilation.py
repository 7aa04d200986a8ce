"""`kfp-release compile`, with kfp as it is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PROJECT, kfp_release, run_git
from kfp import components
from python_project import (
    CONFIG,
    DEFINITIONS,
    HEAD,
    OWNED,
    SCORE,
    TRAIN,
    compiled,
    contents,
    files,
    make_project,
    refused,
    stale,
    write,
)

from kfp_release.compile_mark import CompileMark, unmarked
from kfp_release.component import ComponentFile
from kfp_release.component_rules import component_problems
from kfp_release.errors import ReleaseError
from kfp_release.pinning import pin

PIN = f"{OWNED}:1.0@sha256:{'a' * 64}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


def text(project: Path, name: str = "train") -> str:
    return (project / "yaml" / f"{name}.yaml").read_text(encoding="utf-8")


def test_each_function_becomes_a_file_that_kfp_loads_and_that_is_pinned(project: Path) -> None:
    assert compiled(project) == {"yaml/score.yaml": "written", "yaml/train.yaml": "written"}
    for name in ("score", "train"):
        data = (project / "yaml" / f"{name}.yaml").read_bytes()
        file = ComponentFile.parse(f"yaml/{name}.yaml", data)
        assert [problem.message for problem in component_problems(file, {OWNED})] == []
        pinned = pin(file, {OWNED: PIN})
        assert pinned == data.replace(OWNED.encode(), PIN.encode())
        loaded = components.load_component_from_text(pinned.decode())
        assert loaded.name == name
    assert components.load_component_from_text(text(project)).description == "Train a model."


def test_the_mark_names_all_that_the_module_was_made_from(project: Path) -> None:
    write(
        project, DEFINITIONS, HEAD + TRAIN + "from pathlib import Path\nPath(__file__).with_name('d.txt').read_text()"
    )
    write(project, "src/demo_parts/d.txt", "data")
    compiled(project)
    mark = CompileMark.find(text(project))
    assert mark
    assert mark.origin == "demo_parts.definitions:train"
    assert mark.files == tuple(
        f"src/demo_parts/{name}" for name in ("__init__.py", "d.txt", "definitions.py", "names.py")
    )


def test_what_kfp_opens_to_know_its_caller_is_no_source_in_whatever_order_modules_are(project: Path) -> None:
    """The project holds a copy of kfp-release, as its own repository does."""
    shutil.copytree(PROJECT / "src/kfp_release", project / "src/kfp_release")
    limited = "train(data=data, rate=1.0).set_cpu_limit('1').set_env_variable('A', 'b')"
    for name in ("one", "two"):
        pipeline = f"@dsl.pipeline\ndef {name}(data: dsl.Input[dsl.Dataset]):\n    {limited}\n"
        start = "from kfp import dsl\nfrom demo_parts.definitions import train\n"
        write(project, f"src/demo_parts/{name}.py", start + pipeline)
    named = '"demo_parts.one", "demo_parts.two"'
    write(project, "pyproject.toml", CONFIG.replace('"demo_parts.definitions"', f'"demo_parts.definitions", {named}'))
    compiled(project)
    first = contents(project)
    for name in ("one", "two"):
        mark = CompileMark.find(text(project, name))
        assert mark
        assert [path.rpartition("/")[2] for path in mark.files] == sorted(
            ["__init__.py", "definitions.py", "names.py", f"{name}.py"]
        )
    write(project, "pyproject.toml", CONFIG.replace('"demo_parts.definitions"', f'{named}, "demo_parts.definitions"'))
    assert set(compiled(project).values()) == {"unchanged"}
    assert contents(project) == first


def test_what_git_ignores_is_no_source(project: Path) -> None:
    write(project, DEFINITIONS, HEAD + TRAIN + "import demo_parts._version\n")
    write(project, "src/demo_parts/_version.py", "version = '1.0'\n")
    write(project, ".gitignore", "_version.py\n")
    run_git(project, "init", "--quiet")
    compiled(project)
    mark = CompileMark.find(text(project))
    assert mark
    assert [path.rpartition("/")[2] for path in mark.files] == ["__init__.py", "definitions.py", "names.py"]


def test_the_bytes_are_the_same_elsewhere_and_the_second_time_nothing_is_written(project: Path, tmp_path: Path) -> None:
    compiled(project)
    first = contents(project)
    times = [path.stat().st_mtime_ns for path in sorted((project / "yaml").iterdir())]
    assert set(compiled(project).values()) == {"unchanged"}
    assert [path.stat().st_mtime_ns for path in sorted((project / "yaml").iterdir())] == times
    other = tmp_path / "some" / "where" / "else"
    shutil.copytree(project / "src", other / "src")
    shutil.copy2(project / "pyproject.toml", other)
    compiled(other)
    assert contents(other) == first
    assert not list(project.rglob("__pycache__"))


def test_a_file_of_another_version_of_kfp_stays_as_long_as_nothing_else_changes(project: Path) -> None:
    compiled(project)
    body = unmarked(text(project)).replace("sdkVersion: kfp-2.", "sdkVersion: kfp-9.")
    mark = CompileMark.find(text(project))
    assert mark
    from kfp_release.compile_mark import text_hash  # noqa: PLC0415

    line = mark.line().replace(mark.text, text_hash(body))
    write(project, "yaml/train.yaml", f"{body}{line}\n")
    assert compiled(project)["yaml/train.yaml"] == "unchanged"
    write(project, "src/demo_parts/names.py", f'IMAGE = str("{OWNED}")\n')
    assert compiled(project)["yaml/train.yaml"] == "written"
    assert "kfp-9." not in text(project)


def test_a_file_that_was_edited_is_written_anew(project: Path) -> None:
    compiled(project)
    before = contents(project)
    write(project, "yaml/train.yaml", text(project).replace("command:", "command: # edited"))
    assert compiled(project) == {"yaml/score.yaml": "unchanged", "yaml/train.yaml": "written"}
    assert contents(project) == before


def test_a_file_with_a_damaged_mark_is_written_anew_or_told_where_it_is_no_function_s(project: Path) -> None:
    compiled(project)
    before = contents(project)
    damaged = text(project).replace('"sources"', '"source"')
    write(project, "yaml/train.yaml", damaged)
    assert compiled(project) == {"yaml/score.yaml": "unchanged", "yaml/train.yaml": "written"}
    assert contents(project) == before
    write(project, "yaml/fit.yaml", damaged)
    (line,) = refused(project)
    assert line == (
        "yaml/fit.yaml: has a damaged last line, which says what kfp-release compile made it of\n"
        "  → remove it: no function has its name"
    )


@pytest.mark.parametrize("odd", ["score.yml", "train.yaml"])
def test_what_is_no_plain_file_is_told(project: Path, odd: str) -> None:
    (project / "yaml" / odd).mkdir(parents=True)
    assert any(line.startswith(f"yaml/{odd}: cannot be read: Is a directory") for line in refused(project))


def test_the_file_of_a_function_that_is_gone_is_removed_unless_it_was_edited(project: Path) -> None:
    compiled(project)
    write(project, DEFINITIONS, HEAD + SCORE)
    kept = text(project)
    write(project, "yaml/train.yaml", kept.replace("command:", "command: # edited"))
    (line,) = refused(project)
    assert line == (
        "yaml/train.yaml: was compiled from demo_parts.definitions:train, which is gone, and was edited since\n"
        "  → remove it; or remove its last line, and it counts as written by hand"
    )
    write(project, "yaml/train.yaml", kept)
    assert compiled(project) == {"yaml/score.yaml": "written", "yaml/train.yaml": "removed"}
    assert list(contents(project)) == ["score.yaml"]


def test_without_the_setting_what_was_compiled_is_removed_and_then_there_is_nothing_to_do(project: Path) -> None:
    compiled(project)
    write(project, "pyproject.toml", CONFIG.replace('python-components = ["demo_parts.definitions"]\n', ""))
    assert set(compiled(project).values()) == {"removed"}
    with pytest.raises(ReleaseError, match="names no python-components") as caught:
        compiled(project)
    assert caught.value.remedy.startswith('add python-components = ["demo_parts.definitions"]')


@pytest.mark.parametrize("name", ["train.yaml", "train.yml"])
def test_a_file_that_was_written_by_hand_is_never_replaced(project: Path, name: str) -> None:
    write(project, f"yaml/{name}", "name: mine\n")
    (line,) = refused(project)
    assert line == (
        f"{DEFINITIONS}:7: train would become yaml/train.yaml, and yaml/{name} was not compiled from Python\n"
        f"  → remove yaml/{name}, or rename the function"
    )


REFUSED = {
    "a lightweight component": (
        HEAD + TRAIN + "@dsl.component\ndef light(a: int) -> int:\n    return a\n",
        f"{DEFINITIONS}:16: light is a @dsl.component: it installs kfp and its packages each time it runs, and",
        "write a program of the package, and a @dsl.container_component",
    ),
    "an import that fails": (
        HEAD + "import no_such_library\n",
        f"{DEFINITIONS}:7: module demo_parts.definitions cannot be imported: ModuleNotFoundError: No module named",
        "it is imported with kfp alone",
    ),
    "annotations that are texts": (
        "from __future__ import annotations\n" + HEAD + TRAIN,
        f"{DEFINITIONS}:8: module demo_parts.definitions cannot be imported: TypeError",
        "remove `from __future__ import annotations`",
    ),
    "a name that is none": (
        HEAD + "def run():\n    return made()\nrun.__name__ = '../run'\nrun = dsl.container_component(run)\n",
        f"{DEFINITIONS}:7: ../run is no Python name, and becomes none of a file",
        "name the function as it is defined",
    ),
    "a union": (
        (HEAD + TRAIN).replace("note: str =", "note: str | None ="),
        f"{DEFINITIONS}:7: module demo_parts.definitions cannot be imported: TypeError",
        "kfp does not read unions: write typing.Optional",
    ),
    "no Python": (HEAD + "def x(:\n", f"{DEFINITIONS}:7: module demo_parts.definitions cannot be imported: Syntax", ""),
    "an end of the program": ("raise SystemExit(3)\n", f"{DEFINITIONS}:1: module demo_parts.definitions cannot", ""),
    "no function": (
        HEAD,
        f"{DEFINITIONS}: module demo_parts.definitions has no @dsl.container_component",
        "define one",
    ),
    "functions from elsewhere alone": (
        "from demo_parts.alone import train\n",
        f"{DEFINITIONS}: module demo_parts.definitions has no @dsl.container_component function",
        "define one there; what it imports from elsewhere counts where it is defined",
    ),
    "one name twice": (
        HEAD + TRAIN + TRAIN,
        f"{DEFINITIONS}:17: train is defined a second time, first in line 8",
        "rename one of them",
    ),
    "one name from a factory": (
        HEAD
        + "def make(word):\n    @dsl.container_component\n    def one():\n        return made(word)\n    return one\n"
        "a, b = make('a'), make('b')\n",
        f"{DEFINITIONS}:8: one is the name of two functions, and of one component file",
        "rename one of them",
    ),
    "an image with a tag": (
        (HEAD + TRAIN).replace("image=IMAGE", "image=IMAGE + ':latest'"),
        f"{DEFINITIONS}:7: train owned image {OWNED} carries :latest",
        f"a release pins it: write {OWNED} alone",
    ),
    "an image that is computed from what is not there": (
        (HEAD + TRAIN).replace("image=IMAGE", "image=__import__('os').environ['IMAGE']"),
        f"{DEFINITIONS}:5: module demo_parts.definitions cannot be imported: KeyError: 'IMAGE'",
        "",
    ),
    "an image that is an input": (
        HEAD + "@dsl.container_component\ndef run(image: str):\n    return dsl.ContainerSpec(image=image)\n",
        f"{DEFINITIONS}:7: run takes its image from an input",
        "write the image as a text",
    ),
    "a name of which kfp leaves nothing": (
        HEAD + "@dsl.container_component\ndef é():\n    return made()\n",
        f"{DEFINITIONS}:7: é cannot be compiled: ValueError: Invalid pipeline name: .",
        "mend the function",
    ),
    "an image nobody owns": (
        (HEAD + TRAIN).replace("image=IMAGE", "image='ghcr.io/other/tool'"),
        f"{DEFINITIONS}:7: train image ghcr.io/other/tool is in no [tool.kfp-release.images], and carries no digest",
        "",
    ),
    "a default of two lines": (
        (HEAD + TRAIN).replace('"none"', '"x\\nfoo: bar #"'),
        f"{DEFINITIONS}:7: train has a line break in the default of note, which kfp writes into a comment of the file",
        "give it a default of one line",
    ),
    "a default that ends with a line": (
        (HEAD + TRAIN).replace('"none"', '"x\\u2028"'),
        f"{DEFINITIONS}:7: train has a line break in the default of note, which kfp writes into a comment of the file",
        "give it a default of one line",
    ),
    "a home": (
        (HEAD + TRAIN).replace('"--note"', 'str(__import__("pathlib").Path.home())'),
        f"{DEFINITIONS}:7: train is not the same each time that it is compiled",
        "make it of constants: no time, no chance, no folder of yours",
    ),
    "a folder for what is temporary": (
        (HEAD + TRAIN).replace('"--note"', '__import__("tempfile").gettempdir()'),
        f"{DEFINITIONS}:7: train is not the same each time that it is compiled",
        "make it of constants",
    ),
    "a pipeline of its step's name": (
        HEAD + SCORE + "@dsl.pipeline(name='score')\ndef both(model: dsl.Input[dsl.Model]) -> float:\n"
        "    score(model=model)\n    return score(model=model).outputs['result']\n",
        f"{DEFINITIONS}:11: both is the pipeline 'score' with a step of that name, and kfp loads the step in its place",
        "give the pipeline another name",
    ),
    "chance": (
        (HEAD + TRAIN).replace('"--note"', 'str(__import__("time").monotonic_ns())'),
        f"{DEFINITIONS}:7: train is not the same each time that it is compiled",
        "make it of constants",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_told_at_its_line(project: Path, case: str) -> None:
    definitions, message, remedy = REFUSED[case]
    write(project, DEFINITIONS, definitions)
    write(project, "src/demo_parts/alone.py", HEAD + TRAIN)
    found = refused(project)
    assert any(line.startswith(message) and f"→ {remedy}" in line for line in found), found
    assert not any("Traceback" in line for line in found)


def test_modules_that_are_not_there_or_not_ours_are_told_at_the_setting(project: Path) -> None:
    write(project, "pyproject.toml", CONFIG.replace('["demo_parts.definitions"]', '["demo_parts.nothing", "json"]'))
    assert [line.partition("\n")[0] for line in refused(project)] == [
        "pyproject.toml:11: module demo_parts.nothing is not there",
        "pyproject.toml:11: module json is none of this project's",
    ]


def test_two_modules_of_which_one_imports_the_other_have_files_of_their_own(project: Path) -> None:
    write(project, DEFINITIONS, HEAD + TRAIN)
    setting = CONFIG.replace('["demo_parts.definitions"]', '["demo_parts.definitions", "demo_parts.other"]')
    write(project, "pyproject.toml", setting)
    assert {each.path: each.origin for each in files(project)} == {
        "yaml/score.yaml": "demo_parts.other:score",
        "yaml/train.yaml": "demo_parts.definitions:train",
    }
    mark = CompileMark.find(text(project, "score"))
    assert mark
    assert [name.rpartition("/")[2] for name in mark.files] == ["__init__.py", "definitions.py", "names.py", "other.py"]
    write(project, DEFINITIONS, HEAD + TRAIN + SCORE)
    (line,) = refused(project)
    assert line == (
        f"src/demo_parts/other.py:3: score has the name of demo_parts.definitions:score ({DEFINITIONS}:16) too\n"
        "  → rename one of them: each becomes a file of its name"
    )


def test_underscored_functions_and_what_is_printed_do_no_harm_and_pipelines_are_components(project: Path) -> None:
    pipeline = (
        "@dsl.pipeline\ndef both(data: dsl.Input[dsl.Dataset], rate: float) -> float:\n"
        "    return score(model=train(data=data, rate=rate).outputs['model']).outputs['result']\n"
    )
    private = TRAIN.replace("def train", "def _train")
    noise = "import os, sys\nprint('hello')\nos.write(1, b'{')\nos.system('echo from a child')\nsys.stdout.flush()\n"
    write(project, DEFINITIONS, noise + HEAD + TRAIN + SCORE + private + pipeline)
    assert list(compiled(project)) == ["yaml/both.yaml", "yaml/score.yaml", "yaml/train.yaml"]
    assert text(project, "both").count(f"image: {OWNED}") == 2
    assert stale(project) == []


def test_functions_of_one_name_that_are_no_components_do_no_harm(project: Path) -> None:
    image = "import functools\n\n@functools.singledispatch\ndef image(x):\n    return IMAGE\n\n"
    cases = "".join(
        f"@image.register\ndef {name}(x: {kind}):\n    return IMAGE\n\n"
        for name, kind in (("_", "int"), ("_", "str"), ("of", "list"), ("of", "dict"))
    )
    write(project, DEFINITIONS, HEAD + image + cases + TRAIN)
    assert compiled(project) == {"yaml/train.yaml": "written"}
    assert stale(project) == []


def test_an_underscored_function_is_left_out_by_whatever_name(project: Path) -> None:
    write(project, DEFINITIONS, HEAD + SCORE + TRAIN.replace("def train", "def _train") + "fit = _train\n")
    assert compiled(project) == {"yaml/score.yaml": "written"}


def test_a_module_that_ends_its_process_or_never_ends_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, DEFINITIONS, "import os\nos._exit(7)\n")
    with pytest.raises(ReleaseError, match=r"compiling demo_parts.definitions ended with exit code 7"):
        compiled(project)
    monkeypatch.setattr("kfp_release.python_components.compile_modules.__kwdefaults__", {"timeout": 2.0})
    write(project, DEFINITIONS, "while True: pass\n")
    with pytest.raises(ReleaseError, match=r"demo_parts.definitions: not imported within 2 s") as caught:
        compiled(project)
    assert caught.value.remedy == "importing a module of components must do nothing but define them"


def test_a_thread_that_the_module_starts_does_not_keep_it_alive(project: Path) -> None:
    thread = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()\n"
    write(project, DEFINITIONS, HEAD + TRAIN + thread)
    assert compiled(project) == {"yaml/train.yaml": "written"}


def test_the_command_says_what_became_of_each_file(project: Path) -> None:
    done = kfp_release(["compile"], cwd=project, environ={})
    assert done.returncode == 0, done.stderr
    assert "2 written" in done.stdout
    assert "demo_parts.definitions:train" in done.stdout
    again = kfp_release(["compile", "--json"], cwd=project, environ={})
    assert json.loads(again.stdout)["files"][1] == {
        "path": "yaml/train.yaml",
        "origin": "demo_parts.definitions:train",
        "state": "unchanged",
    }
    write(project, DEFINITIONS, "import nothing\n")
    bad = kfp_release(["compile"], cwd=project, environ={"GITHUB_ACTIONS": "true"})
    assert bad.returncode == 1
    assert f"::error file={DEFINITIONS},line=1::" in bad.stderr
    assert "Traceback" not in bad.stderr


def test_without_kfp_it_says_so(project: Path, tmp_path: Path) -> None:
    """In an environment that sees kfp-release and its libraries, and no kfp."""
    hidden = tmp_path / "hidden"
    write(hidden, "kfp/__init__.py", "raise ModuleNotFoundError(\"No module named 'kfp'\", name='kfp')\n")
    write(hidden, "run.py", "import sys\nfrom kfp_release.__main__ import main\nsys.exit(main(sys.argv[1:]))\n")
    write(project, "src/kfp/__init__.py", (hidden / "kfp/__init__.py").read_text())
    done = subprocess.run(
        [sys.executable, hidden / "run.py", "-C", project, "compile"],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert (
        "kfp cannot be imported, and demo_parts.definitions is compiled with it: No module named 'kfp'" in done.stderr
    )
    assert "python -m pip install 'kfp>=2.17,<3'" in done.stderr
