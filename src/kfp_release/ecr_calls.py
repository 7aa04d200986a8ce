"""Calls to ECR about one repository: in its account and region, with time-outs, and one kind of error."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from botocore import exceptions as aws

from kfp_release.aws_client import aws_client
from kfp_release.digest import Digest
from kfp_release.ecr_answer import read_answer
from kfp_release.ecr_errors import LONGEST, EcrError, refused, tellable, unanswered
from kfp_release.ecr_parts import send_parts_plainly
from kfp_release.image_ref import Repository
from kfp_release.registry_login import RegistryLogin
from kfp_release.retry import Retry
from kfp_release.terminal_text import one_line

_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn")
"""How the names of AWS's endpoints end, those of VPCs too: AWS General Reference, "AWS service endpoints"."""
_PLAIN = (OSError, EOFError, ValueError, TypeError, AttributeError, OverflowError, RuntimeError)
"""What botocore raises of JSON in another form than its model has: a list, a time that is none, a thousand levels."""


def ecr_client(repository: Repository, retry: Retry, profile: str | None = None) -> Any:
    """A boto3 client of the repository's region (the environment's, where its host names none), which asks as `retry`.

    A `profile` of AWS's configuration goes before the environment's credentials, and its `endpoint_url` counts where no
    AWS_ENDPOINT_URL_ECR is set. AWS_MAX_ATTEMPTS and AWS_RETRY_MODE, or the profile's, mean what they mean everywhere,
    and go before. Raises `ReleaseError` where there can be none: no credentials, no region, no such profile, an
    endpoint that is no URL.
    """
    where, use_fips = str(repository), True if "ecr-fips." in repository.host else None
    client = aws_client(
        "ecr", region=repository.region, retry=retry, where=where, profile=profile, use_fips_endpoint=use_fips
    )
    send_parts_plainly(client)
    return client


class EcrCalls:
    """What `EcrRepository` asks through. Every failure is one `EcrError` that names repository and endpoint."""

    def __init__(self, client: Any, repository: Repository) -> None:
        self._client = client
        self._repository = repository
        # Without it a call goes to the caller's own registry.
        self._account = {"registryId": repository.account} if repository.account else {}
        endpoint = urlsplit(client.meta.endpoint_url)
        self._where = f"{repository} at {endpoint.scheme}://{endpoint.netloc.rpartition('@')[2]}"

    @property
    def is_at_aws(self) -> bool:
        """Whether AWS is asked, at one of its own names."""
        host = urlsplit(self._client.meta.endpoint_url).hostname or ""
        return host.endswith(_AWS)

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a call about the repository; `operation` by its boto3 name."""
        return self._ask(operation, **self._account, repositoryName=self._repository.name, **parameters)

    def registry(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a call about the registry that it is in."""
        return self._ask(operation, **self._account, **parameters)

    def login(self) -> RegistryLogin:
        """What engines pull from the registry with."""
        operation = "get_authorization_token"
        accounts = {"registryIds": [self._repository.account]} if self._repository.account else {}
        data = self._ask(operation, **accounts)["authorizationData"][0]
        try:
            return RegistryLogin.parse(data)
        except ValueError:
            raise self.strange(operation) from None  # a traceback would show the token

    def _ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        try:
            answer = getattr(self._client, operation)(**parameters)
        except aws.ClientError as error:
            raise refused(error, operation=operation, where=self._where) from tellable(error)
        except aws.BotoCoreError as error:
            raise unanswered(error, operation=operation, where=self._where) from error
        except _PLAIN as error:
            raise self.strange(operation, one_line(str(error), LONGEST)) from error
        answer.pop("ResponseMetadata", None)
        if not answer:
            raise self.strange(operation)
        meta = self._client.meta
        shape = meta.service_model.operation_model(meta.method_to_api_mapping[operation]).output_shape
        parts: dict[str, Any] = read_answer(answer, shape, partial(self.strange, operation))
        return parts

    def asked_for(self, text: str, asked: Collection[Digest], operation: str) -> Digest:
        """The digest `text` of an answer. Raise `EcrError` where it was not `asked` for.

        Behind a proxy that answers twice, what comes may be the answer to another question.
        """
        if (digest := Digest.parse(text)) not in asked:
            raise self.strange(operation, f"{digest}, which was not asked for")
        return digest

    def strange(self, operation: str, said: str = "") -> EcrError:
        """The error for an answer that no ECR gives; `said` is what is wrong in it."""
        return EcrError(
            f"{self._where} answers {operation} with something that ECR does not say{said and f': {said}'}",
            remedy="run this again; if it stays so: is AWS_ENDPOINT_URL_ECR the URL of an ECR?",
        )
