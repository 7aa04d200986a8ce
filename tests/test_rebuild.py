"""Versions that are public are made again from their tags: some are what the tag gives, and some are not."""

from __future__ import annotations

import gzip
import io
import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from zipfile import ZipFile

import pytest
from archives import wheel_packed_anew
from conftest import commit_all, kfp_release, make_scratch_project, run_git
from ecr_fixtures import MemoryBlob, ecr_of
from git_fixtures import state
from relay import Relay
from test_release import DISTRIBUTION, REPOSITORY

from kfp_release.build import build
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.image_ref import Repository
from kfp_release.layer import Layer, package_layer
from kfp_release.manifest import Manifest
from kfp_release.plan import Plan
from kfp_release.progress import Silent
from kfp_release.sandbox import Sandbox
from kfp_release.upload import upload_blobs
from kfp_release.wheel import Wheel

Ended = subprocess.CompletedProcess[str]
WHEEL, SDIST = "kubeflow_demo_components-{}-py3-none-any.whl", "kubeflow_demo_components-{}.tar.gz"
OWN_WHEEL, OWN_SDIST = "kfp_release-{}-py3-none-any.whl", "kfp_release-{}.tar.gz"
PROGRAM = "kubeflow_demo_components/programs/multiply.py"
READS = {
    "ListImageReferrers",
    "DescribeImageScanFindings",
    "DescribeImages",
    "BatchGetImage",
    "BatchCheckLayerAvailability",
    "GetDownloadUrlForLayer",
    "GetAuthorizationToken",
}


def spoilt_layer(wheel: Wheel, **options: Any) -> Layer:
    """The package layer of somebody who slips another program in."""
    return package_layer(wheel.with_files({PROGRAM: b"import elsewhere\n"}), **options)


def deflated_layer(wheel: Wheel, **options: Any) -> Layer:
    """The package layer, compressed by another tool."""
    layer = package_layer(wheel, **options)
    data = gzip.compress(gzip.decompress(layer.data), 9, mtime=0)
    return Layer(data, replace(layer.descriptor, digest=Digest.of(data), size=len(data)), layer.diff_id)


@dataclass(frozen=True)
class Place:
    """A repository with public versions: 1.0, 1.1 of `spoilt_layer`, and 1.2 of `deflated_layer`."""

    repository: Path
    sandbox: Sandbox

    def run(self, *arguments: str, cwd: Path, **environ: str) -> Ended:
        return kfp_release(arguments, cwd=cwd, environ={**self.sandbox.environ, **environ})

    def clone(self, folder: Path) -> Path:
        run_git(folder, "clone", "--quiet", str(self.repository), str(folder / "clone"))
        return folder / "clone"

    @contextmanager
    def changed(self, files: Mapping[str, bytes | None]) -> Iterator[None]:
        """The index with other files; None where one is gone."""
        paths = {self.sandbox.packages / name: data for name, data in files.items()}
        before = {path: path.read_bytes() if path.exists() else None for path in paths}
        self._put(paths)
        try:
            yield
        finally:
            self._put(before)

    def _put(self, files: Mapping[Path, bytes | None]) -> None:
        for path, data in files.items():
            path.unlink(missing_ok=True)  # a folder that changes is what the index looks at
            if data is not None:
                path.write_bytes(data)

    def public(self) -> Any:
        images = ecr_of(self.sandbox).describe_images(repositoryName=REPOSITORY)["imageDetails"]
        packages = sorted((path.name, path.stat().st_mtime_ns) for path in self.sandbox.packages.iterdir())
        return sorted((image["imageDigest"], image.get("imageTags")) for image in images), packages


@pytest.fixture(scope="module")
def place(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(make_scratch_project(tmp_path_factory.mktemp("rebuild") / "project"), sandbox)
    changelog = place.repository / "CHANGELOG.md"
    sections = "".join(f"## [{version}]\n\n- More.\n\n" for version in ("1.2", "1.1"))
    changelog.write_text(changelog.read_text().replace("## [1.0]", f"{sections}## [1.0]", 1))
    for version, layer in (("1.0", package_layer), ("1.1", spoilt_layer), ("1.2", deflated_layer)):
        commit_all(place.repository, f"For {version}")
        run_git(place.repository, "tag", f"v{version}")
        for arguments in (("runtime", "--create-repository"), ("plan", f"v{version}")):
            done = place.run(*arguments, cwd=place.repository)
            assert done.returncode == 0, done.stderr
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("kfp_release.build.package_layer", layer)
            plan = Plan.read(place.repository / "build/plan.json")
            build(place.repository, plan, place.repository / "dist", progress=Silent())
        done = place.run("publish", cwd=place.repository)
        assert done.returncode == 0, done.stderr
        shutil.rmtree(place.repository / "dist")
    return place


def verdicts(done: Ended) -> dict[str, str]:
    """By what each part is."""
    return {part["what"]: part["verdict"] for part in json.loads(done.stdout)["rebuilt"]}


def row(done: Ended, what: str) -> str:
    """The end of the row of the table that begins with `what`."""
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(f" {what}  ")]
    return " ".join(line.split()).removeprefix(f"{what} ")


def parts(version: str) -> list[str]:
    files = [name.format(version) for name in (OWN_WHEEL, OWN_SDIST, WHEEL, SDIST)]
    return [f"commit of v{version}", "runtime key of demo", "runtime of demo", "image demo", "SBOM of demo", *files]


def test_a_version_is_proved_in_a_clone_that_is_dirty_elsewhere_and_withdraws_it(place: Place, tmp_path: Path) -> None:
    clone = place.clone(tmp_path)
    changelog = clone / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace("## [1.0]", "## [1.0] [YANKED]", 1))
    (clone / "pyproject.toml").write_text("[tool.other]\n")
    run_git(clone, "rm", "--quiet", "-r", "yaml", "Dockerfile")
    commit_all(clone, "Elsewhere")
    (clone / "README.md").write_text("Changed.\n")
    before, public = state(clone), place.public()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with Relay(place.sandbox.environ["AWS_ENDPOINT_URL_ECR"]).running() as relay:
        environ = {"TMPDIR": str(scratch), "AWS_ENDPOINT_URL_ECR": relay.url}
        done = place.run("verify", "1.0", "--rebuild-runtime", "--json", cwd=clone, **environ)
    assert done.returncode == 0, done.stdout + done.stderr
    value = json.loads(done.stdout)
    assert verdicts(done) == dict.fromkeys([*parts("1.0"), "runtime of demo, built anew"], "identical")
    assert "STEP 1/" in done.stderr, "nothing is built anew from a cache"
    assert all(part["published"] == part["rebuilt"] for part in value["rebuilt"])
    assert (value["tag"], value["proved"], value["problems"]) == ("v1.0", True, [])
    assert value["commit"] == run_git(clone, "rev-parse", "v1.0").strip()
    assert {"kfp-release", "python", "setuptools"} <= value["tools"].keys()
    assert state(clone) == before
    assert place.public() == public
    assert list(scratch.iterdir()) == []
    assert {call.target for call in relay.calls} <= READS


def test_an_image_with_another_program_in_it_is_found_and_the_file_named(place: Place) -> None:
    alone = place.run("verify", "1.1", cwd=place.repository)
    assert alone.returncode == 0, "what disagrees with nothing public is found by rebuilding alone"
    done = place.run("verify", "1.1", "--rebuild", cwd=place.repository)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{DISTRIBUTION} 1.1 is not proved to be what v1.1 gives\n")
    assert row(done, "runtime of demo").endswith(" identical")
    assert row(done, "image demo").endswith(" differs")
    assert row(done, OWN_WHEEL.format("1.1")).endswith(" identical")
    assert "image demo: layer " in done.stdout
    assert "(kfp-release: the package) holds sha256:" in done.stdout
    assert "opt/package/lib/kubeflow_demo_components-1.1.dist-info/RECORD" not in done.stdout
    assert f"in the package layer opt/package/lib/{PROGRAM} (other bytes)" in done.stdout
    assert f"{WHEEL.format('1.1')}: kubeflow_demo_components-1.1.dist-info/sboms/" in done.stdout, "it names the image"
    assert "kubeflow_demo_components/pins.json (other bytes), " in done.stdout
    assert row(done, "SBOM of demo").endswith(" differs")
    assert "→ other tools may give other bytes: compare those below" in done.stdout
    assert "withdraw the version" in done.stdout
    assert "rebuilt with " in done.stdout


def test_an_image_in_other_container_bytes_is_told_for_what_it_is(place: Place) -> None:
    done = place.run("verify", "1.2", "--rebuild", "--json", cwd=place.repository)
    assert done.returncode == 0, done.stdout + done.stderr
    assert verdicts(done) == dict.fromkeys(parts("1.2"), "identical") | {"image demo": "same content"}
    (image,) = [part for part in json.loads(done.stdout)["rebuilt"] if part["what"] == "image demo"]
    assert image["published"] != image["rebuilt"]
    assert image["message"].startswith("image demo: the same layers and settings, in other bytes")


def test_files_that_are_not_the_tags_are_told_from_those_that_were_packed_anew(place: Place) -> None:
    wheel, sdist, own_wheel, own_sdist = (name.format("1.0") for name in (WHEEL, SDIST, OWN_WHEEL, OWN_SDIST))
    data = {path.name: path.read_bytes() for path in place.sandbox.packages.iterdir()}
    more = "kfp_release-1.0-py2-none-any.whl"
    spoilt: dict[str, bytes | None] = {
        wheel: wheel_packed_anew(data[wheel], {PROGRAM: b"import elsewhere\n"}),
        sdist: gzip.compress(gzip.decompress(data[sdist]), 1, mtime=0),
        own_wheel: b"PK",
        own_sdist: None,
        more: b"PK",
    }
    with place.changed(spoilt):
        alone = place.run("verify", "1.0", cwd=place.repository)
        assert alone.returncode == 0, alone.stdout
        done = place.run("verify", "1.0", "--rebuild", cwd=place.repository)
    assert done.returncode == 1
    assert row(done, "image demo").endswith(" identical")
    assert row(done, wheel).endswith(" differs")
    assert f"{wheel}: {PROGRAM} (other bytes)\n" in done.stdout
    assert row(done, sdist).endswith(" same content")
    assert f"{sdist}: the same files, packed otherwise" in done.stdout
    assert f"{own_wheel}: {own_wheel} cannot be read" in done.stdout
    assert row(done, own_sdist).startswith("none ")
    assert f"{own_sdist}: the index has it not\n" in done.stdout
    assert row(done, more).endswith(" none differs")
    assert f"{more}: the tag gives no such file\n" in done.stdout


def test_a_tag_that_was_moved_is_told_with_both_commits(place: Place, tmp_path: Path) -> None:
    clone = place.clone(tmp_path)
    commit, other = run_git(clone, "rev-parse", "v1.0").strip(), commit_all(clone, "Another")
    run_git(clone, "tag", "--force", "v1.0")
    done = place.run("verify", "1.0", "--rebuild", cwd=clone)
    assert done.returncode == 1
    assert row(done, "commit of v1.0") == f"{commit[:12]} {other[:12]} differs"
    assert f"v1.0 is at commit {other}, and the published files were made from commit {commit}" in done.stdout
    assert f"its label org.opencontainers.image.revision is '{commit}', and '{other}' rebuilt" in done.stdout
    (remedy,) = [line for line in done.stdout.splitlines() if line.startswith("  → ")]
    assert remedy.startswith("  → git ls-remote --tags origin v1.0 tells whether only this clone has it there; ")
    assert remedy.endswith(f"a tag that was moved is put back: git tag --force v1.0 {commit}")


def test_other_sources_of_the_runtime_are_another_key_and_nothing_can_be_rebuilt(place: Place, tmp_path: Path) -> None:
    clone = place.clone(tmp_path)
    with (clone / "Dockerfile").open("a") as file:
        file.write("ENV OTHER=1\n")
    commit_all(clone, "Another runtime")
    run_git(clone, "tag", "--force", "v1.0")
    done = place.run("verify", "1.0", "--rebuild", cwd=clone)
    assert done.returncode == 1
    assert row(done, "runtime key of demo").endswith(" differs")
    assert "the commit's sources give" in done.stdout
    assert row(done, "runtime of demo").endswith(" none differs")
    assert "nothing was rebuilt, for ECR does not hand out a runtime" in done.stdout
    assert "image demo" not in done.stdout


def test_a_runtime_that_ecr_has_lost_is_missing_and_built_anew_proves_all_the_same(place: Place) -> None:
    ecr = ecr_of(place.sandbox)
    images = ecr.describe_images(repositoryName=REPOSITORY)["imageDetails"]
    (tag,) = [tag for image in images for tag in image.get("imageTags", ()) if tag.startswith("runtime-")]
    ecr.batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": tag}])
    try:
        lost = place.run("verify", "1.0", "--rebuild", cwd=place.repository)
        anew = place.run("verify", "1.0", "--rebuild-runtime", "--json", cwd=place.repository)
    finally:
        assert place.run("runtime", cwd=place.repository).returncode == 0
    assert lost.returncode == 1
    assert "runtime of demo: ECR has it not, and without it nothing can be rebuilt" in lost.stdout
    assert "  → kfp-release runtime, in a checkout of the tag, recovers it; or build it anew with" in lost.stdout
    assert anew.returncode == 0, anew.stdout + anew.stderr
    what = [part.replace("runtime of demo", "runtime of demo, built anew") for part in parts("1.0")]
    assert verdicts(anew) == dict.fromkeys(what, "identical")


def test_a_runtime_that_is_archived_or_damaged_is_told_as_such(place: Place) -> None:
    ecr = ecr_of(place.sandbox)
    images = ecr.describe_images(repositoryName=REPOSITORY)["imageDetails"]
    (tag,) = [tag for image in images for tag in image.get("imageTags", ()) if tag.startswith("runtime-")]

    def store_as(kind: Literal["ARCHIVE", "STANDARD"]) -> None:
        ecr.update_image_storage_class(repositoryName=REPOSITORY, imageId={"imageTag": tag}, targetStorageClass=kind)

    store_as("ARCHIVE")
    try:
        done = place.run("verify", "1.0", "--rebuild", cwd=place.repository)
    finally:
        store_as("STANDARD")
    assert done.returncode == 1, done.stderr
    assert f":{tag} is ARCHIVED in ECR and cannot be pulled, and without it nothing can be rebuilt\n" in done.stdout
    assert "  → restore it (aws ecr update-image-storage-class --target-storage-class STANDARD); or " in done.stdout
    ecr.batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": tag}])
    put_broken(place, tag)
    try:
        done = place.run("verify", "1.0", "--rebuild", cwd=place.repository)
    finally:
        ecr.batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": tag}])
        assert place.run("runtime", cwd=place.repository).returncode == 0
    assert done.returncode == 1, done.stderr
    assert ": what ECR has of it is damaged: the image's config has no rootfs.diff_ids, and without it" in done.stdout
    assert "delete the runtime's tag in ECR (aws ecr batch-delete-image) and run kfp-release runtime" in done.stdout


def test_a_public_config_that_is_none_is_a_difference(place: Place) -> None:
    digest = put_broken(place, "broken")
    wheel, sdist = WHEEL.format("1.0"), SDIST.format("1.0")
    data = (place.sandbox.packages / wheel).read_bytes()
    with ZipFile(io.BytesIO(data)) as archive:
        pins = archive.read("kubeflow_demo_components/pins.json")
    other = re.sub(rb"sha256:[0-9a-f]{64}", digest.encode(), pins, count=1)
    repacked = wheel_packed_anew(data, {"kubeflow_demo_components/pins.json": other})
    with place.changed({wheel: repacked, sdist: None}):
        done = place.run("verify", "1.0", "--rebuild", cwd=place.repository)
    assert done.returncode == 1
    assert "error" not in done.stderr
    told = "the public config cannot be read: the image's config has no rootfs.diff_ids\n"
    assert f"image demo: {told}" in done.stdout
    assert f"runtime of demo: {told}" in done.stdout
    assert "  → run this again; if it stays so, withdraw the version, and release the next" in done.stdout


def put_broken(place: Place, tag: str) -> str:
    """Put an image whose config is none; its digest."""
    repository = Repository.parse(f"{place.sandbox.environ['KFP_RELEASE_REGISTRY']}/{REPOSITORY}")
    store = EcrRepository(ecr_of(place.sandbox), repository)
    config = MemoryBlob(b"{}")
    manifest = Manifest.of(config.descriptor, (), {})
    upload_blobs(store, [config], progress=Silent())
    store.put(manifest, tag)
    return str(manifest.digest)


class TestRefused:
    """One clear error each, with the remedy."""

    def refused(self, place: Place, cwd: Path, *arguments: str, code: int = 1, **environ: str) -> str:
        done = place.run("verify", *arguments, cwd=cwd, **environ)
        assert done.returncode == code, done.stdout + done.stderr
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        return done.stderr

    def test_a_tag_that_the_clone_lacks(self, place: Place, tmp_path: Path) -> None:
        clone = place.clone(tmp_path)
        run_git(clone, "tag", "--delete", "v1.0")
        said = self.refused(place, clone, "1.0", "--rebuild")
        assert f"error: {clone} has no tag v1.0\n" in said
        assert "→ git fetch --tags" in said

    def test_a_shallow_clone(self, place: Place, tmp_path: Path) -> None:
        options = ("--quiet", "--depth=1", "--branch=v1.0")
        run_git(tmp_path, "clone", *options, place.repository.as_uri(), str(tmp_path / "shallow"))
        said = self.refused(place, tmp_path / "shallow", "1.0", "--rebuild")
        assert "is a shallow clone" in said
        assert "→ git fetch --unshallow --tags" in said

    def test_a_version_that_is_not_public(self, place: Place, tmp_path: Path) -> None:
        clone = place.clone(tmp_path)
        run_git(clone, "tag", "v7.0")
        said = self.refused(place, clone, "7.0", "--rebuild")
        assert f"the index has no file of {DISTRIBUTION} 7.0, so there is nothing to compare" in said
        assert "→ kfp-release status tells what is public; --index-url names another index" in said

    def test_a_folder_that_is_no_checkout(self, place: Place, tmp_path: Path) -> None:
        said = self.refused(place, tmp_path, "1.0", "--rebuild", GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
        assert "is not in a git repository" in said
        assert "→ run it in a clone of your repository" in said

    def test_a_commit_without_a_project(self, place: Place, tmp_path: Path) -> None:
        clone = place.clone(tmp_path)
        run_git(clone, "rm", "--quiet", "pyproject.toml")
        commit_all(clone, "Nothing")
        run_git(clone, "tag", "v7.0")
        said = self.refused(place, clone, "7.0", "--rebuild")
        assert "the commit of v7.0 has no pyproject.toml in this folder" in said

    def test_a_snapshot(self, place: Place) -> None:
        said = self.refused(place, place.repository, "1.3.dev4+gabc1234", "--rebuild")
        assert "snapshot 1.3.dev4+gabc1234 has no git tag" in said

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--rebuild", "--name", "other"), "the tag's commit names the distribution"),
            (("--rebuild", "--ssh", "default"), "--ssh and --secret are for --rebuild-runtime"),
        ],
    )
    def test_options_that_contradict_each_other(self, place: Place, arguments: tuple[str, ...], message: str) -> None:
        assert message in self.refused(place, place.repository, "1.0", *arguments, code=2)
