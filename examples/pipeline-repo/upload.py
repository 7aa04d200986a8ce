"""Upload a compiled pipeline to a Kubeflow Pipelines cluster, as a version named after the components and the commit.

    KFP_HOST=https://kubeflow.example/pipeline KFP_TOKEN=… python upload.py pipeline.yaml

The same content there under this name is success, other content an error, so it can be run again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import kfp
import yaml
from kfp_server_api import ApiException, V2beta1Pipeline
from urllib3.exceptions import HTTPError

COMPONENTS = "kubeflow-demo-components"
CONFLICT = 409


class Refused(Exception):
    """Why nothing was uploaded, and what to do."""


def main() -> None:
    """Upload; end with 1 where it is refused or fails."""
    parser = argparse.ArgumentParser(
        description="Upload a compiled pipeline as a version named after the components and the commit.",
        epilog="KFP_HOST is the cluster's API; KFP_TOKEN, if it wants one, the token; KFP_NAMESPACE the namespace, "
        "where it has several users. Exit codes: 0 it is there, 1 refused or failed, 2 wrong use.",
    )
    parser.add_argument("pipeline", type=Path, help="the compiled pipeline")
    path = parser.parse_args().pipeline
    try:
        specification = read(path)
        print(upload(client(), path, specification, version_name()))
    except Refused as error:
        sys.exit(f"upload.py: {error}")
    except ApiException as error:  # its text has all headers of the answer
        sys.exit(f"upload.py: {os.environ['KFP_HOST']} answers {error.status} {error.reason}: {_message(error)}")
    except (HTTPError, TimeoutError) as error:
        sys.exit(f"upload.py: {os.environ['KFP_HOST']} cannot be asked: {type(error).__name__}; is KFP_HOST right?")


def read(path: Path) -> dict[str, Any]:
    """The pipeline's specification, in the form in which the API gives it back."""
    try:
        documents: list[dict[str, Any]] = [
            document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document
        ]
    except (OSError, ValueError, yaml.YAMLError) as error:  # a value of no YAML is a date in month 13
        raise Refused(f"{path} cannot be read: {error}") from error
    match documents:
        case [{"pipelineInfo": {"name": str()}} as specification]:
            return specification
        case [{"pipelineInfo": {"name": str()}} as specification, dict(platform)]:
            return {"pipeline_spec": specification, "platform_spec": platform}
    raise Refused(f"{path} is no compiled pipeline: write it with python pipeline.py {path}")


def client() -> Any:
    """Of the cluster that the environment names; the token is nowhere but there."""
    if not os.environ.get("KFP_HOST"):
        raise Refused("set KFP_HOST to the URL of the Kubeflow Pipelines API")
    warnings.filterwarnings("ignore", "This client only works with", FutureWarning)
    token = os.environ.get("KFP_TOKEN", "").strip() or None  # a file that became a secret ends with a new line
    if token and (not token.isascii() or not token.isprintable() or " " in token):
        raise Refused("KFP_TOKEN holds what no token has: blanks, line breaks, or letters beyond ASCII")
    # Without a namespace it asks whether there are several users, and where it may not, again and again.
    return kfp.Client(os.environ["KFP_HOST"], existing_token=token, namespace=os.environ.get("KFP_NAMESPACE") or "-")


def version_name() -> str:
    """As in 1.2-3f9c2d41ab07: the components' version, and the commit of this repository."""
    commit = os.environ.get("GITHUB_SHA")
    if not commit:
        try:
            asked = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise Refused("the commit is not known: run this in the repository, or set GITHUB_SHA") from error
        commit = asked.stdout.strip()
    return f"{version(COMPONENTS)}-{commit[:12]}"


def upload(api: Any, path: Path, specification: dict[str, Any], name: str) -> str:
    """Look, upload what is missing, and look again. What was done, for people."""
    title = specification.get("pipeline_spec", specification)["pipelineInfo"]["name"]
    pipeline_id = _find(api, title) or _create(api, title)
    if _is_there(api, pipeline_id, name, specification):
        return f"{title} {name}: already there"
    try:
        with contextlib.redirect_stdout(sys.stderr):  # where the client prints a link
            api.upload_pipeline_version(str(path), name, pipeline_id=pipeline_id)
    except ApiException as error:
        if error.status != CONFLICT:  # somebody else was faster: with what?
            raise
    if not _is_there(api, pipeline_id, name, specification):
        raise Refused(f"{title} {name} was uploaded and is not there: look at the cluster")
    return f"{title} {name}: uploaded"


def _find(api: Any, title: str) -> str | None:
    listed = api.list_pipelines(filter=_named(title), namespace=os.environ.get("KFP_NAMESPACE") or None)
    return next((str(one.pipeline_id) for one in listed.pipelines or () if one.display_name == title), None)


def _create(api: Any, title: str) -> str:
    """A pipeline without versions; with one, the API would give that the pipeline's own name."""
    pipeline = V2beta1Pipeline(display_name=title, namespace=os.environ.get("KFP_NAMESPACE") or None)
    try:
        made = api.pipelines.pipeline_service_create_pipeline(pipeline=pipeline).pipeline_id
    except ApiException as error:
        made = _find(api, title) if error.status == CONFLICT else None
        if made is None:
            raise
    if not made:  # a page to log in, say, which the client reads as an answer without anything in it
        raise Refused(f"{os.environ['KFP_HOST']} answers, but not as the API: are KFP_HOST and KFP_TOKEN right?")
    return str(made)


def _is_there(api: Any, pipeline_id: str, name: str, specification: dict[str, Any]) -> bool:
    """Whether the version is; raise `Refused` where it is another pipeline."""
    listed = api.list_pipeline_versions(pipeline_id, filter=_named(name))
    found = [one for one in listed.pipeline_versions or () if one.display_name == name]
    if found and found[0].pipeline_spec != specification:
        raise Refused(f"version {name} is there with other content: commit what changed, and upload that commit")
    return bool(found)


def _named(name: str) -> str:
    """The API's filter for what has this name."""
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": name}]})


def _message(error: ApiException) -> str:
    try:
        return str(json.loads(error.body)["message"])
    except (ValueError, TypeError, KeyError):
        return "no reason given"


if __name__ == "__main__":
    main()
