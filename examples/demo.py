"""The main job on local parts: two releases of this project, and a pipeline that runs with each.

    python examples/demo.py build/demo

A scratch repository of this project gets the tag v1.0 and is released into the sandbox's ECR and index; one
component's code changes, and v1.1 is released. Then, as a pipeline author would, each version is installed from the
index into a clean virtual environment, the example pipeline compiled with it, and run in containers that are pulled
by digest; with 1.1 the training pipeline too. The images of 1.1 are copied to a mirror, and the same pipeline runs from
there. What they compute is compared with what their versions' code says, and what is installed in the images with what
their SBOMs list.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
import venv
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from installed import require_listed
from production import Moved, to_production
from rich import box
from rich.console import Console as Terminal
from rich.table import Table
from running import DemoError, run, run_pipeline

from kfp_release.console import Console
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import ImageRef
from kfp_release.sandbox import Sandbox
from kfp_release.signals import signals_end_the_block

PROJECT = Path(__file__).resolve().parent.parent
DISTRIBUTION = "kubeflow-demo-components"
MULTIPLY = Path("src/kubeflow_demo_components/programs/multiply.py")
KILOBYTES = 192 * 1024
"""The most that a change of code alone may push, of both images and their SBOMs."""

SCORE = 0.979
"""The accuracy that the training pipeline comes to, on rows that its model has not seen."""

ONE_ROW = 1 / 143
"""Of those rows: another machine's arithmetic may tell one of them otherwise."""

CHANGED_SECTION = """\
## [1.1] - 2026-11-23

### Changed

- `multiply` gives the product in percent.

"""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the demo, and what the first example pipeline gives with it for 2 times 3."""

    number: str
    product: float


VERSIONS = (Version("1.0", 6.0), Version("1.1", 600.0))


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of one version."""

    version: Version
    release: Mapping[str, Any]
    results: Mapping[str, Any]
    """Of the first pipeline."""

    @property
    def images(self) -> dict[str, ImageRef]:
        """The images of the release by name."""
        return {name: ImageRef.parse(pin) for name, pin in self.release["images"].items()}

    @property
    def runtimes(self) -> dict[str, str]:
        """How each image came to its runtime: built or found."""
        return {runtime["name"]: runtime["how"] for runtime in self.release["runtimes"]}

    @property
    def wheel(self) -> Mapping[str, str]:
        """The wheel's name and hash; its upload was the last."""
        item: Mapping[str, str] = self.release["distributions"][-1]
        return item


def git(repository: Path, *arguments: str) -> str:
    """Run git with an identity of its own, whatever the machine has configured."""
    identity = {
        **{f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in AUTHOR.items()},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    return run(["git", "-C", repository, *arguments], environ={**os.environ, **identity}, cwd=repository)


AUTHOR = {"NAME": "Demo", "EMAIL": "demo@example.com"}


def scratch_repository(target: Path) -> None:
    """A new git repository with this project's files, its history and tags left behind."""
    names = run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], environ=os.environ, cwd=PROJECT
    )
    for name in filter(None, names.split("\0")):
        if (PROJECT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, target / name)
    git(target, "init", "--quiet", "--initial-branch=main")
    commit(target, "Components")


def commit(repository: Path, message: str) -> None:
    """Commit all there is."""
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", f"--message={message}")


def change_multiply(repository: Path) -> None:
    """Change one component's code, as version 1.1."""
    program = repository / MULTIPLY
    before = program.read_text(encoding="utf-8")
    after = before.replace("return a * b\n", "return a * b * 100\n")
    if after == before:
        raise DemoError(f"{MULTIPLY} has no line `return a * b` to change")
    program.write_text(after, encoding="utf-8")
    changelog = repository / "CHANGELOG.md"
    text = changelog.read_text(encoding="utf-8")
    changelog.write_text(text.replace("## [1.0]", CHANGED_SECTION + "## [1.0]", 1), encoding="utf-8")
    commit(repository, "multiply gives percent")


def release(repository: Path, version: Version, environ: Mapping[str, str], kept: Path) -> dict[str, Any]:
    """Tag and release; keep release.json, wheel, sdist and SBOMs."""
    git(repository, "tag", f"v{version.number}")
    command = [sys.executable, "-m", "kfp_release", "release", f"v{version.number}", "--create-repository", "--json"]
    result: dict[str, Any] = json.loads(run(command, environ=environ, cwd=repository))
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    sboms = (f"{name}.cdx.json" for name in result["images"])
    for name in ("release.json", *(item["filename"] for item in result["distributions"]), *sboms):
        shutil.copy2(repository / "dist" / name, kept / name)
    return result


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


def require(holds: bool, message: str) -> None:  # noqa: FBT001 - it reads as an assertion
    """Raise `DemoError` with `message` unless it `holds`."""
    if not holds:
        raise DemoError(message)


def require_promises(ran: Sequence[Ran], output: Path) -> None:
    """What the two releases are to show, on values."""
    for item in ran:
        number, seen, image = item.version.number, item.results["product"], item.images["demo"]
        require(seen == item.version.product, f"{number} gives {seen}, not {item.version.product}")
        compiled = (output / number / "pipeline.yaml").read_text(encoding="utf-8")
        require(str(image) in compiled, f"the pipeline of {number} does not name {image}")
    first, second = ran
    for name, image in first.images.items():
        require(image.digest != second.images[name].digest, f"both versions have the same image {name}")
    require({*second.runtimes.values()} == {"found"}, "1.1 built a runtime")
    pushed = second.release["bytes_sent"]
    require(0 < pushed <= KILOBYTES, f"1.1 pushed {pushed} bytes, more than {KILOBYTES}")


def require_score(ran: Ran, trained: Mapping[str, Any], kept: Path) -> None:
    """What the training pipeline is to show: a model that has learned, and a report that says so."""
    score, image = trained["score"], ran.images["training"]
    require(abs(score - SCORE) <= ONE_ROW, f"the model has an accuracy of {score}, not about {SCORE}")
    require(f"{score:.4f}" in (kept / "report.html").read_text(encoding="utf-8"), "the report does not show its score")
    compiled = (kept / "training.yaml").read_text(encoding="utf-8")
    require(str(image) in compiled, f"the training pipeline does not name {image}")


def require_moved(ran: Ran, moved: Moved) -> None:
    """What the mirror is to show: the same images give the same result there."""
    require(moved.states == {"mirrored"}, f"the pipeline on the mirror is {', '.join(sorted(moved.states))}")
    require(moved.results == ran.results, f"the pipeline on the mirror gives {moved.results}, not {ran.results}")


def table(ran: Sequence[Ran], trained: Mapping[str, Any], moved: Moved) -> Table:
    """The end of the demo: a column a version. With the last one a model was `trained`, and a pipeline `moved`."""
    shown = Table(title=f"{DISTRIBUTION}: two releases, two pipelines", box=box.ROUNDED, title_style="bold")
    shown.add_column("", style="dim")
    for item in ran:
        shown.add_column(item.version.number, overflow="fold", style="bold green")
    nothing = [""] * (len(ran) - 1)
    rows = {
        "commit": [item.release["commit"][:12] for item in ran],
        **{
            f"image {name}": [
                f"sha256:{item.images[name].digest.short}…, runtime {item.runtimes[name]}" for item in ran
            ]
            for name in ran[0].images
        },
        "bytes pushed": [f"{item.release['bytes_sent']:,}" for item in ran],
        "seconds": [f"{item.release['seconds']:.1f}" for item in ran],
        "SBOM: components": [*nothing, ", ".join(f"{name} {count}" for name, count in trained["components"].items())],
        "wheel": [item.wheel["filename"] for item in ran],
        "sha256": [f"{item.wheel['sha256'][:12]}…" for item in ran],
        "pipeline: 2 * 3": [f"{item.results['product']}" for item in ran],
        "pipeline: mean": [f"{item.results['mean']:.2f}" for item in ran],
        "training: score": [*nothing, f"{trained['score']:.4f}"],
        "bytes to the mirror": [*nothing, f"{moved.bytes_copied:,}"],
        "from there: 2 * 3": [*nothing, f"{moved.results['product']}"],
    }
    for name, cells in rows.items():
        shown.add_row(name, *cells)
    return shown


def demo(output: Path, console: Console) -> tuple[list[Ran], dict[str, Any], Moved]:
    """Run all of it; what is kept goes to `output`, everything else away again."""
    output.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="kfp-demo-") as scratch,
        Sandbox(Path(scratch, "sandbox"), engine=True, progress=console) as sandbox,
    ):
        environ = {**os.environ, **sandbox.environ}
        repository = Path(scratch, "components")
        repository.mkdir()
        scratch_repository(repository)
        releases: list[dict[str, Any]] = []
        for version in VERSIONS:
            if releases:
                console.step("change one component's code")
                change_multiply(repository)
            console.step(f"release v{version.number}")
            releases.append(release(repository, version, environ, output / version.number))
        homes = [Path(scratch, f"author-{version.number}") for version in VERSIONS]
        console.step(" and ".join(f"pip install {DISTRIBUTION}=={version.number}" for version in VERSIONS))
        with ThreadPoolExecutor() as pool:
            list(pool.map(install, VERSIONS, homes, [sandbox.pip_index_url] * len(homes)))
            console.step("compile and run the pipeline with each, and train a model with the last, in containers")
            kept = [(output / version.number).resolve() for version in VERSIONS]
            training = pool.submit(run_training, homes[-1], environ, kept[-1])
            results = pool.map(run_pipeline, ["pipeline"] * len(homes), homes, [environ] * len(homes), kept)
            ran = [Ran(*item) for item in zip(VERSIONS, releases, results, strict=True)]
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
    kept = "release.json, wheels, sdists, SBOMs, pipelines and the report on the model"
    terminal.print(f"{time.monotonic() - began:.0f} s; {kept} lie in {output}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
