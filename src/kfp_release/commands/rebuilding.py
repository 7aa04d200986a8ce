"""What ``kfp-release verify --rebuild`` does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from kfp_release.commands import tables
from kfp_release.commands.invocation import Invocation
from kfp_release.config import PYPROJECT, Config
from kfp_release.console import Console
from kfp_release.errors import Problems, ReleaseError
from kfp_release.index_settings import IndexUrls
from kfp_release.rebuild import Rebuilder, committed_config
from kfp_release.rebuilt import Rebuilt
from kfp_release.report import Report
from kfp_release.scan_gate import scanned
from kfp_release.scan_rules import ScanRules
from kfp_release.source import tagged_source
from kfp_release.toml_table import TomlFile
from kfp_release.version import ReleaseVersion


def prove(
    invocation: Invocation,
    version: ReleaseVersion,
    *,
    index_url: str | None,
    anew: bool,
    ssh: Sequence[str],
    secrets: Sequence[str],
    wait: int,
    as_json: bool,
) -> int:
    """Rebuild `version`, its runtimes too if they are to be `anew`, and tell; the exit code."""
    source = tagged_source(invocation.git(), version)
    config = committed_config(invocation.git(), source, invocation.environ)
    rules = scan_rules(invocation, config)
    index = IndexUrls.to_read(index_url) if index_url else config.require_index()
    with ExitStack() as stack:
        console = stack.enter_context(Console())
        stores = invocation.stores(console)
        rebuilder = Rebuilder(
            invocation.project,
            stores,
            invocation.index(index, console),
            console,
            stack.enter_context(invocation.fresh_builder()) if anew else None,
            ssh=ssh,
            secrets=secrets,
        )
        rebuilt = rebuilder.rebuild(source, config)
        verified = scanned(rebuilt.verified, rules, stores=stores, progress=console, wait=wait)
        rebuilt = replace(rebuilt, verified=verified)
    parts = (tables.rebuilt(rebuilt.parts), tables.scans(verified.scans), tables.steps(console.times))
    good = rebuilt.is_proved and not verified.is_refused
    report = Report(_title(rebuilt), parts, tuple(_notes(rebuilt)), good=good)
    invocation.tell(report, rebuilt.to_json(), as_json=as_json)
    invocation.annotate(verified.scan_problems)
    return 0 if good else 1


def scan_rules(invocation: Invocation, committed: Config) -> ScanRules:
    """Those of today, in the checkout; where that is no project of this tool's, those of the version's commit.

    Raise `ReleaseError` where the checkout's are wrong: a typo must not let pass what they refuse.
    """
    try:
        return invocation.config().scan
    except ReleaseError:
        if _has_settings(invocation.project / PYPROJECT):
            raise
        return committed.scan


def _has_settings(pyproject: Path) -> bool:
    """Whether it has a table of this tool's, by a misspelt name too; one that cannot be read may have."""
    try:
        tool = TomlFile.parse(PYPROJECT, pyproject.read_bytes()).table("tool")
    except FileNotFoundError:
        return False
    except (OSError, Problems):
        return True
    return tool is not None and any(key.lower().replace("_", "-") == "kfp-release" for key in tool.value)


def _title(rebuilt: Rebuilt) -> str:
    name = f"{rebuilt.verified.distribution} {rebuilt.verified.version}"
    refused = "; it is refused for what a scan found" if rebuilt.verified.is_refused else ""
    if rebuilt.is_proved:
        return f"{name} is what {rebuilt.source.tag} gives{refused}"
    return f"{name} is not proved to be what {rebuilt.source.tag} gives{refused}"


def _notes(rebuilt: Rebuilt) -> Iterator[str]:
    """Each disagreement and difference, then what to do, and what it was rebuilt with."""
    yield tables.source_note(rebuilt.source)
    yield from rebuilt.verified.problems
    yield from tables.scan_notes(rebuilt.verified.scan_problems)
    yield from (part.text for part in rebuilt.parts if part.text)
    yield from (f"  → {remedy}" for remedy in rebuilt.remedies)
    if rebuilt.tools:
        yield "rebuilt with " + ", ".join(f"{name} {version}" for name, version in sorted(rebuilt.tools.items()))
    else:
        yield "nothing was rebuilt, for ECR does not hand out a runtime"
