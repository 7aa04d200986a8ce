"""The short version of what `make chaos` does; and that its eyes see what it is there to see."""

from __future__ import annotations

import io
import json
import re
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from random import Random
from typing import IO

import pytest
import requests
from chaos import __main__ as program
from chaos.attempt import Attempt
from chaos.cycle import Cut
from chaos.disk import FullDisk
from chaos.instant import AtRequest, InStep
from chaos.kill import draw_kill
from chaos.kills import draw, too_few
from chaos.meeting import Meeting
from chaos.network import LostNetwork
from chaos.outside import Outside, sha256
from chaos.race import Pair, Side
from chaos.reference import Reference, There
from chaos.results import Results
from chaos.stage import Figures, Result, Stage
from chaos.universe import Universe
from chaos.watcher import Watcher
from chaos.wires import Moment
from conftest import PROJECT
from relay import Call

from kfp_release.errors import MAKE_ROOM, ReleaseError
from kfp_release.progress import Silent

DIGEST, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
WHEEL = "chaos_parts-1.0-py3-none-any.whl"
UNDISTURBED = Reference(
    version="1.0",
    there=There({"team/demo:1.0": DIGEST, WHEEL: "c" * 64}, frozenset({("team/demo", DIGEST)})),
    record=b"{}",
    seconds={"plan": 1.0, "runtime build": 2.0},
    writes=(False, True, False),
)


@pytest.mark.parametrize("part", ["kills", "cuts", "pairs"])
def test_nothing_that_is_promised_is_broken(part: str, tmp_path: Path) -> None:
    result: Result = import_module(f"chaos.{part}").run(Stage(tmp_path, 1, short=True, progress=Silent()))
    assert result.broken == ()
    assert result.figures["files without their image"] == 0
    expected = {"kills": ("killed", 3), "cuts": ("networks lost", 1), "pairs": ("raced", 3)}
    name, least = expected[part]
    assert isinstance(seen := result.figures[name], int)
    assert seen >= least
    assert isinstance(followed := result.figures["files followed"], int)
    assert followed > 0


def test_each_part_is_one_that_make_chaos_runs() -> None:
    parts = {path.stem for path in (PROJECT / "chaos").glob("*.py") if "\ndef run(stage: Stage)" in path.read_text()}
    assert parts == set(program.PARTS)


def played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, result: Result | Exception) -> int:
    """The program's exit code, with one part that comes to this."""

    class Part:
        @staticmethod
        def run(stage: Stage) -> Result:
            (stage.folder / "left").touch()
            if isinstance(result, Exception):
                raise result
            return result

    monkeypatch.setattr(program, "import_module", lambda _name: Part)
    return program.main(["--only", "kills", "--seed", "7", "--out", str(tmp_path)])


def test_the_last_line_has_the_figures_and_results_json_has_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures: Figures = {
        "killed": 6,
        "landed in": {"plan": 6},
        "ended otherwise": 0,
    }
    assert played(monkeypatch, tmp_path, Result(figures, (), [{"version": "1.0"}])) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line == "kills: 6 killed, 0 ended otherwise; 0 promises broken, seed 7, 0 s"
    written = json.loads((tmp_path / "results.json").read_bytes())
    assert re.fullmatch(r"[0-9a-f]{40}\+?", written["commit"])
    assert (written["seed"], written["short"]) == (7, False)
    assert written["parts"]["kills"]["figures"] == figures
    assert written["parts"]["kills"]["rows"] == [{"version": "1.0"}]
    assert not (tmp_path / "kills").exists()


def test_a_broken_promise_is_told_and_ends_with_1_and_what_is_left_stays(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert played(monkeypatch, tmp_path, Result({}, ("1.0: the image is another",))) == 1
    told = capsys.readouterr()
    assert "broken: kills: 1.0: the image is another\n" in told.err
    assert told.out.splitlines()[-1] == "kills: no figures; 1 promises broken, seed 7, 0 s"
    assert (tmp_path / "kills" / "left").exists()


def test_a_part_that_cannot_go_on_has_broken_a_promise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert played(monkeypatch, tmp_path, ReleaseError("no port is free")) == 1
    written = json.loads((tmp_path / "results.json").read_bytes())
    assert written["parts"]["kills"]["broken"] == ["it did not come to its end: no port is free"]


def test_a_part_with_an_error_of_its_own_is_told_and_results_of_before_are_gone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "results.json").write_text("{}")
    assert played(monkeypatch, tmp_path, KeyError("a key")) == 1
    (line,) = json.loads((tmp_path / "results.json").read_bytes())["parts"]["kills"]["broken"]
    assert line.startswith("it did not come to its end:\nTraceback")
    assert "KeyError: 'a key'" in line


def test_a_long_run_that_takes_more_than_twenty_minutes_is_broken() -> None:
    parts = {"a": (700.0, Result({}, ())), "b": (501.0, Result({}, ()))}
    assert Results(1, "", short=False, parts=parts).broken == ["all took 1201 s, more than 1200"]
    assert Results(1, "", short=True, parts=parts).broken == []


def test_the_line_has_the_first_figures_of_each_part_alone() -> None:
    many = Result({f"of {number}": number for number in range(9)}, ())
    line = Results(1, "", short=True, parts={"a": (1.0, many), "b": (1.4, many)}).line
    assert (
        line == "a: 0 of 0, 1 of 1, 2 of 2, 3 of 3; b: 0 of 0, 1 of 1, 2 of 2, 3 of 3; 0 promises broken, seed 1, 2 s"
    )


def test_the_same_seed_draws_the_same_instants(tmp_path: Path) -> None:
    def drawn(seed: int) -> list[str]:
        random = Stage(tmp_path, seed, short=True, progress=Silent()).random("kills", 1)
        return [str(draw_kill(random, UNDISTURBED)) for _ in range(20)]

    assert drawn(1) == drawn(1) != drawn(2)


def test_steps_and_requests_of_every_kind_are_drawn() -> None:
    random = Random(1)  # noqa: S311 - chance that a seed repeats
    steps = {InStep.draw(random, UNDISTURBED).step for _ in range(50)}
    requests_drawn = {AtRequest.draw(random, UNDISTURBED) for _ in range(100)}
    assert steps == {"plan", "runtime build"}
    assert requests_drawn == {AtRequest(number, answered) for number in (1, 2, 3) for answered in (True, False)}


@pytest.fixture(scope="module")
def universe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Universe]:
    """One whose index offers a wheel with the pin of an image that is nowhere."""
    with Universe(tmp_path_factory.mktemp("universe")) as running:
        pins = {"version": "1.0", "commit": "d" * 40, "images": {"demo": {"pin": f"host/team/demo:1.0@{DIGEST}"}}}
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as wheel:
            wheel.writestr("parts/pins.json", json.dumps(pins))
        answer = requests.post(
            running.environ["TWINE_REPOSITORY_URL"],
            data={":action": "file_upload"},
            files={"content": (WHEEL, data.getvalue())},
            auth=(running.environ["TWINE_USERNAME"], running.environ["TWINE_PASSWORD"]),
            timeout=30,
        )
        answer.raise_for_status()
        yield running


def test_the_watcher_sees_a_wheel_without_its_image(universe: Universe) -> None:
    with Watcher(universe.environ) as watcher:
        pass
    assert watcher.violations[0] == f"{WHEEL}: team/demo@{DIGEST} cannot be pulled"


def test_a_watcher_that_cannot_see_says_so(universe: Universe) -> None:
    with pytest.raises(requests.RequestException), Watcher({**universe.environ, "TWINE_PASSWORD": "wrong"}):
        pass


def test_a_watcher_that_was_kept_from_a_sample_goes_on(universe: Universe, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = Watcher(universe.environ)
    errors = [requests.ConnectionError("reset")]
    look = Outside.files

    def files(outside: Outside) -> dict[str, str]:
        if errors:
            raise errors.pop()
        return look(outside)

    monkeypatch.setattr(Outside, "files", files)
    with watcher:
        time.sleep(0.3)
    assert watcher.samples > 0
    assert watcher.violations


def test_a_file_that_stays_unreadable_is_a_violation(universe: Universe, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = Watcher(universe.environ)
    monkeypatch.setattr(Outside, "download", lambda _outside, _url: b"no zip")
    with watcher:
        pass
    assert watcher.violations == [f"{WHEEL} cannot be read: BadZipFile('File is not a zip file')"]


def test_a_release_that_ends_otherwise_is_seen() -> None:
    public = {"team/demo:1.0": OTHER, "team/demo:1.1": DIGEST}
    assert list(UNDISTURBED.differences(There(public, frozenset()), b"{ }")) == [
        f"{WHEEL} is nothing, and {'c' * 64} without the disturbance",
        f"team/demo:1.0 is {OTHER}, and {DIGEST} without the disturbance",
        f"team/demo:1.1 is {DIGEST}, and nothing without the disturbance",
        "1 blobs are missing",
        "release.json is another",
    ]
    assert list(UNDISTURBED.differences(UNDISTURBED.there, b"{}")) == []


def test_what_is_sent_again_is_seen() -> None:
    layer = {"repositoryName": "team/demo", "layerPartBlob": "YWJj"}
    there = There({"team/demo:1.0": DIGEST, WHEEL: "c" * 64}, frozenset({("team/demo", f"sha256:{sha256(b'abc')}")}))
    calls = [
        Call("POST", "/", "UploadLayerPart", json.dumps(layer).encode()),
        Call("POST", "/", "UploadLayerPart", json.dumps({**layer, "layerPartBlob": "YWJk"}).encode()),
        Call("POST", "/", "PutImage", json.dumps({"repositoryName": "team/demo", "imageTag": "1.0"}).encode()),
        Call("POST", "/", "", f'name="content"; filename="{WHEEL}"'.encode()),
        Call("GET", "/simple/chaos-parts/", "", b""),
    ]
    assert list(there.sent_again(calls)) == [
        f"sha256:{sha256(b'abc')} was sent to team/demo again",
        "team/demo:1.0 was put again",
        f"{WHEEL} was uploaded again",
    ]


PAIR = Pair("1.0", (("demo",), ("demo",)), "that all share", "PutImage", (0, 0), same=False)


def side(code: int | None, said: str = "") -> Side:
    """One that has built the wheel of the universe, on another image and at another commit than is public."""
    record = {
        "commit": "e" * 40,
        "images": {"demo": {"pin": f"host/team/demo:1.0@{OTHER}"}},
        "distributions": [{"filename": WHEEL, "sha256": "c" * 64}],
    }
    return Side(code, said, json.dumps(record).encode())


def test_content_that_is_not_the_winners_is_seen(universe: Universe) -> None:
    problems = list(PAIR.problems([side(0), side(1, "error: the version is taken\n")], universe))
    assert [problem.partition(" is ")[0] for problem in problems[:3]] == [WHEEL, "team/demo:1.0", WHEEL]
    assert problems[2] == f"{WHEEL} is pinned for commit {'d' * 40}, the winner's is {'e' * 40}"
    assert problems[3].startswith("the loser's error lacks a content, or what to do")


@pytest.mark.parametrize(
    ("codes", "told"),
    [((0, None), "a release did not end"), ((0, 0), "exit codes [0, 0]"), ((1, 1), "exit codes [1, 1]")],
)
def test_a_deadlock_and_two_winners_are_seen(universe: Universe, codes: tuple[int | None, ...], told: str) -> None:
    (problem,) = PAIR.problems([side(code) for code in codes], universe)
    assert problem.startswith(told)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (f"error: team/demo:1.0 is {DIGEST} already, this is {OTHER}\n  → withdraw it\n", True),
        (f"error: team/demo:1.0 is {DIGEST} already, this is {OTHER}\n", False),
        (f"[ 1.0 s] push {OTHER}\nerror: team/demo:1.0 is {DIGEST} already\n  → withdraw it\n", False),
        (f"error: team/demo:1.0 is {DIGEST} already, this is sha256:{'f' * 64}\n  → withdraw it\n", False),
    ],
)
def test_an_error_without_both_contents_is_seen(said: str, *, told: bool, universe: Universe) -> None:
    winner = side(0).record.replace(OTHER.encode(), DIGEST.encode())
    problems = list(PAIR.problems([Side(0, "", winner), side(1, said)], universe))
    assert any(problem.startswith("the loser's error lacks a content") for problem in problems) is not told


class Told:
    """A child that has ended, and said this."""

    pid = 2**22

    def __init__(self, code: int, said: str) -> None:
        self._code = code
        self.stderr: IO[str] = io.StringIO(said)

    def wait(self, _seconds: float) -> int:
        return self._code


@pytest.mark.parametrize(
    ("code", "said", "problem"),
    [
        (0, "", ""),
        (1, "[   0.1 s] plan 1.0\nerror: ECR gave no answer\n  → run it again\n", ""),
        (1, "error: No space left on device\n  → make room\n", ""),
        (1, "error: the build failed: no space left on device\n  | Traceback (most recent call last):\n", ""),
        (1, "error: something failed\n", "the error does not name what was lost: something failed"),
        (1, "internal error: KeyError: 'a'\n", "it ended with exit code 1 and no clear error"),
        (1, "Traceback (most recent call last):\nerror: ECR\n", "it ended with exit code 1 and no clear error"),
        (1, "error: ECR\nerror: ECR\n", "it ended with exit code 1 and no clear error"),
        (-9, "error: ECR\n", "it ended with exit code -9 and no clear error"),
    ],
)
def test_an_end_that_is_not_clear_is_seen(code: int, said: str, problem: str, tmp_path: Path) -> None:
    attempt = Attempt(Told(code, said), folder=tmp_path)
    attempt.end(1)
    lost = re.compile("ECR|no space left", re.IGNORECASE)
    assert [line[: len(problem)] for line in attempt.unclear(lost)] == [problem][: bool(problem)]


def test_a_release_that_ended_by_itself_was_not_killed(tmp_path: Path) -> None:
    attempt = Attempt(Told(0, ""), folder=tmp_path)
    attempt.kill()
    attempt.end(1)
    assert not attempt.killed


@pytest.mark.parametrize(
    ("cut", "error", "named"),
    [
        (FullDisk(InStep("plan", 0.1)), f"error: the build failed: No space left on device\n  → {MAKE_ROOM}", True),
        (FullDisk(InStep("plan", 0.1)), "error: the build failed: No space left on device", False),
        (FullDisk(InStep("plan", 0.1)), "error: the index gave no answer", False),
        (LostNetwork(AtRequest(1, answered=True), silent=True), "error: the index gave no answer", True),
        (LostNetwork(AtRequest(1, answered=True), silent=True), "error: No space left on device", False),
    ],
)
def test_an_error_names_what_was_lost(cut: Cut, error: str, *, named: bool) -> None:
    assert bool(cut.names.search(error)) is named


def put(tag: str) -> Moment:
    body = json.dumps({"repositoryName": "team/demo", "imageTag": tag}).encode()
    return Moment(1, Call("POST", "/", "PutImage", body), answered=False)


def test_two_releases_meet_at_the_image_and_not_at_its_runtime(tmp_path: Path) -> None:
    meeting = Meeting("PutImage", (0.0, 0.0))
    sides = [meeting.of(number, Attempt(Told(0, ""), folder=tmp_path)) for number in (0, 1)]
    sides[0](put("runtime-abc"))
    other = threading.Thread(target=sides[1], args=(put("1.0"),))
    other.start()
    sides[0](put("1.0"))
    other.join()
    assert meeting.met


def test_a_meeting_that_does_not_come_about_is_told(tmp_path: Path) -> None:
    meeting = Meeting("PutImage", (0.0, 0.0))
    meeting.end()
    meeting.of(0, Attempt(Told(0, ""), folder=tmp_path))(put("1.0"))
    assert not meeting.met


def test_a_quarter_is_released_by_the_four_commands_and_killed_in_a_step_of_each() -> None:
    every = ["look at git", "runtime look-up", "pin", "verify"]
    reference = replace(UNDISTURBED, seconds=dict.fromkeys(every, 1.0))
    random = Random(1)  # noqa: S311 - chance that a seed repeats
    commands = [draw(random, reference)[1] for _ in range(400)]
    assert 80 < len([command for command in commands if command is not None]) < 120
    assert set(commands) == {None, 0, 1, 2, 3}


def test_kills_that_are_too_few_are_told(tmp_path: Path) -> None:
    long = Stage(tmp_path, 1, short=False, progress=Silent())
    assert list(too_few(3, 3, {"plan"}, long)) == []
    assert list(too_few(2, 3, {"plan", "pin"}, long)) == [
        "only 2 of 3 releases were running until they were killed",
        "no release was killed in these steps: pin, plan",
    ]
