"""The images of versions as ECR has them: manifests by the hundred, their layers, and what is attached to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from kfp_release.catalog.facts import Facts
from kfp_release.catalog.image_model import CatalogEvidence, CatalogLayer, LayerKind
from kfp_release.digest import Digest
from kfp_release.dockerfile import BadDockerfile, Dockerfile
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.envelope import Envelope
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.json_text import read_json
from kfp_release.manifest import MAX_MANIFEST, OCI_MANIFEST, Manifest
from kfp_release.progress import Progress
from kfp_release.referrer import Referrer
from kfp_release.sbom import SBOM_TYPE
from kfp_release.statement import PAYLOAD_TYPE
from kfp_release.terminal_text import one_line
from kfp_release.workers import in_parallel

SBOM: Final = SBOM_TYPE
PROVENANCE: Final = PAYLOAD_TYPE
_MANIFESTS, _NOTES = "manifests", "notes"
_AT_ONCE = 8
"""Images whose referrers are asked for together."""


@dataclass(frozen=True, slots=True)
class StoredImages:
    """What is known of images: their manifests, and what is attached to them by its type."""

    manifests: Mapping[Digest, Manifest] = field(default_factory=dict)
    evidence: Mapping[Digest, Mapping[str, CatalogEvidence]] = field(default_factory=dict)
    """Of those images of which ECR told."""


def ask_images(store: EcrRepository, digests: Sequence[Digest], *, facts: Facts, progress: Progress) -> StoredImages:
    """Ask which things are attached to each image, which may change, and for what `facts` do not know of these.

    Raise `EcrError` where ECR does not hand out manifests. Where it does not list what is attached, that is noted.
    """
    manifests = _manifests(store, digests, facts)
    asked = [digest for digest in digests if digest in manifests]
    try:
        listed = in_parallel(partial(_list_attached, store), asked, workers=_AT_ONCE)
    except EcrError as error:
        progress.note(f"{store.repository}: what is attached to its images is left out: {error.args[0]}")
        listed = []
    found = dict(zip(asked, listed, strict=False))
    referrers = _manifests(store, [one for ones in found.values() for one in ones], facts)
    attached = {digest: _of_each_type(digest, ones, referrers) for digest, ones in found.items()}
    noted = [one for of_type in attached.values() for one in of_type.values()]
    notes = dict(in_parallel(partial(_note, store, facts), noted, workers=_AT_ONCE))
    return StoredImages(
        manifests,
        {
            digest: {
                kind: CatalogEvidence(one.manifest.digest, one.blob.size, notes.get(one.blob.digest, ""))
                for kind, one in found.items()
            }
            for digest, found in attached.items()
        },
    )


def layers_of(
    manifest: Manifest, *, is_packaged: bool, above_base: int, before: Iterable[Digest]
) -> tuple[CatalogLayer, ...]:
    """The layers, the lowest first. The last one is the package's if it `is_packaged`; below it the dependencies.

    `above_base` are the layers that a Dockerfile puts on its base image; `before` are those that a node has.
    """
    there, count = set(before), len(manifest.layers)
    package = count - 1 if is_packaged and count else count
    base = max(package - above_base, 0)
    kinds = (
        [LayerKind.BASE] * base + [LayerKind.DEPENDENCIES] * (package - base) + [LayerKind.PACKAGE] * (count - package)
    )
    return tuple(
        CatalogLayer(kind, layer.digest, layer.size, layer.digest not in there)
        for kind, layer in zip(kinds, manifest.layers, strict=True)
    )


def layers_above_base(dockerfile: str) -> int:
    """How many layers a Dockerfile puts on its base image, stages that its last one begins with included.

    One for each RUN, COPY and ADD, as buildah and docker have it; 0 for a text that is no Dockerfile.
    """
    try:
        instructions = Dockerfile.parse(dockerfile).instructions
    except BadDockerfile:
        return 0
    stages: dict[str, int] = {}
    name, count, number = "", 0, 0
    for instruction in instructions:
        if instruction.keyword == "FROM":
            words = [word.lower() for word in instruction.rest.split() if not word.startswith("--")]
            count = stages.get(words[0], 0) if words else 0
            name = words[2] if words[1:2] == ["as"] and words[2:] else str(number)
            number += 1
        elif instruction.keyword in {"RUN", "COPY", "ADD"}:
            count += 1
        stages[name] = count
    return count


def by_repository(images: Iterable[tuple[Repository, Digest]]) -> dict[Repository, list[Digest]]:
    """The digests of each repository, each once."""
    found: dict[Repository, dict[Digest, None]] = {}
    for repository, digest in images:
        found.setdefault(repository, {})[digest] = None
    return {repository: list(digests) for repository, digests in found.items()}


def _manifests(store: EcrRepository, digests: Iterable[Digest], facts: Facts) -> dict[Digest, Manifest]:
    """Those that ECR hands out; of what is no image for one platform nothing is known."""
    wanted = list(dict.fromkeys(digests))
    found = {digest: manifest for digest in wanted if (manifest := _kept_manifest(facts, digest)) is not None}
    if lacking := [digest for digest in wanted if digest not in found]:
        new = store.manifests(lacking)
        for digest, manifest in new.items():
            facts.put(_MANIFESTS, str(digest), [manifest.media_type, manifest.data.decode()])
        found |= new
    return found


def _kept_manifest(facts: Facts, digest: Digest) -> Manifest | None:
    with suppress(TypeError, ValueError, AttributeError, ReleaseError):
        media_type, text = facts.get(_MANIFESTS, str(digest))
        manifest = Manifest.parse(text.encode(), media_type)
        return manifest if manifest.digest == digest else None
    return None


def _list_attached(store: EcrRepository, digest: Digest) -> list[Digest]:
    """What of the two types refers to the image, in ECR's order; the first page of it."""
    answer: Mapping[str, Any] = store.call(
        "list_image_referrers",
        subjectId={"imageDigest": str(digest)},
        filter={"artifactTypes": [SBOM, PROVENANCE], "artifactStatus": "ACTIVE"},
        maxResults=50,
    )
    return [Digest.parse(one["digest"]) for one in answer.get("referrers", ())]


def _of_each_type(
    subject: Digest, digests: Iterable[Digest], manifests: Mapping[Digest, Manifest]
) -> dict[str, Referrer]:
    """The first of each type that is of one blob and refers to the image."""
    found: dict[str, Referrer] = {}
    for digest in digests:
        manifest = manifests.get(digest)
        if manifest is None or manifest.media_type != OCI_MANIFEST:
            continue
        with suppress(ReleaseError):
            one = Referrer.parse(manifest.data)
            if one.subject.digest == subject:
                found.setdefault(one.artifact_type, one)
    return {kind: found[kind] for kind in (SBOM, PROVENANCE) if kind in found}


def _note(store: EcrRepository, facts: Facts, referrer: Referrer) -> tuple[Digest, str]:
    """How many components an SBOM names, and who says to have signed a provenance; nothing where it cannot be read."""
    blob, note = referrer.blob, ""
    known = facts.get(_NOTES, f"{referrer.artifact_type} {blob.digest}")
    if isinstance(known, str):
        return blob.digest, known
    with suppress(ReleaseError, KeyError, TypeError):
        data = store.read_blob(blob)
        note = _components(data) if referrer.artifact_type == SBOM else _signers(data)
        facts.put(_NOTES, f"{referrer.artifact_type} {blob.digest}", note)
    return blob.digest, note


def _components(sbom: bytes) -> str:
    count = len(read_json(sbom, most=MAX_MANIFEST)["components"])
    return f"{count} component{'s' * (count != 1)}"


def _signers(provenance: bytes) -> str:
    signatures = Envelope.parse(provenance).signatures
    keys = ", ".join(one_line(one.keyid, 16) or "a key without a name" for one in signatures)
    return f"says to be signed by {keys}" if keys else "unsigned"
