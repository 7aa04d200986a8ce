"""What a project makes of scans: ``[tool.kfp-release.scan]``."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from kfp_release.errors import ReleaseError
from kfp_release.scan import SEVERITIES, Scan, listed
from kfp_release.toml_table import Table

SCAN_KEYS: Final = ("refuse", "warn", "unscanned")
_TABLE: Final = "[tool.kfp-release.scan]"
_UNKNOWN: Final = "; a severity that is not known here counts as the worst"


class BadScanRule(ReleaseError):
    """A text that is no severity, or no way to take an image that was not scanned."""


class Unscanned(StrEnum):
    """What becomes of an image of which no scan tells."""

    SHOW = "show"
    WARN = "warn"
    REFUSE = "refuse"


class Judgement(StrEnum):
    """What the rules make of a scan. The words are for people and for programs."""

    PASSED = "passed"
    WARNED = "warned"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ScanRules:
    """`refuse` and `warn` are the mildest severities that do; empty where none does, and a scan is only shown."""

    refuse: str = ""
    warn: str = ""
    unscanned: Unscanned = Unscanned.SHOW

    @classmethod
    def read(cls, table: Table | None) -> Self:
        """Those of the table, which may be missing. Problems go to the file."""
        if table is None:
            return cls()
        table.refuse_unknown(SCAN_KEYS)
        refuse, warn = (table.read(key, _severity, default="") or "" for key in ("refuse", "warn"))
        if refuse and warn and SEVERITIES.index(warn) <= SEVERITIES.index(refuse):
            message = f"{table.name('warn')} is {warn}, and what is {refuse} or worse is refused already"
            table.report(("warn",), message, "name a milder severity than refuse, or leave warn out")
        usual = Unscanned.WARN if refuse or warn else Unscanned.SHOW
        return cls(refuse, warn, table.read("unscanned", _unscanned, default=usual) or usual)

    @property
    def can_refuse(self) -> bool:
        """Whether there is a scan, or a missing one, that is refused: then it has to be known."""
        return bool(self.refuse) or self.unscanned is Unscanned.REFUSE

    @property
    def is_set(self) -> bool:
        """Whether there is more to do with a scan than to show it."""
        return bool(self.refuse or self.warn) or self.unscanned is not Unscanned.SHOW

    def judge(self, scan: Scan) -> tuple[Judgement, str]:
        """What becomes of the image, and why, in words that follow its name."""
        for severity, judgement, verb in (
            (self.refuse, Judgement.REFUSED, "refuses"),
            (self.warn, Judgement.WARNED, "warns of"),
        ):
            if severity and (found := scan.at_least(severity)):
                worse = "" if severity == SEVERITIES[0] else " and worse"
                also = _UNKNOWN if scan.has_unknown else ""
                return judgement, f"{_TABLE} {verb} {severity}{worse}, and the scan found {listed(found)}{also}"
        if scan.is_result or self.unscanned is Unscanned.SHOW:
            return Judgement.PASSED, ""
        if self.unscanned is Unscanned.REFUSE:
            return Judgement.REFUSED, f"{_TABLE} refuses an image of which no scan tells: {scan.text}"
        return Judgement.WARNED, f"{_TABLE} warns of an image of which no scan tells: {scan.text}"

    def is_matched(self, scan: Scan) -> bool:
        """Whether a threshold was reached, so that something was found which is to be mended."""
        return any(severity and scan.at_least(severity) for severity in (self.refuse, self.warn))


def _severity(text: str) -> str:
    return _one_of(text, SEVERITIES, "severity")


def _unscanned(text: str) -> Unscanned:
    return Unscanned(_one_of(text, tuple(Unscanned), "answer to a missing scan"))


def _one_of(text: str, known: tuple[str, ...], what: str) -> str:
    if text in known:
        return text
    near = difflib.get_close_matches(text.lower(), known, 1)
    remedy = f"did you mean {near[0]}?" if near else f"write one of: {', '.join(known)}"
    raise BadScanRule(f"{text[:80]!r} is no {what}", remedy=remedy)
