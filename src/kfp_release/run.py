"""Who releases: the run of a workflow, or a person's machine, as a provenance names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

PAGE: Final = "https://github.com/kubeflow-demo/components/blob/main/docs/evidence.md"
"""Where it is written what a provenance says."""
LOCAL: Final = f"{PAGE}#a-run-of-ones-own"
"""The builder, where it is no CI that can be named: nobody vouches for it but who signs."""
_NEEDED = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_WORKFLOW_REF", "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT")


@dataclass(frozen=True, slots=True)
class Run:
    """SLSA 1.0, provenance: ``builder.id``, ``metadata.invocationId`` and the workflow of ``externalParameters``."""

    builder: str = LOCAL
    invocation: str = ""
    """The URL of the run, with its attempt; empty where it has none."""
    workflow: Mapping[str, str] = field(default_factory=dict)
    """Its repository, path and ref."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """The run of GitHub Actions whose environment this is; `LOCAL` where it is none.

        Source: GitHub Actions, "Default environment variables".
        """
        values = [environ.get(name, "") for name in _NEEDED]
        if environ.get("GITHUB_ACTIONS") != "true" or not all(values):
            return cls()
        server, repository, workflow, number, attempt = values
        path, _, ref = workflow.removeprefix(f"{repository}/").partition("@")
        return cls(
            builder=f"{server}/{workflow}",
            invocation=f"{server}/{repository}/actions/runs/{number}/attempts/{attempt}",
            workflow={"repository": f"{server}/{repository}", "path": path, "ref": ref},
        )
