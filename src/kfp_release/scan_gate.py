"""Public versions beside what ECR's scan found in their images, and what the configuration makes of that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_scans import Place, find_scans
from kfp_release.errors import Problem
from kfp_release.finding import Kind
from kfp_release.image_ref import Repository
from kfp_release.progress import Progress
from kfp_release.scan import Scan
from kfp_release.scan_rules import Judgement, ScanRules
from kfp_release.status_row import ImageState, StatusRow
from kfp_release.verify import Verified

Stores = Callable[[Repository], EcrRepository]
_PAUSE: Final = 10.0
"""Seconds between two looks at a scan that is to come."""
_MEND: Final = "release the next version with what mends it: a newer base image, or a newer lock"
_WITHDRAW: Final = f"{_MEND}; and withdraw this one in CHANGELOG.md"
_LATER: Final = "look again when ECR has scanned it, which it does where the repository has ScanOnPush, or by Inspector"
_LOOK: Final = (
    'see why: aws ecr describe-image-scan-findings; what cannot be scanned passes with unscanned = "show" in '
    "[tool.kfp-release.scan]"
)


def scanned(
    verified: Verified,
    rules: ScanRules,
    *,
    stores: Stores,
    progress: Progress,
    wait: float = 0.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Verified:
    """`verified` with its images' scans.

    Scans that are to come are waited for, `wait` seconds at most, if the rules make anything of them. Raise
    `EcrError` where the rules can refuse, and ECR does not tell.
    """
    places = {
        image.name: (image.repository, image.ref.digest)
        for image in (verified.pins.images if verified.pins else ())
        if image.is_exact
    }
    left = wait if rules.is_set else 0.0
    while True:
        found = find_scans(stores, places.values(), required=rules.can_refuse)
        waited = [name for name, place in places.items() if found[place].is_to_come]
        if not waited or left <= 0:
            break
        progress.note(f"{', '.join(waited)}: not scanned yet, {left:.0f} seconds are left for it")
        sleep(min(_PAUSE, left))
        left -= _PAUSE
    scans = {name: found[place] for name, place in places.items()}
    judged = [(f"{places[name][0]}:{verified.version.image_tag}", scan) for name, scan in scans.items()]
    return replace(verified, scans=scans, scan_problems=tuple(_problems(judged, rules)))


def scanned_rows(rows: Sequence[StatusRow], rules: ScanRules, *, stores: Stores) -> tuple[StatusRow, ...]:
    """`rows` with the scans of the images that are pinned, or else of those that the tags lead to.

    Of a version that is withdrawn, a snapshot, and an image that is archived or gone nothing is asked. Raise `EcrError`
    as `scanned`.
    """
    places = {
        (row.version, image.name): place
        for row in rows
        if not row.withdrawn and not row.version.is_snapshot
        for image in row.images
        if (place := _place(row, image)) is not None
    }
    found = find_scans(stores, places.values(), required=rules.can_refuse)

    def with_scans(row: StatusRow) -> StatusRow:
        asked = [(image, places.get((row.version, image.name))) for image in row.images]
        images = [replace(image, scan=found[place]) if place else image for image, place in asked]
        judged = [(f"{image.repository}:{image.tag}", image.scan) for image in images if image.scan]
        return replace(row, images=tuple(images), scan_problems=tuple(_problems(judged, rules)))

    return tuple(with_scans(row) for row in rows)


def _place(row: StatusRow, image: ImageState) -> Place | None:
    gone = {finding.what for finding in row.findings if finding.kind in {Kind.IMAGE_ARCHIVED, Kind.IMAGE_MISSING}}
    digest: Digest | None = image.pinned or image.digest
    return None if digest is None or image.name in gone else (image.repository, digest)


def _problems(judged: Iterable[tuple[str, Scan]], rules: ScanRules) -> Iterator[Problem]:
    for name, scan in judged:
        judgement, why = rules.judge(scan)
        if judgement is not Judgement.PASSED:
            is_refused = judgement is Judgement.REFUSED
            found = rules.is_matched(scan)
            remedy = _remedy(scan, found=found, is_refused=is_refused)
            yield Problem(name, 0, why, remedy, "error" if is_refused else "warning")


def _remedy(scan: Scan, *, found: bool, is_refused: bool) -> str:
    if found:
        return _WITHDRAW if is_refused else _MEND
    return _LATER if scan.is_to_come else _LOOK
