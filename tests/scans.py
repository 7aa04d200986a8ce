"""Scans as ECR tells them, for the stand-in and for moto."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

COMPLETED = datetime(2026, 11, 28, 12, 30, tzinfo=UTC)


def scan_of(status: str = "COMPLETE", description: str = "", **counts: int) -> dict[str, Any]:
    """The parts of an answer to DescribeImageScanFindings that tell of the scan, as JSON has them."""
    findings = {"imageScanCompletedAt": COMPLETED.timestamp(), "findingSeverityCounts": counts}
    done = {"imageScanFindings": findings} if status == "COMPLETE" or counts else {}
    return {"imageScanStatus": {"status": status, "description": description}, **done}


def denied() -> tuple[AWSResponse, dict[str, Any]]:
    """What a client gets whose role may not ask, before anything is sent."""
    error = {"Code": "AccessDeniedException", "Message": "User is not authorized to perform"}
    meta = {"HTTPStatusCode": 400, "HTTPHeaders": {}}
    return AWSResponse("", 400, HTTPHeaders(), None), {"Error": error, "ResponseMetadata": meta}
