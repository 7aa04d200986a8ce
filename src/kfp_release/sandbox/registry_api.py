"""The part of the registry API (/v2/) that the ECR stand-in maps its calls onto. OCI distribution-spec 1.1."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin

import urllib3

from kfp_release.errors import ReleaseError

_CHUNK = 1024 * 1024


class RegistryApi:
    """One registry, with basic authentication. Safe to use from several threads."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self._url = url
        self._pool = urllib3.PoolManager(
            maxsize=16,
            retries=False,
            timeout=urllib3.Timeout(connect=5, read=120),
            headers=urllib3.make_headers(basic_auth=f"{username}:{password}"),
        )

    def close(self) -> None:
        """Give its connections back."""
        self._pool.clear()

    def blob_size(self, name: str, digest: str) -> int | None:
        """How many bytes a blob of the repository `name` has; None where there is none."""
        answer = self._ask("HEAD", f"/v2/{name}/blobs/{digest}", {200, 404})
        return int(answer.headers["Content-Length"]) if answer.status == 200 else None  # noqa: PLR2004 - HTTP's own

    def blob(self, name: str, digest: str, first: int = 0) -> Iterator[bytes]:
        """A blob's bytes from `first` on, a chunk at a time."""
        headers = {"Range": f"bytes={first}-"} if first else {}
        answer = self._ask("GET", f"/v2/{name}/blobs/{digest}", {206 if first else 200}, headers=headers, stream=True)
        try:
            yield from answer.stream(_CHUNK)
        finally:
            answer.release_conn()

    def begin_upload(self, name: str) -> str:
        """Where to `append` the bytes of a new blob."""
        return self._location(self._ask("POST", f"/v2/{name}/blobs/uploads/", {202}))

    def append(self, location: str, data: bytes) -> str:
        """Add bytes to an upload; gives where the next go."""
        headers = {"Content-Type": "application/octet-stream"}
        return self._location(self._ask("PATCH", location, {202}, body=data, headers=headers))

    def finish(self, location: str, digest: str) -> bool:
        """End an upload; False where its bytes are not those of `digest`."""
        separator = "&" if "?" in location else "?"
        return self._ask("PUT", f"{location}{separator}digest={digest}", {201, 400}).status == 201  # noqa: PLR2004

    def manifest(self, name: str, reference: str, media_type: str) -> bytes:
        """The bytes of a manifest, by tag or digest."""
        return self._ask("GET", f"/v2/{name}/manifests/{reference}", {200}, headers={"Accept": media_type}).data

    def put_manifest(self, name: str, reference: str, data: bytes, media_type: str) -> None:
        """Store a manifest under a tag or its digest."""
        self._ask("PUT", f"/v2/{name}/manifests/{reference}", {201}, body=data, headers={"Content-Type": media_type})

    def delete_manifest(self, name: str, digest: str) -> None:
        """Remove a manifest and all its tags."""
        self._ask("DELETE", f"/v2/{name}/manifests/{digest}", {202, 404})

    def _location(self, answer: urllib3.BaseHTTPResponse) -> str:
        return urljoin(self._url, answer.headers["Location"])

    def _ask(
        self,
        method: str,
        path: str,
        expected: set[int],
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        stream: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        try:
            answer = self._pool.request(
                method,
                urljoin(self._url, path),
                body=body,
                headers={**self._pool.headers, **(headers or {})},
                preload_content=not stream,
            )
        except urllib3.exceptions.HTTPError as error:
            raise ReleaseError(f"the registry at {self._url} does not answer: {type(error).__name__}") from error
        if answer.status not in expected:
            raise ReleaseError(f"the registry answers {method} {path} with {answer.status}: {answer.data[:500]!r}")
        return answer
