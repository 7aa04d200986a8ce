"""A version beside its images' scans: shown, waited for, refused; on the stand-in."""

from __future__ import annotations

from typing import Any

import pytest
from ecr_fixtures import LocalEcr, Told
from publish_fixtures import Place, place_at
from scans import scan_of

from kfp_release.progress import Silent
from kfp_release.publish import Published
from kfp_release.scan import NOT_SCANNED
from kfp_release.scan_gate import scanned
from kfp_release.scan_rules import ScanRules, Unscanned
from kfp_release.verify import Verified

CRITICAL = ScanRules("critical", "", Unscanned.WARN)


@pytest.fixture(scope="module")
def place(local: LocalEcr, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A release that is public."""
    place = place_at(local, tmp_path_factory.mktemp("scan-gate"), "scan-gate")
    place.publish()
    return place


def tell(place: Place, scan: dict[str, Any]) -> None:
    """What ECR's scan of the release's image found."""
    verified = place.verify()
    assert verified.pins
    digest = verified.pins.images[0].ref.digest
    place.local.stand_in.tell_scan(place.store.repository.name, str(digest), scan)


def look(place: Place, rules: ScanRules, **options: Any) -> Verified:
    return scanned(place.verify(), rules, stores=place.stores, **{"progress": Silent(), **options})


def test_without_rules_a_scan_is_shown_and_nothing_else(place: Place) -> None:
    tell(place, scan_of(CRITICAL=3))
    found = look(place, ScanRules())
    assert found.scans["demo"].text == "3 critical; scanned 2026-11-28"
    assert (found.is_good, found.problems, found.scan_problems) == (True, (), ())
    assert found.to_json()["scans"]["demo"]["counts"] == {"critical": 3}


def test_what_the_rules_refuse_is_no_disagreement_and_is_not_good(place: Place) -> None:
    tell(place, scan_of(CRITICAL=3))
    found = look(place, CRITICAL)
    (problem,) = found.scan_problems
    assert (found.is_good, found.is_refused, found.problems) == (False, True, ())
    assert (problem.path, problem.severity) == (f"{place.store.repository}:1.2", "error")
    assert "withdraw this one" in problem.remedy
    value = found.to_json()
    assert (value["refused"], value["problems"], value["scan_problems"][0]["severity"]) == (True, [], "error")


def test_publish_asks_for_no_scan(place: Place) -> None:
    tell(place, scan_of(CRITICAL=3))
    again = place.publish()
    assert isinstance(again, Published)
    assert place.verify().scans == {}


def test_a_scan_that_is_to_come_is_waited_for(place: Place) -> None:
    tell(place, scan_of("IN_PROGRESS"))
    waits: list[float] = []
    told = Told()

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            tell(place, scan_of(HIGH=1))

    found = look(place, CRITICAL, wait=25, sleep=sleep, progress=told)
    assert waits == [10, 10, 5]
    assert (found.scans["demo"].is_result, found.is_good, found.scan_problems) == (True, True, ())


@pytest.mark.parametrize(
    ("scan", "rules"),
    [
        (scan_of("PENDING"), ScanRules()),
        (scan_of("FAILED", "no"), CRITICAL),
        (scan_of(LOW=1), CRITICAL),
    ],
)
def test_nothing_is_waited_for_that_does_not_come_or_matter(
    place: Place, scan: dict[str, Any], rules: ScanRules
) -> None:
    tell(place, scan)
    look(place, rules, wait=60, sleep=lambda _: pytest.fail("it waits"))


@pytest.mark.parametrize("unscanned", Unscanned)
def test_what_is_not_scanned_after_the_wait_is_judged_so(place: Place, unscanned: Unscanned) -> None:
    tell(place, {})
    waits: list[float] = []
    found = look(place, ScanRules("critical", "", unscanned), wait=20, sleep=waits.append)
    assert waits == [10, 10]
    assert found.scans["demo"].status == NOT_SCANNED
    told = [problem.severity for problem in found.scan_problems]
    assert told == {"show": [], "warn": ["warning"], "refuse": ["error"]}[unscanned]
    assert found.is_good is (unscanned is not Unscanned.REFUSE)
    assert all("look again when ECR has scanned it" in problem.remedy for problem in found.scan_problems)


def test_where_the_scan_is_what_is_missing_nothing_that_it_found_so_far_is_to_be_mended(place: Place) -> None:
    tell(place, scan_of("IN_PROGRESS", LOW=3))
    (problem,) = look(place, ScanRules("critical", "", Unscanned.REFUSE)).scan_problems
    assert problem.severity == "error"
    assert "look again when ECR has scanned it" in problem.remedy
    tell(place, scan_of("IN_PROGRESS", CRITICAL=3))
    (problem,) = look(place, ScanRules("critical", "", Unscanned.REFUSE)).scan_problems
    assert "withdraw this one" in problem.remedy


def test_an_image_that_cannot_be_scanned_is_told_how_to_let_it_pass(place: Place) -> None:
    tell(place, scan_of("UNSUPPORTED_IMAGE", "an unknown system"))
    (problem,) = look(place, CRITICAL).scan_problems
    assert "such an image is unsupported: an unknown system" in problem.message
    assert 'unscanned = "show"' in problem.remedy


def test_a_version_that_is_not_public_has_no_scans(place: Place) -> None:
    contents, place.index.contents = place.index.contents, {}
    try:
        assert look(place, CRITICAL).scans == {}
    finally:
        place.index.contents = contents


def test_an_image_that_is_gone_is_a_disagreement_and_its_scan_is_not_known(
    local: LocalEcr, tmp_path_factory: pytest.TempPathFactory
) -> None:
    gone = place_at(local, tmp_path_factory.mktemp("gone"), "scan-gate-gone")
    gone.publish()
    image = {"imageTag": "1.2"}
    gone.store.call("batch_delete_image", imageIds=[image])
    found = look(gone, CRITICAL)
    assert len(found.problems) == 2
    assert found.scans["demo"].text.startswith("not known: ")
    assert "ImageNotFoundException" in found.scans["demo"].text
