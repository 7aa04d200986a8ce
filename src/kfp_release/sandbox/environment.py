"""What leads a program to a sandbox and nowhere else: variables of its environment, and the files that they name."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path

from kfp_release.sandbox.access import Access
from kfp_release.sandbox.index import IndexServer
from kfp_release.sandbox.process import LOOPBACK
from kfp_release.sandbox.secret_file import write_secret

REGION = "eu-north-1"
"""The region of the stand-in: it takes any."""


def exports(environ: Mapping[str, str]) -> str:
    """The variables as lines that a POSIX shell takes: ``export NAME='value'``."""
    quoted = {name: "'" + value.replace("'", "'\\''") + "'" for name, value in environ.items()}
    return "".join(f"export {name}={value}\n" for name, value in quoted.items())


def environment(
    folder: Path, access: Access, *, ecr_url: str, registry: str, index: IndexServer, environ: Mapping[str, str]
) -> dict[str, str]:
    """The variables for a sandbox in `folder`; the files that they name are written there.

    `registry` is its host and port, `environ` the caller's environment, whose proxy settings are kept for the rest of
    the world.
    """
    return {
        **_aws(folder, ecr_url, access),
        "KFP_RELEASE_REGISTRY": registry,
        "KFP_RELEASE_SIMPLE_URL": index.simple_url,
        "TWINE_REPOSITORY_URL": index.upload_url,
        "TWINE_USERNAME": access.index_user,
        "TWINE_PASSWORD": access.index_password,
        "DOCKER_CONFIG": str(_docker_config(folder, registry, access)),
        **_no_proxy(environ),
    }


def _aws(folder: Path, url: str, access: Access) -> dict[str, str]:
    # A profile or a session token of the caller's own environment would come before the sandbox's keys, or fail.
    config = folder / "aws-config"
    config.write_text(f"[default]\nregion = {REGION}\n", encoding="utf-8")
    return {
        "AWS_ENDPOINT_URL_ECR": url,
        "AWS_ACCESS_KEY_ID": access.access_key,
        "AWS_SECRET_ACCESS_KEY": access.secret_key,
        "AWS_SESSION_TOKEN": "",
        "AWS_PROFILE": "default",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _docker_config(folder: Path, host: str, access: Access) -> Path:
    home = folder / "docker"
    home.mkdir(exist_ok=True, mode=0o700)
    auth = base64.b64encode(f"{access.registry_user}:{access.registry_password}".encode()).decode()
    write_secret(home / "config.json", json.dumps({"auths": {host: {"auth": auth}}}, indent=2) + "\n")
    return home


def _no_proxy(environ: Mapping[str, str]) -> dict[str, str]:
    """No proxy between this machine and itself."""
    names = ("NO_PROXY", "no_proxy")
    before = next((environ[name] for name in names if environ.get(name)), "")
    value = ",".join(filter(None, [before, LOOPBACK, "localhost"]))
    return dict.fromkeys(names, value)
