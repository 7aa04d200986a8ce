"""What an image has installed, as dpkg and pip in a container of it say, held against its SBOM."""

from __future__ import annotations

import ensurepip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from running import DemoError, run

_FORMAT = "${db:Status-Status} ${Package} ${Version}\\n"
_PIP = "/tmp/pip.whl"  # noqa: S108 - in a container of its own


def require_listed(images: Mapping[str, str], dist: Path, environ: Mapping[str, str]) -> dict[str, int]:
    """How many packages and distributions the SBOM of each image lists; `images` has their pins by name.

    Raise `DemoError` where dpkg or pip of an image lists anything else than its SBOM, which lies in `dist`.
    """
    counts = {}
    for name, image in images.items():
        components = json.loads((dist / f"{name}.cdx.json").read_bytes())["components"]
        for kind, seen in (("deb", _packages(image, environ)), ("pypi", _distributions(image, environ))):
            named = set(_named(components, kind))
            if seen != named:
                differing = ", ".join(sorted(seen ^ named)[:5])
                raise DemoError(
                    f"the SBOM of {name} lists other {kind} packages than a container of it has: {differing}"
                )
        counts[name] = len(components)
    return counts


def _named(components: Iterable[Mapping[str, Any]], kind: str) -> Iterable[str]:
    return (f"{one['name']} {one['version']}" for one in components if one.get("purl", "").startswith(f"pkg:{kind}/"))


def _packages(image: str, environ: Mapping[str, str]) -> set[str]:
    lines = _in_container(image, environ, "dpkg-query", "--show", f"--showformat={_FORMAT}").splitlines()
    return {line.removeprefix("installed ") for line in lines if line.startswith("installed ")}


def _distributions(image: str, environ: Mapping[str, str]) -> set[str]:
    """By this machine's pip, for an image has none."""
    (pip,) = Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl")
    mount = f"--volume={pip}:{_PIP}:ro"
    command = ("python", f"{_PIP}/pip", "--disable-pip-version-check", "--no-cache-dir", "list", "--format=json")
    listed = json.loads(_in_container(image, environ, *command, "--exclude=pip", options=(mount,)))
    return {f"{one['name']} {one['version']}" for one in listed}


def _in_container(image: str, environ: Mapping[str, str], *command: str, options: Iterable[str] = ()) -> str:
    docker = ["docker", "run", "--rm", "--network=none", *options]
    return run([*docker, image, *command], environ=environ, cwd=Path.cwd())
