"""What ECR tells of the scans of images: one call an image, for its first page has all counts.

Source: Amazon ECR API Reference, DescribeImageScanFindings. DescribeImages has a summary too, which ECR's present
scanning does not fill in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.scan import NOT_SCANNED, NOT_TOLD, BadScan, Scan
from kfp_release.terminal_text import one_line
from kfp_release.workers import in_parallel

Place = tuple[Repository, Digest]
"""One image."""
_AT_ONCE: Final = 8
_PERMISSION: Final = "ecr:DescribeImageScanFindings"
_OF_IMAGE: Final = {"ImageNotFoundException", "InvalidParameterException", "ValidationException"}
"""What tells of one image, and nothing of the others in its repository."""


def find_scan(store: EcrRepository, digest: Digest) -> Scan:
    """What ECR tells of the image's scan; that there was none is an answer too.

    Raise `EcrError` where ECR does not tell: without the permission, for one, or of an image that is not there.
    """
    try:
        answer = store.call("describe_image_scan_findings", imageId={"imageDigest": str(digest)}, maxResults=1)
        if answer.get("imageId", {}).get("imageDigest", str(digest)) != str(digest):
            return Scan(NOT_TOLD, said="ECR answers of another image")
        return Scan.parse(answer)
    except BadScan as error:
        return Scan(NOT_TOLD, said=str(error.args[0]))
    except EcrError as error:
        if error.code == "ScanNotFoundException":
            return Scan(NOT_SCANNED)
        raise


def find_scans(
    stores: Callable[[Repository], EcrRepository], places: Collection[Place], *, required: bool
) -> dict[Place, Scan]:
    """What ECR tells of all of them, some at a time.

    Where ECR does not tell, that is the answer, and no more is asked of that repository; unless they are `required`:
    then raise `EcrError`.
    """
    silent: dict[Repository, Scan] = {}

    def look(place: Place) -> Scan:
        repository, digest = place
        if repository in silent:
            return silent[repository]
        try:
            return find_scan(stores(repository), digest)
        except ReleaseError as error:
            code = error.code if isinstance(error, EcrError) else ""
            if required and code not in _OF_IMAGE:
                raise
            told = Scan(NOT_TOLD, said=_words(error, code))
            if code not in _OF_IMAGE:
                silent[repository] = told
            return told

    ordered = sorted(set(places))
    return dict(zip(ordered, in_parallel(look, ordered, workers=_AT_ONCE), strict=True))


def _words(error: ReleaseError, code: str) -> str:
    if code == "AccessDeniedException":
        return f"the permission {_PERMISSION} is missing"
    return one_line(str(error.args[0]), 200)
