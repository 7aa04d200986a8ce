"""How long `kfp-release catalog` takes for many versions of many components, against the sandbox.

    python -m bench.catalog [VERSIONS [COMPONENTS]]

Makes a repository with that many release tags (200 if none is given), each of so many components (50) of which three
change from one version to the next, and puts an image, a wheel and an sdist of each version into a sandbox. Then it
runs the command as a user does, in a process of its own: with an empty cache and no site, once more when nothing has
changed, and once more when a version has been added. Prints each time, and ends with one line of figures.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from many_releases import Content, make_repository, publish_all, publish_more

from kfp_release.console import Console
from kfp_release.sandbox import Sandbox

LIMIT = 20.0
"""Seconds that the first call may take for 200 versions of 50 components."""
LARGEST = 150 * 1024
"""Bytes that a page may have."""
_TYPES = ("String", "Integer", "Float", "Boolean", "Dataset", "Model", "Metrics")
_CHANGED = 3
"""Components that each version changes."""


@dataclass(frozen=True)
class Ran:
    """One call of the command."""

    seconds: float
    cpu: float
    """Seconds of the processor's, which a busy machine does not make more."""
    told: dict[str, Any]


def main() -> int:
    """The exit code: 0 where the first call was quick enough, and no page is too large."""
    count, components = (int(text) for text in [*sys.argv[1:], *("200", "50")[len(sys.argv) - 1 :]])
    with (
        tempfile.TemporaryDirectory() as name,
        Console() as console,
        Sandbox(Path(name, "sandbox"), base=False, progress=console) as sandbox,
    ):
        folder = Path(name)
        console.step(f"make {count + 1} releases of {components} components")
        releases = make_repository(folder / "project", count + 1, contents=lambda number: content(number, components))
        hidden = releases[-1]
        store = publish_all(sandbox, releases[:-1])
        environ = {**os.environ, **sandbox.environ, "XDG_CACHE_HOME": str(folder / "cache")}
        git = ["git", "-C", str(folder / "project")]
        subprocess.run([*git, "tag", "-d", hidden.version.tag], check=True, stdout=subprocess.DEVNULL)
        ran = {"whole": run(folder, environ, console), "unchanged": run(folder, environ, console)}
        subprocess.run([*git, "tag", hidden.version.tag, hidden.commit], check=True)
        publish_more(sandbox, store, [hidden])
        ran["one version more"] = run(folder, environ, console)
        largest = max((path.stat().st_size, path.name) for path in (folder / "site").rglob("*") if path.is_file())
    for what, one in ran.items():
        print(f"{what}: {one.seconds:.1f} s, CPU {one.cpu:.1f} s; {one.told}")
    told = ", ".join(f"{what} {one.seconds:.1f} s" for what, one in ran.items())
    size, page = largest
    print(f"catalog of {count} versions x {components} components: {told}; largest page {page}: {size:,} bytes")
    return 0 if ran["whole"].seconds <= LIMIT and size <= LARGEST else 1


def run(folder: Path, environ: dict[str, str], console: Console) -> Ran:
    """One call."""
    console.step("kfp-release catalog")
    began, used = time.monotonic(), cpu_of_children()
    done = subprocess.run(
        [sys.executable, "-m", "kfp_release", "catalog", "--out", str(folder / "site"), "--json"],
        cwd=folder / "project",
        env=environ,
        stdout=subprocess.PIPE,
        check=True,
    )
    return Ran(time.monotonic() - began, cpu_of_children() - used, json.loads(done.stdout))


def cpu_of_children() -> float:
    """Seconds that programs which have ended took of the processor."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def content(number: int, components: int) -> Content:
    """What the version of this number has in its commit: all components, and a CHANGELOG with all versions so far."""
    sections = "".join(
        f"## [1.{each}] - 2026-11-22\n\n### Changed\n\n- Three components tell more of what they do.\n\n"
        for each in range(number, -1, -1)
    )
    files = {"CHANGELOG.md": f"# Changelog\n\n{sections}"}
    return Content({f"step_{each:03}.yaml": component(each, number, components) for each in range(components)}, files)


def component(each: int, number: int, components: int) -> str:
    """A component file; it has changed as often as its turn has come."""
    turns = (number * _CHANGED + components - 1 - each) // components
    kinds = [_TYPES[(each + place) % len(_TYPES)] for place in range(4)]
    inputs = "".join(
        f"- name: input {place}\n  type: {kind}\n  description: what it is\n" for place, kind in enumerate(kinds)
    )
    more = "".join(f"- name: option {turn}\n  type: Integer\n  default: '{turn}'\n" for turn in range(turns))
    return (
        f"name: Step {each}\ndescription: Does the step of number {each}. It has changed {turns} times.\n"
        f"inputs:\n{inputs}{more}outputs:\n- name: result\n  type: {kinds[0]}\n  description: what came of it\n"
        f"implementation:\n  container:\n    image: {{}}\n    command: [step]\n"
    )


if __name__ == "__main__":
    sys.exit(main())
