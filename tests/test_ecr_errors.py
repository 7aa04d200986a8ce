"""What AWS and botocore say, as one line with a remedy, and without the secrets that stand in some of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import boto3
import pytest
from botocore import exceptions as aws
from botocore.stub import Stubber
from conftest import kfp_release, run_git
from ecr_fixtures import ACCESS_KEY, HOST, REGION, SECRET_KEY
from scripted import answering

from kfp_release.ecr import EcrRepository, open_ecr
from kfp_release.ecr_errors import EcrError, unanswered
from kfp_release.image_ref import Repository

TOKEN = "a-session-token-that-nobody-may-see"  # noqa: S105 - of nothing
CANONICAL = f"The Canonical String for this request should have been 'POST x-amz-security-token:{TOKEN}'"


def store_of(name: str) -> tuple[EcrRepository, Stubber]:
    client = boto3.session.Session().client(
        "ecr", region_name=REGION, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY
    )
    return EcrRepository(client, Repository.parse(f"{HOST}/{name}")), Stubber(client)


def refusal(code: str, words: str = "AWS's own words") -> EcrError:
    store, stubber = store_of("team/demo")
    stubber.add_client_error("describe_repositories", code, words, 400)
    with stubber, pytest.raises(EcrError) as caught:
        store.describe()
    return caught.value


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("ImageDigestDoesNotMatchException", "changed on its way: run this again"),
        ("InvalidParameterException", "correct the repository in [tool.kfp-release.images]"),
        ("LayersNotFoundException", "look what removes layers"),
        ("ReferencedImagesNotFoundException", "push the images that this one names"),
        ("SomethingNewException", "look the code up in the Amazon ECR API Reference"),
        ("404", "look the code up"),
    ],
)
def test_each_refusal_says_what_to_do(code: str, remedy: str) -> None:
    error = refusal(code)
    assert remedy in error.remedy
    assert error.code == code


@pytest.mark.parametrize(
    ("status", "remedy"), [(429, "too many calls at once"), (502, "a fault of its own"), (404, "look the code up")]
)
def test_the_answer_of_a_gateway_without_a_code_says_what_to_do_too(status: int, remedy: str) -> None:
    store, stubber = store_of("team/demo")
    stubber.add_client_error("describe_repositories", str(status), "", status)
    with stubber, pytest.raises(EcrError) as caught:
        store.describe()
    assert remedy in caught.value.remedy


def test_a_gateway_that_gives_no_code_at_all_is_told_by_its_status() -> None:
    store, stubber = store_of("team/demo")
    stubber.add_client_error("describe_repositories", "", "", 403)
    with stubber, pytest.raises(EcrError, match=r"HTTP 403\n.*is AWS_ENDPOINT_URL_ECR the URL of ECR, and no proxy"):
        store.describe()


@pytest.mark.parametrize(
    "error", [aws.NoRegionError(), aws.ParamValidationError(report="too short")], ids=["region", "parameter"]
)
def test_the_settings_of_ecr_are_no_remedy_for_other_services(error: aws.BotoCoreError) -> None:
    told = {service: unanswered(error, where="there", service=service).remedy for service in ("ecr", "s3")}
    assert told["ecr"] != told["s3"]
    assert "ECR" not in told["s3"]
    assert "images" not in told["s3"]


def test_user_and_password_of_an_endpoint_are_not_repeated() -> None:
    error = aws.EndpointResolutionError(msg=f"Custom endpoint `http://user:{TOKEN}@host/` was not a valid URI")
    assert "endpoint `http://host/` was not" in str(unanswered(error, where="there", service="s3"))


def test_what_aws_says_is_one_line() -> None:
    assert refusal("ServerException", "first\nsecond\r\n third").args[0].endswith("ServerException: first second third")


def test_a_name_that_ecr_cannot_have_is_one_line_and_says_where_it_stands() -> None:
    store, _ = store_of("a")
    with pytest.raises(EcrError, match=r"repositoryNames\[0\], value: 1, valid min length: 2") as caught:
        store.describe()
    assert "\n" not in caught.value.args[0]
    assert "[tool.kfp-release.images]" in caught.value.remedy


@pytest.mark.parametrize(
    "body", ["[]", '"text"', "null", '{"repositories": 3}', '{"repositories": [{"createdAt": "yesterday"}]}']
)
def test_an_answer_of_another_form_is_no_bug_of_ours(monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    with answering(200, body.encode()) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", url)
        with pytest.raises(
            EcrError, match="answers describe_repositories with something that ECR does not say"
        ) as caught:
            open_ecr(Repository.parse(f"{HOST}/team/demo")).describe()
    assert "AWS_ENDPOINT_URL_ECR" in caught.value.remedy


def test_a_traceback_does_not_say_what_the_message_leaves_out(scratch_project: Path) -> None:
    run_git(scratch_project, "tag", "v1.0")
    with answering(400, f'{{"__type": "InvalidSignatureException", "message": "{CANONICAL}"}}'.encode()) as url:
        ended = kfp_release(
            ["--debug", "plan", "v1.0"],
            cwd=scratch_project,
            environ={
                "AWS_ACCESS_KEY_ID": "AKIA",
                "AWS_SECRET_ACCESS_KEY": "key",
                "AWS_SESSION_TOKEN": TOKEN,
                "AWS_ENDPOINT_URL_ECR": url,
                "AWS_EC2_METADATA_DISABLED": "true",
            },
        )
    assert ended.returncode == 1
    assert "InvalidSignatureException" in ended.stderr
    assert "Traceback" in ended.stderr
    assert TOKEN not in ended.stderr


@pytest.mark.parametrize(("hours", "told"), [(1, "60 minutes behind"), (-1, "60 minutes ahead of"), (0, "")])
def test_a_clock_that_is_wrong_is_told_with_how_much(hours: int, told: str) -> None:
    store, stubber = store_of("team/demo")
    date = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
    stubber.add_client_error(
        "describe_repositories",
        "InvalidSignatureException",
        CANONICAL,
        400,
        response_meta={"HTTPHeaders": {"date": date}},
    )
    with stubber, pytest.raises(EcrError) as caught:
        store.describe()
    assert TOKEN not in str(caught.value)
    assert ("this machine's clock is " in caught.value.args[0]) == bool(told)
    assert told in caught.value.args[0]
    assert ("set this machine's clock" in caught.value.remedy) == bool(told)


@pytest.mark.parametrize("date", ["", "soon", "Fri, 99 Foo 2026 00:00:00 GMT", "1 Jan 2020 00:00:00"])
def test_a_date_that_is_none_says_nothing_of_the_clock(date: str) -> None:
    store, stubber = store_of("team/demo")
    meta = {"HTTPHeaders": {"date": date}}
    stubber.add_client_error("describe_repositories", "SignatureDoesNotMatch", "", 400, response_meta=meta)
    with stubber, pytest.raises(EcrError, match="or this machine's clock is wrong") as caught:
        store.describe()
    assert "minutes" not in str(caught.value)


def test_a_traceback_shows_the_cause_of_any_other_refusal() -> None:
    assert "AWS's own words" in str(refusal("ServerException").__cause__)
    assert refusal("SignatureDoesNotMatch", CANONICAL).__cause__ is None
