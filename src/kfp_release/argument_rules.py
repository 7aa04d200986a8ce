"""What components pass to programs beside options: to each that needs one its value, and no word that nothing takes.

Told as argparse tells it, and only where the words do not depend on what a pipeline passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from kfp_release.component import ComponentFile
from kfp_release.container import Container, Word
from kfp_release.errors import Problem
from kfp_release.programs import Program

_OPTION = re.compile(r"--.|-[A-Za-z]")
"""The beginning of an option; ``-1`` is a number, and ``-`` a file's name."""
_ONE_WORD = frozenset({"inputValue", "inputPath", "inputUri", "outputPath", "outputUri", "executorInput"})
"""The placeholders that are one word whatever they stand for."""
_PARAMETER = "{{$.inputs.parameters["
_EXPLAINS = frozenset({"-h", "--help", "--version"})


def argument_problems(file: ComponentFile, container: Container, program: Program) -> Iterator[Problem]:
    """Where an option of `program` lacks its value, or a word is one that nothing takes."""
    words = container.words[1:]
    place = positional = 0
    while place < len(words):
        word = words[place]
        if _is_end(word):
            return
        if options := options_of(word, program):
            least, most = _wanted(word, options, program)
            if most is None:
                return
            taken = _taken(words[place + 1 :], program)[:most]
            place += 1 + len(taken)
            if len(taken) < least and (place == len(words) or _is_known(words[place], program)):
                yield _lacking(file, word, options[-1], least, len(taken))
        elif taken := _taken(words[place:], program):
            positional += len(taken)
            if program.positionals is not None and positional > program.positionals:
                yield from _surplus(file, taken[program.positionals - positional :], program)
            place += len(taken)
        else:  # it may end with an option, whose value follows
            place += 1 + len(_taken(words[place + 1 :], program))


def options_of(word: Word, program: Program) -> list[str]:
    """The options that `word` names, known or not; none where it is no option."""
    if word.placeholder or not _OPTION.match(word.text):
        return []
    names = _named(word.text, program)
    # With a blank in it, only what the program knows is an option.
    return names if " " not in word.text or names[0] in program.options else []


def _named(text: str, program: Program) -> list[str]:
    """The options that one word names: ``-vr5`` is -v, and -r with 5.

    A word with one in it that the program does not take is that one, as it stands.
    """
    name = text.partition("=")[0]
    if text.startswith("--") or name in program.options:
        return [name]
    names = []
    for letter in text[1:]:
        names.append(f"-{letter}")
        if names[-1] not in program.options:
            return [name]
        if names[-1] not in program.flags:
            return names
    return names


def _wanted(word: Word, options: Sequence[str], program: Program) -> tuple[int, int | None]:
    """How many of the words that follow the last of `options` takes, at least and at most; None where nobody knows."""
    if options[-1] not in program.values:
        return 0, None
    name, has_value, _ = word.text.partition("=")
    if has_value if name == options[-1] else len(word.text) > len(options) + 1 and not word.text.startswith("--"):
        return 0, 0
    return program.values[options[-1]]


def _taken(words: Sequence[Word], program: Program) -> Sequence[Word]:
    """Those that `words` begin with that are each one word, and no option."""
    return list(takewhile(lambda word: _is_one(word) and not _is_end(word) and not options_of(word, program), words))


def _is_one(word: Word) -> bool:
    """Whether it is one word whatever a pipeline passes; ``if`` may be none or several, ``concat`` an option."""
    return not word.placeholder or word.placeholder in _ONE_WORD


def _is_end(word: Word) -> bool:
    return word.text == "--" and not word.placeholder


def _is_known(word: Word, program: Program) -> bool:
    """Whether it is an option of the program; one that is not may be meant as a value, and is told as unknown."""
    options = options_of(word, program)
    return bool(options) and options[-1] in program.options


def _surplus(file: ComponentFile, words: Sequence[Word], program: Program) -> Iterator[Problem]:
    """Of a row of them the first, as what follows it may be its value."""
    for word in words[:1]:
        if not _may_be_an_option(word, program):
            shown = f"{{{word.placeholder}: {word.text[:80]}}}" if word.placeholder else repr(word.text[:80])
            message = f"passes {shown}, which no option of {program.name} takes"
            yield Problem(file.name, word.line, message, "write the option that it is the value of before it")


def _may_be_an_option(word: Word, program: Program) -> bool:
    """Whether a pipeline may pass an option in it that stands alone."""
    alone = {option for option, (least, _) in program.values.items() if least == 0}
    is_parameter = word.placeholder == "inputValue" or (not word.placeholder and word.text.startswith(_PARAMETER))
    return is_parameter and bool(alone - _EXPLAINS)


def _lacking(file: ComponentFile, word: Word, option: str, least: int, found: int) -> Problem:
    lacks = "without its value" if least == 1 else f"with {found} of the {least} values that it needs"
    remedy = f"write the value after it; one that begins with - after a sign, as in {option}=-x"
    return Problem(file.name, word.line, f"passes {option} {lacks}", remedy)
