"""ECR is asked again as often as the user says, with waits of seconds, and each time is told, without a secret."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import dataclass, field

import pytest
from ecr_fixtures import ACCESS_KEY, HOST, SECRET_KEY
from scripted import ANY, Answer, scripted

from kfp_release.ecr import open_ecr
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.patience import Patience
from kfp_release.retry import Retry

REPOSITORY = Repository.parse(f"{HOST}/team/demo")
TOKEN = "a-session-token-that-nobody-may-see"  # noqa: S105 - of nothing
BUSY: Answer = (503, {}, b"{}")
GATEWAY: Answer = (502, {"Content-Type": "text/html"}, b"<html>Bad gateway</html>")
THROTTLED: Answer = (400, {}, b'{"__type": "ThrottlingException", "message": "Rate exceeded"}')
TOO_MANY: Answer = (429, {}, b"")
HALF: Answer = (200, {"Content-Length": "100", "Connection": "close"}, b'{"repositor')
LEAKING: Answer = (500, {}, json.dumps({"__type": "ServerException", "message": f"{SECRET_KEY} {TOKEN}"}).encode())


@dataclass
class Seen:
    """How often a question was asked, and what was told and waited in between."""

    times: int = 0
    notes: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        self.waits.append(round(seconds, 1))


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    return monkeypatch


def ask(environment: pytest.MonkeyPatch, answer: Answer, patience: Patience) -> Seen:
    seen = Seen()
    with scripted({ANY: answer}) as (url, asked):
        environment.setenv("AWS_ENDPOINT_URL_ECR", url)
        with pytest.raises(EcrError):
            open_ecr(REPOSITORY, Retry(patience, seen.notes.append, seen.wait)).describe()
        seen.times = len(asked)
    return seen


@pytest.mark.parametrize("answer", [BUSY, HALF])
@pytest.mark.parametrize("attempts", [1, 2, 4])
def test_it_is_asked_as_often_as_the_user_says_with_waits_of_seconds(
    environment: pytest.MonkeyPatch, attempts: int, answer: Answer
) -> None:
    seen = ask(environment, answer, Patience(attempts=attempts))
    assert seen.times == attempts
    # boto3 itself waits for some milliseconds of them.
    assert seen.waits == pytest.approx([0.5, 1.0, 2.0][: attempts - 1], abs=0.45)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (BUSY, "answered 503"),
        (GATEWAY, "answered 502"),
        (THROTTLED, r"answered 400 \(ThrottlingException\)"),
        (TOO_MANY, "answered 429"),
        (HALF, "answered half"),
        (LEAKING, r"answered 500 \(ServerException\)"),
    ],
)
def test_each_time_is_told_in_words_that_hold_no_secret(
    environment: pytest.MonkeyPatch, answer: Answer, why: str
) -> None:
    (note,) = ask(environment, answer, Patience(attempts=2)).notes
    # How long boto3 itself has waited by then is chance.
    assert re.fullmatch(rf"ECR: DescribeRepositories {why}, tried again( in 0\.\d+ s)? \(2 of 2\)", note)


def test_no_answer_is_told_with_its_kind(environment: pytest.MonkeyPatch) -> None:
    seen = Seen()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        environment.setenv("AWS_ENDPOINT_URL_ECR", f"http://user:{TOKEN}@127.0.0.1:{nobody.getsockname()[1]}")
        with pytest.raises(EcrError, match="does not answer: EndpointConnectionError"):
            open_ecr(REPOSITORY, Retry(Patience(attempts=2), seen.notes.append, seen.wait)).describe()
    (note,) = seen.notes
    assert note.startswith("ECR: DescribeRepositories gave no answer (EndpointConnectionError), tried again in 0.")
    assert TOKEN not in note


@pytest.mark.parametrize("code", ["AccessDeniedException", "ExpiredTokenException", "ImageNotFoundException"])
def test_what_does_not_pass_is_not_asked_again(environment: pytest.MonkeyPatch, code: str) -> None:
    seen = ask(environment, (400, {}, json.dumps({"__type": code}).encode()), Patience())
    assert (seen.times, seen.notes, seen.waits) == (1, [], [])


@pytest.mark.parametrize("answer", [BUSY, HALF])
@pytest.mark.parametrize("mode", ["standard", "legacy", "adaptive"])
def test_the_variables_of_aws_go_before(environment: pytest.MonkeyPatch, mode: str, answer: Answer) -> None:
    environment.setenv("AWS_MAX_ATTEMPTS", "3")
    environment.setenv("AWS_RETRY_MODE", mode)
    seen = ask(environment, answer, Patience(attempts=9))
    assert seen.times == 3
    assert [note[-8:] for note in seen.notes] == ["(2 of 3)", "(3 of 3)"]


@pytest.mark.parametrize("variable", ["AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE"])
@pytest.mark.parametrize("value", ["0", "many"])
def test_a_wrong_value_of_aws_variables_is_told_with_a_remedy(
    environment: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    environment.setenv(variable, value)
    with pytest.raises(ReleaseError, match=r"max_attempts|mode") as caught:
        open_ecr(REPOSITORY)
    assert "set it" in caught.value.remedy or "AWS_*" in caught.value.remedy
