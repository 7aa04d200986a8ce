"""Where a provenance does not tell of a public version as it is: a line for each disagreement."""

from __future__ import annotations

from dataclasses import replace

import pytest
from publish_fixtures import COMMIT, KEY, MATERIALS

from kfp_release.digest import Digest
from kfp_release.image_ref import ImageRef, Repository
from kfp_release.provenance import MadeImage, Provenance
from kfp_release.provenance_findings import ImageInEcr, other_files, provenance_problems
from kfp_release.record import PinnedImage, Pins
from kfp_release.run import Run
from kfp_release.statement import Subject
from kfp_release.version import ReleaseVersion

REPOSITORY = Repository.parse("533211398604.dkr.ecr.eu-north-1.amazonaws.com/team/demo")
SOURCE, SDIST, WHEEL = "https://github.com/team/components", "a-1.2.tar.gz", "a-1.2-py3-none-any.whl"
IMAGE, RUNTIME, OTHER = Digest.of(b"image"), Digest.of(b"runtime"), Digest.of(b"other")
OTHER_FILE = "b-1.2.tar.gz"
PACKED = ": changed, or packed anew by the index (docs/evidence.md)"
FILES = {SDIST: Digest.of(b"sdist").hex, WHEEL: Digest.of(b"wheel").hex}
PINNED = PinnedImage("demo", REPOSITORY, str(ImageRef(REPOSITORY, "1.2", IMAGE)), KEY, "linux/amd64")
PINS = Pins("a", ReleaseVersion.parse("1.2"), COMMIT, (PINNED,), ())
MADE = MadeImage(str(REPOSITORY), KEY, RUNTIME, MATERIALS)
SUBJECTS = (Subject(str(REPOSITORY), IMAGE), *(Subject(name, Digest(sha256)) for name, sha256 in FILES.items()))
RIGHT = Provenance(SUBJECTS, SOURCE, "v1.2", COMMIT, {"demo": MADE}, {}, Run())
IN_ECR = {"demo": ImageInEcr(SOURCE, RUNTIME)}


def lines(provenance: Provenance, pins: Pins = PINS, other: str | None = None) -> list[str]:
    return list(provenance_problems(provenance, pins, files=FILES, others={OTHER_FILE: other}, images=IN_ECR))


def made(**changes: object) -> Provenance:
    return replace(RIGHT, images={"demo": replace(MADE, **changes)})  # type: ignore[arg-type]  # as a test has them


def test_what_tells_of_the_version_as_it_is_has_no_line() -> None:
    assert lines(RIGHT) == []


@pytest.mark.parametrize(
    ("provenance", "line"),
    [
        (replace(RIGHT, tag="v1.3"), "its tag is 'v1.3', and the version's is 'v1.2'"),
        (replace(RIGHT, tag=""), "its tag is '', and the version's is 'v1.2'"),
        (replace(RIGHT, commit="d" * 40), f"its commit is {'d' * 40}, and the published pins say {COMMIT}"),
        (
            replace(RIGHT, source="https://github.com/fork/components"),
            f"image demo: its source is 'https://github.com/fork/components', and its label says '{SOURCE}'",
        ),
        (
            replace(RIGHT, subjects=(Subject(str(REPOSITORY), OTHER), *SUBJECTS[1:])),
            f"it names {REPOSITORY} with {OTHER}, and public is {IMAGE}",
        ),
        (
            replace(RIGHT, subjects=(*SUBJECTS[:2], Subject(WHEEL, OTHER))),
            f"it names {WHEEL} with {OTHER}, and public is sha256:{FILES[WHEEL]}{PACKED}",
        ),
        (replace(RIGHT, subjects=SUBJECTS[1:]), f"it does not name {REPOSITORY}, which is public"),
        (replace(RIGHT, subjects=SUBJECTS[:2]), f"it does not name {WHEEL}, which is public"),
        (
            replace(RIGHT, subjects=(*SUBJECTS, Subject(OTHER_FILE, OTHER))),
            "it names 'b-1.2.tar.gz', which is not public with this version",
        ),
        (replace(RIGHT, subjects=(*SUBJECTS, SUBJECTS[1])), f"it names '{SDIST}' 2 times"),
        (replace(RIGHT, images={}), "it does not say what image demo is made of"),
        (
            replace(RIGHT, images={"demo": MADE, "train": MADE}),
            "it says what 'train' is made of, and the version has no such image",
        ),
        (made(repository="other/demo"), f"image demo: it is made for 'other/demo', and pinned to {REPOSITORY}"),
        (
            made(runtime_key="0" * 32),
            f"image demo: its runtime key is '{'0' * 32}', and the published pins say {KEY}",
        ),
        (
            made(runtime=OTHER),
            f"image demo: its runtime is {OTHER}, and the image in ECR stands on {RUNTIME}",
        ),
    ],
)
def test_each_disagreement_is_a_line(provenance: Provenance, line: str) -> None:
    assert lines(provenance) == [line]


@pytest.mark.parametrize(
    "inputs",
    [
        replace(MATERIALS.inputs, context=(("requirements.lock", 0o644, OTHER.hex),)),
        replace(MATERIALS.inputs, dockerfile=OTHER),
        replace(MATERIALS.inputs, base_digests=(OTHER,)),
        replace(MATERIALS.inputs, build_args={}),
    ],
    ids=["lock", "Dockerfile", "base", "build argument"],
)
def test_other_materials_give_another_runtime_key(inputs: object) -> None:
    other = replace(MATERIALS, inputs=inputs)  # type: ignore[arg-type]  # as a test has them
    assert lines(made(materials=other)) == [
        f"image demo: its materials give the runtime key {other.key}, and the pins say {KEY}"
    ]


def test_another_platform_is_told_beside_its_key() -> None:
    other = replace(MATERIALS, inputs=replace(MATERIALS.inputs, platform="linux/arm64"))
    key, platform = lines(made(materials=other))
    assert key.startswith("image demo: its materials give the runtime key")
    assert platform == "image demo: it is for 'linux/arm64', and the published pins say linux/amd64"


def test_an_image_that_names_no_runtime_can_be_right_and_one_that_stands_on_none_known_is_not() -> None:
    assert lines(made(runtime=None)) == []
    (line,) = provenance_problems(RIGHT, PINS, files=FILES, others={}, images={})
    assert line == f"image demo: its runtime is {RUNTIME}, and the image in ECR does not tell on which it stands"


def test_files_of_other_projects_are_held_against_what_the_index_says_of_them() -> None:
    both = replace(RIGHT, subjects=(*SUBJECTS, Subject(OTHER_FILE, OTHER)))
    assert other_files(both, PINS, FILES) == [OTHER_FILE]
    assert lines(both, other=OTHER.hex) == []
    assert lines(both, other=IMAGE.hex) == [f"it names {OTHER_FILE} with {OTHER}, and public is {IMAGE}"]
    assert lines(both, other=None) == [f"it names '{OTHER_FILE}', which is not public with this version"]


def test_files_of_other_projects_that_nobody_asked_for_are_not_told_of() -> None:
    both = replace(RIGHT, subjects=(*SUBJECTS, Subject(OTHER_FILE, OTHER)))
    assert list(provenance_problems(both, PINS, files=FILES, others=None, images=IN_ECR)) == []


def test_the_sbom_that_it_names_is_the_one_that_is_attached() -> None:
    named = made(sbom=OTHER)
    for sboms, told in (
        ({OTHER}, []),
        ({OTHER, IMAGE}, []),
        (set[Digest](), [f"image demo: its SBOM is {OTHER}, and attached is none"]),
        ({IMAGE}, [f"image demo: its SBOM is {OTHER}, and attached is {IMAGE}"]),
    ):
        images = {"demo": ImageInEcr(SOURCE, RUNTIME, frozenset(sboms))}
        assert list(provenance_problems(named, PINS, files=FILES, others={}, images=images)) == told


def test_a_snapshot_has_no_tag() -> None:
    pins = replace(PINS, version=ReleaseVersion.parse("1.3.dev4+gabc1234"))
    assert lines(replace(RIGHT, tag=""), pins) == []
    assert lines(RIGHT, pins) == ["its tag is 'v1.2', and the version's is ''"]


def test_what_somebody_wrote_into_it_cannot_reach_a_terminal() -> None:
    (line,) = lines(replace(RIGHT, tag="v1.2\x1b[31m\n::error::x"))
    assert "\x1b" not in line
    assert "\n" not in line
