"""What a mirror must have before a pipeline is written for it."""

from __future__ import annotations

import json

import pytest
from ecr_fixtures import HOST

from kfp_release.config import Config
from kfp_release.errors import Problems, ReleaseError
from kfp_release.image_ref import Registry
from kfp_release.package_files._operators.pipeline import Pipeline
from kfp_release.package_files._operators.tracing import DRIFT, FOREIGN, Origin, Trace, Traced
from kfp_release.rehome import move, require_there

MIRROR = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
DIGEST = f"sha256:{'a' * 64}"
CONFIG = Config.parse(
    f"""\
[project]
name = "parts"
[tool.kfp-release]
package = "parts"
components = "yaml"
source = "https://example.com/parts"
[tool.kfp-release.images.demo]
repository = "{HOST}/team/demo"
[tool.kfp-release.images.tool]
repository = "{HOST}/tool"
""".encode(),
    {},
)


def pipeline(*images: str) -> Pipeline:
    names = [f"t{number}" for number in range(len(images))]
    value = {
        "components": {name: {"executorLabel": name} for name in names},
        "deploymentSpec": {
            "executors": {name: {"container": {"image": image}} for name, image in zip(names, images, strict=True)}
        },
        "pipelineInfo": {"name": "small"},
        "root": {"dag": {"tasks": {name: {"componentRef": {"name": name}} for name in names}}},
    }
    return Pipeline.parse("a.yaml", json.dumps(value).encode())


@pytest.mark.parametrize(
    ("registry", "has_ecr"),
    [(MIRROR, True), (f"{MIRROR}/cache", True), ("mirror.example", False), ("mirror.example:5000/cache", False)],
)
@pytest.mark.parametrize("name", ["team/demo", "tool"])
def test_every_owned_image_moves_and_an_ecr_can_be_asked(registry: str, name: str, *, has_ecr: bool) -> None:
    image = f"{HOST}/{name}:1.0@{DIGEST}"
    moved = move("a.yaml", pipeline(image, f"ghcr.io/any/tool@{DIGEST}"), Registry.parse(registry), config=CONFIG)
    assert moved.rehomed.moved == {image: f"{registry}/{name}:1.0@{DIGEST}"}
    assert moved.rehomed.left == [f"ghcr.io/any/tool@{DIGEST}"]
    assert (moved.has_ecr, moved.digests) == (has_ecr, {DIGEST: f"{HOST}/{name}"})


def test_one_without_a_digest_or_of_others_alone_is_refused() -> None:
    with pytest.raises(ReleaseError, match=r"without a digest there is nothing to keep: .*/tool:1\.0\n  → compile it"):
        move("a.yaml", pipeline(f"{HOST}/tool:1.0"), Registry.parse(MIRROR), config=CONFIG)
    with pytest.raises(ReleaseError, match="no image in it is of "):
        move("a.yaml", pipeline("python:3"), Registry.parse(MIRROR), config=CONFIG)


def traced(*states: str) -> Trace:
    return Trace("small", tuple(Traced(f"t-{state}", None, f"a.b/{state}", Origin(state, "so")) for state in states))


def test_all_that_cannot_be_pulled_is_told_at_once() -> None:
    require_there(traced("pinned", "mirrored", DRIFT, FOREIGN, "unpinned"))
    with pytest.raises(Problems) as caught:
        require_there(traced("missing", "archived", "incomplete", "unasked", "unpinned"))
    assert [str(problem).splitlines() for problem in caught.value.problems] == [
        ["a.b/archived: archived: so", "  → restore it on the mirror"],
        ["a.b/incomplete: incomplete: so", "  → copy the image there anew"],
        ["a.b/missing: missing: so", "  → copy the image there with its digest first, or name a mirror that has it"],
        ["a.b/unasked: unasked: so", "  → use credentials that may read the mirror, or --no-check"],
    ]
