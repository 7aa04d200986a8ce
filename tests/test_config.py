"""[tool.kfp-release], and what the environment replaces in it."""

from __future__ import annotations

import contextlib
import re
import string
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfp_release.config import Config, declared_components
from kfp_release.errors import Problems, ReleaseError
from kfp_release.index_settings import IndexUrls
from kfp_release.interpreter import DEFAULT_INTERPRETER
from kfp_release.kms_key_name import KmsKeyName
from kfp_release.scan_rules import ScanRules, Unscanned
from kfp_release.url import parse_url

ECR = "533211398604.dkr.ecr.eu-north-1.amazonaws.com"
GOOD = f"""\
[project]
name = "kubeflow-demo-components"

[tool.kfp-release]
package = "kubeflow_demo_components"
components = "yaml"
source = "https://github.com/kubeflow-demo/components"
extra-projects = ["src/kfp_release"]

[tool.kfp-release.images.demo]
repository = "{ECR}/demo"
context = ["requirements.lock", "./locks/"]

[tool.kfp-release.images.demo.build-args]
BASE = "python:3.12"

[tool.kfp-release.index]
upload-url = "https://pypi.example/"
simple-url = "https://pypi.example/simple/"
"""
SECOND = f"""
[tool.kfp-release.images.second]
repository = "{ECR}/second"
platform = "linux/arm64/v8"
interpreter = "/usr/bin/python3"
mutable-tags = true
extra = "training"
lock = "./locks/training.lock"
"""


def parse(text: str, environ: Mapping[str, str] | None = None) -> Config:
    return Config.parse(text.encode(), environ or {})


def problems(text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(Problems) as caught:
        parse(text, environ)
    return [str(problem) for problem in caught.value.problems]


def line_of(text: str, start: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith(start))


def test_what_a_scan_may_find_is_read_and_a_wrong_word_has_its_line() -> None:
    assert parse(GOOD).scan == ScanRules()
    table = '\n[tool.kfp-release.scan]\nrefuse = "critical"\n'
    assert parse(GOOD + table).scan == ScanRules("critical", "", Unscanned.WARN)
    wrong = GOOD + table.replace("critical", "criticle")
    (problem,) = problems(wrong)
    assert problem.startswith(f"pyproject.toml:{line_of(wrong, 'refuse')}: tool.kfp-release.scan.refuse: 'criticle'")
    assert problem.endswith("did you mean critical?")


def test_a_configuration_is_read_with_its_defaults() -> None:
    config = parse(GOOD)
    assert (config.distribution, config.package) == ("kubeflow-demo-components", "kubeflow_demo_components")
    assert (config.components, config.extra_projects) == ("yaml", ("src/kfp_release",))
    assert config.require_index() == IndexUrls("https://pypi.example/", "https://pypi.example/simple/")
    image = config.image("demo")
    assert str(image.declared) == str(image.repository) == f"{ECR}/demo"
    assert (image.dockerfile, image.platform, image.interpreter) == ("Dockerfile", "linux/amd64", DEFAULT_INTERPRETER)
    assert image.context == ("requirements.lock", "locks")
    assert image.build_args == {"BASE": "python:3.12"}
    assert (image.extra, image.lock) == ("image", "requirements.lock")


def test_there_may_be_several_images() -> None:
    config = parse(GOOD + SECOND)
    assert [image.name for image in config.images] == ["demo", "second"]
    assert (config.images[1].platform, str(config.images[1].interpreter)) == ("linux/arm64/v8", "/usr/bin/python3")
    assert (config.images[1].extra, config.images[1].lock) == ("training", "locks/training.lock")
    assert config.mutable_images == {config.images[1].name}


def test_the_environment_replaces_registry_build_argument_and_index() -> None:
    config = parse(
        GOOD,
        {
            "KFP_RELEASE_REGISTRY": "127.0.0.1:5000",
            "KFP_RELEASE_BUILD_ARG_BASE": "127.0.0.1:5000/base@sha256:1",
            "KFP_RELEASE_SIMPLE_URL": "http://127.0.0.1:8080/simple/",
            "TWINE_REPOSITORY_URL": "http://localhost:8080/",
        },
    )
    image = config.image("demo")
    assert (str(image.declared), str(image.repository)) == (f"{ECR}/demo", "127.0.0.1:5000/demo")
    assert image.repository.account == "533211398604"
    assert image.build_args == {"BASE": "127.0.0.1:5000/base@sha256:1"}
    assert config.index == IndexUrls("http://localhost:8080/", "http://127.0.0.1:8080/simple/")


KEY = "arn:aws:kms:eu-north-1:533211398604:key/0f2e1d3c-0000-1111-2222-333344445555"


def signed(key: str) -> str:
    return GOOD.replace("[tool.kfp-release]\n", f'[tool.kfp-release]\nsigning-key = "{key}"\n', 1)


def test_the_key_that_signs_is_configured_or_comes_from_the_environment() -> None:
    assert parse(GOOD).signing_key is None
    assert parse(signed(KEY)).signing_key == KmsKeyName(KEY, "eu-north-1")
    assert parse(signed(KEY), {"KFP_RELEASE_SIGNING_KEY": "alias/a"}).signing_key == KmsKeyName("alias/a", None)
    assert parse(GOOD, {"KFP_RELEASE_SIGNING_KEY": KEY}).signing_key == KmsKeyName(KEY, "eu-north-1")
    assert parse(signed(KEY), {"KFP_RELEASE_SIGNING_KEY": ""}).signing_key == KmsKeyName(KEY, "eu-north-1")
    assert parse(signed(KEY), {"KFP_RELEASE_SIGNING_KEY": "none"}).signing_key is None


def test_what_names_no_key_is_a_problem_at_its_place() -> None:
    (configured,) = problems(signed("releases"))
    assert re.match(r"pyproject\.toml:\d+: .*'releases' is not the name of a key in AWS KMS", configured)
    (variable,) = problems(GOOD, {"KFP_RELEASE_SIGNING_KEY": "releases"})
    assert variable.startswith("KFP_RELEASE_SIGNING_KEY: 'releases' is not the name of a key in AWS KMS")
    assert variable.endswith("or alias/NAME; or none")


def test_empty_variables_replace_nothing() -> None:
    names = ("KFP_RELEASE_REGISTRY", "KFP_RELEASE_BUILD_ARG_BASE", "KFP_RELEASE_SIMPLE_URL", "TWINE_REPOSITORY_URL")
    assert parse(GOOD, dict.fromkeys(names, "")) == parse(GOOD)


def test_the_index_may_come_from_the_environment_alone() -> None:
    text = GOOD[: GOOD.index("[tool.kfp-release.index]")]
    both = {"KFP_RELEASE_SIMPLE_URL": "https://a.example/simple/", "TWINE_REPOSITORY_URL": "https://a.example/"}
    assert parse(text, both).index == IndexUrls("https://a.example/", "https://a.example/simple/")
    with pytest.raises(ReleaseError, match=r"no \[tool\.kfp-release\.index\]"):
        parse(text).require_index()


def test_an_image_that_is_not_configured_is_refused_with_those_that_are() -> None:
    with pytest.raises(ReleaseError, match=r"no image is called 'dem'") as caught:
        parse(GOOD + SECOND).image("dem")
    assert "there is: demo, second" in str(caught.value)


def test_all_problems_are_told_at_once_each_with_its_line() -> None:
    text = (
        GOOD.replace('package = "kubeflow_demo_components"', 'pakage = "kubeflow_demo_components"')
        .replace('components = "yaml"', "components = 3")
        .replace("context = ", "contexts = ")
        .replace("upload-url", "upload_url")
    )
    found = problems(text, {"KFP_RELEASE_BUILD_ARG_BAS": "x"})
    head = line_of(text, "[tool.kfp-release]")
    index = line_of(text, "[tool.kfp-release.index]")
    assert found == [
        "KFP_RELEASE_BUILD_ARG_BAS: no image's build-args in pyproject.toml declare 'BAS'\n  → declared are: BASE",
        f"pyproject.toml:{head}: tool.kfp-release.package is missing\n  → add package to [tool.kfp-release]",
        f"pyproject.toml:{head + 1}: tool.kfp-release.pakage is not known\n  → did you mean package?",
        (
            f"pyproject.toml:{head + 2}: tool.kfp-release.components must be a text, and is a number: 3"
            "\n  → write it in quotes"
        ),
        (
            f"pyproject.toml:{line_of(text, 'contexts')}: tool.kfp-release.images.demo.contexts is not known"
            "\n  → did you mean context?"
        ),
        (
            f"pyproject.toml:{index}: tool.kfp-release.index.upload-url is missing"
            "\n  → add upload-url to [tool.kfp-release.index]"
        ),
        f"pyproject.toml:{index + 1}: tool.kfp-release.index.upload_url is not known\n  → did you mean upload-url?",
    ]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('name = "kubeflow-demo-components"', "", "project.name is missing"),
        ('name = "kubeflow-demo-components"', 'name = "a b"', "'a b' is not the name of a distribution"),
        ("[project]", "[projekt]", "there is no [project] table"),
        ("[tool.kfp-release]", "[tool.kfp_release]", "is missing"),
        ('"kubeflow_demo_components"', '"kubeflow-demo"', "'kubeflow-demo' is not the name of a package"),
        ('"kubeflow_demo_components"', '"import"', "'import' is not the name of a package"),
        ('"yaml"', '"/yaml"', "'/yaml' is not a path inside of the project"),
        ('"yaml"', '"../yaml"', "'../yaml' is not a path inside of the project"),
        ('"yaml"', '"."', "'.' is not a path inside of the project"),
        ('"yaml"', '""', "'' is not a path inside of the project"),
        ('"yaml"', "'C:\\yaml'", "is not a path inside of the project"),
        ('"yaml"', '"C:/yaml"', "names a drive"),
        ('"https://github.com/', '"http://github.com/', "is not https"),
        ('["src/kfp_release"]', '["a", "a/"]', "names 'a' twice"),
        ('["src/kfp_release"]', '["a", 1]', "must be a list of texts, and holds 1"),
        ('["src/kfp_release"]', '"a"', "must be a list, and is a text: a"),
        ("images.demo]", "images.'de mo']", "'de mo' is no name of an image"),
        (f'"{ECR}/demo"', f'"{ECR}/demo:1.2"', "carries a tag"),
        (f'"{ECR}/demo"', f'"{ECR}/demo@sha256:1"', "carries a digest"),
        (f'"{ECR}/demo"', '"demo"', "'demo' is not a repository"),
        (f'"{ECR}/demo"', "true", "must be a text, and is true or false: True"),
        ("context = ", 'platform = "amd64"\ncontext = ', "'amd64' is not a platform"),
        ("context = ", 'interpreter = "python3"\ncontext = ', "cannot start a script"),
        ("context = ", 'mutable-tags = "true"\ncontext = ', "mutable-tags must be true or false, and is a text"),
        ("context = ", 'interpreter = "/opt/my app/python"\ncontext = ', "cannot start a script"),
        ("context = ", 'dockerfile = "../Dockerfile"\ncontext = ', "is not a path inside of the project"),
        ("context = ", 'lock = "../training.lock"\ncontext = ', "is not a path inside of the project"),
        ("context = ", 'extra = ["training"]\ncontext = ', "extra must be a text, and is a list"),
        ("context = ", 'extra = ""\ncontext = ', "'' is not the name of an extra"),
        ("context = ", 'extra = "a b"\ncontext = ', "'a b' is not the name of an extra"),
        ('BASE = "python:3.12"', "BASE = 3", "BASE must be a text, and is a number: 3"),
        ('BASE = "python:3.12"', 'BASE = "a\\nb"', "has control characters"),
        ('BASE = "python:3.12"', '"A-B" = "x"', "'A-B' is no name of a build argument"),
        ('upload-url = "https://pypi.example/"', 'upload-url = "ftp://pypi.example/"', "is not https"),
    ],
)
def test_a_wrong_value_is_named_with_its_key(old: str, new: str, says: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new)
    found = problems(text)
    assert any(says in problem for problem in found), found
    assert all(problem.startswith("pyproject.toml:") for problem in found)
    assert all("\n  → " in problem for problem in found)


def test_a_misspelt_table_is_named() -> None:
    text = GOOD.replace("[tool.kfp-release", "[tool.kfp_release")
    assert problems(text) == [
        (
            f"pyproject.toml:{line_of(text, '[tool.kfp_release]')}: there is no [tool.kfp-release] table"
            "\n  → rename [tool.kfp_release] to [tool.kfp-release]"
        )
    ]


def test_a_table_whose_name_is_misspelt_once_is_named_beside_what_is_missing() -> None:
    text = GOOD.replace("[tool.kfp-release]", "[tool.kfp_release]")
    line = line_of(text, "[tool.kfp_release]")
    wanted = (
        f"pyproject.toml:{line}: tool.kfp_release is not known\n  → rename [tool.kfp_release] to [tool.kfp-release]"
    )
    assert wanted in problems(text)
    assert any("tool.kfp-release.package is missing" in problem for problem in problems(text))


@pytest.mark.parametrize("images", ["", "images = {}", "[tool.kfp-release.images]"])
def test_a_configuration_without_images_is_refused(images: str) -> None:
    text = GOOD[: GOOD.index("[tool.kfp-release.images.demo]")] + images
    assert any("names no image" in problem for problem in problems(text))


def test_two_images_with_one_repository_are_refused() -> None:
    text = GOOD + SECOND.replace(f"{ECR}/second", f"{ECR}/demo")
    (found,) = problems(text)
    assert f"images demo and second have one repository, {ECR}/demo" in found


def test_two_registries_that_become_one_must_not_have_the_same_names() -> None:
    text = GOOD + SECOND.replace(f"{ECR}/second", "other.example/demo")
    parse(text)
    (found,) = problems(text, {"KFP_RELEASE_REGISTRY": "127.0.0.1:5000"})
    assert "have one repository on KFP_RELEASE_REGISTRY=127.0.0.1:5000" in found


@pytest.mark.parametrize("host", ["http://127.0.0.1:5000", "127.0.0.1:5000/x", "a b"])
def test_a_wrong_registry_is_told_once_however_many_images_there_are(host: str) -> None:
    (found,) = problems(GOOD + SECOND, {"KFP_RELEASE_REGISTRY": host})
    assert found.startswith(f"KFP_RELEASE_REGISTRY: {host!r} is not a registry host")


def test_a_build_argument_that_no_image_declares_is_refused() -> None:
    text = GOOD.replace('BASE = "python:3.12"', "")
    (found,) = problems(text, {"KFP_RELEASE_BUILD_ARG_BASE": "x"})
    assert "no image declares one" in found


@pytest.mark.parametrize("variable", ["KFP_RELEASE_SIMPLE_URL", "TWINE_REPOSITORY_URL"])
@pytest.mark.parametrize("url", ["https://user:hunter2@pypi.example/", "https://pypi.example/?token=hunter2"])
def test_a_secret_in_a_url_is_refused_and_never_shown(variable: str, url: str) -> None:
    (found,) = problems(GOOD, {variable: url})
    assert found.startswith(f"{variable}: the URL ")
    assert "hunter2" not in found
    (found,) = problems(GOOD.replace("https://pypi.example/simple/", url))
    assert "hunter2" not in found


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"a = \xff\n", "pyproject.toml:1: the file is not UTF-8"),
        (b"[project]\na = \n", "pyproject.toml:2: the file is not TOML"),
        (b"a = " + b"[" * 100_000, "pyproject.toml: the file is not TOML"),
        (b"a = " + b"9" * 5000, "pyproject.toml: the file is not TOML"),
        (b"", "there is no [project] table"),
        (b"tool = 3", "there is no [tool.kfp-release] table"),
        (b"tool = {kfp-release = 3}", "tool.kfp-release must be a table, and is a number: 3"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(Problems) as caught:
        Config.parse(data, {})
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://pypi.example", "https://pypi.example:8443/a/b/", "http://127.0.0.1:1/", "http://[::1]:80/s/"]
)
def test_a_url_is_https_or_local(url: str) -> None:
    assert parse_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "pypi.example",
        "http://pypi.example/",
        "http://127.0.0.1.example/",
        "https://",
        "https:///a",
        "https://[::1/",
        "https://a:b/",
        "https://a:99999/",
        "https://a b/",
        "https://a\n.example/",
        "file:///etc/passwd",
        "https://a@b.example/",
        "https://b.example/#a",
    ],
)
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(ReleaseError):
        parse_url(url)


@given(st.binary())
def test_any_bytes_are_a_configuration_or_problems(data: bytes) -> None:
    with pytest.raises(Problems):
        Config.parse(data, {})


VALUES = st.one_of(
    st.text(string.printable, max_size=12).map(lambda text: f"'''{text.replace(chr(39), '')}'''"),
    st.sampled_from(["3", "true", "[]", "{}", "[[]]", "1979-05-27", "'a@b/c:d'", "nan", "{a.b = 1}"]),
)
KEYS = (
    "package",
    "components",
    "source",
    "extra-projects",
    "images",
    "index",
    "images.demo",
    "index.upload-url",
    "signing-key",
)


@given(st.sampled_from(KEYS), VALUES, st.dictionaries(st.sampled_from(["KFP_RELEASE_REGISTRY"]), st.text(max_size=9)))
def test_whatever_stands_at_a_key_only_problems_come_out(key: str, value: str, environ: dict[str, str]) -> None:
    text = f"[project]\nname = 'a'\n[tool.kfp-release]\n{key} = {value}\n"
    with contextlib.suppress(Problems):
        parse(text, environ)


@given(st.text())
def test_any_text_is_a_url_or_a_release_error(text: str) -> None:
    for candidate in (text, f"https://{text}"):
        with contextlib.suppress(ReleaseError):
            assert parse_url(candidate) == candidate


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n" + "a." * 60_000 + "a = 1", "pyproject.toml:2: a key has more than 64 parts"),
        ("x = {" + "'a' . \"b\"." * 60_000 + "c = 1}", "pyproject.toml:1: a key has more than 64 parts"),
        ("[" + ".".join(["a"] * 65) + "]", "pyproject.toml:1: a key has more than 64 parts"),
        ("#" * (1 << 20) + "\n", "pyproject.toml: the file has 1,048,577 bytes"),
        ("x = " + "[" * 100_000, "pyproject.toml: the file is not TOML"),
        ("x = " + "9" * 100_000, "pyproject.toml: the file is not TOML"),
    ],
)
def test_a_file_that_would_take_the_machine_is_refused(text: str, message: str) -> None:
    with pytest.raises(Problems) as caught:
        parse(text)
    assert message in str(caught.value)


def test_many_short_keys_and_dotted_words_are_no_harm() -> None:
    words = " ".join(["a.b.c"] * 100)
    assert parse(GOOD + f"\n[tool.other]\nx = '{words}'\n" + ".".join(["a"] * 60) + " = 1\n")


def test_the_folder_of_component_files_is_read_whatever_else_is_wrong() -> None:
    assert declared_components("v1.0:pyproject.toml", GOOD.encode()) == ("kubeflow-demo-components", "yaml")
    odd = b'[project]\nname = 3\n[tool.kfp-release]\ncomponents = "a/b"\nplattform = 1\n'
    assert declared_components("v1.0:pyproject.toml", odd) == ("", "a/b")
    assert declared_components("v1.0:pyproject.toml", b"") == ("", "")


@pytest.mark.parametrize(("text", "line"), [("[tool.kfp-release]\ncomponents = '../x'\n", ":2"), ("a = [", "")])
def test_a_folder_that_is_none_is_told_with_the_name_of_the_file(text: str, line: str) -> None:
    with pytest.raises(Problems) as caught:
        declared_components("v1.0:pyproject.toml", text.encode())
    assert str(caught.value).startswith(f"v1.0:pyproject.toml{line}: ")
