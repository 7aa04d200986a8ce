"""What can be wrong in outputs beside their names and types: that no program is told where to write them.

Source of what becomes of them: kfp's launcher, which reads a parameter from the file whose path it hands out, and fails
where there is none; an artifact that is not there stays empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kfp_release.component import ComponentFile
from kfp_release.container import Container
from kfp_release.errors import Problem

_PATHS = {"outputPath", "outputUri"}
_COMPILED = re.compile(r"\{\{\$\.outputs\.(?:parameter|artifact)s\['([^'{}]*)'\]")
_EXECUTOR_INPUT = "{{$}}"


def output_problems(file: ComponentFile) -> Iterator[Problem]:
    """A problem for each output whose path is not handed to the program, where that does not get all paths at once."""
    given = _file_outputs(file)
    for container in file.commands:
        named = given | _named(container)
        for interface in file.interfaces:
            if interface.executor != container.executor or _EXECUTOR_INPUT in named:
                continue
            for port in interface.outputs:
                if port.name not in named and port.kfp_name not in named:
                    where = f" of {interface.name}" if interface.name else ""
                    form = f"{{outputPath: {port.name}}}" if file.kind == "v1" else "its path"
                    message = f"output {port.name!r}{where} is written by nobody: the program is not told where"
                    remedy = f"pass {form} to the program, or remove the output"
                    yield Problem(file.name, port.line, message, remedy)


def _named(container: Container) -> set[str]:
    """The outputs that its words name, and the placeholder that stands for all of them."""
    found: set[str] = set()
    for word in container.all_words:
        if word.placeholder in _PATHS:
            found.add(word.text)
        elif word.placeholder == "executorInput" or (_EXECUTOR_INPUT in word.text and not word.placeholder):
            found.add(_EXECUTOR_INPUT)
        else:
            found.update(_COMPILED.findall(word.text))
    return found


def _file_outputs(file: ComponentFile) -> set[str]:
    """The outputs of a v1 component that stand in files of fixed paths."""
    implementation = file.root.table("implementation") if file.kind == "v1" else None
    container = implementation.table("container") if implementation else None
    paths = container.table("fileOutputs") if container else None
    return set(paths.entries) if paths else set()
