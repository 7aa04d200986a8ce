"""The program: help that is cheap, errors that are messages, exit codes that hold."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import click
import pytest

from kfp_release.__main__ import main
from kfp_release.commands import SUMMARIES
from kfp_release.errors import MAKE_ROOM, Problem, Problems, ReleaseError

HEAVY = (
    "boto3",
    "botocore",
    "build",
    "pypi_simple",
    "requests",
    "rich",
    "setuptools",
    "setuptools_scm",
    "twine",
    "yaml",
)

WITHOUT = """
import sys
sys.modules[sys.argv[1]] = None
from kfp_release.__main__ import main
sys.exit(main(sys.argv[2:]))
"""
"""Runs the program as if a library were not installed."""


def python(code: str, *arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Puts a command in the place of check that raises what it is given."""

    def put(error: BaseException) -> None:
        @click.command("check")
        def command() -> None:
            raise error

        module = ModuleType("kfp_release.commands.check")
        module.__dict__["command"] = command
        monkeypatch.setitem(sys.modules, module.__name__, module)

    return put


@pytest.fixture
def broken_project(tmp_path: Path) -> Path:
    """A project of which `check` has something to say that is not ASCII."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "ä"\n', encoding="utf-8")
    return tmp_path


def test_help_lists_the_commands_in_the_order_of_a_release(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed] == list(SUMMARIES)


def test_help_imports_nothing_that_is_heavy() -> None:
    code = "import sys; from kfp_release.__main__ import main; main(['--help']); print('\\n', *sys.modules)"
    ended = python(code)
    assert ended.returncode == 0
    assert set(ended.stdout.splitlines()[-1].split()).isdisjoint(HEAVY)


@pytest.mark.parametrize("command", SUMMARIES)
def test_each_command_has_an_example_and_its_exit_codes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "-h"]) == 0
    shown = capsys.readouterr().out
    assert f"\n  kfp-release {command}" in shown or f" kfp-release {command}" in shown.partition("\n")[2]
    assert "Exit codes: 0 " in " ".join(shown.split())


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("kfp-release ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "Usage: kfp-release"),
        (("chek",), "No such command 'chek'. Did you mean 'check'?"),
        (("deploy",), "No such command 'deploy'.\n"),
        (("check", "--relase", "1.2"), "No such option"),
        (("plan",), "say what is released: a tag, as in v1.2, or --snapshot"),
        (("plan", "v1.2", "--snapshot"), "say what is released"),
        (("release",), "say what is released"),
        (("verify",), "Missing argument 'X.Y'"),
        (("verify", "1.2", "--rebuild", "--key=k.pem"), "--key cannot be had with --rebuild"),
        (
            ("runtime", "--list", "--jobs", "4", "--ssh", "default", "--secret", "id=a,src=b", "--create-repository"),
            "--create-repository, --ssh, --secret, --jobs cannot be had with --list, which builds and creates nothing",
        ),
        (("-C", "/nonexistent", "check"), "does not exist"),
    ],
)
def test_wrong_use_ends_with_2(arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert says in shown.err
    assert shown.out == ""


def test_what_is_refused_ends_with_1_and_a_message_on_stderr(
    failing: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    failing(ReleaseError("tag \x1b[31m moved", remedy="git fetch"))
    assert main(["check"]) == 1
    shown = capsys.readouterr()
    assert shown.err == "error: tag \N{REPLACEMENT CHARACTER}[31m moved\n  → git fetch\n"
    assert shown.out == ""


def test_problems_are_annotations_in_github_actions(
    failing: Callable[[BaseException], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    project = tmp_path / "checkout" / "project"
    project.mkdir(parents=True)
    for path in (project / "a.yaml", project / "b.yaml", tmp_path / "outside"):
        path.touch()
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.parent))
    problems = [Problem("a.yaml", 3, "wrong", "mend"), Problem("b.yaml", 0, "odd", severity="warning")]
    problems += [Problem(path, 1, "c") for path in ("", "demo", "../../outside", "x" * 5000)]
    failing(Problems(problems))
    assert main(["-C", str(project), "check"]) == 1
    assert [line for line in capsys.readouterr().err.splitlines() if line.startswith("::")] == [
        "::error::c",
        "::error::../../outside: c",
        "::error file=project/a.yaml,line=3::wrong%0A→ mend",
        "::error::demo: c",
        f"::error::{'x' * 5000}: c",
        "::warning file=project/b.yaml::odd",
    ]


def test_a_bug_is_told_in_a_line_and_its_traceback_only_when_asked_for(
    failing: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    failing(ZeroDivisionError("by zero"))
    assert main(["check"]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("internal error: ZeroDivisionError: by zero\n  → this is a bug of kfp-release; report it")
    assert "Traceback" not in shown
    assert main(["--debug", "check"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "dist/x"),
            f"dist/x: No space left on device\n  → {MAKE_ROOM}\n",
        ),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), f"Disk quota exceeded\n  → {MAKE_ROOM}\n"),
        (PermissionError(errno.EACCES, "Permission denied", "dist"), "dist: Permission denied\n  → see that it can be"),
    ],
)
def test_what_the_machine_does_not_give_is_no_bug(
    failing: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str], error: OSError, says: str
) -> None:
    failing(error)
    assert main(["check"]) == 1
    assert capsys.readouterr().err.startswith(f"error: {says}")


def test_a_full_disk_behind_stdout_is_told(broken_project: Path) -> None:
    command = [sys.executable, "-m", "kfp_release", "-C", str(broken_project), "check", "--json"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: No space left on device\n  → make room")


def test_who_has_closed_stdout_is_told_all_the_same(broken_project: Path) -> None:
    command = 'exec "$@" >&-'
    program = [sys.executable, "-m", "kfp_release", "-C", str(broken_project), "check"]
    ended = subprocess.run(["sh", "-c", command, "sh", *program], stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("pyproject.toml: ")
    assert "Traceback" not in ended.stderr


def test_what_a_stream_cannot_encode_is_escaped(broken_project: Path) -> None:
    command = [sys.executable, "-m", "kfp_release", "-C", str(broken_project), "check", "--json"]
    environ = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "internal error" not in ended.stderr
    assert "problems" in ended.stdout


def test_the_cause_of_a_refusal_is_shown_when_asked_for(
    failing: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    error = ReleaseError("no answer")
    error.__cause__ = OSError("cable cut")
    failing(error)
    assert main(["--debug", "check"]) == 1
    assert "OSError: cable cut" in capsys.readouterr().err


def test_ctrl_c_ends_with_130_and_one_line(
    failing: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    failing(KeyboardInterrupt())
    assert main(["check"]) == 130
    assert capsys.readouterr().err.split() == ["stopped"]


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-m", "kfp_release", "--help"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert ended.stderr == ""
    assert ended.returncode == 1


@pytest.mark.parametrize(
    ("library", "arguments", "extra"),
    [
        ("click", ("--help",), "cli"),
        ("rich", ("verify", "1.2"), "cli"),
        ("requests", ("verify", "1.2", "--name=x", "--index-url=http://127.0.0.1:1/"), "cli"),
        ("bcrypt", ("sandbox", "--help"), "sandbox"),
    ],
)
def test_a_library_that_is_missing_is_named_with_its_extra(
    library: str, arguments: tuple[str, ...], extra: str
) -> None:
    ended = python(WITHOUT, library, *arguments, GITHUB_ACTIONS="")
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"error: {library} is not installed\n  → pip install 'kfp-release[{extra}]'\n")


def test_a_folder_without_a_project_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(tmp_path), "check"]) == 1
    shown = capsys.readouterr().err
    assert f"{tmp_path}/pyproject.toml cannot be read: No such file or directory" in shown
    assert "name that with -C" in shown
