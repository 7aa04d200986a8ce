"""A version goes where its tag stays, and where pulls will find it."""

from __future__ import annotations

import pytest

from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.repository_state import RepositoryState
from kfp_release.version_home import require_home

HOST = "533211398604.dkr.ecr.eu-north-1.amazonaws.com"
REPOSITORY = Repository.parse(f"{HOST}/team/demo")


@pytest.mark.parametrize(
    ("mutability", "exclusions"),
    [
        ("IMMUTABLE", ()),
        ("IMMUTABLE_WITH_EXCLUSION", ("latest*",)),
        ("MUTABLE_WITH_EXCLUSION", ("1.*",)),
    ],
)
def test_a_repository_that_keeps_the_versions_tag_is_a_home(mutability: str, exclusions: tuple[str, ...]) -> None:
    require_home(REPOSITORY, RepositoryState(str(REPOSITORY), mutability, exclusions), "1.0")


@pytest.mark.parametrize(
    ("mutability", "exclusions"),
    [
        ("MUTABLE", ()),
        ("IMMUTABLE_WITH_EXCLUSION", ("1.*",)),
        ("MUTABLE_WITH_EXCLUSION", ("latest*",)),
        ("SOMETHING_NEW", ()),
    ],
)
def test_a_tag_that_could_be_moved_is_refused_with_the_command_that_fixes_it(
    mutability: str, exclusions: tuple[str, ...]
) -> None:
    with pytest.raises(ReleaseError, match=f"{mutability}: tag 1.0 could be moved") as caught:
        require_home(REPOSITORY, RepositoryState(str(REPOSITORY), mutability, exclusions), "1.0")
    assert "put-image-tag-mutability --repository-name team/demo --image-tag-mutability IMMUTABLE" in str(caught.value)
    assert "--registry-id 533211398604 --region eu-north-1" in str(caught.value)
    assert "mutable-tags = true" in str(caught.value)
    require_home(REPOSITORY, RepositoryState(str(REPOSITORY), mutability, exclusions), "1.0", mutable=True)


def test_a_setting_that_is_not_read_is_no_remedy() -> None:
    with pytest.raises(ReleaseError, match=r"tag 1\.0 could be moved") as caught:
        require_home(REPOSITORY, RepositoryState(str(REPOSITORY), "MUTABLE"), "1.0", mutable=None)
    assert "put-image-tag-mutability" in caught.value.remedy
    assert "mutable-tags" not in caught.value.remedy


def test_another_host_that_the_account_was_kept_for_is_another_registry() -> None:
    with pytest.raises(ReleaseError, match=r"pinned to ghcr\.io/team/demo, and ECR's answer says"):
        require_home(REPOSITORY.at_host("ghcr.io"), RepositoryState(str(REPOSITORY), "IMMUTABLE"), "1.0")


def test_a_registry_by_its_other_name_is_the_same() -> None:
    state = RepositoryState("533211398604.dkr-ecr.eu-north-1.on.aws/team/demo", "IMMUTABLE")
    require_home(REPOSITORY, state, "1.0")


@pytest.mark.parametrize(
    "uri", ["127.0.0.1:5000/team/demo", f"{HOST}/team/other", f"633211398604{HOST[12:]}/team/demo"]
)
def test_an_endpoint_of_another_registry_is_refused(uri: str) -> None:
    with pytest.raises(ReleaseError, match="KFP_RELEASE_REGISTRY"):
        require_home(REPOSITORY, RepositoryState(uri, "IMMUTABLE"), "1.0")
