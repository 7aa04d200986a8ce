"""Two releases on real parts: git, buildah, a registry behind ECR's API, an index, a Docker engine."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT, SMALL_DOCKERFILE, commit_all, copy_project, kfp_release, run_git
from ecr_fixtures import ecr_of

from kfp_release.image_ref import ImageRef
from kfp_release.sandbox import Sandbox

DISTRIBUTION = "kubeflow-demo-components"
REPOSITORY = "data-science-kubeflow/demo"
DECLARED = b"533211398604.dkr.ecr.eu-north-1.amazonaws.com/data-science-kubeflow/demo"


@dataclass(frozen=True)
class Released:
    """A repository with two releases that are public in the sandbox."""

    repository: Path
    sandbox: Sandbox
    results: dict[str, dict[str, Any]]
    kept: Path

    def dist(self, version: str) -> Path:
        return self.kept / version

    def record(self, version: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self.dist(version) / "release.json").read_bytes())
        return value

    def ref(self, version: str) -> ImageRef:
        return ImageRef.parse(self.record(version)["images"]["demo"]["pin"])

    def wheel(self, version: str) -> zipfile.ZipFile:
        (path,) = self.dist(version).glob("*.whl")
        return zipfile.ZipFile(path)

    def run(self, *arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return kfp_release(arguments, cwd=cwd or self.repository, environ=self.sandbox.environ)


def small_project(target: Path) -> Path:
    """The project with a small runtime and without the further distributions."""
    target.mkdir()
    copy_project(target)
    (target / "Dockerfile").write_text(SMALL_DOCKERFILE, encoding="utf-8")
    pyproject = target / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    pyproject.write_text(text.replace('extra-projects = ["src/kfp_release"]\n', ""), encoding="utf-8")
    commit_all(target, "A small runtime")
    return target


def change_multiply(repository: Path) -> None:
    program = repository / "src/kubeflow_demo_components/programs/multiply.py"
    text = program.read_text(encoding="utf-8")
    assert "return a * b\n" in text
    program.write_text(text.replace("return a * b\n", "return a * b * 100\n"), encoding="utf-8")
    changelog = repository / "CHANGELOG.md"
    text = changelog.read_text(encoding="utf-8")
    changelog.write_text(text.replace("## [1.0]", "## [1.1]\n\n- Percent.\n\n## [1.0]", 1), encoding="utf-8")
    commit_all(repository, "Percent")


@pytest.fixture(scope="module")
def released(engine_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Released:
    folder = tmp_path_factory.mktemp("released")
    repository = small_project(folder / "project")
    results: dict[str, dict[str, Any]] = {}
    for version in ("1.0", "1.1"):
        if results:
            change_multiply(repository)
        run_git(repository, "tag", f"v{version}")
        done = kfp_release(
            ["release", f"v{version}", "--create-repository", "--json"], cwd=repository, environ=engine_sandbox.environ
        )
        assert done.returncode == 0, done.stderr
        results[version] = json.loads(done.stdout)
        (repository / "dist").rename(folder / version)
    return Released(repository, engine_sandbox, results, folder)


def test_the_first_release_builds_the_runtime_and_the_second_finds_it(released: Released) -> None:
    assert [runtime["how"] for runtime in released.results["1.0"]["runtimes"]] == ["built"]
    assert [runtime["how"] for runtime in released.results["1.1"]["runtimes"]] == ["found"]
    assert 0 < released.results["1.1"]["bytes_sent"] <= 128 * 1024


def test_a_release_that_is_whole_is_not_built_again_unless_it_would_be_another(released: Released) -> None:
    dist = released.repository / "dist"
    shutil.copytree(released.dist("1.1"), dist)
    try:
        again = released.run("release", "v1.1", "--json")
        assert again.returncode == 0, again.stderr
        assert "build the wheels" not in again.stderr
        result = json.loads(again.stdout)
        assert (result["changed"], result["bytes_sent"]) == (False, 0)
        for key in ("images", "distributions", "commit"):
            assert result[key] == released.results["1.1"][key]
        assert [runtime["how"] for runtime in result["runtimes"]] == ["found"]
        (dist / "notes.md").unlink()
        again = released.run("release", "v1.1", "--json")
        assert again.returncode == 0, again.stderr
        assert "build the wheels" in again.stderr
        assert (dist / "notes.md").read_bytes() == (released.dist("1.1") / "notes.md").read_bytes()
        assert not json.loads(again.stdout)["changed"]
        # With another base the runtime is another one, in the same commit.
        environ = {**released.sandbox.environ, "KFP_RELEASE_BUILD_ARG_BASE": f"127.0.0.1:1/nothing@sha256:{'0' * 64}"}
        other = kfp_release(["release", "v1.1"], cwd=released.repository, environ=environ)
        assert other.returncode == 1
        assert "which is new" in other.stderr
    finally:
        shutil.rmtree(dist)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_every_component_file_in_the_wheel_is_pinned_and_nothing_else_in_it_changed(
    released: Released, version: str
) -> None:
    pin = str(released.ref(version)).encode()
    assert f":{version}@sha256:".encode() in pin
    wheel = released.wheel(version)
    sources = sorted((released.repository / "yaml").glob("*.yaml"))
    packed = sorted(name for name in wheel.namelist() if name.endswith(".yaml"))
    assert packed == [f"kubeflow_demo_components/yaml/{source.name}" for source in sources]
    for source in sources:
        expected = source.read_bytes().replace(DECLARED, pin)
        assert wheel.read(f"kubeflow_demo_components/yaml/{source.name}") == expected


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_ecr_answers_with_tag_and_digest(released: Released, version: str) -> None:
    answer = ecr_of(released.sandbox).describe_images(repositoryName=REPOSITORY, imageIds=[{"imageTag": version}])
    (image,) = answer["imageDetails"]
    assert image["imageDigest"] == str(released.ref(version).digest)
    assert image["imageTags"] == [version]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_what_pip_downloads_is_what_release_json_says(released: Released, version: str, tmp_path: Path) -> None:
    environ = {**os.environ, "PIP_INDEX_URL": released.sandbox.pip_index_url}
    for options in ((), ("--no-binary=:all:", "--no-build-isolation")):
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir", *options),
                *("--dest", tmp_path, f"{DISTRIBUTION}=={version}"),
            ],
            env=environ,
            check=True,
        )
    seen = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    assert seen == {item["filename"]: item["sha256"] for item in released.record(version)["distributions"]}


@pytest.mark.parametrize(("version", "product"), [("1.0", "6.0"), ("1.1", "600.0")])
def test_the_pinned_image_is_pulled_by_digest_and_runs_multiply(released: Released, version: str, product: str) -> None:
    ref = released.ref(version)
    environ = {**os.environ, **released.sandbox.environ}
    image = f"{ref.repository}@{ref.digest}"
    subprocess.run(["docker", "pull", "--quiet", image], env=environ, check=True, capture_output=True)
    done = subprocess.run(
        ["docker", "run", "--rm", "--network=none", image, "multiply", "--a", "2", "--b", "3"],
        env=environ,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == product
    script = "import importlib.metadata as m; print(m.version('kubeflow-demo-components'))"
    done = subprocess.run(
        ["docker", "run", "--rm", "--network=none", image, "python", "-c", script],
        env=environ,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == version


def test_a_pull_without_the_password_is_refused(released: Released, tmp_path: Path) -> None:
    ref = released.ref("1.0")
    environ = {**os.environ, **released.sandbox.environ, "DOCKER_CONFIG": str(tmp_path)}
    image = f"{ref.repository}@{ref.digest}"
    # What the engine has already it would not ask for.
    subprocess.run(["docker", "image", "rm", "--force", image], env=environ, check=False, capture_output=True)
    done = subprocess.run(["docker", "pull", image], env=environ, check=False, capture_output=True, text=True)
    assert done.returncode != 0
    assert "no basic auth credentials" in done.stderr


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_publishing_the_same_dist_again_changes_nothing(released: Released, version: str) -> None:
    before = _public(released)
    done = released.run("publish", released.dist(version), "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["changed"] is False
    assert result["bytes_sent"] == 0
    assert _public(released) == before


def test_a_build_for_another_registry_is_not_published(released: Released) -> None:
    environ = {**released.sandbox.environ, "KFP_RELEASE_REGISTRY": "127.0.0.1:1"}
    done = kfp_release(["publish", released.dist("1.0")], cwd=released.repository, environ=environ)
    assert done.returncode == 1
    assert "belongs to 127.0.0.1:1/data-science-kubeflow/demo" in done.stderr
    assert "KFP_RELEASE_REGISTRY" in done.stderr


def _public(released: Released) -> Any:
    images = ecr_of(released.sandbox).describe_images(repositoryName=REPOSITORY)["imageDetails"]
    packages = sorted((path.name, path.stat().st_mtime_ns) for path in released.sandbox.packages.iterdir())
    return sorted((image["imageDigest"], sorted(image.get("imageTags", ()))) for image in images), packages


def test_verify_agrees_from_an_empty_folder(released: Released, tmp_path: Path) -> None:
    done = released.run("verify", "1.0", "--name", DISTRIBUTION, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["problems"] == []


def test_the_same_tag_gives_the_same_bytes_in_another_folder_at_another_time_for_another_user(
    released: Released, tmp_path: Path
) -> None:
    clone = tmp_path / "somewhere" / "else"
    run_git(tmp_path, "clone", "--quiet", str(released.repository), str(clone))
    run_git(clone, "checkout", "--quiet", "v1.0")
    home = tmp_path / "home"
    home.mkdir()
    environ = {**released.sandbox.environ, "HOME": str(home), "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    umask = os.umask(0o077)
    try:
        done = kfp_release(["plan", "v1.0"], cwd=clone, environ=environ)
        assert done.returncode == 0, done.stderr
        forget_what_is_public(clone / "build/plan.json")
        done = kfp_release(["build"], cwd=clone, environ=environ)
        assert done.returncode == 0, done.stderr
    finally:
        os.umask(umask)
    again = json.loads((clone / "dist/release.json").read_bytes())
    record = released.record("1.0")
    assert again["images"] == record["images"]
    assert again["distributions"] == record["distributions"]
    assert again == record


def forget_what_is_public(plan: Path) -> None:
    """An image that is there would be adopted, whatever digest this build gives."""
    value = json.loads(plan.read_bytes())
    assert all(image["existing"] for image in value["images"])
    images = [{**image, "existing": None} for image in value["images"]]
    plan.write_text(json.dumps({**value, "images": images, "files": {}}))


def test_wheel_and_sdist_carry_the_same_pins(released: Released) -> None:
    (path,) = released.dist("1.0").glob("*.tar.gz")
    with tarfile.open(path) as sdist:
        member = sdist.extractfile(f"{path.name.removesuffix('.tar.gz')}/kfp-release-pins.json")
        assert member is not None
        assert member.read() == released.wheel("1.0").read("kubeflow_demo_components/pins.json")


def test_a_lost_runtime_tag_is_recovered_from_a_version_image(released: Released) -> None:
    key = released.record("1.1")["images"]["demo"]["runtime_key"]
    tag = f"runtime-{key}"
    ecr = ecr_of(released.sandbox)
    before = ecr.describe_images(repositoryName=REPOSITORY, imageIds=[{"imageTag": tag}])["imageDetails"][0]
    ecr.batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": tag}])
    done = released.run("runtime", "--json")
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)["runtimes"]
    assert result["how"] == "recovered"
    after = ecr.describe_images(repositoryName=REPOSITORY, imageIds=[{"imageTag": tag}])["imageDetails"][0]
    assert after["imageDigest"] == before["imageDigest"]


def test_another_content_under_a_published_version_is_refused_with_both_digests(
    released: Released, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    run_git(tmp_path, "clone", "--quiet", str(released.repository), str(clone))
    commit_all(clone, "Something else")
    run_git(clone, "tag", "--force", "v1.1")
    before = _public(released)
    done = kfp_release(["release", "v1.1"], cwd=clone, environ=released.sandbox.environ)
    assert done.returncode == 1
    assert str(released.ref("1.1").digest) in done.stderr
    assert "nothing is overwritten" in done.stderr
    assert "Traceback" not in done.stderr
    assert _public(released) == before


def test_no_password_stands_in_what_is_printed_or_built(released: Released) -> None:
    environ = released.sandbox.environ
    secrets = [environ[name] for name in ("AWS_SECRET_ACCESS_KEY", "TWINE_PASSWORD")]
    login = f"{environ['TWINE_USERNAME']}:{environ['TWINE_PASSWORD']}"
    secrets.append(base64.b64encode(login.encode()).decode())
    done = released.run("publish", released.dist("1.0"))
    texts = [done.stdout, done.stderr]
    texts += [path.read_bytes().decode("latin-1") for path in released.dist("1.0").rglob("*") if path.is_file()]
    assert not any(secret in text for secret in secrets for text in texts)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_the_sbom_lists_what_dpkg_and_pip_in_a_container_do(
    released: Released, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PROJECT / "examples"))
    environ = {**os.environ, **released.sandbox.environ}
    pins = {"demo": str(released.ref(version))}
    require_listed = import_module("installed").require_listed
    assert require_listed(pins, released.dist(version), environ)["demo"] > 50
    value = json.loads((released.dist(version) / "demo.cdx.json").read_bytes())
    value["components"] = [one for one in value["components"] if one["name"] != "bash"]
    (released.kept / "demo.cdx.json").write_text(json.dumps(value))
    with pytest.raises(Exception, match=r"the SBOM of demo lists other deb packages than .*: bash 5"):
        require_listed(pins, released.kept, environ)
