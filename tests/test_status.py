"""Every version against ECR and the index, on real parts: in order first, then with all that can go wrong."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from conftest import PROJECT as PROJECT_FOLDER
from conftest import kfp_release
from ecr_fixtures import REGION
from git_fixtures import commit, run
from many_releases import (
    EXTRA,
    PROJECT,
    Release,
    make_repository,
    pins_of,
    publish_all,
    push_image,
    wheel_of,
    write_files,
)
from publish_fixtures import parts
from scans import denied, scan_of
from test_lifecycle import rule

from kfp_release.config import Config
from kfp_release.credentials import Credentials
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.index import Index, IndexFile
from kfp_release.index_session import PackageIndexError
from kfp_release.index_settings import IndexUrls
from kfp_release.progress import Silent
from kfp_release.sandbox import Sandbox
from kfp_release.scan_rules import ScanRules, Unscanned
from kfp_release.status import Status, status
from kfp_release.status_row import StatusRow
from kfp_release.version import ReleaseVersion

COUNT = 20
SNAPSHOT = ReleaseVersion.parse("1.20.dev1+gabc1234")


@dataclass
class Asked:
    """An index that counts what it is asked, and a counter of calls to ECR."""

    index: Index
    calls: Counter[str] = field(default_factory=Counter)

    def files(self, project: str) -> Mapping[str, IndexFile]:
        self.calls["page"] += 1
        return self.index.files(project)

    def download(self, file: IndexFile) -> bytes:
        self.calls["file"] += 1
        return self.index.download(file)


@dataclass
class Place:
    """A repository with its releases, and where they are public."""

    project: Path
    sandbox: Sandbox
    store: EcrRepository
    releases: list[Release]

    def client(self, calls: Counter[str] | None = None, **options: str) -> Any:
        environ = self.sandbox.environ
        given: dict[str, Any] = {
            "aws_access_key_id": environ["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": environ["AWS_SECRET_ACCESS_KEY"],
            "endpoint_url": environ["AWS_ENDPOINT_URL_ECR"],
        }
        client = boto3.session.Session().client("ecr", region_name=REGION, **{**given, **options})
        if calls is not None:
            client.meta.events.register("before-call.ecr", lambda model, **_: calls.update([model.name]))
        return client

    def look(
        self, *versions: str, calls: Counter[str] | None = None, client: Any = None, scan: ScanRules | None = None
    ) -> Status:
        environ = self.sandbox.environ
        settings = IndexUrls(environ["TWINE_REPOSITORY_URL"], environ["KFP_RELEASE_SIMPLE_URL"])
        index = Index(settings, Credentials(environ["TWINE_USERNAME"], environ["TWINE_PASSWORD"]))
        counted = Counter[str]() if calls is None else calls
        client = client or self.client(counted)
        return status(
            self.project,
            Config.parse((self.project / "pyproject.toml").read_bytes(), environ),
            environ=environ,
            stores=lambda repository: EcrRepository(client, repository),
            index=Asked(index, counted),
            progress=Silent(),
            versions=[ReleaseVersion.parse(version) for version in versions] if versions else None,
            scan=scan,
        )

    def tell_scan(self, version: str, scan: Mapping[str, Any]) -> None:
        """What ECR's scan of the version's image found."""
        (digest,) = (image.digest for image in self.store.images() if version in image.tags)
        assert self.sandbox.ecr
        self.sandbox.ecr.tell_scan(self.store.repository.name, str(digest), scan)

    def file(self, name: str) -> Path:
        return self.sandbox.packages / name

    def call(self, operation: str, **parameters: Any) -> Any:
        return self.store.call(operation, **parameters)

    def run(self, *arguments: str, **environ: str) -> Any:
        return kfp_release(arguments, cwd=self.project, environ={**self.sandbox.environ, **environ})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A place of which everything is in order."""
    folder = tmp_path_factory.mktemp("status")
    with Sandbox(folder / "sandbox", base=False) as sandbox:
        releases = make_repository(folder / "project", COUNT)
        yield Place(folder / "project", sandbox, publish_all(sandbox, releases), releases)


class TestInOrder:
    def test_many_versions_take_few_calls(self, place: Place) -> None:
        calls = Counter[str]()
        found = place.look(calls=calls)
        assert calls == {
            "DescribeImages": 1,
            "BatchGetImage": 1,
            "BatchCheckLayerAvailability": 1,
            "GetLifecyclePolicy": 1,
            "page": 2,
            "file": 2 * COUNT,
        }
        assert found.counts == {"in order": COUNT}
        assert found.is_good

    def test_scans_take_a_call_an_image_and_can_be_left_out(self, place: Place) -> None:
        calls = Counter[str]()
        found = place.look(calls=calls, scan=ScanRules())
        assert calls["DescribeImageScanFindings"] == COUNT
        assert {image.scan.text for row in found.rows for image in row.images if image.scan} == {"not scanned yet"}
        table = place.run("status").stdout
        assert table.count("not scanned yet") == COUNT
        assert " scan " in table
        assert " scan " not in place.run("status", "--no-scan").stdout

    def test_what_a_scan_found_is_refused_or_warned_of_and_no_state(self, place: Place) -> None:
        place.tell_scan("1.3", scan_of(CRITICAL=1, MEDIUM=4))
        place.tell_scan("1.4", scan_of(HIGH=5))
        place.tell_scan("1.5", scan_of(LOW=5))
        rules = ScanRules(refuse="critical", warn="high", unscanned=Unscanned.WARN)
        refused, warned, passed, unknown = reversed(place.look("1.3", "1.4", "1.5", "1.6", scan=rules).rows)
        rows = (refused, warned, passed, unknown)
        assert [row.state.value for row in rows] == ["in order"] * 4
        assert [row.is_good for row in rows] == [False, True, True, True]
        assert [[one.severity for one in row.scan_problems] for row in rows] == [
            ["error"],
            ["warning"],
            [],
            ["warning"],
        ]
        (problem,) = refused.scan_problems
        assert problem.path == f"{place.store.repository}:1.3"
        assert problem.message == "[tool.kfp-release.scan] refuses critical, and the scan found 1 critical"
        assert "withdraw this one in CHANGELOG.md" in problem.remedy
        assert "not scanned yet" in unknown.scan_problems[0].message
        for version in ("1.3", "1.4", "1.5"):
            place.tell_scan(version, {})

    def test_a_role_that_may_not_see_scans_is_told_so_once_and_status_goes_on(self, place: Place) -> None:
        client, asked = place.client(), Counter[str]()

        def deny(model: Any, **_: Any) -> Any:
            asked.update([model.name])
            return denied()

        client.meta.events.register("before-call.ecr.DescribeImageScanFindings", deny)
        found = place.look(client=client, scan=ScanRules(warn="low"))
        assert found.is_good
        texts = {image.scan.text for row in found.rows for image in row.images if image.scan}
        assert texts == {"not known: the permission ecr:DescribeImageScanFindings is missing"}
        assert asked["DescribeImageScanFindings"] <= 8  # those that were under way
        with pytest.raises(EcrError, match="AccessDeniedException"):
            place.look(client=client, scan=ScanRules(refuse="critical"))

    def test_ecr_lists_its_images_when_the_index_has_listed_its_files(self, place: Place) -> None:
        # So a release that is made meanwhile is not told to lack the images that it was made with.
        calls = Counter[str]()
        seen: list[int] = []
        client = place.client()
        client.meta.events.register("before-call.ecr.DescribeImages", lambda **_: seen.append(calls["page"]))
        place.look(calls=calls, client=client)
        assert seen == [2]

    def test_one_version_takes_no_more_than_its_own_files(self, place: Place) -> None:
        calls = Counter[str]()
        found = place.look("1.3", "1.4", calls=calls)
        assert [str(row.version) for row in found.rows] == ["1.4", "1.3"]
        assert calls["file"] == 4
        assert place.look("9.9").rows == ()

    def test_the_command_shows_the_newest_first_and_ends_with_0(self, place: Place, tmp_path: Path) -> None:
        summary = tmp_path / "summary.md"
        ended = place.run("status", GITHUB_STEP_SUMMARY=str(summary))
        assert ended.returncode == 0, ended.stderr
        lines = ended.stdout.splitlines()
        assert lines[0] == f"{PROJECT}: {COUNT} in order"
        versions = [line.split()[0] for line in lines if re.match(" [0-9]", line)]
        assert versions == [f"1.{number}" for number in reversed(range(COUNT))]
        assert summary.read_text(encoding="utf-8").startswith(f"### {PROJECT}: {COUNT} in order\n")

    def test_json_has_the_documented_shape(self, place: Place) -> None:
        value = json.loads(place.run("status", "--json").stdout)
        last, release = value["versions"][0], place.releases[-1]
        (image,) = last["images"]
        assert {key: value[key] for key in value if key != "versions"} == {
            "schema": 1,
            "distribution": PROJECT,
            "good": True,
            "counts": {"in order": COUNT},
            "refused": 0,
            "foreign": [],
            "warnings": [],
        }
        assert (last["version"], last["tag"], last["commit"]) == ("1.19", "v1.19", release.commit)
        assert (last["state"], last["missing"], last["disagreements"], last["remedies"]) == ("in order", [], [], [])
        assert image["digest"] == image["pinned"]
        assert (image["scan"]["status"], image["scan"]["scanned"]) == ("NOT_SCANNED", False)
        assert (last["refused"], last["scan_problems"]) == (False, [])
        assert {file["filename"] for file in last["files"]} == {
            name for project in (PROJECT, EXTRA) for name in (release.wheel(project), release.sdist(project))
        }
        assert all(re.fullmatch("[0-9a-f]{64}", file["sha256"]) for file in last["files"])

    def test_an_ecr_that_cannot_be_asked_is_an_error(self, place: Place) -> None:
        stranger = place.client(aws_secret_access_key="wrong")  # noqa: S106 - wrong on purpose
        with pytest.raises(EcrError, match="the secret access key does not belong"):
            place.look(client=stranger)

    def test_an_index_that_cannot_be_asked_is_an_error(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(_self: Index, file: IndexFile) -> bytes:
            raise PackageIndexError(f"the index refuses {file.filename}", status=403)

        monkeypatch.setattr(Index, "download", refuse)
        with pytest.raises(PackageIndexError, match="the index refuses"):
            place.look("1.3")

    def test_a_file_that_the_index_has_as_yanked_is_told(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        listed, names = Index.files, {place.releases[3].sdist(), place.releases[3].wheel(EXTRA)}

        def files(index: Index, project: str) -> dict[str, IndexFile]:
            return {name: replace(file, yanked=name in names) for name, file in listed(index, project).items()}

        monkeypatch.setattr(Index, "files", files)
        in_order, yanked = place.look("1.3", "1.4").rows
        assert (in_order.state.value, yanked.state.value) == ("in order", "drift")
        assert {(finding.kind.value, finding.what) for finding in yanked.findings} == {
            ("file yanked", name) for name in names
        }

    def test_a_shallow_clone_is_refused(self, place: Place, tmp_path: Path) -> None:
        run(tmp_path, "clone", "--quiet", "--depth=1", place.project.as_uri(), "shallow")
        with pytest.raises(ReleaseError, match="is a shallow clone"):
            replace(place, project=tmp_path / "shallow").look()

    def test_a_repository_that_is_not_there_has_no_images(self, place: Place, tmp_path: Path) -> None:
        run(tmp_path, "clone", "--quiet", place.project, "other")
        pyproject = tmp_path / "other/pyproject.toml"
        commit(tmp_path / "other", "pyproject.toml", pyproject.read_text().replace("/many", "/never-made"))
        run(tmp_path / "other", "tag", "v2.0")
        (row,) = replace(place, project=tmp_path / "other").look("2.0").rows
        assert row.state == "not released"

    def test_an_old_repository_that_cannot_be_asked_is_told_of_its_versions_alone(
        self, place: Place, tmp_path: Path
    ) -> None:
        run(tmp_path, "clone", "--quiet", place.project, "other")
        there = replace(place, project=tmp_path / "other")
        pyproject = (tmp_path / "other/pyproject.toml").read_text()
        commit(tmp_path / "other", "pyproject.toml", pyproject.replace("/many", "/of-old"))
        run(tmp_path / "other", "tag", "v2.0")
        client = place.client()

        def deny(params: dict[str, str], **_: object) -> None:
            if params["repositoryName"] == "team/of-old":
                answer: Any = {"Error": {"Code": "AccessDeniedException", "Message": "not for you"}}
                raise ClientError(answer, "DescribeImages")

        client.meta.events.register("provide-client-params.ecr.DescribeImages", deny)
        with pytest.raises(EcrError, match="AccessDeniedException"):
            there.look(client=client)  # the checkout's own
        commit(tmp_path / "other", "pyproject.toml", pyproject)
        found = there.look(client=client)
        row, *others = found.rows
        assert {other.state.value for other in others} == {"in order"}
        assert (str(row.version), row.state.value) == ("2.0", "drift")
        assert [finding.kind.value for finding in row.disagreements] == ["repository not asked"]
        assert "give the role this permission" in row.remedies[0]


class TestLifecycle:
    @pytest.fixture
    def policy(self, place: Place) -> Any:
        chosen = rule(5, selection={"tagStatus": "tagged", "tagPatternList": ["1.*"]}, description="the last ten")
        text = json.dumps({"rules": [chosen]}, indent=8)
        place.call("put_lifecycle_policy", lifecyclePolicyText=text)
        yield
        place.call("delete_lifecycle_policy")

    def test_a_rule_that_would_take_versions_away_is_a_warning_and_no_drift(self, place: Place, policy: None) -> None:
        assert policy is None
        ended = place.run("status")
        assert ended.returncode == 0
        assert "warning: its lifecycle rule 5 (the last ten) expires images beyond the newest 10" in ended.stdout
        assert f"and {COUNT - 3} more" in ended.stdout
        assert "aws ecr get-lifecycle-policy --repository-name team/many" in ended.stdout

    def test_plan_warns_of_it_and_plans(self, place: Place, policy: None, tmp_path: Path) -> None:
        assert policy is None
        run(tmp_path, "clone", "--quiet", place.project, "other")
        (tmp_path / "other/Dockerfile").write_text(f"FROM x@sha256:{'a' * 64}\nUSER 1:1\n", encoding="utf-8")
        commit(tmp_path / "other", "CHANGELOG.md", "# Changelog\n\n## [1.20] - 2026-11-24\n\n- One more.\n")
        run(tmp_path / "other", "tag", "v1.20")
        there = replace(place, project=tmp_path / "other")
        ended = there.run("plan", "v1.20", "--output", str(tmp_path / "plan.json"))
        assert ended.returncode == 0, ended.stderr
        warning = "its lifecycle rule 5 (the last ten) expires images beyond the newest 10, and would take away 1.20"
        assert f"{place.store.repository}: warning: {warning}\n" in ended.stdout
        (kept,) = json.loads((tmp_path / "plan.json").read_bytes())["warnings"]
        assert (kept["path"], kept["message"]) == (str(place.store.repository), warning)

    def test_a_policy_that_is_none_is_a_warning(self, place: Place, policy: None) -> None:
        assert policy is None
        place.call("put_lifecycle_policy", lifecyclePolicyText=json.dumps({"rules": [{"no": "rule" * 40}]}))
        (warning,) = place.look("1.3").warnings
        assert warning.message.startswith("its lifecycle policy cannot be read: ")


def without_wheel(place: Place, release: Release) -> None:
    place.file(release.wheel()).unlink()


def abandoned(place: Place, release: Release) -> None:
    for name in (release.wheel(), release.sdist()):
        place.file(name).unlink()


def without_sdist(place: Place, release: Release) -> None:
    place.file(release.sdist()).unlink()


def without_extra_wheel(place: Place, release: Release) -> None:
    place.file(release.wheel(EXTRA)).unlink()


def archive(place: Place, release: Release) -> None:
    image = {"imageTag": release.version.image_tag}
    place.call("update_image_storage_class", imageId=image, targetStorageClass="ARCHIVE")


def delete_image(place: Place, release: Release) -> None:
    digest = digest_of(place, release)
    place.call("batch_delete_image", imageIds=[{"imageDigest": digest}])


def delete_image_tag(place: Place, release: Release) -> None:
    put_tag(place, "kept", digest_of(place, release))
    place.call("batch_delete_image", imageIds=[{"imageTag": release.version.image_tag}])


def move_image_tag(place: Place, release: Release) -> None:
    place.call("put_image_tag_mutability", imageTagMutability="MUTABLE")
    put_tag(place, release.version.image_tag, digest_of(place, place.releases[0]))
    place.call("put_image_tag_mutability", imageTagMutability="IMMUTABLE")


def nothing_there(place: Place, release: Release) -> None:
    delete_image(place, release)
    for project in (PROJECT, EXTRA):
        place.file(release.wheel(project)).unlink()
        place.file(release.sdist(project)).unlink()


def withdraw_and_take_away(place: Place, release: Release) -> None:
    archive(place, release)
    without_wheel(place, release)


def delete_git_tag(place: Place, release: Release) -> None:
    run(place.project, "tag", "--delete", release.version.tag)


def move_git_tag(place: Place, release: Release) -> None:
    run(place.project, "tag", "--force", release.version.tag, place.releases[0].commit)


def sdist_of_another_commit(place: Place, release: Release) -> None:
    """Wheel and sdist disagree; the wheel stays as it was."""
    wheels = {name: place.file(name).read_bytes() for name in (release.wheel(), release.wheel(EXTRA))}
    (image,) = place.look(str(release.version)).rows[0].images
    assert image.digest
    write_files(
        place.sandbox.packages, release, replace(pins_of(release, image.repository, image.digest), commit="d" * 40)
    )
    for name, data in wheels.items():
        place.file(name).write_bytes(data)


def spoil_wheel(place: Place, release: Release) -> None:
    place.file(release.wheel()).write_bytes(b"PK")


def wheel_without_pins(place: Place, release: Release) -> None:
    place.file(release.wheel()).write_bytes(wheel_of(release.wheel(), {"some_components/a.py": b""}))


def digest_of(place: Place, release: Release) -> str:
    (image,) = place.call("describe_images", imageIds=[{"imageTag": release.version.image_tag}])["imageDetails"]
    return str(image["imageDigest"])


def put_tag(place: Place, tag: str, digest: str) -> None:
    (image,) = place.call("batch_get_image", imageIds=[{"imageDigest": digest}])["images"]
    media_type = image["imageManifestMediaType"]
    place.call("put_image", imageManifest=image["imageManifest"], imageManifestMediaType=media_type, imageTag=tag)


CHANGES: dict[str, tuple[Callable[[Place, Release], None], str, list[str]]] = {
    "1.1": (without_wheel, "incomplete", ["wheel missing"]),
    "1.2": (without_sdist, "incomplete", ["sdist missing"]),
    "1.3": (withdraw_and_take_away, "withdrawn", ["image archived", "wheel missing"]),
    "1.4": (move_image_tag, "drift", ["image tag moved"]),
    "1.5": (archive, "drift", ["image archived"]),
    "1.6": (delete_image, "incomplete", ["image tag missing", "image missing"]),
    "1.7": (sdist_of_another_commit, "drift", ["other pins"]),
    "1.8": (spoil_wheel, "drift", ["other pins"]),
    "1.9": (delete_git_tag, "drift", ["no git tag"]),
    "1.10": (nothing_there, "not released", ["image missing", *["wheel missing", "sdist missing"] * 2]),
    "1.11": (move_git_tag, "drift", ["other commit"]),
    "1.12": (without_extra_wheel, "incomplete", ["wheel missing"]),
    "1.13": (delete_image_tag, "incomplete", ["image tag missing"]),
    "1.14": (move_image_tag, "drift", ["image tag moved"]),
    "1.15": (wheel_without_pins, "drift", ["other pins"]),
    "1.16": (abandoned, "abandoned", ["wheel missing", "sdist missing"]),
}
"""By version: what becomes of it, the state that it is in then, and what is found."""


@pytest.fixture(scope="module")
def drifted(place: Place) -> Status:
    """The place after all of it, with two withdrawn versions, a snapshot, and a tag of a commit of something else."""
    for release in place.releases:
        if change := CHANGES.get(str(release.version)):
            change[0](place, release)
    runtime, _ = parts()
    snapshot = Release(SNAPSHOT, place.releases[-1].commit)
    digest = push_image(place.store, snapshot, runtime)
    write_files(place.sandbox.packages, snapshot, pins_of(snapshot, place.store.repository, digest))
    run(place.project, "checkout", "--quiet", "-b", "fixes")
    text = "# Changelog\n\n## [1.14] - 2026-11-23 [YANKED]\n\n## [1.3] - 2026-11-22 [YANKED]\n"
    commit(place.project, "CHANGELOG.md", text)
    run(place.project, "checkout", "--quiet", "--orphan", "of-old")
    run(place.project, "rm", "--quiet", "--force", "-r", ".")
    commit(place.project, "README", "what was there before\n")
    run(place.project, "tag", "v0.1")
    run(place.project, "checkout", "--quiet", "main")
    place.tell_scan("1.1", scan_of(CRITICAL=2, HIGH=5))
    return place.look(scan=ScanRules())


def row_of(found: Status, version: str) -> StatusRow:
    (row,) = (row for row in found.rows if str(row.version) == version)
    return row


class TestScans:
    def test_of_what_nobody_is_to_install_no_scan_is_asked(self, drifted: Status) -> None:
        asked = {str(row.version): [image.scan is not None for image in row.images] for row in drifted.rows}
        assert asked["1.1"] == [True]
        assert {version: asked[version] for version in ("1.3", "1.5", "1.14", str(SNAPSHOT))} == {
            "1.3": [False],  # withdrawn
            "1.5": [False],  # archived
            "1.14": [False],
            str(SNAPSHOT): [False],
        }

    def test_the_command_refuses_and_says_what_to_do(self, drifted: Status, place: Place) -> None:
        assert row_of(drifted, "1.1").images[0].scan
        path = place.project / "pyproject.toml"
        before = path.read_text()
        path.write_text(before + '\n[tool.kfp-release.scan]\nrefuse = "critical"\n')
        ended = place.run("status", GITHUB_ACTIONS="true")
        path.write_text(before)
        assert ended.returncode == 1
        name = f"{place.store.repository}:1.1"
        assert "; 1 refused for what a scan found" in ended.stdout
        assert "REFUSED: 2 critical, 5 high; scanned 2026-11-28" in ended.stdout
        assert f"{name}: refused: [tool.kfp-release.scan] refuses critical" in ended.stdout
        assert ended.stdout.count("look again when ECR has scanned it") == 1
        assert (
            f"::error::{name}: [tool.kfp-release.scan] refuses critical, and the scan found 2 critical" in ended.stderr
        )
        assert "::warning::" in ended.stderr

    def test_verify_refuses_it_too_unless_it_reads_no_project(self, drifted: Status, place: Place) -> None:
        assert row_of(drifted, "1.17").is_good
        place.tell_scan("1.17", scan_of(CRITICAL=1))
        path = place.project / "pyproject.toml"
        before = path.read_text()
        path.write_text(before + '\n[tool.kfp-release.scan]\nrefuse = "critical"\n')
        refused = place.run("verify", "1.17")
        shown = place.run("verify", "1.17", "--name", PROJECT, "--json")
        path.write_text(before)
        place.tell_scan("1.17", {})
        assert (refused.returncode, shown.returncode) == (1, 0)
        assert f"{PROJECT} 1.17: all is as its pins say; refused for what a scan found" in refused.stdout
        assert "1 critical; scanned 2026-11-28" in refused.stdout
        assert "withdraw this one in CHANGELOG.md" in refused.stdout
        value = json.loads(shown.stdout)
        assert (value["refused"], value["scans"]["demo"]["counts"]) == (False, {"critical": 1})


class TestDrift:
    @pytest.mark.parametrize("version", CHANGES)
    def test_what_has_become_of_a_version_is_named(self, drifted: Status, version: str) -> None:
        row = row_of(drifted, version)
        _, state, kinds = CHANGES[version]
        assert (row.state.value, [finding.kind.value for finding in row.findings]) == (state, kinds)

    def test_all_others_are_in_order(self, drifted: Status) -> None:
        others = {str(row.version): row.state.value for row in drifted.rows if str(row.version) not in CHANGES}
        assert others == {
            **{f"1.{number}": "in order" for number in (0, *range(17, COUNT))},
            str(SNAPSHOT): "snapshot",
        }

    def test_each_finding_names_the_values_seen(self, drifted: Status, place: Place) -> None:
        first, moved = place.releases[0], place.releases[11]
        assert f"is at {digest_of(place, first)}" in row_of(drifted, "1.4").findings[0].text
        text = row_of(drifted, "1.11").findings[0].text
        assert text == f"git has v1.11 at {first.commit}, the published pins are of {moved.commit}"
        assert f"its pins are not {place.releases[7].wheel()}'s" in row_of(drifted, "1.7").findings[0].text
        assert "is ARCHIVED in ECR" in row_of(drifted, "1.5").findings[0].text

    def test_a_deleted_tag_can_be_brought_back_as_it_was(self, drifted: Status, place: Place) -> None:
        (remedy,) = row_of(drifted, "1.9").remedies
        assert f"git tag v1.9 {place.releases[9].commit}" in remedy

    def test_tags_of_something_else_are_told_and_not_looked_at(self, drifted: Status) -> None:
        assert [str(version) for version in drifted.foreign] == ["0.1"]

    def test_reconcile_says_why_such_a_version_is_not_looked_at(self, drifted: Status, place: Place) -> None:
        assert drifted.foreign
        ended = place.run("reconcile", "0.1", "--dry-run")
        assert ended.returncode == 1
        assert "0.1 is not looked at: the commit of its tag v0.1 has no [tool.kfp-release]" in ended.stderr

    def test_the_command_ends_with_1_and_says_what_to_do(self, drifted: Status, place: Place, tmp_path: Path) -> None:
        summary = tmp_path / "summary.md"
        ended = place.run("status", GITHUB_STEP_SUMMARY=str(summary))
        assert ended.returncode == 1
        counts = ", ".join(f"{count} {state}" for state, count in drifted.counts.items())
        assert ended.stdout.splitlines()[0] == f"{PROJECT}: {counts}"
        assert "1.16 is abandoned:\n" in ended.stdout
        assert "  → kfp-release reconcile\n" in ended.stdout
        assert "1.14 is drift, withdrawn on refs/heads/fixes:\n" in ended.stdout
        assert "not looked at, for their commits have no [tool.kfp-release]: v0.1" in ended.stdout
        assert "1.3 is" not in ended.stdout
        assert "| `1.16` | `abandoned` |" in summary.read_text(encoding="utf-8")

    def test_json_tells_a_program_what_is_missing_and_what_disagrees(self, drifted: Status, place: Place) -> None:
        ended = place.run("status", "--json")
        assert ended.returncode == 1
        assert json.loads(ended.stdout) == json.loads(json.dumps(drifted.to_json()))
        value = json.loads(ended.stdout)
        assert value["good"] is False
        (incomplete,) = (row for row in value["versions"] if row["version"] == "1.1")
        assert [(item["kind"], item["what"]) for item in incomplete["missing"]] == [("wheel missing", PROJECT)]

    def test_a_pinned_image_that_lost_its_tag_is_looked_at_by_its_digest(self, drifted: Status) -> None:
        (image,) = row_of(drifted, "1.13").images
        assert image.digest is None
        assert image.pinned is not None
        assert row_of(drifted, "1.13").disagreements == ()


def keys(value: Any) -> Any:
    """The shape of a JSON value: keys, and the shape of the first item of a list."""
    if isinstance(value, dict):
        return {key: keys(item) for key, item in value.items()}
    return [keys(item) for item in value[:1]] if isinstance(value, list) else ""


def test_operations_shows_the_shape_as_it_is(drifted: Status) -> None:
    page = (PROJECT_FOLDER / "docs/operations.md").read_text(encoding="utf-8")
    (text,) = (
        text for text in re.findall(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL) if '"schema"' in text
    )
    shown = json.loads(text)
    value = {**drifted.to_json(), "versions": [row_of(drifted, "1.1").to_json()], "counts": shown["counts"]}
    assert keys(shown) == keys(value)
