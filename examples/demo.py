"""The main job on local parts: two releases of this project, and a pipeline that runs with each.

    python examples/demo.py build/demo

A scratch repository of this project gets the tag v1.0 and is released into the sandbox's ECR and index; one
component's code changes, and v1.1 is released, both signed with a key of the sandbox's KMS. A catalog of both is
written. Then, as a pipeline author would, each version is installed from the index into a clean virtual environment,
the example pipeline compiled with it, and run in containers that are pulled by digest; with 1.1 the training pipeline
too. The images of 1.1 are copied to a mirror, and the same pipeline runs from there. What they compute is compared with
what their versions' code says, and what is installed in the images with what their SBOMs list.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
import venv
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from installed import require_listed
from outcome import DISTRIBUTION, Ran, Version, require, require_moved, require_promises, require_score, table
from production import Moved, to_production
from rich.console import Console as Terminal
from running import DemoError, run, run_pipeline
from scratch import PROJECT, change_multiply, git, scratch_repository

from kfp_release.console import Console
from kfp_release.errors import ReleaseError
from kfp_release.sandbox import Sandbox
from kfp_release.signals import signals_end_the_block

VERSIONS = (Version("1.0", 6.0), Version("1.1", 600.0))
SITE = "site"
"""The folder of the catalog, below that of the demo."""


def release(repository: Path, version: Version, environ: Mapping[str, str], kept: Path) -> dict[str, Any]:
    """Tag and release; keep release.json, wheel, sdist and SBOMs."""
    git(repository, "tag", f"v{version.number}")
    command = [sys.executable, "-m", "kfp_release", "release", f"v{version.number}", "--create-repository", "--json"]
    result: dict[str, Any] = json.loads(run(command, environ=environ, cwd=repository))
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    sboms = (f"{name}.cdx.json" for name in result["images"])
    evidence = ("release.json", "provenance.intoto.jsonl", *sboms)
    for name in (*evidence, *(item["filename"] for item in result["distributions"])):
        shutil.copy2(repository / "dist" / name, kept / name)
    return result


def verify(repository: Path, version: Version, key: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """Look from outside whether all of it is as its pins say, and its provenance signed with `key`."""
    command: list[str | Path] = [sys.executable, "-m", "kfp_release", "verify", version.number, "--key", key, "--json"]
    seen: dict[str, Any] = json.loads(run(command, environ=environ, cwd=repository))
    return seen


def write_catalog(repository: Path, environ: Mapping[str, str], site: Path) -> None:
    """The pages of all that was released."""
    command = [sys.executable, "-m", "kfp_release", "catalog", "--out", str(site.resolve()), "--json"]
    told = json.loads(run(command, environ=environ, cwd=repository))
    require(told["versions"] == len(VERSIONS), f"the catalog has {told['versions']} versions, not {len(VERSIONS)}")


def install(version: Version, folder: Path, index_url: str) -> None:
    """What a pipeline author types: a clean virtual environment, and the version from the private index."""
    venv.create(folder)
    environ = {
        **os.environ,
        # The index's password travels in the environment: arguments are there for everybody to see.
        "PIP_INDEX_URL": index_url,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        # Python compiles what it imports when it does, which is a small part of what kfp brings.
        "PIP_COMPILE": "0",
    }
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin/python")
    run([*pip, "install", "-qq", f"{DISTRIBUTION}=={version.number}", "docker"], environ=environ, cwd=folder)
    for script in ("pipeline.py", "training.py", "run_local.py"):
        shutil.copy2(PROJECT / "examples" / script, folder / script)


def run_training(folder: Path, environ: Mapping[str, str], kept: Path) -> dict[str, Any]:
    """Run the training pipeline, and put its report into `kept`."""
    results = run_pipeline("training", folder, environ, kept)
    shutil.copy2(folder / "training" / "report.html", kept)
    return results


def demo(output: Path, console: Console) -> tuple[list[Ran], dict[str, Any], Moved]:
    """Run all of it; what is kept goes to `output`, everything else away again."""
    output.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="kfp-demo-") as scratch,
        Sandbox(Path(scratch, "sandbox"), engine=True, kms=True, progress=console) as sandbox,
    ):
        environ = {**os.environ, **sandbox.environ}
        repository = Path(scratch, "components")
        repository.mkdir()
        scratch_repository(repository)
        releases: list[dict[str, Any]] = []
        verified: list[dict[str, Any]] = []
        key = sandbox.signing_key()
        for version in VERSIONS:
            if releases:
                console.step("change one component's code")
                change_multiply(repository)
            console.step(f"release v{version.number}")
            releases.append(release(repository, version, environ, output / version.number))
            console.step(f"look at {version.number} from outside, and check its signature")
            verified.append(verify(repository, version, key, environ))
        console.step("write the catalog")
        write_catalog(repository, environ, output / SITE)
        homes = [Path(scratch, f"author-{version.number}") for version in VERSIONS]
        console.step(" and ".join(f"pip install {DISTRIBUTION}=={version.number}" for version in VERSIONS))
        with ThreadPoolExecutor() as pool:
            list(pool.map(install, VERSIONS, homes, [sandbox.pip_index_url] * len(homes)))
            console.step("compile and run the pipeline with each, and train a model with the last, in containers")
            kept = [(output / version.number).resolve() for version in VERSIONS]
            training = pool.submit(run_training, homes[-1], environ, kept[-1])
            results = pool.map(run_pipeline, ["pipeline"] * len(homes), homes, [environ] * len(homes), kept)
            ran = [Ran(*item) for item in zip(VERSIONS, releases, verified, results, strict=True)]
            trained = training.result()
        console.step("hold what dpkg and pip in the last one's images list against their SBOMs")
        listed = require_listed(releases[-1]["images"], kept[-1], environ)
        require_promises(ran, output)
        require_score(ran[-1], trained, kept[-1])
        console.step("copy the images of the last to a mirror, and run the same pipeline from there")
        python, compiled = homes[-1] / "bin/python", kept[-1] / "pipeline.yaml"
        moved = to_production(VERSIONS[-1].number, compiled, python=python, repository=repository, environ=environ)
        require_moved(ran[-1], moved)
        return ran, {**trained, "components": listed}, moved


def main() -> int:
    """Run the demo and print its table; 1 where it failed, 130 after Ctrl-C."""
    output = Path(sys.argv[1] if len(sys.argv) > 1 else "build/demo")
    began = time.monotonic()
    try:
        with signals_end_the_block(), Console() as console:
            ran, trained, moved = demo(output, console)
    except (DemoError, ReleaseError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("stopped; everything that was started is stopped too\n")
        return 130
    terminal = Terminal(width=None if sys.stdout.isatty() else 120)
    terminal.print(table(ran, trained, moved))
    kept = "release.json, provenances, SBOMs, wheels, sdists, pipelines and the report on the model"
    terminal.print(f"{time.monotonic() - began:.0f} s; {kept} lie in {output}/")
    terminal.print(f"the catalog of both versions: open {output / SITE / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
