"""A push of 400 MB, beside the fastest program that copies images."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Final

from bench import PROJECT
from bench.child import Ran, run_child
from bench.figure import Values
from bench.layers import NAME, make_layout
from bench.runner import Runner
from bench.stage import Stage
from kfp_release.sandbox.packages import ensure

LAYERS: Final = 6
SIZE: Final = 400_000_000
_NOTE: Final = "ours goes through the sandbox's stand-in for ECR, in JSON and base64; skopeo straight to the registry"


def run(stage: Stage) -> dict[str, Values]:
    """CPU seconds for each GB, and wall seconds, each of the whole process."""
    ensure("skopeo", progress=stage.progress)
    folder = stage.folder / "push"
    folder.mkdir()
    runner = Runner(folder, stage.environ)
    ran: list[list[Ran]] = [[], []]
    for number in stage.count(5):
        layout = make_layout(folder / f"layout-{number}", [SIZE // LAYERS] * LAYERS)
        names = [f"bench/{who}-{number}" for who in ("pushed", "copied")]
        ran[0].append(push(stage, runner, layout, names[0]))
        ran[1].append(_copy(stage, runner, layout, names[1]))
        stage.registry.forget(*names)
        shutil.rmtree(layout)
    cpu, seconds = (Values(tuple(map(of, ran[0])), tuple(map(of, ran[1])), _NOTE) for of in (_cpu_per_gb, _seconds))
    return {"push.cpu": cpu, "push.seconds": seconds}


def push(stage: Stage, runner: Runner, layout: Path, name: str) -> Ran:
    """By this project; its stdout is its peak memory in KiB."""
    target = f"{stage.docker.registry}/{name}"
    command: list[str | Path] = [sys.executable, "-m", "bench.pushing", layout, target]
    return run_child(command, environ=runner.environ, folder=PROJECT, log=stage.folder / "push-log")


def _copy(stage: Stage, runner: Runner, layout: Path, name: str) -> Ran:
    login = Path(stage.environ["DOCKER_CONFIG"]) / "config.json"
    command = ["skopeo", "copy", "--quiet", "--dest-tls-verify=false", f"--dest-authfile={login}"]
    command += [f"oci:{layout}:{NAME}", f"docker://{stage.docker.registry}/{name}:1"]
    return run_child(command, environ=runner.environ, folder=layout, log=stage.folder / "push-log")


def _cpu_per_gb(ran: Ran) -> float:
    return ran.cpu / (SIZE / 1e9)


def _seconds(ran: Ran) -> float:
    return ran.seconds
