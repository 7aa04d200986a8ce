"""Run a pipeline in containers on this machine's Docker engine, and print its outputs as JSON.

    python examples/run_local.py                          the pipeline of pipeline.py, beside this file
    python examples/run_local.py pipeline.yaml a=2 b=4    a compiled one, with arguments
    python examples/run_local.py training.yaml --keep out    and the artifacts that it gives, in the folder out

Needs kfp and docker, an engine, and `docker login` at the registry of the images. An artifact's output is its
metadata. Logs go to stderr.
"""

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from kfp import components, dsl, local


def main() -> None:
    """Run the pipeline; end with 1 where it gives no results."""
    parser = argparse.ArgumentParser(description="Run a pipeline on this machine's Docker engine.")
    parser.add_argument("pipeline", nargs="?", type=Path, help="a compiled pipeline (default: that of pipeline.py)")
    parser.add_argument("arguments", nargs="*", type=_argument, metavar="NAME=VALUE", help="its arguments")
    parser.add_argument("--root", type=Path, help="folder for what the tasks write (default: a temporary one)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="folder for the artifacts that the pipeline gives")
    # Few components need a network, and this mode is there on every engine.
    parser.add_argument("--network", default="none", help="network mode of the containers (default: none)")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        root = options.root or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kfp-local-")))
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))  # where kfp.local prints the containers' logs
        pipeline = _pipeline(options.pipeline)
        arguments = {name: _value(pipeline, name, text) for name, text in options.arguments}
        outputs = run(pipeline, arguments, root=root.resolve(), network=options.network)
        artifacts = {name: item for name, item in outputs.items() if isinstance(item, dsl.Artifact)}
        if options.keep:
            keep(artifacts, options.keep)
    print(json.dumps({**outputs, **{name: item.metadata for name, item in artifacts.items()}}, sort_keys=True))


def run(pipeline: Any, arguments: dict[str, Any], *, root: Path, network: str) -> dict[str, Any]:
    """The pipeline's outputs by name: a parameter's value, an artifact with the path of its file below `root`.

    A container that fails at once can be taken for a success (kubeflow/pipelines#13332), so each output must be there.
    """
    workspace = root / "workspace"
    workspace.mkdir(parents=True, exist_ok=True)
    # The containers write into folders of the user who runs this, whatever user the image names.
    try:
        runner = local.DockerRunner(user=f"{os.getuid()}:{os.getgid()}", network_mode=network)
    except ImportError as error:
        sys.exit(str(error))
    local.init(runner, pipeline_root=str(root / "tasks"), workspace_root=str(workspace))
    outputs = pipeline(**arguments).outputs
    missing = sorted((pipeline.component_spec.outputs or {}).keys() - outputs.keys())
    if missing:
        sys.exit(f"the pipeline ran and gave no {', '.join(missing)}: see the log of its tasks above")
    return dict(outputs)


def keep(artifacts: dict[str, Any], folder: Path) -> None:
    """Copy each artifact's file, if it has one, into `folder` under the name of its output."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, artifact in artifacts.items():
        if Path(artifact.path).is_file():
            suffix = ".html" if isinstance(artifact, dsl.HTML) else ""
            shutil.copyfile(artifact.path, folder / f"{name}{suffix}")


def _pipeline(compiled: Path | None) -> Any:
    if compiled:
        return components.load_component_from_file(str(compiled))
    import pipeline  # noqa: PLC0415 - only where no compiled pipeline is given

    return pipeline.demo


def _argument(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _value(pipeline: Any, name: str, text: str) -> Any:
    """What `text` says, by the type of the pipeline's parameter `name`: text as it is, everything else as JSON."""
    parameters = pipeline.component_spec.inputs or {}
    if name not in parameters:
        sys.exit(f"the pipeline has no parameter {name!r}; it has {', '.join(parameters)}")
    kind = parameters[name].type
    try:
        return {"String": str, "Float": float}.get(kind, json.loads)(text)
    except ValueError as error:
        sys.exit(f"{name}={text}: the parameter is of type {kind}: {error}")


if __name__ == "__main__":
    main()
