"""kfp-release catalog as a user calls it: against the sandbox, without any network, and wrongly."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from catalog_fixtures import MARKUP, Place, make_place
from conftest import kfp_release
from ecr_fixtures import HOST
from git_fixtures import commit, new_repository, run
from many_releases import DECLARED, PYPROJECT
from publish_fixtures import KEY, parts, write_distributions
from s3_fixtures import AWS, running_s3

from kfp_release.catalog.folder import LIST
from kfp_release.digest import Digest
from kfp_release.image import LABEL_REVISION, LABEL_RUNTIME_KEY, LABEL_VERSION, with_package
from kfp_release.image_ref import ImageRef
from kfp_release.layout import Layout
from kfp_release.record import PinnedComponent, PinnedImage, Pins
from kfp_release.sandbox import Sandbox
from kfp_release.version import ReleaseVersion

COMPONENT = (
    "name: Multiply\ndescription: Multiplies.\ninputs: [{name: a, type: Float}]\noutputs: [{name: b, type: Float}]\n"
    "implementation: {container: {image: {}, command: [multiply]}}\n"
)
NOWHERE = {"AWS_ENDPOINT_URL_ECR": "http://127.0.0.1:9", "KFP_RELEASE_SIMPLE_URL": "http://127.0.0.1:9/simple/"}


def pages(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*.html")}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("command")
    with Sandbox(folder / "sandbox", base=False) as sandbox:
        yield make_place(folder, sandbox)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


class TestOnline:
    def run(self, place: Place, cache: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        environ = {**place.sandbox.environ, "XDG_CACHE_HOME": str(cache), **environ}
        return kfp_release(("catalog", *arguments), cwd=place.project, environ=environ)

    def test_it_writes_a_page_for_each_component_and_version(self, place: Place, cache: Path) -> None:
        ended = self.run(place, cache, "--out", "site")
        assert ended.returncode == 0, ended.stderr
        lines = ended.stdout.splitlines()
        assert lines[0] == "some-components: 6 components, 6 versions, the newest is 1.4"
        assert lines[-1] == "open site/index.html"
        found = pages(place.project / "site")
        assert {name for name in found if name.startswith("components/")} == {
            f"components/{name}_op.html" for name in ("make", "train", "scale", "score", "legacy", "never")
        }
        assert {name for name in found if name.startswith("versions/")} == {
            f"versions/{text}.html" for text in ("1.0", "1.1", "1.2", "1.3", "1.4", "2.0rc1")
        }
        assert MARKUP not in "".join(found.values())
        assert "alert(1)" in found["components/scale_op.html"]
        assert run(place.project, "status", "--porcelain") == ""

    def test_a_second_call_changes_nothing_and_json_tells_it(self, place: Place, cache: Path) -> None:
        ended = self.run(place, cache, "--out", "site", "--json")
        told: Mapping[str, Any] = json.loads(ended.stdout)
        assert (told["written"], told["removed"], told["sent"]) == (0, 0, None)
        assert told["unchanged"] >= 14
        assert {name: told[name] for name in ("schema", "distribution", "newest", "versions", "components")} == {
            "schema": 1,
            "distribution": "some-components",
            "newest": "1.4",
            "versions": 6,
            "components": 6,
        }
        assert Path(told["index"]).is_file()

    def test_what_an_earlier_call_found_out_is_kept_and_fresh_does_without(self, place: Place, cache: Path) -> None:
        (kept,) = (cache / "kfp-release/catalog").glob("*.json")
        before = kept.read_text(encoding="utf-8")
        kept.write_text(before.replace("input-added", "output-added"), encoding="utf-8")
        self.run(place, cache, "--out", "believed")
        assert "output rounds added" in pages(place.project / "believed")["versions/1.1.html"]
        self.run(place, cache, "--out", "believed", "--fresh")
        assert "input rounds added" in pages(place.project / "believed")["versions/1.1.html"]
        assert kept.read_text(encoding="utf-8") == before

    def test_a_cache_that_cannot_be_written_is_noted(self, place: Place, tmp_path: Path) -> None:
        (tmp_path / "kfp-release").write_bytes(b"")
        ended = self.run(place, tmp_path, "--out", str(tmp_path / "site"))
        assert ended.returncode == 0
        assert "could not be kept in the cache" in ended.stderr

    def test_an_index_that_cannot_be_asked_leaves_the_site_as_it_is(self, place: Place, cache: Path) -> None:
        before = pages(place.project / "site")
        ended = self.run(place, cache, "--out", "site", TWINE_PASSWORD="wrong")  # noqa: S106 - wrong on purpose
        assert ended.returncode == 1
        assert "error:" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert pages(place.project / "site") == before


class TestOffline:
    @pytest.fixture
    def project(self, tmp_path: Path) -> Path:
        project = new_repository(tmp_path / "project")
        (project / "yaml").mkdir()
        (project / "more").mkdir()
        (project / "more/pyproject.toml").write_text('[project]\nname = "more-components"\n', encoding="utf-8")
        (project / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
        commit(project, "yaml/multiply.yaml", COMPONENT.replace("{}", str(DECLARED), 1))
        run(project, "tag", "v1.0")
        (project / "CHANGELOG.md").write_text("## [1.2] - 2026-11-30\n\nMultiplies better.\n", encoding="utf-8")
        commit(project, "yaml/add.yaml", COMPONENT.replace("{}", str(DECLARED), 1))
        return project

    def run(self, project: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        environ = {**NOWHERE, "XDG_CACHE_HOME": str(project.parent / "cache"), **more}
        return kfp_release(("catalog", "--out", "site", *arguments), cwd=project, environ=environ)

    def build(self, dist: Path, at: str) -> None:
        """A built release of 1.2 from the commit `at`."""
        runtime, package = parts()
        labels = {LABEL_VERSION: "1.2", LABEL_REVISION: at, LABEL_RUNTIME_KEY: KEY}
        image = with_package(runtime, package, labels=labels, created=1_800_000_000)
        layout = Layout.create(dist / "image")
        layout.add(image, name="demo")
        layout.write_blob(package.data)
        pin = str(ImageRef(DECLARED, "1.2", image.manifest.digest))
        data = COMPONENT.replace("{}", pin, 1).encode()
        pinned = PinnedComponent("multiply_op", "multiply.yaml", (pin,), Digest.of(data).hex)
        owned = PinnedImage("demo", DECLARED, pin, KEY, "linux/amd64")
        pins = Pins("some-components", ReleaseVersion.parse("1.2"), at, (owned,), (pinned,))
        write_distributions(dist, pins, data)

    def test_git_alone_tells_of_versions_and_nobody_is_asked(self, project: Path) -> None:
        ended = self.run(project, "--offline")
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout.startswith("some-components: 1 component, 1 version, the newest is 1.0\n")
        assert "no release is built in dist" in ended.stderr
        assert "not asked" in pages(project / "site")["versions/1.0.html"]

    def test_a_built_release_is_told_before_it_has_a_tag(self, project: Path) -> None:
        self.build(project / "dist", run(project, "rev-parse", "HEAD"))
        ended = self.run(project, "--offline", "--json")
        assert ended.returncode == 0, ended.stderr
        assert json.loads(ended.stdout)["newest"] == "1.2"
        page = pages(project / "site")["versions/1.2.html"]
        assert "Multiplies better." in page
        assert "some_components-1.2.tar.gz" in page
        assert "add_op" in page
        assert f"{HOST}/team/many:1.2@sha256:" in pages(project / "site")["components/multiply_op.html"]

    def test_a_built_release_of_a_commit_that_is_not_here_is_refused(self, project: Path) -> None:
        self.build(project / "elsewhere", "c" * 40)
        ended = self.run(project, "--offline", "--dist", "elsewhere")
        assert ended.returncode == 1
        assert f"was built from commit {'c' * 40}, which this clone does not have" in ended.stderr
        assert not (project / "site").exists()

    def test_a_built_release_of_another_project_is_refused(self, project: Path) -> None:
        self.build(project / "dist", run(project, "rev-parse", "HEAD"))
        path = project / "pyproject.toml"
        path.write_text(PYPROJECT.replace('name = "some-', 'name = "our-'), encoding="utf-8")
        ended = self.run(project, "--offline")
        assert ended.returncode == 1
        assert "dist holds some-components 1.2, this project is our-components" in ended.stderr

    def test_a_folder_that_is_named_and_has_no_release_is_refused(self, project: Path) -> None:
        ended = self.run(project, "--offline", "--dist", "none")
        assert ended.returncode == 1
        assert "none/release.json cannot be read" in ended.stderr
        assert "kfp-release build" in ended.stderr

    def test_it_is_brought_to_a_bucket_without_what_the_folder_says_of_itself(self, project: Path) -> None:
        with running_s3() as server:
            server.bucket("catalog")
            access = {**AWS, "AWS_ENDPOINT_URL_S3": server.url, "AWS_DEFAULT_REGION": "eu-north-1"}
            to = ("--offline", "--to", "s3://catalog/components")
            dry = self.run(project, *to, "--dry-run", **access)
            assert "s3://catalog/components: 5 would be sent, 0 unchanged, 0 would be deleted" in dry.stdout, dry.stderr
            assert server.keys("catalog") == {}
            (project / "site/notes.txt").write_text("mine")
            ended = self.run(project, *to, "--json", **access)
            assert ended.returncode == 0, ended.stderr
            told = json.loads(ended.stdout)
            kept = server.keys("catalog")
        assert (told["sent"]["target"], len(told["sent"]["written"])) == ("s3://catalog/components", told["unchanged"])
        assert kept["components/index.html"] == (project / "site/index.html").read_bytes()
        assert f"components/{LIST}" not in kept
        assert "components/.gitignore" not in kept
        assert "components/notes.txt" not in kept

    def test_a_project_in_a_folder_of_its_repository_is_linked_there(self, tmp_path: Path) -> None:
        project = new_repository(tmp_path / "all") / "teams/parts"
        (project / "yaml").mkdir(parents=True)
        (project / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
        at = commit(tmp_path / "all", "teams/parts/yaml/multiply.yaml", COMPONENT.replace("{}", str(DECLARED), 1))
        run(project, "tag", "v1.0")
        ended = self.run(project, "--offline")
        assert ended.returncode == 0, ended.stderr
        assert f"/blob/{at}/teams/parts/yaml/multiply.yaml" in pages(project / "site")["components/multiply_op.html"]

    def test_a_repository_without_a_release_has_a_catalog_that_says_so(self, project: Path) -> None:
        run(project, "tag", "-d", "v1.0")
        ended = self.run(project, "--offline")
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout.startswith("some-components: 0 components, 0 versions\n")
        assert (project / "site/index.html").is_file()


class TestWrongUse:
    @pytest.fixture
    def project(self, tmp_path: Path) -> Path:
        project = new_repository(tmp_path / "project")
        (project / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
        return project

    @pytest.mark.parametrize(
        ("arguments", "code", "told"),
        [
            ((), 2, "Missing option '--out'"),
            (("--out", "site", "--dist", "dist"), 2, "--dist names what --offline looks at"),
            (("--out", "site", "--dry-run"), 2, "--dry-run is for --to"),
            (("--out", "pyproject.toml"), 1, "pyproject.toml is a file"),
            (("--out", "."), 1, "holds other things than a catalog"),
            (("--out", "site", "--to", "https://bucket"), 1, "names no S3 bucket"),
            (("--out", "site", "--to", "s3://"), 1, "names no S3 bucket"),
        ],
    )
    def test_it_is_refused_before_anything_is_asked(
        self, project: Path, arguments: tuple[str, ...], code: int, told: str
    ) -> None:
        ended = kfp_release(("catalog", *arguments), cwd=project, environ=NOWHERE)
        assert ended.returncode == code
        assert told in ended.stderr
        assert "Traceback" not in ended.stderr
        assert not (project / "site").exists()

    def test_a_folder_that_cannot_be_made_is_told(self, project: Path) -> None:
        (project / "file").write_bytes(b"")
        ended = kfp_release(("catalog", "--offline", "--out", "file/site"), cwd=project, environ=NOWHERE)
        assert ended.returncode == 1
        assert "Traceback" not in ended.stderr
        assert "file" in ended.stderr

    def test_a_list_of_the_site_that_is_damaged_is_told(self, project: Path) -> None:
        (project / "site").mkdir()
        (project / "site" / LIST).write_text("{", encoding="utf-8")
        ended = kfp_release(("catalog", "--offline", "--out", "site"), cwd=project, environ=NOWHERE)
        assert ended.returncode == 1
        assert "is damaged" in ended.stderr


def test_kfp_is_not_imported(tmp_path: Path) -> None:
    project = new_repository(tmp_path / "project")
    (project / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (project / "kfp").mkdir()
    (project / "kfp/__init__.py").write_text("raise SystemExit('kfp was imported')\n", encoding="utf-8")
    environ = {**NOWHERE, "PYTHONPATH": str(project), "XDG_CACHE_HOME": str(tmp_path)}
    ended = kfp_release(("catalog", "--offline", "--out", "site"), cwd=project, environ=environ)
    assert ended.returncode == 0, ended.stderr
