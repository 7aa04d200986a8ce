"""The parts of the bench that measure nothing: what values come to, what is told of them, and the script's own form."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from bench import PROJECT
from bench import __main__ as program
from bench.figure import MET, MISSED, Figure, Values
from bench.goals import GOALS, ROWS, Goal, Held, Unit
from bench.pages import PAGES, PLOT, RESULTS, origin, publish
from bench.plot import draw
from bench.project import baseline_repository, our_repository, tag_version
from bench.results import Results
from bench.table import markdown, ratio_text, short, told

from kfp_release.check import check
from kfp_release.config import Config
from kfp_release.errors import ReleaseError
from kfp_release.git import Git
from kfp_release.lock import Lock

SCRIPT = PROJECT / "bench/baseline.sh"
RATIO = Goal("warm.seconds", "a ratio", Unit.SECONDS, Held.RATIO, 0.35)
OURS = Goal("rerun.seconds", "a limit", Unit.SECONDS, Held.OURS, 2.0)
REPORTED = Goal("push.cpu", "a report", Unit.SECONDS_PER_GB)
MACHINE = {"processor": "A processor", "cores": "2", "memory": "24 GiB", "system": "Debian", "docker": "20.10.24"}


def some_results() -> Results:
    measured = {
        "fresh.bytes": Values((50_000.0, 50_100.0, 50_050.0), (132e6, 131e6, 133e6)),
        "warm.seconds": Values((3.0, 2.0, 2.5), (10.0, 5.0, 6.0), "a note"),
        "rerun.layers": Values((0.0,), (0.0,)),
        "commands.help": Values((200.0,)),
    }
    return Results("c0ffee" * 6 + "c0de", "2026-11-29", MACHINE, {"warm": 120.0, "fresh": 60.0}, measured)


# What values come to


def test_a_figure_is_held_against_its_goal_by_medians() -> None:
    figure = Figure(RATIO, Values((1.0, 9.0, 2.0), (10.0, 8.0, 12.0)))
    assert (figure.ours, figure.baseline, figure.ratio) == (2.0, 10.0, 0.2)
    assert figure.ratios == (0.1, 1.125)
    assert figure.verdict == MET


@pytest.mark.parametrize(
    ("goal", "values", "verdict"),
    [
        (RATIO, Values((3.5,), (10.0,)), MET),
        (RATIO, Values((3.6,), (10.0,)), MISSED),
        (RATIO, Values((3.5,)), MISSED),
        (RATIO, Values((3.5,), (0.0,)), MISSED),
        (OURS, Values((2.0,), (1.0,)), MET),
        (OURS, Values((2.1,), (100.0,)), MISSED),
        (replace(OURS, most=0), Values((0.0,)), MET),
        (replace(OURS, most=0), Values((1.0,)), MISSED),
        (REPORTED, Values((1e9,), (1.0,)), "reported"),
    ],
)
def test_verdicts(goal: Goal, values: Values, verdict: str) -> None:
    assert Figure(goal, values).verdict == verdict


def test_a_figure_without_a_measurement_is_refused() -> None:
    with pytest.raises(ValueError, match="without a measurement"):
        Values(())


def test_what_is_missed_is_told() -> None:
    assert [figure.goal.name for figure in some_results().missed] == ["warm.seconds", "commands.help"]


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    results = some_results()
    results.write(tmp_path / RESULTS)
    assert Results.read(tmp_path / RESULTS) == results
    item = json.loads((tmp_path / RESULTS).read_text())["figures"][1]
    assert item["ours"] == {"median": 2.5, "least": 2.0, "most": 3.0, "values": [3.0, 2.0, 2.5]}
    assert (item["ratio"], item["ratios of the pairs"]) == (2.5 / 6, [0.3, 2.5 / 6])
    assert (item["goal"], item["verdict"], item["note"]) == ({"of": "ours / baseline", "most": 0.35}, MISSED, "a note")


def test_one_pair_has_no_spread() -> None:
    figure = Figure(RATIO, Values((1.0,), (10.0,)))
    assert (figure.ratio, figure.ratios) == (0.1, None)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 2}', '{"schema": 1, "figures": [{"name": "no.goal"}]}'])
def test_what_is_no_results_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / RESULTS).write_text(text)
    with pytest.raises(ReleaseError, match=r"has no results of this bench"):
        Results.read(tmp_path / RESULTS)


# What is told


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (132_100_000.0, Unit.BYTES, "132 MB"),
        (48_234.0, Unit.BYTES, "48.2 kB"),
        (0.0, Unit.BYTES, "0 bytes"),
        (5.2134, Unit.SECONDS, "5.21 s"),
        (0.0345, Unit.SECONDS, "0.0345 s"),
        (1234.5, Unit.MILLISECONDS, "1,234 ms"),
        (0.0, Unit.COUNT, "0"),
    ],
)
def test_values_for_people(value: float, unit: Unit, text: str) -> None:
    assert told(value, unit) == text


def test_ratios_for_people() -> None:
    assert [ratio_text(ratio) for ratio in (None, 0.0, 0.000365, 0.0672, 0.5, 12.34)] == [
        *("", "0", "1/2,740", "0.0672", "0.500", "12.3")
    ]


def test_the_table_has_a_row_a_figure_and_says_what_is_missed() -> None:
    *lines, empty, note = markdown(some_results()).splitlines()
    assert (empty, note) == ("", "- code-only release, warm machine: tag to verified: a note")
    assert len(lines) == 2 + 4
    assert lines[3].startswith("| code-only release, warm machine: tag to verified | 2.50 s | 6 s | 0.417 |")
    assert lines[3].endswith("| 0.300 to 0.417 | ≤ 0.350 | missed |")
    assert lines[2].endswith("| 50.0 kB | 132 MB | 1/2,637 | 1/2,657 to 1/2,615 | ≤ 65.5 kB | met |")
    assert {line.count("|") for line in lines} == {8}
    assert {line.count("|") for line in short(some_results()).splitlines()} == {7}


def test_a_figure_of_fewer_measurements_than_its_row_says_so() -> None:
    measured = {
        "operators.import": Values((1.0, 2.0, 3.0), (1.0, 2.0), "a note"),
        "operators.kfp": Values((0.0,)),
        "operators.first": Values((1.0, 2.0, 3.0)),
    }
    assert markdown(replace(some_results(), measured=measured)).splitlines()[-2:] == [
        "- import of 1,000 operators, over bare Python: CPU: a note; the baseline: median of 2 measurements",
        "- modules of kfp that this import brings: one measurement",
    ]


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"first.seconds": 1, "warm.seconds": 1}, "One measurement a row in one run"),
        ({"first.seconds": 2, "warm.seconds": 2}, "Medians of 2 measurements in one run"),
        ({"first.seconds": 3, "warm.seconds": 5}, "Medians of 5 measurements (3 for the slow rows) in one run"),
        (
            {"first.seconds": 3, "warm.seconds": 5, "operators.first": 15, "operators.kfp": 1},
            "Medians of 5 or more measurements (3 for the slow rows) in one run",
        ),
    ],
)
def test_of_how_many_measurements_the_medians_are(counts: dict[str, int], words: str) -> None:
    measured = {name: Values((1.0,) * count) for name, count in counts.items()}
    assert origin(replace(some_results(), measured=measured)).startswith(words)


def test_the_picture_is_a_png(tmp_path: Path) -> None:
    draw(some_results(), tmp_path / PLOT)
    assert (tmp_path / PLOT).read_bytes().startswith(b"\x89PNG\r\n")


def whole_results() -> Results:
    measured = {goal.name: Values((1.0,), (2.0,)) for goal in GOALS}
    return replace(some_results(), measured={**measured, **some_results().measured})


def test_publishing_changes_the_pages_between_the_marks_alone(tmp_path: Path) -> None:
    out, project = tmp_path / "out", tmp_path / "project"
    (project / "docs").mkdir(parents=True)
    for name in PAGES:
        (project / name).write_text("before\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nafter\n")
    program.write(whole_results(), out)
    picture = (out / PLOT).read_bytes()
    (out / PLOT).unlink()
    publish(out, project)
    for name, table in PAGES.items():
        block = f"{table(whole_results())}\n{origin(whole_results())}\n"
        expected = f"before\n<!-- bench: begin -->\n{block}<!-- bench: end -->\nafter\n"
        assert (project / name).read_text() == expected
    assert (project / "docs" / PLOT).read_bytes() == picture


def test_a_page_without_the_marks_is_named_and_no_page_is_written(tmp_path: Path) -> None:
    program.write(whole_results(), tmp_path)
    marked = "<!-- bench: begin -->\n<!-- bench: end -->\n"
    (tmp_path / "docs").mkdir()
    for name in PAGES:
        (tmp_path / name).write_text(marked)
    (tmp_path / list(PAGES)[-1]).write_text("nothing\n")
    with pytest.raises(ReleaseError, match=r"docs/performance\.md has no place for the table"):
        publish(tmp_path, tmp_path)
    assert (tmp_path / "README.md").read_text() == marked


def test_a_run_that_is_not_whole_is_not_published(tmp_path: Path) -> None:
    program.write(some_results(), tmp_path)
    with pytest.raises(ReleaseError, match=r"is not whole: it has no .*\n  → run make bench"):
        publish(tmp_path, tmp_path)


def test_publishing_nothing_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--publish", "--out", str(tmp_path)]) == 1
    assert "make bench" in capsys.readouterr().err


def test_the_pages_have_a_place_for_the_table() -> None:
    for name in PAGES:
        text = (PROJECT / name).read_text()
        assert (text.count("<!-- bench: begin -->"), text.count("<!-- bench: end -->")) == (1, 1)
    assert "docs/bench.png" in (PROJECT / "README.md").read_text()


# Goals and rows


def test_every_goal_has_a_row_and_every_row_a_goal() -> None:
    assert {goal.row for goal in GOALS} == set(ROWS)
    assert len({goal.name for goal in GOALS}) == len(GOALS)


@pytest.mark.parametrize("row", ROWS)
def test_every_row_measures_its_goals(row: str) -> None:
    module = import_module(f"bench.rows.{row}")
    assert callable(module.run)
    named = set(re.findall(rf'"({row}\.[a-z]+)"', Path(str(module.__file__)).read_text()))
    assert named == {goal.name for goal in GOALS if goal.row == row}


# The script and the repositories


def test_the_script_is_one_that_bash_reads() -> None:
    done = subprocess.run(["bash", "-n", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_script_stops_at_the_first_error_and_quotes_its_variables() -> None:
    lines = [line for line in SCRIPT.read_text().splitlines() if line and not line.lstrip().startswith("#")]
    assert lines[0] == "set -euo pipefail"
    quoted = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*\"""")
    assigned = re.compile(r"^(?:export )?(?:[A-Za-z_]+=\S* ?)+")
    bare = [line for line in lines if "$" in assigned.sub("", quoted.sub("", line))]
    assert bare == []


def test_the_lock_is_what_both_images_are_made_of() -> None:
    lock = Lock.parse("requirements.lock", (PROJECT / "bench/requirements.lock").read_text())
    wanted = set(re.findall(r"^[a-z0-9-]+", (PROJECT / "bench/requirements.in").read_text(), re.MULTILINE))
    assert wanted == {"pandas", "scikit-learn", "boto3"}
    assert [name for name in sorted(wanted) if not lock.named(name)] == []


def test_our_repository_is_one_that_can_be_released(tmp_path: Path) -> None:
    project = our_repository(tmp_path / "ours", name="some-components", repository="registry.example.com/bench/some")
    tag_version(project, "1.0", [])
    tag_version(project, "1.1", ["1.0"])
    config = Config.parse((project / "pyproject.toml").read_bytes(), {})
    assert (config.distribution, config.extra_projects) == ("some-components", ())
    assert [problem for problem in check(project, config) if problem.severity == "error"] == []
    assert Git(project).commit()
    assert (project / "src/kubeflow_demo_components/programs/multiply.py").read_text().endswith("# Version 1.1\n")


def test_the_baseline_has_the_same_components_and_lock(tmp_path: Path) -> None:
    project = baseline_repository(tmp_path / "baseline", name="some-baseline")
    tag_version(project, "1.0", [])
    package = project / "src/kubeflow_demo_components"
    ours = our_repository(tmp_path / "ours", name="some-components", repository="registry.example.com/bench/some")
    names = {path.name for path in (package / "yaml").iterdir()}
    assert names == {path.name for path in (ours / "yaml").iterdir()} >= {"multiply.yaml", "make_table.yaml"}
    scripts = [
        tomllib.loads((folder / "pyproject.toml").read_text())["project"]["scripts"] for folder in (project, ours)
    ]
    assert scripts[0] == scripts[1]
    assert len(scripts[0]) == len(names)
    assert sorted(path.name for path in package.rglob("*.py")) == sorted(
        path.name for path in (ours / "src/kubeflow_demo_components").rglob("*.py")
    )
    assert (project / "requirements.lock").read_bytes() == (PROJECT / "bench/requirements.lock").read_bytes()
    assert not (project / "src/kfp_release").exists()
