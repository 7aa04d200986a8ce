"""The base image of both sides: the sandbox's, with the certificates of this machine, as companies have theirs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import certifi

from bench.docker import Docker

_CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
_DOCKERFILE: Final = f"ARG BASE\nFROM ${{BASE}}\nCOPY ca-certificates.crt {_CERTIFICATES}\n"


class CompanyBase:
    """Built and pushed once, before anything is measured. `environ` is the sandbox's, and names what it begins with.

    buildah mounts the machine's certificates into its builds; Docker's classic engine has no such mount, and its pip
    needs them. Both begin with this image, so that neither has a layer that the other has not.
    """

    repository: Final = "bench/base"

    def __init__(self, folder: Path, *, docker: Docker, environ: Mapping[str, str]) -> None:
        folder.mkdir()
        shutil.copyfile(_CERTIFICATES if _CERTIFICATES.is_file() else certifi.where(), folder / "ca-certificates.crt")
        (folder / "Dockerfile").write_text(_DOCKERFILE, encoding="utf-8")
        name = f"{docker.registry}/{self.repository}:1"
        base = environ["KFP_RELEASE_BUILD_ARG_BASE"]
        docker.run("build", "--build-arg", f"BASE={base}", "--tag", name, folder)
        docker.run("push", name)
        self.ref = docker.run("image", "inspect", "--format", "{{index .RepoDigests 0}}", name).stdout.strip()
        """By digest."""
