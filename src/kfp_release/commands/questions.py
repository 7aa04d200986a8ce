"""The questions that ``kfp-release init`` asks on a terminal."""

from __future__ import annotations

import click

from kfp_release.errors import ReleaseError
from kfp_release.new_project import QUESTIONS, Answers, Question, refuse_wrong


def asked(given: Answers, defaults: Answers) -> dict[str, str]:
    """`given`, with an answer to each question that nobody has answered; what is wrong is told, and asked again.

    Raise `Problems` where one that is given is wrong.
    """
    refuse_wrong(given)
    answers = {name: text for name, text in given.items() if text}
    for question in QUESTIONS:
        if question.name not in answers:
            default = defaults.get(question.name) or question.default(answers)
            answers[question.name] = _ask(question, default)
    return answers


def _ask(question: Question, default: str) -> str:
    def parsed(text: str) -> str:
        try:
            return question.parse(text)
        except ReleaseError as error:
            raise click.UsageError(str(error)) from error

    answer: str = click.prompt(question.asks, default=default or None, value_proc=parsed, err=True)
    return answer
