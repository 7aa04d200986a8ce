"""What a container engine logs in to a registry with."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """What `docker login` and `buildah login` take. `host` is a host, with a port where there is one."""

    host: str
    username: str
    password: str = field(repr=False)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        """From ``AuthorizationData`` of ECR's API Reference. Raise `ValueError`, which may show it, if it is none."""
        username, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
        return cls(urlsplit(data["proxyEndpoint"]).netloc, username, password)
