"""Pages in a real browser: what is opened says no word on its console and asks for nothing but files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

PROJECT = Path(__file__).resolve().parent.parent
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PATIENCE = 30_000
"""Milliseconds: the machine may be busy."""


def printed(script: str) -> str:
    """The path that a script prints, which installs what is not there."""
    done = subprocess.run([sys.executable, PROJECT / script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextmanager
def launched() -> Iterator[Browser]:
    """Chromium, until the end."""
    program = printed(".ci/browser.py")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def watched(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    """A context whose pages say no word on the console and ask for nothing but files."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE)
    said: list[str] = []
    context.on("console", lambda message: said.append(message.text))
    context.on("weberror", lambda error: said.append(str(error.error)))
    context.on("dialog", lambda dialog: said.append(dialog.message))
    context.on("request", lambda request: None if request.url.startswith("file:") else said.append(request.url))
    yield context
    context.close()
    assert said == []


def axe_script() -> str:
    """axe-core; installed as locks/axe says, unless it is there."""
    return Path(printed(".ci/axe.py")).read_text(encoding="utf-8")


def violations(page: Page) -> list[tuple[str, str]]:
    """What axe-core finds wrong: the rule, and the first place."""
    found = page.evaluate("axe.run().then(done => done.violations)")
    return [(one["id"], one["nodes"][0]["html"][:200] + one["nodes"][0]["failureSummary"]) for one in found]
