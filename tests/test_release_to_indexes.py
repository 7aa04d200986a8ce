"""A whole release to an index of each kind: to S3, to a devpi, to CodeArtifact; then looked at, and completed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from chaos.project import IMAGES, NAME, make_one
from codeartifact_fixtures import ARN, TOKEN, running_codeartifact
from conftest import commit_all, kfp_release, run_git
from devpi_fixtures import WRITER, running_devpi
from ecr_fixtures import LocalEcr
from s3_fixtures import AWS, running_s3

HEADING = "[tool.kfp-release.index]\n"
WHEEL, SDIST = "chaos_parts-1.0-py3-none-any.whl", "chaos_parts-1.0.tar.gz"
TWINE = {"TWINE_USERNAME": WRITER.username, "TWINE_PASSWORD": WRITER.password}


@dataclass(frozen=True)
class Place:
    """A project with version 1.0, its index, the environment that may write there, and pip's URL of the index."""

    project: Path
    environ: dict[str, str]
    pip_url: str
    server: Any = None

    def run(self, *arguments: str, good: bool = True, **environ: str) -> subprocess.CompletedProcess[str]:
        done = kfp_release(arguments, cwd=self.project, environ={**self.environ, **environ})
        assert (done.returncode == 0) == good, done.stdout + done.stderr
        assert TOKEN not in done.stdout + done.stderr
        return done

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json").stdout)

    def state(self) -> Any:
        done = kfp_release(["status", "--json"], cwd=self.project, environ=self.environ)
        return {row["version"]: row["state"] for row in json.loads(done.stdout)["versions"]}


def place_at(folder: Path, local: LocalEcr, index: tuple[str, str], **parts: Any) -> Place:
    """With an ECR repository of its own, which is called like the folder; `index` are the kind and where it is."""
    make_one(folder, "1.0", content=folder.name, runtime="that all share", images=IMAGES[-1:])
    for name in ("pyproject.toml", "yaml/demo.yaml"):
        path = folder / name
        begin, found, rest = path.read_text().replace("/team/demo", f"/team/{folder.name}").partition(HEADING)
        key, where = index
        path.write_text(begin + (f"{HEADING}{key} = '{where}'\n" + rest.partition("\n\n")[2] if found else ""))
    commit_all(folder, folder.name)
    run_git(folder, "tag", "--force", "v1.0")
    ecr = {"AWS_ENDPOINT_URL_ECR": local.stand_in.url, "KFP_RELEASE_REGISTRY": local.registry.host}
    return Place(folder, environ={**AWS, **ecr, **parts.pop("environ")}, **parts)


@pytest.fixture(scope="module")
def places(local: LocalEcr, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Place]]:
    """One of each kind, by the name of its folder."""
    folder = tmp_path_factory.mktemp("places")
    with ExitStack() as stack:
        s3 = stack.enter_context(running_s3())
        devpi = stack.enter_context(running_devpi(tmp_path_factory.mktemp("devpi")))
        aws = stack.enter_context(running_codeartifact(tmp_path_factory.mktemp("codeartifact")))
        prod, loose = devpi.index("prod"), devpi.index("loose", volatile=True)
        yield {
            "s3": place_at(
                folder / "s3",
                local,
                ("s3", "s3://components/python"),
                environ={"AWS_ENDPOINT_URL_S3": s3.url},
                pip_url=f"{s3.bucket('components')}/python/simple/",
                server=s3,
            ),
            "devpi": place_at(folder / "devpi", local, ("devpi", prod), environ=TWINE, pip_url=f"{prod}/+simple/"),
            "loose": place_at(folder / "loose", local, ("devpi", loose), environ=TWINE, pip_url=f"{loose}/+simple/"),
            "codeartifact": place_at(
                folder / "codeartifact",
                local,
                ("codeartifact", ARN),
                environ={"AWS_ENDPOINT_URL_CODEARTIFACT": aws.url},
                pip_url=aws.index.simple_url.replace("://", f"://aws:{TOKEN}@"),
                server=aws,
            ),
        }


@pytest.mark.parametrize("kind", ["s3", "devpi", "codeartifact"])
def test_a_release_goes_there_is_installed_from_there_and_seen_there(
    places: dict[str, Place], kind: str, tmp_path: Path
) -> None:
    place = places[kind]
    released = place.json("release", "v1.0", "--create-repository")
    sent = {item["filename"]: item["sha256"] for item in released["distributions"]}
    assert set(sent) == {WHEEL, SDIST}
    assert place.state() == {"1.0": "in order"}
    command = (sys.executable, "-m", "pip", "--isolated", "download", "--no-deps", "--dest", tmp_path, "--no-cache-dir")
    hashed = tmp_path / "requirements.txt"
    hashed.write_text(f"{NAME}==1.0 --hash=sha256:{sent[WHEEL]}\n")
    done = subprocess.run(
        [*command, "--index-url", place.pip_url, "-r", hashed], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / WHEEL).is_file()


def test_step_by_step_it_is_the_same_and_build_needs_no_credentials(places: dict[str, Place]) -> None:
    place = places["s3"]
    place.run("plan", "v1.0")
    nothing: Any = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "")
    place.run("build", **nothing)
    plan = (place.project / "build/plan.json").read_text()
    assert "components/python" not in plan
    assert place.json("publish")["changed"] is False
    seen = place.json("verify", "1.0")["files"]
    assert set(seen) == {WHEEL, SDIST}
    assert place.json("verify", "1.0", "--index-url", place.pip_url)["files"] == seen
    assert "the same interfaces" in place.run("diff", "index:1.0", "v1.0").stdout
    said = place.run("publish", good=False, **nothing).stderr
    assert "cannot ask S3 for s3://components/python: there are no AWS credentials" in said


def test_promote_reads_the_index_with_the_usual_credentials(places: dict[str, Place]) -> None:
    place = places["s3"]
    to = f"{place.environ['KFP_RELEASE_REGISTRY']}/mirror"
    there = place.json("promote", "1.0", "--to", to, "--create-repository")
    assert there["images"]["demo"]["target"].startswith(f"{to}/team/s3:1.0@sha256:")
    nothing: Any = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "")
    said = place.run("promote", "1.0", "--to", to, good=False, **nothing).stderr
    assert "cannot ask S3 for s3://components/python: there are no AWS credentials" in said


def test_a_status_asks_for_one_token(places: dict[str, Place]) -> None:
    place = places["codeartifact"]
    place.server.asked.clear()
    assert place.state() == {"1.0": "in order"}
    assert sorted(place.server.asked) == ["GetAuthorizationToken", "GetRepositoryEndpoint"]


def test_a_page_that_was_not_written_is_completed_by_reconcile(places: dict[str, Place]) -> None:
    place = places["s3"]
    before = place.server.keys("components")
    for name in ("", "index.html", "index.v1_json"):
        place.server.client.delete_object(Bucket="components", Key=f"python/simple/{NAME}/{name}")
    assert place.state() == {"1.0": "abandoned"}
    assert place.json("reconcile")["versions"][0]["deed"] == "completed"
    assert place.state() == {"1.0": "in order"}
    after = place.server.keys("components")
    assert {key for key in before if before[key] != after[key]} == set()


def test_a_volatile_index_is_refused_before_anything_is_made_public(places: dict[str, Place], local: LocalEcr) -> None:
    said = places["loose"].run("release", "v1.0", "--create-repository", good=False).stderr
    assert "/writer/loose is volatile: devpi overwrites its files and says nothing\n" in said
    assert "→ devpi index writer/loose volatile=False" in said
    made = {item["repositoryName"] for item in local.client().describe_repositories()["repositories"]}
    assert "team/loose" not in made


def test_two_urls_of_the_environment_take_the_place_of_what_is_configured(places: dict[str, Place]) -> None:
    place, other = places["s3"], places["devpi"]
    url = other.pip_url
    environ: dict[str, str] = {
        "KFP_RELEASE_SIMPLE_URL": url,
        "TWINE_REPOSITORY_URL": url.removesuffix("+simple/"),
        **TWINE,
    }
    done = kfp_release(["status", "--json"], cwd=place.project, environ={**place.environ, **environ, **TWINE})
    (row,) = json.loads(done.stdout)["versions"]
    assert row["state"] != "in order"  # of another commit
    said = place.run("status", good=False, KFP_RELEASE_SIMPLE_URL=url).stderr
    assert "KFP_RELEASE_SIMPLE_URL: it is set and TWINE_REPOSITORY_URL is not" in said
    assert "they take the place of s3://components/python" in said
