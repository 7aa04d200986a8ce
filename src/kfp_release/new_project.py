"""What a team's new repository is called, and what it draws on: one answer a question, each checked where it is given.

The answers are written into TOML, YAML, Python and Markdown as they are: nothing passes that could end a text there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from sys import stdlib_module_names
from typing import Final

from kfp_release.config import package_name
from kfp_release.errors import Problem, Problems, ReleaseError
from kfp_release.project_name import parse_project_name
from kfp_release.settings import BadSetting, declared_repository
from kfp_release.url import BadUrl, parse_url

_PLAIN_URL = re.compile(r"[A-Za-z0-9._~:/%+=,\[\]-]+", re.ASCII)
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_HOST = r"([A-Za-z0-9.-]+)"
_REMOTE = re.compile(
    rf"(?:https://{_HOST}(:\d+)?/|ssh://git@{_HOST}(?::\d+)?/|git@{_HOST}:)([\w./-]+?)(?:\.git)?/?", re.ASCII
)
"""The port of a page is one of git too; that of ssh is not."""
_TAKEN: Final = {"kfp", "kfp_release", "yaml", "tests", "examples"}
"""Packages that a pipeline, or the repository itself, has already."""

Answers = Mapping[str, str]
"""By the names of their questions."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that a new repository needs to know."""

    name: str
    """Of the option, without the dashes; templates have ``_`` for its ``-``."""
    asks: str
    parse: Callable[[str], str]
    default: Callable[[Answers], str]
    """What it is unless somebody says otherwise, from the answers before it; empty where nobody can know."""

    @property
    def option(self) -> str:
        """As it stands on the command line."""
        return f"--{self.name}"

    def wrong(self, error: ReleaseError) -> Problem:
        """What is wrong in an answer."""
        return Problem(self.option, 0, str(error.args[0]), error.remedy)


def _package(text: str) -> str:
    name = package_name(text)
    if "." in name:
        raise BadSetting(f"{text[:120]!r} is a package inside of another", remedy="take a name without dots")
    if name in stdlib_module_names:
        raise BadSetting(f"{text[:120]!r} is a module of Python itself", remedy="take one that is your team's own")
    if name in _TAKEN:
        raise BadSetting(f"{text[:120]!r} is another package's name", remedy="take one that is your team's own")
    return name


def _repository(text: str) -> str:
    repository = declared_repository(text)
    if repository.account is None:
        raise BadSetting(
            f"{text[:120]!r} is not in Amazon ECR",
            remedy="write it as <account>.dkr.ecr.<region>.amazonaws.com/<name>, without a tag",
        )
    return str(repository)


def _image(text: str) -> str:
    if not _IMAGE.fullmatch(text):
        raise BadSetting(f"{text[:80]!r} is no name of an image", remedy="letters, digits, _ - and 64 at most")
    return text


def _url(text: str) -> str:
    url = parse_url(text)
    if not _PLAIN_URL.fullmatch(url):
        raise BadUrl(f"{url[:120]!r} has characters that are not plain", remedy="write them as %XX")
    return url


QUESTIONS: Final = (
    Question("distribution", "Name of the Python distribution", parse_project_name, lambda _: ""),
    Question(
        "package",
        "Package, as pipelines import it",
        _package,
        lambda known: re.sub(r"[-.]+", "_", known.get("distribution", "")).lower(),
    ),
    Question("repository", "ECR repository of the image", _repository, lambda _: ""),
    Question(
        "image",
        "Name of the image",
        _image,
        lambda known: known.get("repository", "").rpartition("/")[2].replace(".", "-")[:64],
    ),
    Question("source", "URL of the git repository", _url, lambda _: ""),
    Question("index-url", "Index, as pip reads it", _url, lambda _: ""),
    Question(
        "upload-url",
        "Index, as twine uploads to it",
        _url,
        lambda known: re.sub(r"\+?simple/?$", "", known.get("index-url", "")),
    ),
)


def refuse_wrong(given: Answers) -> None:
    """Raise `Problems` with all given answers that are wrong, before anybody is asked for the others."""
    problems = []
    for question in QUESTIONS:
        try:
            if text := given.get(question.name):
                question.parse(text)
        except ReleaseError as error:
            problems.append(question.wrong(error))
    if problems:
        raise Problems(problems)


def is_answered(given: Answers, *, defaults: Answers) -> bool:
    """Whether there is an answer to each question, right or wrong, and nobody needs to be asked."""
    known: dict[str, str] = {}
    for question in QUESTIONS:
        known[question.name] = given.get(question.name) or defaults.get(question.name) or question.default(known)
    return all(known.values())


def parse_answers(given: Answers, *, defaults: Answers) -> dict[str, str]:
    """An answer to each question: the given one, else that of `defaults`, else what follows from those before it.

    Raise `Problems` with all that are wrong or missing.
    """
    problems: list[Problem] = []
    answers: dict[str, str] = {}
    for question in QUESTIONS:
        text = given.get(question.name) or defaults.get(question.name) or question.default(answers)
        try:
            answers[question.name] = question.parse(text) if text else ""
        except ReleaseError as error:
            problems.append(question.wrong(error))
        else:
            if not text and not any(problem.path == _from(question) for problem in problems):
                problems.append(Problem(question.option, 0, "is missing", f"{question.asks}: say it with this option"))
    if problems:
        raise Problems(problems)
    return answers


def _from(question: Question) -> str:
    """The option that its default comes from, whose own problem is enough."""
    sources = {"package": "--distribution", "image": "--repository", "upload-url": "--index-url"}
    return sources.get(question.name, "")


def source_of_remote(remote: str) -> str:
    """The page of a repository that git fetches from `remote`; empty where that is not told."""
    found = _REMOTE.fullmatch(remote)
    if not found:
        return ""
    http, port, ssh, short, path = found.groups(default="")
    return f"https://{http or ssh or short}{port}/{path}"
