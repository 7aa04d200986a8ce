"""Dockerfiles, as far as a release looks at them: which images they draw on, and how their containers start.

Source: Docker's Dockerfile reference, sections Format, Parser directives, FROM, ARG, COPY --from, RUN --mount.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from kfp_release.errors import ReleaseError
from kfp_release.image_ref import has_digest

_DIRECTIVE = re.compile(r"#\s*(\w+)\s*=\s*(.*)")
_HEREDOC = re.compile(r"(?<!\S)[0-9]*<<-?([\"']?)([A-Za-z_]\w*)\1")
"""The beginning of a word: ``<<<`` is a here-string of bash, and ``$((1<<n))`` a number."""
_VARIABLE = re.compile(r"\\(.)|\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^}]*))?\})", re.ASCII)
_FLAG = re.compile(r"--[a-z-]+(?:=\S*)?")
_FROM = re.compile(r"(\S+)(?:\s+as\s+(\S+))?", re.IGNORECASE)
_ARG = re.compile(r"(\w+)(?:=(\"[^\"]*\"|'[^']*'|\S*))?", re.ASCII)
_COPY_FROM = re.compile(r"(?:^|\s)--from=(\S+)")
_MOUNT_FROM = re.compile(r"(?:^|\s)--mount=\S*?\bfrom=([^,\s]+)")
_SCRATCH = "scratch"
_WITH_FILES = {"COPY", "ADD", "RUN"}
_SEPARATORS = re.compile(r"[\s\"'=,;\[\]()&|<>]+")
_ENV = re.compile(r"(?:^|\s)(\w+)(?==|\s)", re.ASCII)
_PATTERN = re.compile(r"[*?]")

_LONGEST = 4000
"""Letters of an image's name, or a build argument."""


class BadDockerfile(ReleaseError):
    """A Dockerfile that cannot be read; `line` counts from 1, and is 0 where the file as a whole is meant."""

    def __init__(self, message: str, *, line: int, remedy: str) -> None:
        super().__init__(message, remedy=remedy)
        self.line = line


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction with its continuation lines joined; `line` is where it begins, from 1."""

    line: int
    keyword: str
    """In capitals."""
    rest: str


@dataclass(frozen=True, slots=True)
class BaseImage:
    """An image that is built on or copied from, its variables replaced; `line` counts from 1."""

    image: str
    line: int

    @property
    def has_digest(self) -> bool:
        """Whether it names exact bytes."""
        return has_digest(self.image)


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """The instructions of a Dockerfile, in their order."""

    instructions: tuple[Instruction, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Comments and the bodies of here-documents are left out. Raise `BadDockerfile` where there is no FROM."""
        instructions = tuple(_instructions(text))
        if not any(instruction.keyword == "FROM" for instruction in instructions):
            raise BadDockerfile("has no FROM", line=0, remedy="begin it with FROM <image>@sha256:…")
        return cls(instructions)

    def base_images(self, build_args: Mapping[str, str]) -> list[BaseImage]:
        """What FROM, COPY --from and RUN --mount=from draw on; its own stages and ``scratch`` are left out.

        `build_args` win over the defaults of the ARG lines before the first FROM, as in a build.
        Raise `BadDockerfile` where a variable leaves a FROM without an image.
        """
        values: dict[str, str] = {}
        stages: list[str] = []
        images: list[BaseImage] = []
        for instruction in self.instructions:
            if instruction.keyword == "ARG" and not stages:
                values.update(_arguments(instruction, values, build_args))
            elif instruction.keyword == "FROM":
                image, stage = _from(instruction, values)
                if image.lower() not in {_SCRATCH, *stages}:
                    images.append(BaseImage(image, instruction.line))
                stages.append(stage.lower())
            else:
                sources = (name for name in _sources(instruction) if not name.isdecimal())
                images += [BaseImage(name, instruction.line) for name in sources if name.lower() not in stages]
        return images

    def files_named(self, suffix: str, build_args: Mapping[str, str]) -> frozenset[str] | None:
        """The last parts of the paths with `suffix` that COPY, ADD and RUN name; None where not all can be told."""
        values: dict[str, str] = {}
        found: set[str] = set()
        for instruction in self.instructions:
            if instruction.keyword == "ARG":
                values.update(_arguments(instruction, values, build_args))
            elif instruction.keyword == "ENV":
                for name in _ENV.findall(instruction.rest):
                    values.pop(name, None)
            elif instruction.keyword in _WITH_FILES:
                if _HEREDOC.search(instruction.rest):
                    return None
                for word in _SEPARATORS.split(instruction.rest):
                    path = _filled(instruction, word, values)
                    if suffix in word and (_PATTERN.search(path) or not _variables(word) <= values.keys()):
                        return None
                    if path.endswith(suffix):
                        found.add(path.rpartition("/")[2])
        return frozenset(found)

    def entrypoints(self) -> list[Instruction]:
        """The ENTRYPOINT instructions, but for those that clear a base's."""
        return [
            instruction
            for instruction in self.instructions
            if instruction.keyword == "ENTRYPOINT" and "".join(instruction.rest.split()) != "[]"
        ]


def base_images(dockerfile: str, build_args: Mapping[str, str]) -> list[str]:
    """The images that the text of a Dockerfile draws on, in its order: see `Dockerfile.base_images`."""
    return [base.image for base in Dockerfile.parse(dockerfile).base_images(build_args)]


def substitute(text: str, values: Mapping[str, str]) -> str:
    """`text` with ``$X``, ``${X}``, ``${X:-default}`` and ``${X:+other}`` replaced; an unknown variable is empty."""
    return _VARIABLE.sub(lambda found: _replacement(found, values), text)


def _replacement(found: re.Match[str], values: Mapping[str, str]) -> str:
    escaped, short, name, operator, word = found.groups()
    if escaped is not None:
        return str(escaped)
    value = values.get(short or name)
    is_set = value is not None if operator in {"-", "+"} else bool(value)
    if operator in {"-", ":-"}:
        return value or "" if is_set else substitute(word, values)
    if operator in {"+", ":+"}:
        return substitute(word, values) if is_set else ""
    return value or ""


def _variables(text: str) -> set[str]:
    return {short or name for _, short, name, _, _ in _VARIABLE.findall(text)} - {""}


def _filled(instruction: Instruction, word: str, values: Mapping[str, str]) -> str:
    """A word with its variables replaced. Each can hold others twice over, so both it and its value are bounded."""
    value = word if len(word) > _LONGEST else substitute(word.strip("\"'"), values)
    if len(value) > _LONGEST:
        raise BadDockerfile(
            f"{instruction.rest[:120]!r} comes to {len(value):,} letters",
            line=instruction.line,
            remedy=f"{_LONGEST:,} are the most",
        )
    return value


def _arguments(
    instruction: Instruction, values: Mapping[str, str], build_args: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    for name, default in _ARG.findall(instruction.rest):
        if name in build_args:
            yield name, build_args[name]
        elif default:
            yield name, _filled(instruction, default, values)


def _from(instruction: Instruction, values: Mapping[str, str]) -> tuple[str, str]:
    """The image and the stage's name, which may be empty."""
    words = instruction.rest
    while flag := _FLAG.match(words):
        words = words[flag.end() :].lstrip()
    found = _FROM.fullmatch(words.strip())
    image = _filled(instruction, found[1], values) if found else ""
    if found is None or not image:
        raise BadDockerfile(
            f"FROM {instruction.rest[:120]} names no image",
            line=instruction.line,
            remedy="give its variable a value: under build-args of the image in pyproject.toml, or ARG NAME=… above",
        )
    return image, found[2] or ""


def _sources(instruction: Instruction) -> list[str]:
    patterns: Mapping[str, Callable[[str], list[str]]] = {"COPY": _COPY_FROM.findall, "RUN": _MOUNT_FROM.findall}
    find = patterns.get(instruction.keyword)
    return [name.strip("\"'") for name in find(instruction.rest)] if find else []


def _instructions(text: str) -> Iterator[Instruction]:
    lines = iter(enumerate(re.split(r"\r\n|\n|\r", text.removeprefix("\ufeff")), 1))
    escape = _escape(text)
    for number, line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = [line]
        while parts[-1].rstrip().endswith(escape):
            parts[-1] = parts[-1].rstrip().removesuffix(escape)
            parts.append(next((more for _, more in lines if more.strip() and not more.lstrip().startswith("#")), ""))
        keyword, rest = [*"".join(parts).split(None, 1), "", ""][:2]  # a lone escape character has neither
        if keyword.upper() in _WITH_FILES:
            for _, end in _HEREDOC.findall(rest):
                next((body for _, body in lines if body.strip("\t") == end), None)
        yield Instruction(number, keyword.upper(), rest.strip())


def _escape(text: str) -> str:
    """The escape character: a backslash unless a directive at the very top says otherwise."""
    for line in text.removeprefix("\ufeff").splitlines():
        directive = _DIRECTIVE.fullmatch(line.strip())
        if directive is None:
            break
        if directive[1].lower() == "escape" and directive[2].strip() in {"\\", "`"}:
            return directive[2].strip()
    return "\\"
