"""Where the index is: one of four ways, and exactly one."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kfp_release.errors import Problem, ReleaseError
from kfp_release.index_settings import (
    CodeArtifactRepository,
    DevpiIndex,
    IndexSettings,
    IndexUrls,
    S3Folder,
    read_index,
)
from kfp_release.toml_table import TomlFile

ARN = "arn:aws:codeartifact:eu-north-1:533211398604:repository/team/components"
BOTH = {"TWINE_REPOSITORY_URL": "https://a.example/", "KFP_RELEASE_SIMPLE_URL": "https://a.example/simple/"}
URLS = 'upload-url = "https://pypi.example/"\nsimple-url = "https://pypi.example/simple/"\n'


def read(text: str, environ: Mapping[str, str] | None = None) -> tuple[IndexSettings | None, list[Problem]]:
    file = TomlFile.parse("pyproject.toml", f"[index]\n{text}".encode())
    return read_index(file.table("index"), environ or {}, file.problems), file.problems


GOOD: dict[str, IndexSettings] = {
    URLS: IndexUrls("https://pypi.example/", "https://pypi.example/simple/"),
    f'codeartifact = "{ARN}"': CodeArtifactRepository(ARN, "eu-north-1", "533211398604", "team", "components"),
    'devpi = "https://devpi.example/team/prod"': DevpiIndex("https://devpi.example/team/prod", "team/prod"),
    'devpi = "https://example.com/devpi/team/prod/"': DevpiIndex("https://example.com/devpi/team/prod", "team/prod"),
    's3 = "s3://team-components"': S3Folder("team-components"),
    's3 = "s3://team-components/"': S3Folder("team-components"),
    's3 = "s3://team.components/python/wheels/"': S3Folder("team.components", "python/wheels/"),
}


@pytest.mark.parametrize("text", GOOD)
def test_each_kind_has_one_key(text: str) -> None:
    assert read(text) == (GOOD[text], [])


@pytest.mark.parametrize("text", GOOD)
def test_two_urls_of_the_environment_take_the_place_of_any_kind(text: str) -> None:
    assert read(text, BOTH) == (IndexUrls("https://a.example/", "https://a.example/simple/"), [])


def test_one_url_of_the_environment_takes_the_place_of_one_url() -> None:
    found, problems = read(URLS, {"KFP_RELEASE_SIMPLE_URL": "https://a.example/simple/"})
    assert (found, problems) == (IndexUrls("https://pypi.example/", "https://a.example/simple/"), [])


@pytest.mark.parametrize(("one", "other"), [tuple(BOTH), tuple(BOTH)[::-1]])
def test_one_url_of_the_environment_takes_the_place_of_no_other_kind(one: str, other: str) -> None:
    found, problems = read('s3 = "s3://team-components"', {one: BOTH[one]})
    assert found == S3Folder("team-components")
    assert "\n".join(map(str, problems)) == (
        f"{one}: it is set and {other} is not: together they take the place of s3://team-components, and not one alone"
        f"\n  → set {other} too, or unset {one}"
    )


BAD = {
    "none": ("", "[index] names no index\n  → set one of: upload-url with simple-url, codeartifact, devpi, s3"),
    "two": (f'codeartifact = "{ARN}"\ns3 = "s3://abc"', "[index] names 2 indexes: codeartifact, s3\n  → keep one"),
    "urls and another": (URLS + 's3 = "s3://abc"', "names 2 indexes: upload-url with simple-url, s3\n  → keep one"),
    "a key that is none": ('codeartefact = "x"', "index.codeartefact is not known\n  → did you mean codeartifact?"),
    "half of the urls": ('upload-url = "https://a.example/"', "index.simple-url is missing\n  → add simple-url to"),
    "no text": ("s3 = 3", "index.s3 must be a text, and is a number: 3"),
    "no ARN": ('codeartifact = "team/components"', "is not the ARN of a repository\n  → write arn:aws:codeartifact:"),
    "a domain": (f'codeartifact = "{ARN.replace("repository/team/components", "domain/team")}"', "is not the ARN of a"),
    "an ARN of ECR": (f'codeartifact = "{ARN.replace("codeartifact", "ecr")}"', "is not the ARN of a repository"),
    "http": ('devpi = "http://devpi.example/team/prod"', "is not https"),
    "a password": ('devpi = "https://u:p@devpi.example/team/prod"', "the URL carries credentials"),
    "a user": ('devpi = "https://devpi.example/team"', "names no index of a user\n  → write https://HOST/USER/INDEX"),
    "the simple API": (
        'devpi = "https://d.example/team/prod/+simple/"',
        "not the index\n  → write https://d.example/team/prod:",
    ),
    "https": (
        's3 = "https://abc.s3.amazonaws.com/"',
        "names no S3 bucket\n  → write s3://BUCKET or s3://BUCKET/PREFIX",
    ),
    "a bucket that none can be": ('s3 = "s3://Team_Components"', "names no S3 bucket"),
    "a prefix that leads up": ('s3 = "s3://abc/../x"', "has a prefix that URLs cannot hold as it is"),
    "a prefix with a space": ('s3 = "s3://abc/a b"', "has a prefix that URLs cannot hold as it is"),
    "a prefix with nothing in it": ('s3 = "s3://abc//x"', "has a prefix that URLs cannot hold as it is"),
}


@pytest.mark.parametrize("name", BAD)
def test_anything_else_is_told(name: str) -> None:
    text, message = BAD[name]
    found, problems = read(text)
    assert found is None
    assert len(problems) == 1
    assert message in str(problems[0])


def test_an_index_that_is_read_alone_has_one_url() -> None:
    assert IndexUrls.to_read("https://a.example/simple/").simple_url == "https://a.example/simple/"
    with pytest.raises(ReleaseError, match="is not https"):
        IndexUrls.to_read("http://a.example/simple/")
