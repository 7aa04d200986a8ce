"""What AWS refuses, and what botocore raises when it cannot ask: one error, with a remedy, without secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from botocore import exceptions as aws

from kfp_release.errors import ReleaseError
from kfp_release.terminal_text import one_line

SERVICES = {"ecr": "ECR", "codeartifact": "CodeArtifact", "s3": "S3", "kms": "KMS"}
"""Those of AWS that are asked, as boto3 calls them and as people do."""
LONGEST = 300
"""Letters of what AWS, botocore or a program of the user's says: it can be pages."""


_USER = re.compile(r"(?<=//)[^/\s]*@")
_ABSENT = {"RepositoryNotFoundException", "LayersNotFoundException", "LayerInaccessibleException"}


class EcrError(ReleaseError):
    """A call to AWS was refused, or got no answer: to ECR, or, of S3 and CodeArtifact, to what `AwsCalls` asks.

    `code` is AWS's own (``ImageTagAlreadyExistsException``), empty where there was no answer; `details` are the other
    fields of its answer (``lastValidByteReceived``).
    """

    def __init__(
        self, message: str, *, remedy: str = "", code: str = "", details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.code = code
        self.details = dict(details or {})

    @property
    def is_absence(self) -> bool:
        """Whether it tells of what is asked for, and not of who asks: that there is no such thing."""
        return self.code in _ABSENT


_CREDENTIALS = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, to credentials that are valid"
_BUSY = "too many calls at once: wait, and run this again"
_FAULT = "{} had a fault of its own: run this again"
_CLOCK = "set this machine's clock"
_SIGNATURE = "the secret access key does not belong to the access key, or this machine's clock is wrong"

# The signature errors' own messages can quote the signed request, session token included: they are never repeated.
_UNSAID = frozenset(
    {"InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature", "IncompleteSignatureException"}
)

_REMEDIES = {
    "UnrecognizedClientException": _CREDENTIALS,
    "InvalidClientTokenId": _CREDENTIALS,
    "MissingAuthenticationTokenException": _CREDENTIALS,
    "InvalidSignatureException": _SIGNATURE,
    "SignatureDoesNotMatch": _SIGNATURE,
    "IncompleteSignatureException": _SIGNATURE,
    "InvalidAccessKeyId": _CREDENTIALS,
    "InvalidToken": _CREDENTIALS,
    "ExpiredTokenException": "the session has ended: log in again, or start the CI job again",
    "ExpiredToken": "the session has ended: log in again, or start the CI job again",
    "RequestExpired": _CLOCK,
    "RequestTimeTooSkewed": _CLOCK,
    "AccessDeniedException": "give the role this permission, in the repository's account too",
    "RepositoryNotFoundException": "create it with --create-repository, or correct it in [tool.kfp-release.images]",
    "LimitExceededException": "delete what is not needed, or ask AWS to raise the quota, and run this again",
    "ThrottlingException": _BUSY,
    "SlowDown": _BUSY,
    "ServerException": _FAULT.format(SERVICES["ecr"]),
    "InvalidLayerException": "the blob's bytes changed on their way: run this again; if it stays so, build it again",
    "InvalidParameterException": "correct the repository in [tool.kfp-release.images], or KFP_RELEASE_REGISTRY",
    "ImageDigestDoesNotMatchException": "the manifest changed on its way: run this again, and look at proxies between",
    "KmsException": "the repository's encryption key must be enabled and usable for the role",
    "LayersNotFoundException": "run this again; if it stays so, look what removes layers: its lifecycle policy, say",
    "ReferencedImagesNotFoundException": "push the images that this one names, by digest, and then this one",
}
_SKEW = 5 * 60
"""Seconds between two clocks that AWS bears with: IAM User Guide, "Signature Version 4"."""
_OTHER = "run this again; if it stays so, look the code up in the Amazon {} API Reference"
_INDEX = "correct [tool.kfp-release.index]"
_SETTINGS = "mend AWS's settings: ~/.aws/config, or the file that AWS_CONFIG_FILE names, and the variables AWS_*"


def refused(error: aws.ClientError, *, operation: str, where: str, service: str = "ecr") -> EcrError:
    """AWS answered with an error; `where` names repository and endpoint. To be raised from `tellable(error)`."""
    answer: dict[str, Any] = dict(error.response)
    code = _code(error)
    details = {key: value for key, value in answer.items() if key not in {"Error", "ResponseMetadata"}}
    clock = _clock(answer, SERVICES[service]) if code in _UNSAID else ""
    return EcrError(
        f"{SERVICES[service]} refused {operation} for {where}: {words_of(error)}{clock and f': {clock}'}",
        remedy=_CLOCK if clock else _REMEDIES.get(code) or _remedy(code, status_of(error), service),
        code=code,
        details=details,
    )


def _remedy(code: str, status: int, service: str) -> str:
    """What to do about a code that is not known: gateways before AWS have codes of their own, or none."""
    name = SERVICES[service]
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _BUSY
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _FAULT.format(name)
    return _OTHER.format(name) if code else not_aws(service)


def not_aws(service: str) -> str:
    """What to do about an answer that the service does not give."""
    name = SERVICES[service]
    return f"run this again; if it stays so: is {endpoint_variable(service)} the URL of {name}, and no proxy between?"


def status_of(error: aws.ClientError) -> int:
    """The HTTP status of the answer; 0 where it is not known."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _clock(answer: Mapping[str, Any], name: str) -> str:
    """How far this machine's clock is from that of whoever answers, where it is too far for a signature."""
    date = str(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", ""))
    try:
        ahead = (datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds()
    except (ValueError, TypeError, OverflowError):  # no date, or one without a time zone
        return ""
    if abs(ahead) < _SKEW:
        return ""
    return f"this machine's clock is {abs(ahead) / 60:.0f} minutes {'ahead of' if ahead > 0 else 'behind'} {name}'s"


def words_of(error: aws.ClientError) -> str:
    """AWS's code and words, in one line; the code alone where the words could hold a secret.

    A gateway before AWS may give no code: then it is the answer's status.
    """
    code, text = (
        _code(error) or f"HTTP {status_of(error)}",
        one_line(str(error.response.get("Error", {}).get("Message", "")), LONGEST),
    )
    return f"{code}: {text}" if text and code not in _UNSAID else code


def tellable(error: aws.ClientError) -> aws.ClientError | None:
    """`error`, for a traceback to show as the cause; None where its words could hold a secret."""
    return None if _code(error) in _UNSAID else error


def _code(error: aws.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def unanswered(error: aws.BotoCoreError, *, where: str, operation: str = "", service: str = "ecr") -> EcrError:
    """Nothing could be asked: no credentials, no way to the endpoint, no region."""
    name = SERVICES[service]
    asked = f"ask {name} to {operation}" if operation else f"ask {name}"
    match error:
        case aws.NoCredentialsError():
            text, remedy = "there are no AWS credentials", _CREDENTIALS
        case aws.PartialCredentialsError():
            text, remedy = f"the AWS credentials are incomplete: {one_line(str(error), LONGEST)}", _CREDENTIALS
        case aws.ProfileNotFound():
            text, remedy = (
                one_line(str(error), LONGEST),
                "name a profile of your AWS configuration: in AWS_PROFILE, or in the option that it came from",
            )
        case aws.CredentialRetrievalError() | aws.TokenRetrievalError() | aws.SSOError() | aws.LoginError():
            text = f"the AWS credentials cannot be had: {one_line(str(error), LONGEST)}"
            remedy = "log in again (aws sso login, aws login), or check the role or program that they come from"
        case aws.NoRegionError():
            by_name = "name the repository by its ECR host, or " if service == "ecr" else ""
            text, remedy = "no AWS region is known", f"{by_name}set AWS_DEFAULT_REGION"
        case aws.HTTPClientError() | aws.ConnectionError():
            text = f"the endpoint does not answer: {type(error).__name__}"
            remedy = f"check the network, the proxy and {endpoint_variable(service)}, and run this again"
        case aws.ParamValidationError():
            text = one_line(str(error), LONGEST)
            remedy = _REMEDIES["InvalidParameterException"] if service == "ecr" else _INDEX
        case _:
            text, remedy = one_line(without_user(str(error)), LONGEST), _SETTINGS
    return EcrError(f"cannot {asked} for {where}: {text}", remedy=remedy)


def without_user(text: str) -> str:
    """`text`, without user and password in a URL."""
    return _USER.sub("", text)


def endpoint_variable(service: str) -> str:
    """The variable that leads to another endpoint of the service (AWS SDKs Reference, "Service-specific endpoints")."""
    return f"AWS_ENDPOINT_URL_{service.upper()}"
