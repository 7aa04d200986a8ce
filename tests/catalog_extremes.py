"""Catalogs that are too much: very large ones, and ones whose every text wants to be more than text."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from catalog_samples import (
    BEGIN,
    CHANGELOG,
    DAY,
    DISTRIBUTION,
    INDEX,
    SOURCE,
    change,
    component,
    digest,
    files,
    images,
    ordinary,
    version,
)

from kfp_release.catalog.model import Catalog, CatalogEvent, CatalogFile, CatalogVersion, EventKind
from kfp_release.digest import Digest
from kfp_release.interface_change import ChangeKind, InterfaceChange
from kfp_release.status_row import State
from kfp_release.version import ReleaseVersion
from kfp_release.version_bump import Bump


def large(*, versions: int = 200, components: int = 50, changes: int = 2) -> Catalog:
    """Every component changes in every version, `changes` times; each tells at some length what it is for."""
    names = [f"component_{number:02}_op" for number in range(components)]
    texts = [f"1.{number}" for number in range(versions)]
    of_operator = {name: _large_changes(name, changes) for name in names}
    kinds = tuple(file for file in files() if file.outputs)
    history = {
        name: tuple(
            CatalogEvent(version(text), EventKind.CHANGED if text != "1.0" else EventKind.CAME, of_operator[name])
            for text in reversed(texts)
        )
        for name in names
    }
    made = [
        replace(
            component(kinds[number % len(kinds)], at=texts[-1], history=history[name]),
            operator=name,
            title=f"Component {number}",
            description="What it is for, and what to mind, is told here at some length. " * 12,
        )
        for number, name in enumerate(names)
    ]
    takers = tuple((name, "table") for name in names)
    made = [replace(one, outputs=tuple(replace(output, taken_by=takers) for output in one.outputs)) for one in made]
    all_changes = tuple(one for name in names for one in of_operator[name])
    return Catalog(
        distribution=DISTRIBUTION,
        package="kubeflow_demo_components",
        source=SOURCE,
        pip=f"pip install --index-url {INDEX}",
        versions=tuple(
            CatalogVersion(
                version=version(text),
                commit=digest(text).hex[:40],
                released=BEGIN + number * 3 * DAY,
                state=State.IN_ORDER if number % 17 else State.WITHDRAWN,
                withdrawn_by="" if number % 17 else "main",
                findings=(),
                remedies=(),
                changelog=CHANGELOG.format(names[0]) * 4,
                images=images(text, number),
                files=(
                    CatalogFile(
                        DISTRIBUTION, f"kubeflow_demo_components-{text}-py3-none-any.whl", digest(text).hex, 61_420
                    ),
                ),
                components=tuple(names),
                previous=version(texts[number - 1]) if number else None,
                changes=all_changes if number else (),
                bump=Bump.MINOR,
            )
            for number, text in reversed(list(enumerate(texts)))
        ),
        components=tuple(made),
    )


def _large_changes(operator: str, count: int) -> tuple[InterfaceChange, ...]:
    kinds = (ChangeKind.DEFAULT_CHANGED, ChangeKind.INPUT_ADDED, ChangeKind.DESCRIPTION_CHANGED)
    return tuple(
        change(operator, kinds[number % 3], f"input_{number}", "the value that it had", "the value that it has now")
        for number in range(count)
    )


EVIL = (
    "\"><img src=x onerror=\"window.ran=1\"><script>window.ran=1</script>' onmouseover='window.ran=1' "
    "javascript:window.ran=1 {{ 7*7 }}{% raw %}</title></style></textarea><!--\0\x1b[31m\u202e\ud800 "
)
"""Markup, script, a template, and letters that no page can have."""
EVIL_MARKDOWN = """\
# <script>window.ran=1</script>

<img src=x onerror="window.ran=1">
<a href="javascript:window.ran=1">raw</a>

[script](javascript:window.ran=1) [data](data:text/html,<script>window.ran=1</script>) [file](file:///etc/passwd)
![image](https://elsewhere.example/pixel.png) <javascript:window.ran=1> [up](../../../settings) [mail](mailto:a@b.c)
[quote](https://elsewhere.example/"onmouseover="window.ran=1) {{ 7*7 }}

<style>body { display: none }</style>
"""


def hostile(*, word: str = EVIL) -> Catalog:
    """The ordinary catalog with `word` before each of its texts, and the worst of Markdown."""
    catalog: Catalog = spoiled(ordinary(), word)
    versions = tuple(replace(one, changelog=EVIL_MARKDOWN + one.changelog) for one in catalog.versions)
    return replace(catalog, versions=versions, source="javascript:window.ran=1//", pip=word)


def spoiled(value: Any, word: str) -> Any:
    """`value` with `word` before each text in it, however deep."""
    if type(value) is str:
        return word + value
    if isinstance(value, tuple):
        return tuple(spoiled(item, word) for item in value)
    if is_dataclass(value) and not isinstance(value, type | Digest | ReleaseVersion):
        return replace(value, **{field.name: spoiled(getattr(value, field.name), word) for field in fields(value)})
    return value
