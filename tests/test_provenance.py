"""How a release was made, as SLSA's provenance says it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from publish_fixtures import BASE, COMMIT, KEY, MATERIALS

from kfp_release.digest import Digest
from kfp_release.materials import Materials
from kfp_release.provenance import MadeImage, Provenance
from kfp_release.run import LOCAL, Run
from kfp_release.runtime_key import runtime_key
from kfp_release.statement import BadStatement, Statement, Subject

REPOSITORY = "533211398604.dkr.ecr.eu-north-1.amazonaws.com/team/demo"
MADE = Provenance(
    subjects=(Subject(REPOSITORY, Digest.of(b"image")), Subject("some_components-1.2.tar.gz", Digest.of(b"sdist"))),
    source="https://github.com/team/components",
    tag="v1.2",
    commit=COMMIT,
    images={"demo": MadeImage(REPOSITORY, KEY, Digest.of(b"runtime"), MATERIALS)},
    tools={"kfp-release": "1.2", "python": "3.12.3"},
    run=Run("https://ci/builder", "https://ci/run/1", {"path": ".github/workflows/release.yml"}),
)
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "team/components",
    "GITHUB_WORKFLOW_REF": "team/components/.github/workflows/release.yml@refs/tags/v1.2",
    "GITHUB_RUN_ID": "17",
    "GITHUB_RUN_ATTEMPT": "2",
}


def predicate() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(MADE.statement().to_bytes())["predicate"]
    return value


def test_it_reads_as_it_is_written() -> None:
    written = MADE.statement().to_bytes()
    assert Provenance.parse(Statement.parse(written)) == MADE
    assert MADE.statement().to_bytes() == written


def test_the_order_of_its_images_is_that_of_their_names() -> None:
    several = replace(MADE, images=dict.fromkeys(("train", "demo", "serve"), MADE.images["demo"]))
    assert Provenance.parse(Statement.parse(several.statement().to_bytes())) == several
    in_order = replace(MADE, images=dict.fromkeys(("demo", "serve", "train"), MADE.images["demo"]))
    assert several.statement().to_bytes() == in_order.statement().to_bytes()


def test_it_has_the_form_of_in_toto_and_slsa() -> None:
    value = json.loads(MADE.statement().to_bytes())
    assert value["_type"] == "https://in-toto.io/Statement/v1"
    assert value["predicateType"] == "https://slsa.dev/provenance/v1"
    assert value["subject"][0] == {"name": REPOSITORY, "digest": {"sha256": Digest.of(b"image").hex}}
    definition, details = value["predicate"]["buildDefinition"], value["predicate"]["runDetails"]
    assert definition["externalParameters"] == {
        "source": "https://github.com/team/components",
        "tag": "v1.2",
        "workflow": {"path": ".github/workflows/release.yml"},
    }
    assert definition["buildType"].startswith("https://")
    assert details == {
        "builder": {"id": "https://ci/builder", "version": {"kfp-release": "1.2", "python": "3.12.3"}},
        "metadata": {"invocationId": "https://ci/run/1"},
    }


def test_the_sboms_of_its_images_are_named_as_what_came_out_besides() -> None:
    with_sbom = replace(MADE, images={"demo": replace(MADE.images["demo"], sbom=Digest.of(b"sbom"))})
    statement = Statement.parse(with_sbom.statement().to_bytes())
    assert statement.predicate["runDetails"]["byproducts"] == [
        {
            "name": "demo.cdx.json",
            "digest": {"sha256": Digest.of(b"sbom").hex},
            "mediaType": "application/vnd.cyclonedx+json",
            "annotations": {"image": "demo"},
        }
    ]
    assert Provenance.parse(statement) == with_sbom
    assert with_sbom.says_the_same(MADE)


def test_everything_that_a_release_is_made_of_is_named_with_its_digest() -> None:
    found = predicate()["buildDefinition"]["resolvedDependencies"]
    assert [item.get("uri") or item["name"] for item in found] == [
        "git+https://github.com/team/components@refs/tags/v1.2",
        "Dockerfile",
        "requirements.lock",
        f"oci://{BASE.partition('@')[0]}",
        f"oci://{REPOSITORY}:runtime-{KEY}",
    ]
    assert found[0]["digest"] == {"gitCommit": COMMIT}
    assert [item["digest"]["sha256"] for item in found[1:]] == [
        MATERIALS.inputs.dockerfile.hex,
        MATERIALS.inputs.context[0][2],
        MATERIALS.inputs.base_digests[0].hex,
        Digest.of(b"runtime").hex,
    ]


def test_the_runtime_key_is_a_hash_of_what_it_names() -> None:
    made = Provenance.parse(MADE.statement()).images["demo"]
    assert runtime_key(made.materials.inputs) == made.runtime_key == KEY


def test_a_snapshot_has_no_tag() -> None:
    made = replace(MADE, tag="").statement()
    assert Provenance.parse(made).tag == ""
    assert (
        made.predicate["buildDefinition"]["resolvedDependencies"][0]["uri"] == "git+https://github.com/team/components"
    )


def test_a_run_of_github_actions_is_named_by_its_workflow_and_its_attempt() -> None:
    run = Run.from_environment(GITHUB)
    assert run.builder == "https://github.com/team/components/.github/workflows/release.yml@refs/tags/v1.2"
    assert run.invocation == "https://github.com/team/components/actions/runs/17/attempts/2"
    assert run.workflow == {
        "repository": "https://github.com/team/components",
        "path": ".github/workflows/release.yml",
        "ref": "refs/tags/v1.2",
    }


@pytest.mark.parametrize("lacking", GITHUB)
def test_whatever_is_no_such_run_says_so(lacking: str) -> None:
    assert Run.from_environment({**GITHUB, lacking: ""}) == Run(LOCAL)


def test_the_same_said_by_another_run_with_other_tools_from_a_mirror_is_the_same() -> None:
    mirrored = replace(MATERIALS, bases=(f"mirror.example/python@{MATERIALS.inputs.base_digests[0]}",))
    other = replace(
        MADE,
        run=Run(),
        tools={},
        subjects=MADE.subjects[::-1],
        images={"demo": replace(MADE.images["demo"], materials=mirrored)},
    )
    assert MADE.says_the_same(other)


@pytest.mark.parametrize(
    "other",
    [
        replace(MADE, subjects=MADE.subjects[:1]),
        replace(MADE, subjects=(replace(MADE.subjects[0], digest=Digest.of(b"x")), MADE.subjects[1])),
        replace(MADE, tag="v1.3"),
        replace(MADE, commit="d" * 40),
        replace(MADE, source="https://github.com/other/components"),
        replace(MADE, images={}),
        replace(MADE, images={"demo": replace(MADE.images["demo"], runtime=None)}),
        replace(
            MADE,
            images={
                "demo": replace(
                    MADE.images["demo"],
                    materials=replace(MATERIALS, inputs=replace(MATERIALS.inputs, platform="linux/arm64")),
                )
            },
        ),
    ],
)
def test_what_says_something_else_is_not_the_same(other: Provenance) -> None:
    assert not MADE.says_the_same(other)


def with_part(*path: str | int, value: Any) -> Statement:
    changed = predicate()
    inner: Any = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return Statement(MADE.subjects, "https://slsa.dev/provenance/v1", changed)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            replace(MADE.statement(), predicate_type="https://slsa.dev/provenance/v0.2"),
            "its predicate is 'https://slsa",
        ),
        (replace(MADE.statement(), predicate={}), "'buildDefinition'"),
        (
            with_part("buildDefinition", "buildType", value="https://other.example/v1"),
            "its buildType is 'https://other",
        ),
        (with_part("buildDefinition", "resolvedDependencies", value=[]), "not one of kfp-release"),
        (with_part("buildDefinition", "more", value=1), "it says more, or says it otherwise"),
        (with_part("runDetails", "byproducts", value=[]), "it says more, or says it otherwise"),
        (with_part("runDetails", "byproducts", value=[{"name": "a"}]), "'annotations'"),
        (
            with_part("runDetails", "byproducts", value=[{"annotations": {"image": "x"}, "digest": {}}]),
            "it says more, or says it otherwise",
        ),
        (
            with_part("buildDefinition", "resolvedDependencies", 1, "annotations", "role", value="context"),
            "not one of kfp-release",
        ),
        (with_part("buildDefinition", "resolvedDependencies", 1, "annotations", value=None), "not one of kfp-release"),
        (with_part("buildDefinition", "resolvedDependencies", 0, "digest", value={"gitCommit": "HEAD"}), "'HEAD'"),
    ],
)
def test_a_predicate_that_is_not_ours_is_refused(statement: Statement, message: str) -> None:
    with pytest.raises(BadStatement, match=message):
        Provenance.parse(statement)


def test_materials_read_as_they_are_written() -> None:
    assert Materials.parse(json.loads(json.dumps(MATERIALS.to_value()))) == MATERIALS
