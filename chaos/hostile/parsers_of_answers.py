"""The parsers of answers: of the index, of ECR, of git and other programs."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import requests

from chaos.hostile.documents import COMMIT, DEVPI_INDEX, HTML, INDEX_JSON, STATIC_PAGE
from chaos.hostile.parser import Parser
from chaos.hostile.values import TEXTS, changed_json, changed_text
from kfp_release.catalog.site_files import list_json, parse_list
from kfp_release.devpi import DevpiState
from kfp_release.entry_points import ConsoleScript
from kfp_release.errors import ReleaseError
from kfp_release.git import Git
from kfp_release.git_command import GitFailed, run_git
from kfp_release.index_page import parse_page
from kfp_release.index_session import said, status
from kfp_release.programs import read_programs
from kfp_release.scm_version import scm_version
from kfp_release.static_page import JSON, parse_files, project_html, project_json, require_own

_URL = "https://pypi.example/simple/some-components/"
_TAGS = (
    "<a href=",
    "</a>",
    "<base href=http://[>",
    "<!--",
    "<![foo",
    "&#x110000;",
    "<meta name=pypi:",
    ">",
    '"',
    "#sha256=",
)
_SITE = {"writer": "kfp-release catalog", "files": {"index.html": ["0" * 64, "text/html", "no-cache", '"0"']}}
_KINDS = ("text/html", "text/html; charset=utf-16", "text/html; charset=punycode", "text/html; charset=x\n\0", "x", "")


def _html(random: Random) -> tuple[bytes, str]:
    return changed_text(random, HTML, _TAGS).encode(errors="replace"), random.choice((*_KINDS[:1] * 9, *_KINDS))


def _json(random: Random) -> tuple[bytes, str]:
    return changed_json(random, json.dumps(INDEX_JSON)), "application/vnd.pypi.simple.v1+json"


def _page(case: tuple[bytes, str]) -> object:
    files = parse_page("some-components", case[0], content_type=case[1], url=_URL)
    assert not any(set(name) & set("/\\\0") for name in files)
    return files


def _static(data: bytes) -> object:
    files = parse_files(data)
    require_own(data, JSON)
    with contextlib.suppress(ReleaseError):
        return project_html("some-components", files.values()), project_json("some-components", files.values())
    return files


def _response(random: Random) -> tuple[bytes, Mapping[str, str], str]:
    body = changed_text(random, HTML, _TAGS).encode(errors="replace")
    return body, {"Content-Type": random.choice((*_KINDS, "text/plain"))}, random.choice(TEXTS)


def _said(case: tuple[bytes, Mapping[str, str], str]) -> object:
    response = requests.Response()
    response._content, response.status_code, response.reason = case[0], 400, case[2]  # noqa: SLF001 - as an adapter does
    response.headers.update(case[1])
    shown = said(response), status(response)
    assert all(letter.isprintable() for text in shown for letter in text)
    return shown


def _refs(random: Random) -> tuple[bytes, ...]:
    """Names that git takes for refs and files: all but spaces and controls in the ones, all but NUL in the others."""
    names = [
        "".join(
            letter for letter in changed_text(random, "v1.0", TEXTS) if letter > " " and letter not in "\x7f~^:?*[\\"
        )
        for _ in range(2)
    ]
    refs = "".join(f"{COMMIT} refs/tags/{name}\n{COMMIT} refs/tags/{name}^{{}}\n" for name in names)
    path = changed_text(random, "a/b.txt", TEXTS).replace("\0", "") or "x"
    mode = random.choice(("100644", "100755", "120000", "160000"))
    content = changed_text(random, "abc", TEXTS).encode(errors="replace")
    return (
        *(text.encode(errors="replace") for text in (refs, "\n".join(names), f"?? {path}\0 M a\0")),
        f"{mode} blob {COMMIT}\t{path}\0".encode(errors="replace"),
        *(f"{COMMIT} blob {len(content)}\n".encode() + content + b"\n", path.encode(errors="replace") + b"/\n"),
    )


def _git(case: tuple[bytes, ...]) -> object:
    """What the questions make of these answers."""
    refs, names, changes, tree, batch, prefix = case
    by_command = {
        "show-ref": refs,
        "for-each-ref": names,
        "status": changes,
        "ls-tree": tree,
        "cat-file": batch,
        "rev-parse": prefix,
        "log": b"1800000000\n",
    }

    def answer(_: Path, arguments: Sequence[str], **__: Any) -> bytes:
        return by_command[arguments[0]]

    git = Git(Path())
    with mock.patch("kfp_release.git.run_git", answer), mock.patch("kfp_release.git_files.run_git", answer):
        assert set(git.tags().values()) <= {COMMIT}
        assert git.tags_at(COMMIT) == sorted(git.tags())
        with contextlib.suppress(ReleaseError):
            git.file_at(["refs/heads/main"], "CHANGELOG.md")
        return git.branches(), git.changes(), git.released(COMMIT), git.commit_time(COMMIT), git.files(COMMIT, ["a"])


def _ending(status: int, out: bytes, said: bytes) -> Any:
    """Every program ends so in the block."""

    def run(*_: Any, encoding: str | None = None, text: bool = False, **__: Any) -> Any:
        is_text = text or encoding
        streams = (part.decode(errors="replace") if is_text else part for part in (out, said))
        return subprocess.CompletedProcess([], status, *streams)

    return mock.patch("subprocess.run", run)


def _failed(said: bytes) -> object:
    with _ending(128, b"", said):
        shown = ""
        try:
            run_git(Path(), ["log"])
        except GitFailed as error:
            shown = str(error)
    assert shown
    assert all(letter.isprintable() or letter == "\n" for letter in shown)
    return shown


def _version(output: bytes) -> object:
    with _ending(0, output, b"x"):
        return scm_version(Path())


def _programs(random: Random) -> bytes:
    takes = {"values": {"--a": [1, 1], "-b": [0, 0]}, "positionals": 1}
    sound = {"options": ["--a", "-b"], "flags": ["-b"], "required": [["--a"], []], **takes}
    return changed_json(random, json.dumps({"multiply": sound, "other": {"missing": "x", "error": ""}}), most=2)


def _options(output: bytes) -> object:
    with _ending(0, output, b""):
        return read_programs([ConsoleScript("multiply", "a", "b")], source=Path())


PARSERS = {
    "page of the index, HTML": Parser(("index_page.parse_page",), _html, _page),
    "page of the index, JSON": Parser(("index_page.parse_page",), _json, _page),
    "page of a static index": Parser(
        ("static_page.parse_files", "static_page.StaticFile.parse"),
        lambda random: changed_json(random, json.dumps(STATIC_PAGE), most=2),
        _static,
    ),
    "state of a devpi index": Parser(
        ("devpi.DevpiState.parse",),
        lambda random: changed_json(random, json.dumps(DEVPI_INDEX), most=2),
        DevpiState.parse,
    ),
    "list of a site's files": Parser(
        ("catalog.site_files.parse_list",),
        lambda random: changed_json(random, json.dumps(_SITE), most=2),
        lambda data: list_json(parse_list(data)),
    ),
    "words of the index": Parser((), _response, _said),
    "git's answers": Parser((), _refs, _git),
    "git's errors": Parser(
        (), lambda random: changed_text(random, "fatal: x", TEXTS).encode(errors="replace"), _failed
    ),
    "setuptools-scm's output": Parser(
        (), lambda random: changed_text(random, "x\n1.3.dev4+gabc\n", TEXTS).encode(errors="replace"), _version
    ),
    "answers of programs": Parser(("programs.read_programs",), _programs, _options),
}
