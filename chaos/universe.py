"""ECR and an index in which nothing is public yet; another one at the same registry host is another try of it all."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from chaos.outside import Outside, sha256
from kfp_release.errors import ReleaseError
from kfp_release.sandbox import Sandbox


class Universe:
    """A sandbox of its own, empty at first. A context manager, to be entered in the main thread.

    Pins name the registry's host, so what is released in two universes can be compared to the byte only where that is
    the same: give the `host` of the first to the second.
    """

    def __init__(self, folder: Path, *, host: str = "") -> None:
        self.folder = folder
        self._host = host
        self._sandbox = Sandbox(folder / "sandbox", base=False)

    def __enter__(self) -> Self:
        """Raise `ReleaseError` where it cannot be started, or another program has taken the port of `host`."""
        port = self._sandbox.folder / "registry" / "port"
        port.parent.mkdir(parents=True)
        port.write_text(self._host.rpartition(":")[2] or "0", encoding="ascii")
        self._sandbox.__enter__()
        if self._host not in {"", self.host}:
            self._sandbox.__exit__(None, None, None)
            raise ReleaseError(f"another program has taken {self._host} between two universes", remedy="try again")
        return self

    def __exit__(self, *_: object) -> None:
        self._sandbox.__exit__(None, None, None)

    @property
    def environ(self) -> dict[str, str]:
        """What leads a program to it."""
        return self._sandbox.environ

    @property
    def host(self) -> str:
        """Its registry's."""
        return self.environ["KFP_RELEASE_REGISTRY"]

    def outside(self) -> Outside:
        """New connections to it, for one thread."""
        return Outside(self.environ)

    def everything(self, repositories: list[str]) -> dict[str, str]:
        """All that is public: digests by ``repository:tag``, sha256 by file name."""
        outside = self.outside()
        images = {f"{name}:{tag}": digest for name in repositories for tag, digest in outside.tags(name).items()}
        return images | {name: sha256(data) for name, data in outside.contents().items()}
