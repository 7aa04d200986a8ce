"""The ECR stand-in's calls about repositories and the registry."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from kfp_release.sandbox.ecr_refusal import EcrRefusal, invalid
from kfp_release.sandbox.ecr_state import EcrState, StoredRepository

Call = Callable[[dict[str, Any]], dict[str, Any]]
_TOKEN_SECONDS = 12 * 60 * 60


class RepositoryCalls:
    """`host` is the registry's, as in ``host/name``; `login` is its user and password."""

    def __init__(self, state: EcrState, *, account: str, host: str, login: tuple[str, str]) -> None:
        self._state = state
        self._account = account
        self._host = host
        self._login = login
        self.calls: Mapping[str, Call] = {
            "CreateRepository": self.create,
            "DescribeRepositories": self.describe,
            "PutImageTagMutability": self.put_mutability,
            "GetLifecyclePolicy": self.lifecycle_policy,
            "PutLifecyclePolicy": self.put_lifecycle_policy,
            "DeleteLifecyclePolicy": self.delete_lifecycle_policy,
            "GetAuthorizationToken": self.token,
        }

    def create(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateRepository."""
        name, registry = request["repositoryName"], self.registry_of(request)
        mutability, exclusions = _mutability(request)
        with self._state.lock:
            if name in self._state.repositories:
                raise EcrRefusal(
                    "RepositoryAlreadyExistsException",
                    f"The repository with name '{name}' already exists in the registry with id '{registry}'",
                )
            repository = StoredRepository(name, time.time(), mutability, exclusions)
            self._state.repositories[name] = repository
            self._state.save()
        return {"repository": self._described(repository, registry)}

    def describe(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeRepositories, all on one page."""
        names = request.get("repositoryNames") or sorted(self._state.repositories)
        registry = self.registry_of(request)
        found = [self.repository({"repositoryName": name, "registryId": registry}) for name in names]
        return {"repositories": [self._described(repository, registry) for repository in found]}

    def put_mutability(self, request: dict[str, Any]) -> dict[str, Any]:
        """PutImageTagMutability."""
        with self._state.lock:
            repository = self.repository(request)
            repository.mutability, repository.exclusions = _mutability(request)
            self._state.save()
        return {
            "registryId": self.registry_of(request),
            "repositoryName": repository.name,
            "imageTagMutability": repository.mutability,
            "imageTagMutabilityExclusionFilters": repository.exclusions,
        }

    def lifecycle_policy(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetLifecyclePolicy."""
        repository, registry = self.repository(request), self.registry_of(request)
        if repository.lifecycle_policy is None:
            raise EcrRefusal(
                "LifecyclePolicyNotFoundException",
                f"Lifecycle policy does not exist for the repository with name '{repository.name}'"
                f" in the registry with id '{registry}'",
            )
        names = {"registryId": registry, "repositoryName": repository.name}
        return {**names, "lifecyclePolicyText": repository.lifecycle_policy}

    def put_lifecycle_policy(self, request: dict[str, Any]) -> dict[str, Any]:
        """PutLifecyclePolicy. It is kept and shown, and nothing follows it."""
        text = request["lifecyclePolicyText"]
        try:
            rules = json.loads(text)["rules"]
        except (ValueError, KeyError, TypeError):
            rules = None
        if not isinstance(rules, list):
            raise invalid("'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure'")
        with self._state.lock:
            self.repository(request).lifecycle_policy = text
            self._state.save()
        return self.lifecycle_policy(request)

    def delete_lifecycle_policy(self, request: dict[str, Any]) -> dict[str, Any]:
        """DeleteLifecyclePolicy."""
        with self._state.lock:
            last = self.lifecycle_policy(request)
            self.repository(request).lifecycle_policy = None
            self._state.save()
        return last

    def token(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetAuthorizationToken."""
        data = {
            "authorizationToken": base64.b64encode(":".join(self._login).encode()).decode(),
            "expiresAt": time.time() + _TOKEN_SECONDS,
            "proxyEndpoint": f"http://{self._host}",
        }
        return {"authorizationData": [data for _ in request.get("registryIds") or (self._account,)]}

    def repository(self, request: dict[str, Any]) -> StoredRepository:
        """The repository that a request names. Raises `EcrRefusal` where there is none."""
        name = request["repositoryName"]
        if name not in self._state.repositories:
            raise EcrRefusal(
                "RepositoryNotFoundException",
                f"The repository with name '{name}' does not exist in the registry with id"
                f" '{self.registry_of(request)}'",
            )
        return self._state.repositories[name]

    def registry_of(self, request: dict[str, Any]) -> str:
        """The account whose registry a request means."""
        return str(request.get("registryId", self._account))

    def _described(self, repository: StoredRepository, registry: str) -> dict[str, Any]:
        return {
            "repositoryArn": f"arn:aws:ecr:local:{registry}:repository/{repository.name}",
            "registryId": registry,
            "repositoryName": repository.name,
            "repositoryUri": f"{self._host}/{repository.name}",
            "createdAt": repository.created_at,
            "imageTagMutability": repository.mutability,
            **({"imageTagMutabilityExclusionFilters": repository.exclusions} if repository.exclusions else {}),
            "imageScanningConfiguration": {"scanOnPush": False},
            "encryptionConfiguration": {"encryptionType": "AES256"},
        }


def _mutability(request: dict[str, Any]) -> tuple[str, list[dict[str, str]]]:
    mutability = request.get("imageTagMutability", "MUTABLE")
    exclusions = request.get("imageTagMutabilityExclusionFilters", [])
    if bool(exclusions) is not mutability.endswith("_WITH_EXCLUSION"):
        raise invalid(
            f"'imageTagMutabilityExclusionFilters' failed to satisfy constraint: '{mutability}"
            f" takes {'no filters' if exclusions else 'at least one filter'}'"
        )
    return mutability, exclusions
