"""Credentials that cannot be had or sent: each source is blamed for its own, and no secret is repeated."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from traceback import format_exception

import pytest
from ecr_fixtures import HOST
from scripted import answering

from kfp_release.ecr import open_ecr
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository

REPOSITORY = Repository.parse(f"{HOST}/team/demo")
ROLE = "arn:aws:iam::123456789012:role/releaser"
SECRET = "a-secret-that-nobody-may-see"  # noqa: S105 - of nothing
USER = f"[profile user]\naws_access_key_id = AKIAUSER\naws_secret_access_key = {SECRET}\n"
ASSUMED = f"[profile releaser]\nrole_arn = {ROLE}\nsource_profile = user\n"


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets variables of AWS, after all that the machine has; nothing on it is asked for credentials."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    nothing = {"CONFIG_FILE": "/dev/null", "SHARED_CREDENTIALS_FILE": "/dev/null", "EC2_METADATA_DISABLED": "true"}

    def put(**variables: str) -> None:
        for name, text in {**nothing, **variables}.items():
            monkeypatch.setenv(f"AWS_{name}", text)

    return put


@pytest.fixture
def profile(environ: Callable[..., None], tmp_path: Path) -> Callable[..., None]:
    """Puts a text into AWS's configuration file, and a profile of it into the environment."""

    def put(text: str, **variables: str) -> None:
        (tmp_path / "config").write_text(text, encoding="utf-8")
        environ(CONFIG_FILE=str(tmp_path / "config"), **variables)

    return put


def refused(message: str) -> EcrError:
    with pytest.raises(EcrError, match=message) as caught:
        open_ecr(REPOSITORY)
    assert str(REPOSITORY) in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "\n" not in caught.value.args[0]
    assert "AWS_ENDPOINT_URL_ECR" not in caught.value.remedy
    return caught.value


SOURCES = {
    "a token file that is missing": (
        {"WEB_IDENTITY_TOKEN_FILE": "/nowhere/token", "ROLE_ARN": ROLE},
        "No such file or directory: '/nowhere/token'",
    ),
    "a container's token file that is missing": (
        {
            "CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/credentials",
            "CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nowhere/token",
        },
        "No such file or directory: '/nowhere/token'",
    ),
    "a container's host that is none": (
        {"CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/credentials"},
        "Unsupported host 'example.com'",
    ),
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_that_cannot_be_used_is_named_with_the_variables_that_lead_to_it(
    environ: Callable[..., None], name: str
) -> None:
    variables, message = SOURCES[name]
    environ(**variables)
    error = refused(message)
    assert "AWS_WEB_IDENTITY_TOKEN_FILE" in error.remedy
    assert "credential_process" in error.remedy


PROGRAMS = {
    "/nowhere/program": "No such file or directory: '/nowhere/program'",
    "echo no JSON": "Expecting value",
    "echo '[]'": "'list' object has no attribute 'get'",
    "echo 'unended": "No closing quotation",
}


def test_a_program_that_gives_a_number_for_a_key_is_told(profile: Callable[..., None]) -> None:
    given = json.dumps({"Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": 123})
    profile(f"[default]\ncredential_process = echo '{given}'\n")
    refused("the AWS secret access key for .* holds a character that none has")


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_that_gives_no_credentials_is_no_fault_of_the_endpoint(
    profile: Callable[..., None], program: str
) -> None:
    profile(f"[default]\ncredential_process = {program}\n")
    assert "credential_process" in refused(PROGRAMS[program]).remedy


def test_what_a_program_that_fails_says_is_one_line(profile: Callable[..., None]) -> None:
    profile("[default]\ncredential_process = sh -c 'printf \"log in\\\\nfirst\\\\n\" >&2; exit 1'\n")
    assert "log in" in refused("cannot be had: .*log in.*first").remedy


def test_a_profile_whose_source_is_missing_says_which_file_to_mend(profile: Callable[..., None]) -> None:
    profile(ASSUMED, PROFILE="releaser")
    assert "~/.aws/config" in refused('source_profile "user" referenced in the profile "releaser"').remedy


def test_a_configuration_that_is_none_says_which_file_to_mend(profile: Callable[..., None], tmp_path: Path) -> None:
    profile("nonsense\n")
    assert "AWS_CONFIG_FILE" in refused(f"Unable to parse config file: {tmp_path}/config").remedy


MFA = """
import sys
from kfp_release.ecr import open_ecr
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
try:
    open_ecr(Repository.parse(sys.argv[1]))
except ReleaseError as error:
    print(error)
"""


def test_a_code_that_nobody_can_type_is_told(profile: Callable[..., None]) -> None:
    profile(f"{ASSUMED}mfa_serial = arn:aws:iam::123456789012:mfa/user\n{USER}", PROFILE="releaser")
    ended = subprocess.run(
        [sys.executable, "-c", MFA, str(REPOSITORY)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # with no terminal, whoever runs the test
    )
    assert ended.returncode == 0, ended.stderr
    assert "a code is asked for, and nobody can type it here" in ended.stdout
    assert "mfa_serial" in ended.stdout


@pytest.mark.parametrize(
    ("variable", "what"),
    [
        ("ACCESS_KEY_ID", "access key id"),
        ("SECRET_ACCESS_KEY", "secret access key"),
        ("SESSION_TOKEN", "session token"),
    ],
)
@pytest.mark.parametrize("end", ["\n", " ", "\r", "é", "\x7f"])
def test_a_key_that_cannot_be_sent_is_named_and_not_repeated(
    environ: Callable[..., None], variable: str, what: str, end: str
) -> None:
    good = {"ACCESS_KEY_ID": "AKIA", "SECRET_ACCESS_KEY": "key", "SESSION_TOKEN": "token"}
    environ(**{**good, variable: f"{SECRET}{end}"})
    error = refused(rf"the AWS {what} for .* \(source: env\) holds a character that none has")
    assert "$(cat FILE)" in error.remedy


BAD_ENDPOINTS = {
    "http://127.0.0.1:99999": "Port out of range",
    "http://127.0.0.1:0": "Invalid endpoint",
    "http://[::1": "Invalid IPv6 URL",
    "ftp://127.0.0.1": "Invalid endpoint: ftp://127.0.0.1",
    f"ftp://user:{SECRET}@127.0.0.1": "Invalid endpoint: ftp://127.0.0.1",
    f"http://user:{SECRET}@127.0.0.1:1/x?token={SECRET}": "endpoint http://127.0.0.1:1/x has a query or a fragment",
    f"http://127.0.0.1:1/#{SECRET}": "endpoint http://127.0.0.1:1/ has a query or a fragment",
    f"http://no!host/?token={SECRET}": "Invalid endpoint: http://no!host/",
    "localhost:5000": "Invalid endpoint: localhost:5000",
}


@pytest.mark.parametrize("url", BAD_ENDPOINTS)
def test_an_endpoint_that_cannot_be_asked_is_no_fault_of_the_credentials(
    environ: Callable[..., None], url: str
) -> None:
    environ(ACCESS_KEY_ID="AKIA", SECRET_ACCESS_KEY=SECRET, ENDPOINT_URL_ECR=url)
    with pytest.raises(ReleaseError, match=BAD_ENDPOINTS[url]) as caught:
        open_ecr(REPOSITORY)
    assert SECRET not in "".join(format_exception(caught.value))
    assert "AWS_ENDPOINT_URL_ECR" in caught.value.remedy


@contextmanager
def sts(code: str) -> Iterator[str]:
    """Refuses to hand out a role, with words that nobody should repeat."""
    words = f"<Error><Code>{code}</Code><Message>token:{SECRET}</Message></Error>"
    with answering(403, f"<ErrorResponse>{words}</ErrorResponse>".encode()) as url:
        yield url


def test_a_role_that_may_not_be_taken_is_refused_by_another_service_than_ecr(profile: Callable[..., None]) -> None:
    with sts("SignatureDoesNotMatch") as url:
        profile(f"{ASSUMED}{USER}", PROFILE="releaser", ENDPOINT_URL_STS=url)
        error = refused("cannot be had: AssumeRole was refused: SignatureDoesNotMatch\n")
    assert error.__cause__ is None
    assert "the role" in error.remedy


def test_a_source_that_does_not_answer_is_no_silent_ecr(profile: Callable[..., None]) -> None:
    profile(f"{ASSUMED}{USER}", PROFILE="releaser", ENDPOINT_URL_STS="http://127.0.0.1:1")
    assert "network" in refused("their source does not answer: EndpointConnectionError").remedy


def keys(*, end: datetime) -> str:
    return json.dumps(
        {
            "Version": 1,
            "AccessKeyId": "AKIA",
            "SecretAccessKey": SECRET,
            "SessionToken": "token",
            "Expiration": end.isoformat(),
        }
    )


def test_keys_that_have_ended_when_they_are_given_are_told(profile: Callable[..., None]) -> None:
    profile(f"[default]\ncredential_process = echo '{keys(end=datetime(2020, 1, 1, tzinfo=UTC))}'\n")
    refused("still expired")


def test_a_source_that_fails_while_the_work_goes_on_is_no_fault_of_the_endpoint(
    profile: Callable[..., None], tmp_path: Path
) -> None:
    """Keys that end in a minute are renewed before every call; the program goes with its second run."""
    program = tmp_path / "program"
    soon = keys(end=datetime.now(UTC) + timedelta(minutes=1))
    program.write_text(f'#!/bin/sh\necho \'{soon}\'\ntest -e "$0.ran" && rm "$0"\ntouch "$0.ran"\n', encoding="utf-8")
    program.chmod(0o700)
    profile(f"[default]\ncredential_process = {program}\n", ENDPOINT_URL_ECR="http://127.0.0.1:1")
    store = open_ecr(REPOSITORY)
    with pytest.raises(EcrError, match=f"cannot be had: .*No such file or directory: '{program}'"):
        store.describe()
