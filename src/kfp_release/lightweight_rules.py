"""Containers that ``@dsl.component`` makes: what they run is in the component file, and not in the image.

Source of their form: kfp 2.17, kfp.dsl.component_factory; for v1, kfp 1.8, kfp.components._python_op.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kfp_release.component import ComponentFile
from kfp_release.container import Container
from kfp_release.errors import Problem

LIGHTWEIGHT = "it installs kfp and its packages each time it runs, and bypasses the image of the release"
"""What is wrong with them."""
INSTEAD = "write a program of the package, and a @dsl.container_component that runs it in the image"

_EXECUTOR = "kfp.dsl.executor_main"
_PROGRAM = 'python3 -u "$program_path"'
_INSTALL = re.compile(r"\bpip3?\s+install\b")


def lightweight_problems(file: ComponentFile) -> Iterator[Problem]:
    """Where a container of `file` runs what it brings along or installs."""
    for container in file.commands:
        if reason := _reason(container):
            where = f"{container.executor} " if container.executor else ""
            yield Problem(file.name, container.line, f"{where}{reason}", INSTEAD)


def is_lightweight(container: Container) -> bool:
    """Whether it does so."""
    return bool(_reason(container))


def _reason(container: Container) -> str:
    literals = [word.text for word in container.all_words if not word.placeholder]
    if any(_EXECUTOR in text or _PROGRAM in text for text in literals):
        return f"is made by @dsl.component: {LIGHTWEIGHT}"
    # A list such as [pip, install, pandas], too.
    if any(map(_INSTALL.search, (*literals, " ".join(literals)))):
        return f"runs pip install: {LIGHTWEIGHT}"
    return ""
