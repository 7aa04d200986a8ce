"""What came of the demo: what each version is to show, and the table at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from production import Moved
from rich import box
from rich.table import Table
from running import DemoError

from kfp_release.image_ref import ImageRef

DISTRIBUTION = "kubeflow-demo-components"

KILOBYTES = 192 * 1024
"""The most that a change of code alone may push, of both images: package layers, configs, SBOMs and provenances."""

SCORE = 0.979
"""The accuracy that the training pipeline comes to, on rows that its model has not seen."""

ONE_ROW = 1 / 143
"""Of those rows: another machine's arithmetic may tell one of them otherwise."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the demo, and what the first example pipeline gives with it for 2 times 3."""

    number: str
    product: float


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of one version."""

    version: Version
    release: Mapping[str, Any]
    verified: Mapping[str, Any]
    """What `verify` saw from outside."""
    results: Mapping[str, Any]
    """Of the first pipeline."""

    @property
    def signed_by(self) -> set[str]:
        """Who signed what is attached to its images."""
        return {key for envelope in self.verified["provenance"]["envelopes"] for key in envelope["claims_keys"]}

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


def require(holds: bool, message: str) -> None:  # noqa: FBT001 - it reads as an assertion
    """Raise `DemoError` with `message` unless it `holds`."""
    if not holds:
        raise DemoError(message)


def require_promises(ran: Sequence[Ran], output: Path) -> None:
    """What the two releases are to show, on values."""
    for item in ran:
        number, seen, image = item.version.number, item.results["product"], item.images["demo"]
        require(seen == item.version.product, f"{number} gives {seen}, not {item.version.product}")
        require(not item.verified["problems"], f"{number} is not as it should be: {item.verified['problems']}")
        require(item.signed_by == {*item.release["provenance_keys"]}, f"{number} is signed by {item.signed_by}")
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
        "signed, and verified": [f"by {min(item.signed_by)[:12]}…" for item in ran],
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
