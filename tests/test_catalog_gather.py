"""What the catalog shows, gathered from releases on real parts: a component that went, versions that went wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from catalog_fixtures import MARKUP, Place, make_place
from git_fixtures import run
from many_releases import EXTRA, PROJECT
from publish_fixtures import KEY

from kfp_release.catalog.facts import Facts
from kfp_release.catalog.image_model import LayerKind
from kfp_release.catalog.images import PROVENANCE, SBOM
from kfp_release.catalog.model import Catalog, CatalogVersion, EventKind
from kfp_release.digest import Digest
from kfp_release.envelope import Envelope, Signature
from kfp_release.errors import ReleaseError
from kfp_release.progress import Silent
from kfp_release.referrers import Attachment, attach
from kfp_release.sandbox import Sandbox
from kfp_release.statement import PAYLOAD_TYPE
from kfp_release.status_row import State
from kfp_release.version import ReleaseVersion
from kfp_release.version_bump import Bump


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("catalog")
    with Sandbox(folder / "sandbox", base=False) as sandbox:
        yield make_place(folder, sandbox)


@pytest.fixture(scope="module")
def catalog(place: Place) -> Catalog:
    return place.gather()


@pytest.fixture(scope="module")
def kept(place: Place, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a run keeps."""
    path = tmp_path_factory.mktemp("kept") / "facts.json"
    facts = Facts(path)
    place.gather(facts)
    assert facts.write()
    return path.read_text(encoding="utf-8")


def version(catalog: Catalog, text: str) -> CatalogVersion:
    return catalog.by_version()[ReleaseVersion.parse(text)]


def events(catalog: Catalog, operator: str) -> list[str]:
    return [f"{one.version} {one.kind}" for one in catalog.by_operator()[operator].history]


class TestVersions:
    def test_each_has_the_state_that_status_sees(self, catalog: Catalog) -> None:
        assert [(str(one.version), one.state) for one in catalog.versions] == [
            ("2.0rc1", State.NOT_RELEASED),
            ("1.4", State.IN_ORDER),
            ("1.3", State.ABANDONED),
            ("1.2", State.WITHDRAWN),
            ("1.1", State.IN_ORDER),
            ("1.0", State.IN_ORDER),
        ]
        assert version(catalog, "1.2").withdrawn_by == "refs/heads/main"
        assert version(catalog, "1.3").remedies == ("kfp-release reconcile",)
        assert any("0 wheels of some-components 1.3" in line for line in version(catalog, "1.3").findings)

    def test_pip_takes_the_newest_final_one_that_is_out(self, catalog: Catalog) -> None:
        assert catalog.newest == version(catalog, "1.4")
        assert catalog.pip_install(ReleaseVersion.parse("1.4")).endswith(f"/simple/ {PROJECT}==1.4")

    def test_the_version_before_is_one_that_people_may_have(self, catalog: Catalog) -> None:
        before = {str(one.version): str(one.previous) for one in catalog.versions}
        assert before == {"2.0rc1": "1.4", "1.4": "1.2", "1.3": "1.2", "1.2": "1.1", "1.1": "1.0", "1.0": "None"}

    def test_the_upgrade_tells_what_changed_and_breaks(self, catalog: Catalog) -> None:
        changed = version(catalog, "1.1")
        assert [(one.operator, one.what, one.is_breaking) for one in changed.changes] == [
            ("legacy_op", "removed", True),
            ("train_op", "input rounds added, required", True),
        ]
        assert (changed.bump, changed.is_breaking) == (Bump.MAJOR, True)
        assert (version(catalog, "1.4").bump, version(catalog, "1.4").is_breaking) == (Bump.MINOR, False)
        assert version(catalog, "1.0").changes == ()

    def test_its_files_have_their_hashes_and_the_sizes_that_are_known(self, place: Place, catalog: Catalog) -> None:
        files = {file.filename: file for file in version(catalog, "1.4").files}
        own = files["some_components-1.4-py3-none-any.whl"]
        data = (place.sandbox.packages / own.filename).read_bytes()
        assert (own.sha256, own.size, own.is_wheel) == (Digest.of(data).hex, len(data), True)
        assert {file.project for file in files.values()} == {PROJECT, EXTRA}
        assert len(files) == 4

    def test_its_commit_and_time_are_those_of_the_tag(self, place: Place, catalog: Catalog) -> None:
        for text in ("1.0", "1.4", "2.0rc1"):
            one = version(catalog, text)
            assert one.commit == run(place.project, "rev-parse", f"v{text}^{{commit}}")
            assert str(one.released) == run(place.project, "log", "-1", "--format=%ct", one.commit)

    def test_the_changelog_is_the_newest_branchs_or_else_its_own(self, catalog: Catalog) -> None:
        assert version(catalog, "1.4").changelog == f"- Scales. {MARKUP}"
        assert version(catalog, "1.2").changelog == "Did not work."
        assert version(catalog, "1.1").changelog == "As 1.1 had it."
        assert version(catalog, "2.0rc1").changelog == ""


class TestImages:
    def test_an_image_is_told_by_its_layers_and_what_a_node_pulls_of_them(self, place: Place, catalog: Catalog) -> None:
        (first,), (last,) = version(catalog, "1.0").images, version(catalog, "1.4").images
        stored = place.store.find("1.4")
        assert stored is not None
        assert last.digest == stored.digest
        assert [(one.digest, one.size) for one in last.layers] == [(one.digest, one.size) for one in stored.layers]
        assert [(layer.kind, layer.is_new) for layer in last.layers] == [
            (LayerKind.DEPENDENCIES, False),
            (LayerKind.PACKAGE, True),
        ]
        assert (last.pulled, last.size) == (stored.layers[-1].size, sum(layer.size for layer in stored.layers))
        assert first.pulled == first.size
        assert (last.platform, last.runtime_key, last.tag) == ("linux/amd64", KEY, "1.4")

    def test_what_is_not_in_ecr_has_no_digest(self, catalog: Catalog) -> None:
        (image,) = version(catalog, "2.0rc1").images
        assert (image.name, image.digest, image.layers) == ("demo", None, ())


class TestComponents:
    def test_those_of_the_newest_come_first_then_those_to_come_then_those_that_went(self, catalog: Catalog) -> None:
        told = [(one.operator, str(one.version), one.is_coming, one.is_gone) for one in catalog.components]
        assert told == [
            ("make_op", "1.4", False, False),
            ("scale_op", "1.4", False, False),
            ("train_op", "1.4", False, False),
            ("score_op", "2.0rc1", True, False),
            ("legacy_op", "1.0", False, True),
            ("never_op", "1.3", False, True),
        ]

    def test_the_history_tells_where_it_came_changed_and_went(self, catalog: Catalog) -> None:
        assert events(catalog, "train_op") == ["1.1 changed", "1.0 came"]
        assert events(catalog, "legacy_op") == ["1.1 went", "1.0 came"]
        assert events(catalog, "scale_op") == ["1.4 came"]
        assert events(catalog, "score_op") == ["2.0rc1 came"]
        changed = catalog.by_operator()["train_op"].history[0]
        assert changed.kind is EventKind.CHANGED
        assert [(one.what, one.is_breaking) for one in changed.changes] == [("input rounds added, required", True)]

    def test_what_a_version_has_abandoned_is_in_no_other_ones_history(self, catalog: Catalog) -> None:
        assert events(catalog, "never_op") == ["1.3 came"]

    def test_an_output_tells_who_of_the_newest_version_takes_it(self, catalog: Catalog) -> None:
        outputs = {output.name: output.taken_by for output in catalog.by_operator()["train_op"].outputs}
        assert outputs == {"model": (), "loss": (("scale_op", "factor"),)}
        (table,) = catalog.by_operator()["make_op"].outputs
        assert table.taken_by == (("scale_op", "table"), ("train_op", "table"))

    def test_it_tells_its_inputs_as_a_pipeline_gives_them(self, catalog: Catalog) -> None:
        (rows,) = catalog.by_operator()["make_op"].inputs
        assert (rows.parameter, rows.type, rows.is_required, rows.default) == ("rows", "Integer", False, "10")

    def test_its_pins_are_those_of_its_versions_wheel(self, catalog: Catalog) -> None:
        one = catalog.by_operator()["legacy_op"]
        (image,) = version(catalog, "1.0").images
        assert one.pins == (f"{image.repository}:1.0@{image.digest}",)
        assert one.image == "demo"

    def test_texts_stay_as_they_are_written(self, catalog: Catalog) -> None:
        scale = catalog.by_operator()["scale_op"]
        assert scale.description == f"Scales a table. {MARKUP}"
        assert scale.purpose == "Scales a table."


class TestAgain:
    def test_a_second_run_asks_for_nothing_that_it_knows(
        self, place: Place, catalog: Catalog, kept: str, tmp_path: Path
    ) -> None:
        path = tmp_path / "facts.json"
        path.write_text(kept, encoding="utf-8")
        asked = place.asked()
        assert place.gather(Facts(path), asked=asked) == catalog
        assert [call for call in asked.calls if call.startswith("some_components")] == []
        assert asked.calls.count("BatchGetImage") == 1  # of status, by the hundred

    @pytest.mark.parametrize(
        "damage",
        [
            lambda text: text[: len(text) // 2],
            lambda text: text.replace('"schema":"', '"schema":"0 '),
            lambda text: text.replace("sha256:", "sha257:").replace('"line"', '"lines"'),
            lambda text: text.replace("input-added", "input-eaten").replace("some-components", "\\u0000"),
            lambda _: '{"schema": 1, "facts": {"changes": 7}}',
        ],
        ids=["cut off", "another version's", "other digests", "other words", "another form"],
    )
    def test_what_is_kept_and_damaged_is_asked_for_again(
        self, place: Place, catalog: Catalog, kept: str, tmp_path: Path, damage: Callable[[str], str]
    ) -> None:
        path = tmp_path / "facts.json"
        path.write_text(damage(kept), encoding="utf-8")
        assert place.gather(Facts(path)) == catalog


def evidence(kind: str, data: bytes) -> Attachment:
    return Attachment("evidence", kind, "application/json", data, lambda _: False)


class TestElsewhere:
    """Each changes something, so each has a copy of the repository, or comes last."""

    def test_a_version_whose_tag_is_gone_is_told_from_what_is_public(self, place: Place, tmp_path: Path) -> None:
        project = tmp_path / "project"
        shutil.copytree(place.project, project)
        run(project, "tag", "-d", "v1.4")
        found = Place(project, place.sandbox, place.store, place.releases).gather()
        one = version(found, "1.4")
        assert (one.state, one.commit, one.released, str(one.previous)) == (State.DRIFT, "", 0, "1.2")
        assert one.components == ("make_op", "scale_op", "train_op")
        assert any("git has no tag v1.4" in line for line in one.findings)
        assert version(found, "2.0rc1").previous == ReleaseVersion.parse("1.2")
        assert found.newest == version(found, "1.1")
        assert [one.operator for one in found.components if not (one.is_coming or one.is_gone)] == [
            "make_op",
            "train_op",
        ]

    def test_a_release_from_before_this_tool_is_told_from_git(self, place: Place, tmp_path: Path) -> None:
        project = tmp_path / "project"
        shutil.copytree(place.project, project)
        run(project, "checkout", "--quiet", "--orphan", "old")
        (project / "pyproject.toml").write_text('[project]\nname = "some-components"\n', encoding="utf-8")
        (project / "yaml/score.yaml").unlink()
        run(project, "add", "--all")
        run(project, "commit", "--quiet", "--message=old")
        run(project, "tag", "v0.9")
        run(project, "checkout", "--quiet", "main")
        found = Place(project, place.sandbox, place.store, place.releases).gather()
        one = version(found, "0.9")
        assert (one.state, one.images, one.files) == (None, (), ())
        assert one.components == ("make_op", "scale_op", "train_op")
        assert events(found, "make_op") == ["0.9 came"]
        assert version(found, "1.0").previous == ReleaseVersion.parse("0.9")

    def test_a_shallow_clone_is_refused(self, place: Place, tmp_path: Path) -> None:
        project = tmp_path / "project"
        run(place.project, "clone", "--quiet", "--depth=1", f"file://{place.project}", project)
        with pytest.raises(ReleaseError, match="shallow"):
            Place(project, place.sandbox, place.store, place.releases).gather()

    def test_what_is_attached_to_an_image_is_told_as_long_as_it_is_there(self, place: Place, tmp_path: Path) -> None:
        image = place.store.find("1.4")
        assert image is not None
        data = b'{"components":[{},{}]}'
        sbom, _ = attach(place.store, image, evidence(SBOM, data), progress=Silent())
        path = tmp_path / "facts.json"
        facts, asked = Facts(path), place.asked()
        (found,) = version(place.gather(facts, asked=asked), "1.4").images
        assert found.sbom is not None
        assert (found.sbom.digest, found.sbom.size, found.sbom.note) == (sbom.digest, len(data), "2 components")
        assert (found.provenance, found.is_evidence_known) == (None, True)
        facts.write()
        count = asked.calls.count("ListImageReferrers")
        envelope = Envelope(b"{}", PAYLOAD_TYPE, (Signature("a1b2c3", b"signature"),))
        provenance, _ = attach(place.store, image, evidence(PROVENANCE, envelope.to_bytes()), progress=Silent())
        facts, asked = Facts(path), place.asked()
        (found,) = version(place.gather(facts, asked=asked), "1.4").images
        assert found.provenance is not None
        assert found.provenance.digest == provenance.digest
        assert found.provenance.note == "says to be signed by a1b2c3"
        assert asked.calls.count("ListImageReferrers") == count
        facts.write()
        facts, asked = Facts(path), place.asked()
        assert version(place.gather(facts, asked=asked), "1.4").images == (found,)
        assert asked.calls.count("GetDownloadUrlForLayer") == 0  # what is in them is known
        ids = [{"imageDigest": str(one.digest)} for one in (sbom, provenance)]
        asked.client.batch_delete_image(repositoryName=place.store.repository.name, imageIds=ids)
        (bare,) = version(place.gather(facts), "1.4").images
        assert (bare.sbom, bare.provenance, bare.is_evidence_known) == (None, None, True)
