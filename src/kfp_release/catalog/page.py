"""One page from its template: everything in it is escaped, what runs in it is named by hash, and it stays small."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from kfp_release.catalog.page_name import component_page, version_page
from kfp_release.catalog.room import Room
from kfp_release.catalog.shown_text import amount, clipped, counted, day, shortened, source_url, visible, web_url

if TYPE_CHECKING:
    from jinja2 import Environment

LARGEST = 150_000
"""Bytes that a page may have."""
_SHOWN = (amount, clipped, counted, day, shortened, source_url, web_url, component_page, version_page)


def page(template: str, *, depth: int, **context: Any) -> bytes:
    """The page that `template` makes of `context`; `depth` is the number of folders that it is in.

    Where it would be larger than `LARGEST` it shows less of what is long: `room` says how much.
    """
    made = _environment().get_template(template)
    root = "../" * depth
    return _largest(lambda room: made.render(context, root=root, room=room).encode())


def _largest(make: Callable[[Room], bytes]) -> bytes:
    """Of the pages that are no larger than `LARGEST` the one with the most room; else the one with the least."""
    first, *rooms = Room.shrinking()
    found = make(first)
    if len(found) <= LARGEST:
        return found
    least = len(rooms) - 1
    low, high, found = 0, least, make(rooms[least])
    while low < high:
        middle = (low + high) // 2
        tried = make(rooms[middle])
        if len(tried) <= LARGEST:
            high, found = middle, tried
        else:
            low = middle + 1
    return found


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - not for --help

    environment = Environment(
        loader=PackageLoader("kfp_release.catalog"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    style, early, late = (_asset(name) for name in ("catalog.css", "early.js", "catalog.js"))
    environment.globals.update({function.__name__: function for function in _SHOWN})
    environment.globals.update(style=style, early=early, late=late, policy=_policy(style, early, late))
    return environment


def _asset(name: str) -> Markup:
    """A file of this package as it is: no text of a catalog is in it."""
    text = (files("kfp_release.catalog") / "templates" / name).read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704


def _policy(style: str, *scripts: str) -> str:
    """What a browser lets these pages do: their own style and scripts, known by hash, their icon, and nothing else.

    Source: W3C, Content Security Policy Level 3. Hashes hold in pages from files too, where 'self' is nobody.
    """
    allowed = " ".join(map(_source, scripts))
    return (
        f"default-src 'none'; style-src {_source(style)}; script-src {allowed}; img-src 'self'; base-uri 'none'; "
        "form-action 'none'"
    )


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
