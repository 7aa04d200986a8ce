"""What anybody sees of ECR and the index, asked through connections of our own and not through the tool."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin

import requests

from chaos.project import NAME

_MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
_LINK = re.compile(r'href="([^"]+)"')
_SECONDS = 30
_OK, _ABSENT = 200, 404


class Outside:
    """A registry's `/v2/` API and an index's simple pages, with their passwords. For one thread."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """`environ` is a sandbox's."""
        self.host = environ["KFP_RELEASE_REGISTRY"]
        config = json.loads((Path(environ["DOCKER_CONFIG"]) / "config.json").read_bytes())
        user, _, password = base64.b64decode(config["auths"][self.host]["auth"]).decode().partition(":")
        self._registry = _session(user, password)
        self._index = _session(environ["TWINE_USERNAME"], environ["TWINE_PASSWORD"])
        self._page = f"{environ['KFP_RELEASE_SIMPLE_URL']}{NAME}/"

    def files(self) -> dict[str, str]:
        """The URLs of the files that the index offers, by name."""
        answer = self._index.get(self._page, timeout=_SECONDS, allow_redirects=False)
        if answer.is_redirect or answer.status_code == _ABSENT:  # it sends pip on to the public index
            return {}
        answer.raise_for_status()
        urls = [urljoin(self._page, link.partition("#")[0]) for link in _LINK.findall(answer.text)]
        return {unquote(url.rpartition("/")[2]): url for url in urls}

    def contents(self) -> dict[str, bytes]:
        """The files that the index offers, by name."""
        return {name: self.download(url) for name, url in self.files().items()}

    def download(self, url: str) -> bytes:
        """One of those files."""
        answer = self._index.get(url, timeout=_SECONDS)
        answer.raise_for_status()
        return answer.content

    def tags(self, repository: str) -> dict[str, str]:
        """The digests of a repository's images, by tag."""
        answer = self._ask("GET", f"{repository}/tags/list")
        names = (answer.json()["tags"] or []) if answer.status_code == _OK else []
        return {name: self.digest(repository, name) for name in names}

    def digest(self, repository: str, tag: str) -> str:
        """The digest that a tag names; nothing where there is none."""
        answer = self._ask("HEAD", f"{repository}/manifests/{tag}")
        return answer.headers["Docker-Content-Digest"] if answer.status_code == _OK else ""

    def manifest(self, repository: str, reference: str) -> dict[str, Any] | None:
        """An image's manifest by tag or digest; None where it cannot be pulled."""
        answer = self._ask("GET", f"{repository}/manifests/{reference}")
        value: dict[str, Any] | None = answer.json() if answer.status_code == _OK else None
        return value

    def has_manifest(self, repository: str, digest: str) -> bool:
        """Whether the image can be pulled by this digest, its blobs left aside."""
        return self._ask("HEAD", f"{repository}/manifests/{digest}").status_code == _OK

    def has_blob(self, repository: str, digest: str) -> bool:
        """Whether a layer or config can be pulled."""
        return self._ask("HEAD", f"{repository}/blobs/{digest}").status_code == _OK

    def _ask(self, method: str, path: str) -> requests.Response:
        url = f"http://{self.host}/v2/{path}"
        answer = self._registry.request(method, url, headers={"Accept": _MANIFESTS}, timeout=_SECONDS)
        if answer.status_code not in {_OK, _ABSENT}:
            answer.raise_for_status()
        return answer


def pins_in(name: str, data: bytes) -> dict[str, Any]:
    """The pins.json that a wheel or an sdist carries."""
    if name.endswith(".whl"):
        with zipfile.ZipFile(io.BytesIO(data)) as wheel:
            (path,) = (path for path in wheel.namelist() if path.endswith("/pins.json"))
            text = wheel.read(path)
    else:
        with tarfile.open(fileobj=io.BytesIO(data)) as sdist:
            (path,) = (path for path in sdist.getnames() if path.endswith("/kfp-release-pins.json"))
            member = sdist.extractfile(path)
            text = member.read() if member else b""
    value: dict[str, Any] = json.loads(text)
    return value


def pinned_images(pins: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Repository, without its host, and digest of each image that pins name."""
    for image in pins["images"].values():
        name, _, digest = image["pin"].partition("@")
        yield name.partition("/")[2].partition(":")[0], digest


def blobs_of(manifest: Mapping[str, Any]) -> list[str]:
    """The digests of an image's config and layers."""
    return [manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]


def sha256(data: bytes) -> str:
    """In hex."""
    return hashlib.sha256(data).hexdigest()


def _session(user: str, password: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.auth = (user, password)
    return session
