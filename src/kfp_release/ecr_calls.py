"""Calls to ECR about one repository: in its account and region, with time-outs, and one kind of error."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from botocore import exceptions as aws

from kfp_release.aws_credentials import require_credentials
from kfp_release.ecr_errors import LONGEST, EcrError, refused, tellable, unanswered
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.terminal_text import one_line

_USER = re.compile(r"//[^/\s]*@")
"""User and password in a URL, which no message repeats."""
_PLAIN = (OSError, EOFError, ValueError, TypeError, AttributeError)
"""What botocore raises of JSON in another form than its model has: a list, or a time that is none."""


def ecr_client(repository: Repository) -> Any:
    """A boto3 client of the repository's region (the environment's, where its host names none), with few retries.

    Raises `ReleaseError` where there can be none: no credentials, no region, no such profile, an endpoint that is no
    URL.
    """
    import boto3  # noqa: PLC0415 - it takes a second, and most of the tool never needs it
    from botocore.config import Config  # noqa: PLC0415 - likewise

    config = Config(
        connect_timeout=10,
        read_timeout=60,
        retries={"mode": "standard", "total_max_attempts": 4},
        tcp_keepalive=True,
        use_fips_endpoint=True if "ecr-fips." in repository.host else None,
        user_agent_extra="kfp-release",
    )
    where = str(repository)
    try:
        session = boto3.session.Session(region_name=repository.region)
        require_credentials(session, where=where)
        client = session.client("ecr", config=config)
        _require_endpoint(client.meta.endpoint_url)
    except aws.BotoCoreError as error:
        raise unanswered(error, where=where) from error
    except ValueError as error:
        raise ReleaseError(
            f"cannot open ECR for {where}: {_USER.sub('//', str(error))}",
            remedy="set AWS_ENDPOINT_URL_ECR to an http or https URL, or unset it",
        ) from None  # a traceback would repeat it
    # Those that end are renewed on the way: a source that fails then is no fault of the endpoint either.
    client.meta.events.register_first("before-call.ecr.*", lambda **_: require_credentials(session, where=where))
    return client


def _require_endpoint(url: str) -> None:
    """Raise `ValueError` for what botocore takes for an endpoint and cannot ask."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError(f"Invalid endpoint: {url}")


class EcrCalls:
    """What `EcrRepository` asks through. Every failure is one `EcrError` that names repository and endpoint."""

    def __init__(self, client: Any, repository: Repository) -> None:
        self._client = client
        self._repository = repository
        # Without it a call goes to the caller's own registry.
        self._account = {"registryId": repository.account} if repository.account else {}
        endpoint = urlsplit(client.meta.endpoint_url)
        self._where = f"{repository} at {endpoint.scheme}://{endpoint.netloc.rpartition('@')[2]}"

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a call about the repository; `operation` by its boto3 name."""
        return self._ask(operation, **self._account, repositoryName=self._repository.name, **parameters)

    def registry(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a call about the registry that it is in."""
        return self._ask(operation, **self._account, **parameters)

    def token(self) -> dict[str, Any]:
        """The registry's authorization data."""
        accounts = {"registryIds": [self._repository.account]} if self._repository.account else {}
        data: dict[str, Any] = self._ask("get_authorization_token", **accounts)["authorizationData"][0]
        return data

    def _ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**parameters)
        except aws.ClientError as error:
            raise refused(error, operation=operation, where=self._where) from tellable(error)
        except aws.BotoCoreError as error:
            raise unanswered(error, operation=operation, where=self._where) from error
        except _PLAIN as error:
            raise self._strange(operation, f": {one_line(str(error), LONGEST)}") from error
        if not answer.keys() - {"ResponseMetadata"}:
            raise self._strange(operation)
        return answer

    def _strange(self, operation: str, said: str = "") -> EcrError:
        return EcrError(
            f"{self._where} answers {operation} with something that ECR does not say{said}",
            remedy="is AWS_ENDPOINT_URL_ECR the URL of an ECR?",
        )
