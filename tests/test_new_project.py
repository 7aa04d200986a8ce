"""What a new repository is called: answers that are right, wrong and missing, and what follows from others."""

from __future__ import annotations

import pytest

from kfp_release.errors import Problems
from kfp_release.new_project import is_answered, parse_answers, refuse_wrong, source_of_remote

ECR = "533211398604.dkr.ecr.eu-north-1.amazonaws.com"
GIVEN = {
    "distribution": "forecasting-components",
    "repository": f"{ECR}/forecasting/parts",
    "source": "https://github.com/forecasting/components",
    "index-url": "https://pypi.data-science.example/simple/",
}


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--distribution", "../parts", "'../parts' is not the name of a distribution"),
        ("--distribution", "a\nb", "is not the name of a distribution"),
        ("--package", "1st", "'1st' is not the name of a package"),
        ("--package", "class", "'class' is not the name of a package"),
        ("--package", "a.b", "'a.b' is a package inside of another"),
        ("--package", "kfp", "'kfp' is another package's name"),
        ("--package", "json", "'json' is a module of Python itself"),
        ("--repository", f"{ECR}/parts:1.0", "carries a tag"),
        ("--repository", "parts", "'parts' is not a repository"),
        ("--repository", "ghcr.io/team/parts", "'ghcr.io/team/parts' is not in Amazon ECR"),
        ("--image", 'a"]', "is no name of an image"),
        ("--source", "http://example.com/parts", "is not https"),
        ("--source", 'https://example.com/"\n[x]', "characters no URL may have"),
        ("--source", 'https://example.com/a"b', "has characters that are not plain"),
        ("--index-url", "https://user:hunter2@pypi.example/simple/", "the URL carries credentials"),
        ("--upload-url", "ftp://pypi.example/", "is not https"),
    ],
)
def test_a_wrong_answer_is_named_with_its_option_alone(option: str, value: str, message: str) -> None:
    given = {**GIVEN, option.removeprefix("--"): value}
    for refuse in (refuse_wrong, lambda answers: parse_answers(answers, defaults={})):
        with pytest.raises(Problems) as caught:
            refuse(given)
        (problem,) = caught.value.problems
        assert problem.path == option
        assert message in problem.message
        assert problem.remedy
        assert "hunter2" not in str(problem)


def test_what_follows_from_others_needs_no_answer() -> None:
    answers = parse_answers(GIVEN, defaults={})
    followed = {name: text for name, text in answers.items() if name not in GIVEN}
    assert followed == {
        "package": "forecasting_components",
        "image": "parts",
        "upload-url": "https://pypi.data-science.example/",
    }


@pytest.mark.parametrize(
    ("index", "upload"),
    [
        ("https://a.example/simple", "https://a.example/"),
        ("https://a.example/api/pypi/team/simple/", "https://a.example/api/pypi/team/"),
        ("https://a.example/team/prod/+simple/", "https://a.example/team/prod/"),
        ("https://a.example/other/", "https://a.example/other/"),
    ],
)
def test_an_index_takes_uploads_beside_its_simple_pages(index: str, upload: str) -> None:
    assert parse_answers({**GIVEN, "index-url": index}, defaults={})["upload-url"] == upload


def test_given_answers_come_before_defaults_and_these_before_what_follows() -> None:
    answers = parse_answers({**GIVEN, "image": "mine"}, defaults={"image": "theirs", "package": "theirs"})
    assert (answers["image"], answers["package"]) == ("mine", "theirs")


def test_whether_somebody_is_to_be_asked() -> None:
    assert is_answered(GIVEN, defaults={})
    for name, value in GIVEN.items():
        left = {other: text for other, text in GIVEN.items() if other != name}
        assert not is_answered(left, defaults={})
        assert is_answered(left, defaults={name: value})


@pytest.mark.parametrize(
    ("remote", "page"),
    [
        ("git@github.com:forecasting/components.git", "https://github.com/forecasting/components"),
        ("https://github.com/forecasting/components", "https://github.com/forecasting/components"),
        ("ssh://git@git.example/team/parts.git", "https://git.example/team/parts"),
        ("ssh://git@git.example:2222/team/parts.git", "https://git.example/team/parts"),
        ("https://git.example:8443/team/parts.git", "https://git.example:8443/team/parts"),
        ("https://user:secret@github.com/a/b.git", ""),
        ("/srv/git/parts.git", ""),
        ("file:///srv/git/parts.git", ""),
    ],
)
def test_the_page_of_a_repository_follows_from_its_remote(remote: str, page: str) -> None:
    assert source_of_remote(remote) == page
