"""docs/indexes.md: its settings are read, its permissions are those of the calls that are made, its commands run."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from archives import NAME, wheel_bytes
from codeartifact_fixtures import ARN, CodeArtifactServer, running_codeartifact
from conftest import PROJECT
from pages import blocks, commands
from s3_fixtures import AWS, S3Server, running_s3
from test_index import wheel

from kfp_release.aws_calls import AwsCalls
from kfp_release.codeartifact import CodeArtifact
from kfp_release.credentials import Credentials
from kfp_release.index_settings import INDEX_KEYS, CodeArtifactRepository, DevpiIndex, IndexUrls, S3Folder, read_index
from kfp_release.retry import SILENT
from kfp_release.s3_bucket import Bucket, s3_calls
from kfp_release.s3_index import S3Index
from kfp_release.toml_table import TomlFile

PAGE = PROJECT / "docs" / "indexes.md"
KINDS = {
    "Any index": IndexUrls,
    "AWS CodeArtifact": CodeArtifactRepository,
    "devpi": DevpiIndex,
    "S3": S3Folder,
}


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with running_s3() as server:
        yield server


@pytest.fixture(scope="module")
def codeartifact(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodeArtifactServer]:
    with running_codeartifact(tmp_path_factory.mktemp("codeartifact")) as server:
        yield server


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, s3: S3Server, codeartifact: CodeArtifactServer) -> None:
    urls = {"AWS_ENDPOINT_URL_S3": s3.url, "AWS_ENDPOINT_URL_CODEARTIFACT": codeartifact.url}
    for name, value in {**AWS, **urls}.items():
        monkeypatch.setenv(name, value)


def setting(heading: str) -> Any:
    """What the section's settings are read as."""
    (text,) = blocks(PAGE, "toml", heading)
    file = TomlFile.parse("pyproject.toml", text.encode())
    found = read_index(file.table("tool", "kfp-release", "index"), {}, file.problems)
    assert file.problems == []
    return found


@pytest.mark.parametrize("heading", KINDS)
def test_its_settings_are_read(heading: str) -> None:
    assert isinstance(setting(heading), KINDS[heading])


def test_it_names_every_key_and_each_section_sets_its_own() -> None:
    rows = re.findall(r"^\| ([^|]+) \| \[", PAGE.read_text(), re.MULTILINE)
    named = [set(re.findall("`([^`]+)`", row)) for row in rows]
    values = [tomllib.loads(blocks(PAGE, "toml", heading)[0]) for heading in KINDS]
    assert named == [set(value["tool"]["kfp-release"]["index"]) for value in values]
    assert set.union(*named) == set(INDEX_KEYS)


def table(heading: str) -> tuple[tuple[set[str], set[str]], tuple[set[str], set[str]]]:
    """The calls and the permissions of who reads, and those of who writes; both rows whole."""
    text = PAGE.read_text().partition(f"\n## {heading}\n")[2]
    rows = re.findall(r"^\| `(?:plan|publish)`[^|]*\| ([^|]+) \| ([^|]+) \|$", text.partition("\n## ")[0], re.MULTILINE)
    read, write = ([set(re.findall("`([^`]+)`", cell)) for cell in row] for row in rows)
    return (read[0], read[1]), (write[0] or read[0], write[1] | read[1])


class Noted:
    """The operations that clients are asked for, by their names in AWS's API."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: set[str] = set()
        call = AwsCalls.call

        def noted(calls: AwsCalls, operation: str, **parameters: Any) -> dict[str, Any]:
            self.names.add(calls.open().meta.method_to_api_mapping[operation])
            return call(calls, operation, **parameters)

        monkeypatch.setattr(AwsCalls, "call", noted)

    def taken(self) -> set[str]:
        names, self.names = self.names, set()
        return names


def test_the_calls_to_s3_are_those_that_it_lists(s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.bucket("calls")
    noted, folder = Noted(monkeypatch), S3Folder("calls")
    index = S3Index(Bucket(folder, s3_calls(folder, SILENT)))
    (reading, _), (writing, _) = table("S3")
    index.require_credentials()
    index.upload(wheel(tmp_path, "1.0"))
    index.upload(wheel(tmp_path, "1.0"))
    assert noted.taken() == writing
    (file,) = index.files("demo-components").values()
    index.download(file)
    assert noted.taken() == reading


def test_the_calls_to_codeartifact_are_those_that_it_lists(
    codeartifact: CodeArtifactServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert codeartifact
    noted = Noted(monkeypatch)
    (reading, _), (writing, _) = table("AWS CodeArtifact")
    index = CodeArtifact(CodeArtifactRepository.parse(ARN), Credentials())
    index.require_credentials()
    index.upload(wheel(tmp_path, "1.0"))
    assert noted.taken() == reading == writing


@pytest.mark.parametrize("heading", ["AWS CodeArtifact", "S3"])
def test_its_policy_gives_what_its_table_says(heading: str) -> None:
    _, (_, needed) = table(heading)
    policy, *_ = map(json.loads, blocks(PAGE, "json", heading))
    given = {action for one in policy["Statement"] for action in _actions(one) if one["Effect"] == "Allow"}
    assert given == needed
    where = setting(heading)
    resources = {one["Resource"] for one in policy["Statement"]}
    if heading == "S3":
        root = f"arn:aws:s3:::{where.bucket}"
        assert resources == {root, f"{root}/{where.prefix}*"}
    else:
        begin = where.arn.partition(":repository/")[0]
        package = f"{begin}:package/{where.domain}/{where.name}/pypi/*"
        assert resources == {where.arn, f"{begin}:domain/{where.domain}", package, "*"}


def _actions(statement: dict[str, Any]) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else action


def test_its_commands_for_codeartifact_name_the_repository_of_its_setting() -> None:
    where = setting("AWS CodeArtifact")
    for line in commands(PAGE, "AWS CodeArtifact"):
        words = shlex.split(line)
        if words[0] == "aws":
            options = dict(zip(words[3::2], words[4::2], strict=True))
            assert (options["--domain"], options["--repository"]) == (where.domain, where.name)
            assert options.get("--domain-owner", where.account) == where.account
            assert options.get("--region", where.region) == where.region


def test_its_deny_covers_the_files_and_not_the_pages(s3: S3Server, tmp_path: Path) -> None:
    where = setting("S3")
    (statement,) = json.loads(blocks(PAGE, "json", "S3")[1])["Statement"]
    s3.bucket(where.bucket)
    S3Index(Bucket(where, s3_calls(where, SILENT))).upload(wheel(tmp_path, "1.0"))
    covered = statement["Resource"].removeprefix(f"arn:aws:s3:::{where.bucket}/").removesuffix("*")
    keys = set(s3.keys(where.bucket))
    assert {key for key in keys if key.startswith(covered)} == {key for key in keys if ".whl" in key}
    assert {key for key in keys if "/simple/" in key} == keys - {key for key in keys if ".whl" in key}


def test_its_command_installs_from_a_bucket(s3: S3Server, tmp_path: Path) -> None:
    url = s3.bucket("installs")
    folder = S3Folder("installs", "python/")
    path = tmp_path / NAME
    path.write_bytes(wheel_bytes())
    S3Index(Bucket(folder, s3_calls(folder, SILENT))).upload(path)
    (line,) = commands(PAGE, "S3")
    command = shlex.split(line.replace("https://components.data-science.example", url))
    venv.create(tmp_path / "venv")
    options = ("--python", tmp_path / "venv", "--isolated", "--no-cache-dir")
    done = subprocess.run(
        [sys.executable, "-m", *command[:1], *options, *command[1:]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Successfully installed some-components-1.2" in done.stdout
