"""An index in AWS CodeArtifact: its endpoint and a token that lives for hours, both from AWS, then twine and pip's API.

AWS keeps what is there: a file of the same name with other bytes is refused (409). Source: CodeArtifact User Guide,
"Using CodeArtifact with Python".
"""

from __future__ import annotations

import threading
from pathlib import Path

from kfp_release.aws_calls import AwsCalls
from kfp_release.credentials import Credentials
from kfp_release.index import Index
from kfp_release.index_page import IndexFile
from kfp_release.index_settings import CodeArtifactRepository, IndexUrls
from kfp_release.retry import SILENT, Retry
from kfp_release.url import BadUrl, parse_url

_USER = "aws"
_KEY = "codeartifact of [tool.kfp-release.index]"
_REMEDIES = {
    "get_authorization_token AccessDeniedException": (
        "give the role codeartifact:GetAuthorizationToken for the domain, and sts:GetServiceBearerToken"
    ),
    "get_repository_endpoint AccessDeniedException": "give the role codeartifact:GetRepositoryEndpoint",
    "ResourceNotFoundException": f"correct {_KEY}, or create the domain and the repository",
    "ValidationException": f"correct {_KEY}",
}
_MAY_NOT = (
    "give the role codeartifact:ReadFromRepository, and codeartifact:PublishPackageVersion where it uploads; "
    "or run this again, where the token has ended"
)


class CodeArtifact:
    """One repository. AWS is asked for its endpoint and a token at the first question, once, for all threads."""

    def __init__(self, repository: CodeArtifactRepository, given: Credentials, *, retry: Retry = SILENT) -> None:
        """`given` are used in place of a token, unless they are nobody's."""
        self._repository = repository
        self._given = given
        self._retry = retry
        self._calls = AwsCalls(
            "codeartifact", where=str(repository), region=repository.region, retry=retry, remedies=_REMEDIES
        )
        self._lock = threading.Lock()
        self._index: Index | None = None

    def files(self, project: str) -> dict[str, IndexFile]:
        """As `Index` has it."""
        return self._opened().files(project)

    def download(self, file: IndexFile) -> bytes:
        """As `Index` has it."""
        return self._opened().download(file)

    def require_credentials(self) -> None:
        """Raise `AwsIndexError` where AWS gives no token to whom asks."""
        self._opened().require_credentials()

    def upload(self, path: Path) -> None:
        """As `Index` has it."""
        self._opened().upload(path)

    def _opened(self) -> Index:
        with self._lock:
            if self._index is None:
                endpoint = self._endpoint()
                credentials = self._token() if self._given.is_anonymous else self._given
                self._index = Index(IndexUrls(endpoint, f"{endpoint}simple/"), credentials, retry=self._retry)
            return self._index

    def _endpoint(self) -> str:
        operation, domain = "get_repository_endpoint", self._repository.domain
        answer = self._calls.call(
            operation,
            domain=domain,
            domainOwner=self._repository.account,
            repository=self._repository.name,
            format="pypi",
        )
        try:
            return parse_url(str(answer.get("repositoryEndpoint", ""))).rstrip("/") + "/"
        except BadUrl as error:
            raise self._calls.strange(operation, str(error.args[0])) from None

    def _token(self) -> Credentials:
        operation = "get_authorization_token"
        answer = self._calls.call(operation, domain=self._repository.domain, domainOwner=self._repository.account)
        token = answer.get("authorizationToken")
        if not isinstance(token, str) or not token or any(not "!" <= letter <= "~" for letter in token):
            raise self._calls.strange(operation, "no token, or one that cannot be sent")
        return Credentials(_USER, token, _MAY_NOT)
