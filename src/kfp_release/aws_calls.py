"""Calls to the service of AWS that an index is in: a client that is opened once, and one kind of error."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from kfp_release.aws_client import aws_client
from kfp_release.ecr_answer import read_answer
from kfp_release.ecr_errors import (
    LONGEST,
    SERVICES,
    EcrError,
    not_aws,
    refused,
    status_of,
    tellable,
    unanswered,
)
from kfp_release.index_session import PackageIndexError
from kfp_release.retry import Retry
from kfp_release.terminal_text import one_line

_PLAIN = (
    *(ResponseParserError, OSError, EOFError, ValueError, TypeError, AttributeError, LookupError),
    *(OverflowError, RuntimeError),
)
"""What botocore raises of an answer in another form than its model has."""


class AwsIndexError(PackageIndexError):
    """AWS refused a call, or gave no answer that can be used. `code` is its own; empty where there was no answer."""

    def __init__(self, message: str, *, remedy: str = "", status: int = 0, code: str = "", passing: str = "") -> None:
        super().__init__(message, remedy=remedy, status=status, passing=passing)
        self.code = code


class AwsCalls:
    """One service, asked about one index. Opens its client with the first call, for all threads."""

    def __init__(
        self, service: str, *, where: str, region: str | None, retry: Retry, remedies: Mapping[str, str]
    ) -> None:
        """`where` names the index; `remedies` say what to do, by AWS's codes, before those for any service do."""
        self.service = service
        self.retry = retry
        self._index = where
        self._region = region
        self._remedies = remedies
        self._lock = threading.Lock()
        self._client: Any = None

    def open(self) -> Any:
        """The client. Raise `ReleaseError` where there can be none: without credentials, for one."""
        with self._lock:
            if self._client is None:
                self._client = self._opened()
            return self._client

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a call; `operation` by its boto3 name. Raise `AwsIndexError` where there is none."""
        client = self.open()
        try:
            answer: dict[str, Any] = getattr(client, operation)(**parameters)
        except aws.ClientError as error:
            raise self._refused(error, operation) from tellable(error)
        except (aws.BotoCoreError, EcrError) as error:
            raise self.unanswered(error, operation) from error
        except _PLAIN as error:
            raise self.strange(operation, one_line(str(error), LONGEST)) from error
        answer.pop("ResponseMetadata", None)
        model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
        read: dict[str, Any] = read_answer(answer, model.output_shape, partial(self.strange, operation))
        return read

    @property
    def where(self) -> str:
        """The index, and the endpoint that is asked."""
        endpoint = urlsplit(self.open().meta.endpoint_url)
        return f"{self._index} at {endpoint.scheme}://{endpoint.netloc.rpartition('@')[2]}"

    def strange(self, operation: str, said: str = "") -> AwsIndexError:
        """The error for an answer that the service does not give; `said` is what is wrong in it."""
        name = SERVICES[self.service]
        return AwsIndexError(
            f"{self.where} answers {operation} with something that {name} does not say{said and f': {said}'}",
            remedy=not_aws(self.service),
        )

    def unanswered(self, error: Exception, operation: str) -> AwsIndexError:
        """The error where nothing could be asked, or half of an answer came."""
        match error:
            case EcrError():
                said = error
            case aws.BotoCoreError():
                said = unanswered(error, where=self.where, operation=operation, service=self.service)
            case _:  # of the connection, while the answer is read
                ended = aws.ConnectionClosedError(endpoint_url="")
                said = unanswered(ended, where=self.where, operation=operation, service=self.service)
        return AwsIndexError(str(said.args[0]), remedy=said.remedy, code=said.code)

    def _opened(self) -> Any:
        try:
            return aws_client(self.service, region=self._region, retry=self.retry, where=self._index)
        except EcrError as error:
            raise AwsIndexError(str(error.args[0]), remedy=error.remedy) from error

    def _refused(self, error: aws.ClientError, operation: str) -> AwsIndexError:
        said = refused(error, operation=operation, where=self.where, service=self.service)
        remedy = self._remedies.get(f"{operation} {said.code}") or self._remedies.get(said.code) or said.remedy
        return AwsIndexError(str(said.args[0]), remedy=remedy, code=said.code, status=status_of(error))
