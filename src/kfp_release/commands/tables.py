"""Results as tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.filesize import decimal

from kfp_release.report import Table

if TYPE_CHECKING:  # commands that show steps alone need not wait for what plans and builds
    from kfp_release.console import StepTime
    from kfp_release.errors import Problem
    from kfp_release.kms_key_name import KmsKeyName
    from kfp_release.plan import Plan
    from kfp_release.planned_image import PlannedImage
    from kfp_release.publish import Outcome, Published
    from kfp_release.rebuilt_part import RebuiltPart
    from kfp_release.record import Distribution, PinnedImage
    from kfp_release.runtime import RuntimeResult
    from kfp_release.runtimes import RuntimeState
    from kfp_release.scan import Scan
    from kfp_release.source import Source
    from kfp_release.verify import Verified
    from kfp_release.verify_provenance import SeenProvenance

_HEX = re.compile(r"\b[0-9a-f]{32,64}\b")


def runtimes(results: Iterable[RuntimeResult]) -> Table:
    """A row an image: its runtime, where it came from, and what it cost."""
    return Table.of(
        ("image", "runtime", "how", "digest", "pushed", "time"),
        [
            (item.name, f"runtime-{item.key}", item.how, str(item.digest), decimal(item.bytes_sent), took(item.seconds))
            for item in results
        ],
    )


def runtime_states(states: Iterable[RuntimeState]) -> Table:
    """A row an image: its runtime, and whether that is there."""
    return Table.of(
        ("image", "runtime", "repository", "now in ECR", "SBOM"),
        [
            (
                item.name,
                f"runtime-{item.key}",
                str(item.repository),
                str(item.digest) if item.digest else "MISSING",
                "attached" if item.has_sbom else "MISSING",
            )
            for item in states
        ],
    )


def planned_images(plan: Plan) -> Table:
    """A row an image: where it goes, and what is there."""
    return Table.of(
        ("image", "will be", "runtime", "now in ECR", "to push"),
        [
            (
                image.name,
                f"{image.repository}:{plan.source.version.image_tag}",
                f"runtime-{image.runtime_key} {_there(image)}",
                _now(image),
                _to_push(image),
            )
            for image in plan.images
        ],
    )


def planned_files(plan: Plan) -> Table:
    """A row a project: the files of this version that the index has."""
    return Table.of(
        ("project", "now on the index"),
        [(project, ", ".join(files) or "nothing of this version") for project, files in plan.files.items()],
    )


def images(pinned: Iterable[PinnedImage]) -> Table:
    """A row an image: its exact pin and its platform."""
    return Table.of(("image", "pinned to", "platform"), [(item.name, item.pin, item.platform) for item in pinned])


def evidence(verified: Verified) -> Table:
    """A row an image: what is attached to it."""
    pinned = verified.pins.images if verified.pins else ()
    counts = [(image.name, verified.components.get(image.name)) for image in pinned]
    return Table.of(
        ("image", "SBOM"),
        [(name, "none attached" if count is None else f"{count} components") for name, count in counts],
    )


def rebuilt(parts: Iterable[RebuiltPart]) -> Table:
    """A row a part of a version: as it is public, as its tag gives it, and whether that is the same."""
    return Table.of(
        ("what", "published", "rebuilt", "verdict"),
        [(part.what, _short(part.published), _short(part.rebuilt), part.verdict) for part in parts],
    )


def distributions(items: Iterable[Distribution]) -> Table:
    """A row a file, in the order of their upload."""
    return Table.of(("file", "size", "sha256"), [(item.filename, decimal(item.size), item.sha256) for item in items])


def outcomes(items: Iterable[Outcome]) -> Table:
    """A row for each image and file: what became of it."""
    return Table.of(
        ("what", "state", "content"), [(item.what.partition("@")[0], item.state, item.content) for item in items]
    )


def scans(found: Mapping[str, Scan]) -> Table:
    """A row an image: what ECR's scan found in it."""
    return Table.of(("image", "scan"), [(name, scan.text) for name, scan in found.items()])


def scan_notes(problems: Iterable[Problem]) -> Iterator[str]:
    """What is refused, then what is warned of, a line each; after each kind what to do, once."""
    told = list(problems)
    for severity, verb in (("error", "refused"), ("warning", "warning")):
        chosen = [problem for problem in told if problem.severity == severity]
        yield from (f"{problem.path}: {verb}: {problem.message}" for problem in chosen)
        yield from (f"  → {remedy}" for remedy in dict.fromkeys(problem.remedy for problem in chosen))


def steps(times: Iterable[StepTime]) -> Table:
    """A row a step, and how long it took."""
    return Table.of(("step", "time"), [(item.step, took(item.seconds)) for item in times])


def provenances(seen: Iterable[SeenProvenance]) -> Table:
    """A row an envelope: who says to have signed it, and which run made it."""
    return Table.of(
        ("provenance", "says to be signed by", "made by", "state"),
        [
            (
                str(one.digest),
                ", ".join(signature.keyid for signature in one.envelope.signatures) if one.envelope else "",
                (one.provenance.run.invocation or one.provenance.run.builder) if one.provenance else "",
                f"{len(one.problems)} disagreements" if one.problems else "as public",
            )
            for one in seen
        ],
    )


def signed_note(key: KmsKeyName | None, published: Published) -> str:
    """Who signed the provenance of a release."""
    if key is None:
        return f"its provenance is unsigned: no signing-key is set{_packed_note(published)}"
    by = ", ".join(f"{signature.keyid[:16]}…" for signature in published.provenance.signatures)
    return f"its provenance is signed with {key}, which is key {by}{_packed_note(published)}"


def _packed_note(published: Published) -> str:
    if not published.packed_anew:
        return ""
    files = ", ".join(published.packed_anew)
    return f"; the index has packed {files} anew since, which verify --key refuses (docs/evidence.md)"


def took(seconds: float) -> str:
    """A duration for people."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f} min {rest:.0f} s" if minutes else f"{rest:.1f} s"


def source_note(source: Source) -> str:
    """What is released, in a line."""
    when = datetime.fromtimestamp(source.created, UTC)
    return f"{source.tag or 'snapshot'} is commit {source.commit[:12]} of {when:%Y-%m-%d %H:%M} UTC"


def _short(text: str) -> str:
    """The beginning of a digest, a commit or a key; other words as they are."""
    return _HEX.sub(lambda found: found[0][:12], text)


def _there(image: PlannedImage) -> str:
    if image.runtime is None:
        return "MISSING"
    return "is there" if image.runtime_sbom else "is there, its SBOM MISSING"


def _now(image: PlannedImage) -> str:
    if not image.repository_exists:
        return "no such repository"
    return str(image.existing.manifest.digest) if image.existing else "not there"


def _to_push(image: PlannedImage) -> str:
    """How many bytes a package layer has `build` says, which makes it."""
    if image.existing:
        return "nothing, if it is this commit's"
    return "package layer" if image.runtime else "runtime, package layer"
