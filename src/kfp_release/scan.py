"""What ECR's scan says of one image, by severity. An image that was not scanned is never taken for a clean one.

Source: Amazon ECR API Reference, DescribeImageScanFindings, which answers for basic scanning and for Inspector's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from kfp_release.errors import ReleaseError
from kfp_release.terminal_text import one_line

SEVERITIES: Final = ("critical", "high", "medium", "low", "informational", "undefined")
"""The worst first."""
NOT_SCANNED: Final = "NOT_SCANNED"
"""Of ScanNotFoundException: there was no scan."""
NOT_TOLD: Final = "NOT_TOLD"
"""ECR was asked, and does not tell."""
_ALSO: Final = {"untriaged": "undefined"}
"""What Inspector calls it."""
_LONGEST: Final = 200
_RESULTS: Final = frozenset({"COMPLETE", "ACTIVE"})
_TO_COME: Final = frozenset({NOT_SCANNED, "PENDING", "IN_PROGRESS", *_RESULTS})
_WORDS: Final[Mapping[str, str]] = {
    NOT_SCANNED: "not scanned yet",
    NOT_TOLD: "not known",
    "PENDING": "not scanned yet: the scan is waiting",
    "IN_PROGRESS": "not scanned yet: the scan is under way",
    "COMPLETE": "not known: the scan is complete, and ECR does not tell what it found",
    "ACTIVE": "not scanned yet: Inspector is to watch it",
    "FAILED": "the scan failed",
    "UNSUPPORTED_IMAGE": "not scanned: such an image is unsupported",
    "SCAN_ELIGIBILITY_EXPIRED": "the scan is expired: ECR looks at the image no more",
    "FINDINGS_UNAVAILABLE": "not known: the scan's findings are unavailable",
    "LIMIT_EXCEEDED": "not scanned: a limit is exceeded",
    "IMAGE_ARCHIVED": "not scanned: the image is archived",
    "IMAGE_SIZE_EXCEEDED": "not scanned: the image is too large",
}


class BadScan(ReleaseError):
    """An answer of ECR that tells of no scan."""


@dataclass(frozen=True, slots=True)
class Scan:
    """`status` is ECR's own word, or one of those above; `said` is what ECR adds to it.

    `counts` has the findings by severity, in small letters, the worst first. What ECR did not have when this was
    written is kept: a status is not taken for a result, and a severity not for a mild one.
    """

    status: str
    counts: tuple[tuple[str, int], ...] = ()
    completed_at: datetime | None = None
    said: str = ""

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Self:
        """From ECR's answer. Raise `BadScan` where it tells of no scan."""
        status, findings = value.get("imageScanStatus"), value.get("imageScanFindings") or {}
        if not isinstance(status, Mapping) or not isinstance(findings, Mapping):
            raise BadScan("ECR's answer tells of no scan")
        word = status.get("status")
        if not isinstance(word, str):
            raise BadScan("ECR's answer has no status of a scan")
        completed_at = findings.get("imageScanCompletedAt")
        try:
            completed = completed_at.astimezone(UTC) if isinstance(completed_at, datetime) else None
        except (OverflowError, ValueError, OSError):  # before the year 1, in UTC
            raise BadScan("the scan was completed at a time that is none") from None
        said = one_line(str(status.get("description") or ""), _LONGEST)
        return cls(one_line(word, _LONGEST), _counts(findings.get("findingSeverityCounts") or {}), completed, said)

    @property
    def is_result(self) -> bool:
        """Whether the image was scanned, and `counts` are all that is known of it today."""
        return self.status in _RESULTS and (self.completed_at is not None or bool(self.counts))

    @property
    def is_to_come(self) -> bool:
        """Whether there may be a result after a while."""
        return self.status in _TO_COME and not self.is_result

    @property
    def has_unknown(self) -> bool:
        """Whether a finding is of a severity that this tool does not know, which counts as the worst."""
        return any(_rank(name) < 0 for name, _ in self.counts)

    def at_least(self, severity: str) -> tuple[tuple[str, int], ...]:
        """The findings of `severity`, one of `SEVERITIES`, and worse; of an unknown severity too."""
        return tuple((name, count) for name, count in self.counts if _rank(name) <= SEVERITIES.index(severity))

    @property
    def text(self) -> str:
        """In a few words: ``2 critical, 5 high; scanned 2026-11-28``."""
        found = listed(self.counts)
        if self.is_result:
            when = f"; scanned {self.completed_at:%Y-%m-%d}" if self.completed_at else ""
            return f"{found or 'nothing found'}{when}"
        words = _WORDS.get(self.status) or f"not known: ECR calls the scan {self.status}"
        told = self.status not in {NOT_SCANNED, "PENDING", "IN_PROGRESS", "ACTIVE", "COMPLETE"} and self.said
        return f"{words}{f': {self.said}' if told else ''}{f'; found before: {found}' if found else ''}"

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "status": self.status,
            "scanned": self.is_result,
            "counts": dict(self.counts),
            "completed": f"{self.completed_at:%Y-%m-%dT%H:%M:%SZ}" if self.completed_at else None,
            "text": self.text,
        }


def listed(counts: tuple[tuple[str, int], ...]) -> str:
    """Findings in words: ``2 critical, 5 high``; empty where there are none."""
    return ", ".join(f"{count} {name}" for name, count in counts)


def _counts(value: Any) -> tuple[tuple[str, int], ...]:
    if not isinstance(value, Mapping):
        raise BadScan("ECR's answer counts no findings")
    counts: dict[str, int] = {}
    for name, count in value.items():
        if not isinstance(name, str) or not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise BadScan(f"ECR's answer counts {one_line(repr(count), 40)} findings of {one_line(repr(name), 40)}")
        if count:
            counts[one_line(name.lower(), 40)] = count
    return tuple(sorted(counts.items(), key=lambda item: (_rank(item[0]), item[0])))


def _rank(name: str) -> int:
    """The place in `SEVERITIES`; before the worst for a name that is not known."""
    known = _ALSO.get(name, name)
    return SEVERITIES.index(known) if known in SEVERITIES else -1
