"""Versions and their states as a table, and in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kfp_release.commands.tables import scan_notes
from kfp_release.report import Table
from kfp_release.status import Status
from kfp_release.status_row import StatusRow


def headline(found: Status) -> str:
    """How many versions there are of each state."""
    counts = ", ".join(f"{count} {state}" for state, count in found.counts.items())
    refused = f"; {found.refused} refused for what a scan found" if found.refused else ""
    return f"{found.distribution}: {counts or 'no version'}{refused}"


def version_table(rows: Iterable[StatusRow]) -> Table:
    """A row a version: its state, what is there of it, and in a word each what is not as it should be."""
    rows = tuple(rows)
    scans = any(image.scan for row in rows for image in row.images)
    return Table.of(
        ("version", "state", "commit", "images", "files", *(("scan",) if scans else ()), "what"),
        [
            (
                str(row.version),
                row.state,
                row.commit[:12],
                ", ".join(f"{image.name} {image.digest.hex[:12] if image.digest else '-'}" for image in row.images),
                str(len(row.files)),
                *((_scans(row),) if scans else ()),
                ", ".join(dict.fromkeys(f"{finding.what}: {finding.kind}" for finding in row.findings)),
            )
            for row in rows
        ],
    )


def _scans(row: StatusRow) -> str:
    """What the scans of its images found; marked where the configuration says more than that."""
    mark = "REFUSED: " if row.is_refused else "warning: " if row.scan_problems else ""
    texts = {image.name: image.scan.text for image in row.images if image.scan}
    if len(row.images) == 1:
        return mark + "".join(texts.values())
    return mark + "; ".join(f"{name}: {text}" for name, text in texts.items())


def notes(found: Status) -> Iterator[str]:
    """What each row is not in order for, with its remedies; then what was not looked at, and the warnings."""
    for row in found.rows:
        if not row.state.is_good:
            withdrawn = f", withdrawn on {row.withdrawn}" if row.withdrawn else ""
            yield f"{row.version} is {row.state}{withdrawn}:"
            yield from (f"    {finding.text}" for finding in row.findings)
            yield from (f"  → {remedy}" for remedy in row.remedies)
    yield from scan_notes(problem for row in found.rows for problem in row.scan_problems)
    if found.foreign:
        tags = ", ".join(version.tag for version in found.foreign)
        yield f"not looked at, for their commits have no [tool.kfp-release]: {tags}"
    yield from map(str, found.warnings)
