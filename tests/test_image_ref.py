"""Names of images."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import BadImageName, ImageRef, Registry, Repository, has_digest, repository_of

ECR = "533211398604.dkr.ecr.eu-north-1.amazonaws.com"
DIGEST = Digest.of(b"")


@pytest.mark.parametrize(
    ("host", "account", "region"),
    [
        (ECR, "533211398604", "eu-north-1"),
        ("533211398604.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "533211398604", "us-gov-west-1"),
        ("533211398604.dkr.ecr.cn-north-1.amazonaws.com.cn", "533211398604", "cn-north-1"),
        ("533211398604.dkr-ecr.eu-west-1.on.aws", "533211398604", "eu-west-1"),
        ("registry.example", None, None),
        ("127.0.0.1:5000", None, None),
        ("localhost:5000", None, None),
        ("[::1]:5000", None, None),
    ],
)
def test_account_and_region_are_read_from_an_ecr_host(host: str, account: str | None, region: str | None) -> None:
    repository = Repository.parse(f"{host}/team/demo")
    assert (repository.host, repository.name) == (host, "team/demo")
    assert (repository.account, repository.region) == (account, region)
    assert str(repository) == f"{host}/team/demo"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "demo",
        "team/demo",
        f"{ECR}/",
        f"{ECR}/Demo",
        f"{ECR}/demo:1.2",
        f"{ECR}/demo@{DIGEST}",
        f"{ECR}/demo/",
        f"{ECR}//demo",
        f"https://{ECR}/demo",
        f"user@{ECR}/demo",
        "registry.example:99999/demo",
        "registry.example:/demo",
        "-option.example/demo",
        "registry.example/demo\n",
        f"{ECR}/" + "d" * 250,
    ],
)
def test_what_is_no_repository_is_refused(text: str) -> None:
    with pytest.raises(BadImageName, match="is not a repository"):
        Repository.parse(text)


def test_a_repository_on_another_host_keeps_its_account() -> None:
    there = Repository.parse(f"{ECR}/demo").at_host("127.0.0.1:5000")
    assert str(there) == "127.0.0.1:5000/demo"
    assert (there.account, there.region) == ("533211398604", "eu-north-1")


def test_a_repository_on_the_host_of_another_account_is_that_accounts() -> None:
    there = Repository.parse(f"{ECR}/demo").at_host("111122223333.dkr.ecr.eu-west-1.amazonaws.com")
    assert (there.name, there.account, there.region) == ("demo", "111122223333", "eu-west-1")


@pytest.mark.parametrize(
    "host", ["", "127.0.0.1:5000/", "http://127.0.0.1", "a b", "127.0.0.1:70000", "nodots", "a." * 200 + "b"]
)
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(BadImageName, match="write host or host:port"):
        Repository.parse(f"{ECR}/demo").at_host(host)


@pytest.mark.parametrize(
    ("registry", "expected"),
    [
        ("111122223333.dkr.ecr.eu-west-1.amazonaws.com", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/demo"),
        ("mirror.example:5000/ecr/prod", "mirror.example:5000/ecr/prod/team/demo"),
        ("127.0.0.1:5000", "127.0.0.1:5000/team/demo"),
    ],
)
def test_a_registry_takes_the_hosts_place_and_puts_its_prefix_before_the_name(registry: str, expected: str) -> None:
    assert str(Repository.parse(f"{ECR}/team/demo").at_registry(Registry.parse(registry))) == expected
    assert str(Registry.parse(registry)) == registry


def test_on_another_ecr_account_and_region_are_that_ecrs_and_elsewhere_they_stay() -> None:
    demo = Repository.parse(f"{ECR}/team/demo")
    there = demo.at_registry(Registry.parse("111122223333.dkr.ecr.eu-west-1.amazonaws.com/prod"))
    assert (there.account, there.region) == ("111122223333", "eu-west-1")
    here = demo.at_registry(Registry.parse("127.0.0.1:5000/prod"))
    assert (here.account, here.region) == (demo.account, demo.region)
    assert there.is_at_ecr
    assert not here.is_at_ecr


@pytest.mark.parametrize(
    ("host", "same"),
    [
        (ECR, True),
        (ECR.replace(".ecr.", ".ecr-fips."), True),
        (ECR.replace(".eu-", ".us-"), False),
        ("111122223333" + ECR[12:], False),
        ("127.0.0.1:5000", False),
    ],
)
def test_names_of_one_registry_are_the_same_and_a_host_that_is_no_ecr_is_itself_alone(host: str, *, same: bool) -> None:
    demo = Repository.parse(f"{ECR}/team/demo")
    assert demo.is_same(demo.at_host(host)) is demo.at_host(host).is_same(demo) is same
    assert demo.at_host(host).is_same(demo.at_host(host))
    assert not demo.is_same(Repository.parse(f"{ECR}/team/other"))


@pytest.mark.parametrize(
    "text", ["", "/", "host.example/", "https://host.example", "nodots", "host.example/Upper", "host.example/a//b"]
)
def test_what_is_no_registry_is_refused(text: str) -> None:
    with pytest.raises(BadImageName, match="write HOST or HOST/PREFIX"):
        Registry.parse(text)


def test_a_pin_has_repository_tag_and_digest() -> None:
    text = f"localhost:5000/demo:1.2@{DIGEST}"
    ref = ImageRef.parse(text)
    assert (str(ref.repository), ref.tag, ref.digest) == ("localhost:5000/demo", "1.2", DIGEST)
    assert str(ref) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{ECR}/demo", "lacks a tag or a digest"),
        (f"{ECR}/demo:1.2", "lacks a tag or a digest"),
        (f"localhost:5000/demo@{DIGEST}", "lacks a tag or a digest"),
        (f"{ECR}/demo:1.2@sha256:abc", "is not a digest"),
        (f"{ECR}/demo:1+2@{DIGEST}", "is not an image tag"),
        (f"{ECR}/demo:{'t' * 129}@{DIGEST}", "is not an image tag"),
        (f"demo:1.2@{DIGEST}", "is not a repository"),
    ],
)
def test_what_is_no_pin_is_refused(text: str, says: str) -> None:
    with pytest.raises(ReleaseError, match=says):
        ImageRef.parse(text)


@given(
    st.one_of(st.text(), st.from_regex(r"[a-z0-9.\[\]:-]{1,20}/[a-z0-9._/-]{1,20}(:[a-z0-9+.]{1,9})?", fullmatch=True))
)
def test_any_text_is_an_image_or_a_release_error(text: str) -> None:
    for parse in (Repository.parse, ImageRef.parse, Registry.parse, Repository.parse("a.b/c").at_host):
        for candidate in (text, f"{text}@{DIGEST}"):
            with contextlib.suppress(ReleaseError):
                assert candidate in str(parse(candidate))


@pytest.mark.parametrize(
    ("image", "repository", "exact"),
    [
        ("python", "python", False),
        ("python:3.12", "python", False),
        ("localhost:5000/a/b", "localhost:5000/a/b", False),
        ("localhost:5000/a/b:1.0", "localhost:5000/a/b", False),
        (f"a/b@{DIGEST}", "a/b", True),
        (f"h:1/a/b:1@{DIGEST}", "h:1/a/b", True),
        (f"[::1]:5000/a:1@{DIGEST}", "[::1]:5000/a", True),
        ("a/b@sha256:short", "a/b", False),
        (f"a@b@{DIGEST}", "a", False),
        (f"@{DIGEST}", "", False),
        (f"a@{DIGEST}\n", "a", False),
    ],
)
def test_any_image_has_a_repository_and_perhaps_a_digest(image: str, repository: str, *, exact: bool) -> None:
    assert (repository_of(image), has_digest(image)) == (repository, exact)
