"""The ECR stand-in's call about what refers to an image."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from kfp_release.sandbox.ecr_refusal import invalid
from kfp_release.sandbox.ecr_repositories import Call, RepositoryCalls
from kfp_release.sandbox.ecr_state import StoredImage

_PAGE = 50


class ReferrerCalls:
    """Of an image that is not there nothing is listed, as the OCI distribution-spec has it."""

    def __init__(self, repositories: RepositoryCalls) -> None:
        self._repositories = repositories
        self.calls: Mapping[str, Call] = {"ListImageReferrers": self.list}

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListImageReferrers, in pages."""
        repository = self._repositories.repository(request)
        subject, wanted = request["subjectId"]["imageDigest"], request.get("filter", {})
        types, status = wanted.get("artifactTypes", ()), wanted.get("artifactStatus", "ACTIVE")
        found = [
            image
            for image in list(repository.images.values())  # a copy, for another thread may add one meanwhile
            if image.subject == subject
            and (not types or image.artifact_type in types)
            and status in {"ANY", image.status}
        ]
        try:
            start = int(base64.b64decode(request.get("nextToken", "")) or b"0")
        except ValueError:
            raise invalid("'nextToken' failed to satisfy constraint: 'a token of this call'") from None
        end = start + request.get("maxResults", _PAGE)
        more = {"nextToken": base64.b64encode(str(end).encode()).decode()} if end < len(found) else {}
        return {"referrers": [_descriptor(image) for image in found[start:end]], **more}


def _descriptor(image: StoredImage) -> dict[str, Any]:
    return {
        "digest": image.digest,
        "mediaType": image.media_type,
        "artifactType": image.artifact_type,
        "size": image.manifest_size,
        "annotations": image.annotations,
        "artifactStatus": image.status,
    }
