"""The parsers of what another team's repository is called, and of the tool that it is bound to."""

from __future__ import annotations

import contextlib
from random import Random

from chaos.hostile.documents import COMMIT, DEMO, HEX
from chaos.hostile.parser import Parser
from chaos.hostile.parsers_of_values import together, words
from chaos.hostile.values import chance
from kfp_release.config import package_name
from kfp_release.errors import ReleaseError
from kfp_release.new_project import QUESTIONS, is_answered, parse_answers, refuse_wrong, source_of_remote
from kfp_release.settings import declared_repository
from kfp_release.tool_pin import SOURCE, TOOL, TOOL_LOCK, WORKFLOWS, ToolPin
from kfp_release.tool_uses import updated_texts

_ANSWER = words(
    *(
        "some-components",
        "kfp",
        DEMO,
        "https://github.com/a/b",
        "ssh://git@a.b/c",
        "git@github.com:a/b.git",
    ),
    more=('"', "'", "`", "$", "{", "]", "\n", "\\", "@sha256:", ".git"),
)


def _answers(random: Random) -> tuple[str, ...]:
    """One of them is hostile, now and then; where it is, so may another be."""
    sound = ["some-components", "", DEMO, "", "", "https://pypi.example/simple/", "", "git@a.b:c/d.git"]
    while chance(random, 70):
        place = random.randrange(len(sound))
        sound[place] = _ANSWER(random) if sound[place] else random.choice(("", "demo", "class", 'a"b', "a\n"))
    return tuple(sound)


def _new_project(case: tuple[str, ...]) -> object:
    """No answer ends the text that it is written into: of TOML, YAML, Python or Markdown."""
    given = dict(zip((question.name for question in QUESTIONS), case, strict=False))
    with contextlib.suppress(ReleaseError):
        declared_repository(given["repository"])
    with contextlib.suppress(ReleaseError):
        package_name(given["package"])
    source = source_of_remote(case[-1])
    assert is_answered(given, defaults={"source": source}) in {True, False}
    with contextlib.suppress(ReleaseError):
        refuse_wrong(given)
    answers = parse_answers(given, defaults={"source": source})
    assert not any(letter in text for text in (*answers.values(), source) for letter in "\"'\\`$<>{}\n\r ")
    return answers


_VERSIONS = ("1.1", "2.0rc1")
_USES = {
    "pyproject.toml": f'[build-system]\nrequires = ["{TOOL}==1.1", "setuptools==84.2.1"]\n[project]\n',
    TOOL_LOCK: f"{TOOL}[cli]==1.1\n",
    ".github/workflows/release.yml": f"uses: {WORKFLOWS}/release.yml@v1.1 # a tag\n",
    ".pre-commit-config.yaml": f"repo: {SOURCE}\n    rev: v1.1\n",
}


def _uses(case: tuple[str, ...]) -> object:
    *texts, version = case
    new = {path: text.replace("==1.1", f"=={version}") for path, text in _USES.items()}
    return updated_texts(dict(zip(_USES, texts, strict=True)), new, ToolPin.of(version))


def _repository(random: Random) -> tuple[str, ...]:
    pieces = ("[", '"', "\n", "==", "@")
    made = [words(text, more=pieces)(random) if chance(random, 50) else text for text in _USES.values()]
    return (*made, random.choice(_VERSIONS))


PARSERS = {
    "uses of the tool": Parser(("tool_uses.updated_texts",), _repository, _uses),
    "new project": Parser(
        (
            *(
                "new_project.parse_answers",
                "new_project.source_of_remote",
                "new_project.refuse_wrong",
                "new_project.is_answered",
            ),
            *("config.package_name", "settings.declared_repository"),
        ),
        _answers,
        _new_project,
    ),
    "release of the tool": Parser(
        ("tool_pin.ToolPin.of",),
        together(words("1.1", "2.0rc1", more=("+", ".dev1", "9" * 4301)), words("", COMMIT, more=("g", "\n"))),
        lambda case: (ToolPin.of(*case).called_at, ToolPin.of(*case).lock([HEX], "")),
    ),
}
