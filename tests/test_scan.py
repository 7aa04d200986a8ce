"""What a scan says of an image, in every status that ECR has, and what rules make of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import botocore.session
import pytest
from scans import COMPLETED

from kfp_release.errors import Problems
from kfp_release.scan import NOT_SCANNED, NOT_TOLD, SEVERITIES, BadScan, Scan
from kfp_release.scan_rules import Judgement, ScanRules, Unscanned
from kfp_release.toml_table import TomlFile

FOUND = Scan("COMPLETE", (("critical", 2), ("high", 5)), COMPLETED)
CLEAN = Scan("COMPLETE", (), COMPLETED)
TEXTS = {
    "IN_PROGRESS": "not scanned yet: the scan is under way",
    "COMPLETE": "not known: the scan is complete, and ECR does not tell what it found",
    "FAILED": "the scan failed: why",
    "UNSUPPORTED_IMAGE": "not scanned: such an image is unsupported: why",
    "ACTIVE": "not scanned yet: Inspector is to watch it",
    "PENDING": "not scanned yet: the scan is waiting",
    "SCAN_ELIGIBILITY_EXPIRED": "the scan is expired: ECR looks at the image no more: why",
    "FINDINGS_UNAVAILABLE": "not known: the scan's findings are unavailable: why",
    "LIMIT_EXCEEDED": "not scanned: a limit is exceeded: why",
    "IMAGE_ARCHIVED": "not scanned: the image is archived: why",
    "IMAGE_SIZE_EXCEEDED": "not scanned: the image is too large: why",
}
TO_COME = {"IN_PROGRESS", "COMPLETE", "ACTIVE", "PENDING"}


def answer(status: str = "COMPLETE", description: str = "why", **findings: Any) -> dict[str, Any]:
    return {"imageScanStatus": {"status": status, "description": description}, "imageScanFindings": findings}


def rules(text: str) -> ScanRules:
    file = TomlFile.parse("pyproject.toml", text.encode())
    read = ScanRules.read(file.table("scan"))
    if file.problems:
        raise Problems(file.problems)
    return read


class TestScan:
    def test_every_status_of_ecr_is_told_apart_and_none_without_findings_is_a_result(self) -> None:
        model = botocore.session.get_session().get_service_model("ecr")
        statuses = model.shape_for("ScanStatus").enum  # type: ignore[attr-defined] # a string's
        assert set(statuses) == set(TEXTS)
        scans = {status: Scan.parse(answer(status)) for status in statuses}
        assert {status: scan.text for status, scan in scans.items()} == TEXTS
        assert {status for status, scan in scans.items() if scan.is_to_come} == TO_COME
        assert not any(scan.is_result for scan in scans.values())

    @pytest.mark.parametrize("status", ["COMPLETE", "ACTIVE"])
    def test_counts_are_told_the_worst_first(self, status: str) -> None:
        counts = {"LOW": 1, "HIGH": 5, "INFORMATIONAL": 9, "CRITICAL": 2, "MEDIUM": 0}
        scan = Scan.parse(answer(status, imageScanCompletedAt=COMPLETED, findingSeverityCounts=counts))
        assert (scan.is_result, scan.is_to_come) == (True, False)
        assert scan.text == "2 critical, 5 high, 1 low, 9 informational; scanned 2026-11-28"
        assert scan.to_json() == {
            "status": status,
            "scanned": True,
            "counts": {"critical": 2, "high": 5, "low": 1, "informational": 9},
            "completed": "2026-11-28T12:30:00Z",
            "text": scan.text,
        }

    def test_a_scan_that_found_nothing_says_so(self) -> None:
        assert Scan.parse(answer(imageScanCompletedAt=COMPLETED)).text == "nothing found; scanned 2026-11-28"

    def test_the_day_is_that_of_utc(self) -> None:
        late = datetime(2026, 11, 29, 1, 0, tzinfo=timezone(timedelta(hours=2)))
        assert Scan.parse(answer(imageScanCompletedAt=late)).text.endswith("2026-11-28")

    def test_what_ecr_has_in_the_future_is_kept_and_taken_for_bad(self) -> None:
        new = Scan.parse(answer("SCANNED_TWICE", findingSeverityCounts={"LOW": 3, "APOCALYPTIC": 1, "UNTRIAGED": 2}))
        assert new.text == (
            "not known: ECR calls the scan SCANNED_TWICE: why; found before: 1 apocalyptic, 3 low, 2 untriaged"
        )
        assert (new.is_result, new.is_to_come) == (False, False)
        assert new.at_least("critical") == (("apocalyptic", 1),)
        assert dict(new.at_least("undefined")) == {"apocalyptic": 1, "low": 3, "untriaged": 2}

    def test_the_severities_are_those_of_ecr(self) -> None:
        model = botocore.session.get_session().get_service_model("ecr")
        enum = model.shape_for("FindingSeverity").enum  # type: ignore[attr-defined] # a string's
        assert {name.lower() for name in enum} == set(SEVERITIES)

    def test_findings_of_an_expired_scan_are_told_as_old(self) -> None:
        scan = Scan.parse(answer("SCAN_ELIGIBILITY_EXPIRED", "", findingSeverityCounts={"HIGH": 1}))
        assert scan.text == "the scan is expired: ECR looks at the image no more; found before: 1 high"

    def test_words_of_ecr_cannot_write_to_a_terminal(self) -> None:
        scan = Scan.parse(answer("FAILED\x1b[2J", "a\nb\x1b[31m", findingSeverityCounts={"HI\x1bGH": 1}))
        assert scan.text.isprintable()

    @pytest.mark.parametrize(
        "value",
        [
            {},
            {"imageScanStatus": {}},
            {"imageScanStatus": {"status": 3}},
            answer(findingSeverityCounts={"HIGH": -1}),
            answer(findingSeverityCounts={"HIGH": True}),
            answer(findingSeverityCounts={"HIGH": "3"}),
            answer(findingSeverityCounts=[1]),
            answer(imageScanCompletedAt=datetime.min.replace(tzinfo=timezone(timedelta(hours=2)))),
        ],
    )
    def test_what_tells_of_no_scan_is_refused(self, value: dict[str, Any]) -> None:
        with pytest.raises(BadScan):
            Scan.parse(value)


class TestRules:
    def test_without_a_table_a_scan_is_only_shown(self) -> None:
        assert ScanRules.read(None) == ScanRules() == rules("[scan]")
        for scan in (FOUND, Scan(NOT_SCANNED), Scan(NOT_TOLD)):
            assert ScanRules().judge(scan) == (Judgement.PASSED, "")
        assert (ScanRules().is_set, ScanRules().can_refuse) == (False, False)

    def test_a_threshold_is_for_its_severity_and_worse(self) -> None:
        given = rules('scan = { refuse = "high", warn = "low" }')
        assert given == ScanRules("high", "low", Unscanned.WARN)
        assert given.judge(FOUND) == (
            Judgement.REFUSED,
            "[tool.kfp-release.scan] refuses high and worse, and the scan found 2 critical, 5 high",
        )
        assert given.judge(replace(FOUND, counts=(("medium", 1),)))[0] is Judgement.WARNED
        assert given.judge(replace(FOUND, counts=(("informational", 1),))) == (Judgement.PASSED, "")
        assert given.judge(CLEAN) == (Judgement.PASSED, "")

    @pytest.mark.parametrize(
        ("text", "judgement"),
        [
            ('refuse = "critical"', Judgement.WARNED),
            ('warn = "low"', Judgement.WARNED),
            ('refuse = "critical", unscanned = "refuse"', Judgement.REFUSED),
            ('unscanned = "refuse"', Judgement.REFUSED),
            ('refuse = "critical", unscanned = "show"', Judgement.PASSED),
        ],
    )
    @pytest.mark.parametrize("status", [NOT_SCANNED, NOT_TOLD, "FAILED", "PENDING", "SCANNED_TWICE"])
    def test_what_was_not_scanned_is_not_taken_for_clean(self, text: str, judgement: Judgement, status: str) -> None:
        given = rules(f"scan = {{ {text} }}")
        found, why = given.judge(Scan(status))
        assert found is judgement
        assert (Scan(status).text in why) is (judgement is not Judgement.PASSED)
        assert given.judge(CLEAN)[0] is Judgement.PASSED

    def test_what_no_scan_tells_reads_as_a_sentence(self) -> None:
        refusing, warning = rules('scan = { unscanned = "refuse" }'), rules('scan = { refuse = "critical" }')
        told = "[tool.kfp-release.scan] refuses an image of which no scan tells: the scan failed: why"
        assert refusing.judge(Scan("FAILED", said="why")) == (Judgement.REFUSED, told)
        told = "[tool.kfp-release.scan] warns of an image of which no scan tells: not known: ECR calls the scan NEW"
        assert warning.judge(Scan("NEW")) == (Judgement.WARNED, told)

    def test_of_an_unknown_severity_it_is_told_that_it_counts_as_the_worst(self) -> None:
        found = replace(FOUND, counts=(("dire", 1), ("low", 3)))
        judgement, why = ScanRules("critical").judge(found)
        assert judgement is Judgement.REFUSED
        assert why.endswith("the scan found 1 dire; a severity that is not known here counts as the worst")
        assert "counts as" not in ScanRules("low").judge(FOUND)[1]

    def test_old_findings_of_an_expired_scan_refuse_too(self) -> None:
        expired = Scan("SCAN_ELIGIBILITY_EXPIRED", (("critical", 1),))
        assert ScanRules("critical").judge(expired)[0] is Judgement.REFUSED

    @pytest.mark.parametrize(
        ("text", "message", "remedy"),
        [
            ('refuse = "Critical"', "'Critical' is no severity", "did you mean critical?"),
            ('warn = "bad"', "'bad' is no severity", "write one of: critical, high, medium"),
            ('unscanned = "ignore"', "'ignore' is no answer to a missing scan", "write one of: show, warn, refuse"),
            (
                'refuse = "low", warn = "high"',
                "scan.warn is high, and what is low or worse is refused already",
                "milder",
            ),
            ('refuse = "low", warn = "low"', "scan.warn is low", "milder"),
            ("refuse = true", "scan.refuse must be a text", "in quotes"),
            ('refuze = "low"', "scan.refuze is not known", "did you mean refuse?"),
        ],
    )
    def test_a_wrong_setting_is_named_with_a_remedy(self, text: str, message: str, remedy: str) -> None:
        with pytest.raises(Problems) as caught:
            rules(f"scan = {{ {text} }}")
        (problem,) = caught.value.problems
        assert message in problem.message
        assert remedy in problem.remedy
