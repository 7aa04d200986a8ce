"""What it costs to start a component's program in its image."""

from __future__ import annotations

from typing import Final

from bench.figure import Values
from bench.stage import Stage

_MEASURED: Final = """\
import resource, subprocess
command = ["multiply", "--a", "2", "--b", "3", "--product", "/tmp/out/product"]
subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print((used.ru_utime + used.ru_stime) * 1000)
"""


def run(stage: Stage) -> dict[str, Values]:
    """Milliseconds of CPU of the program, as the kernel counts them inside the container."""
    sides = stage.sides()
    images = [f"{stage.docker.registry}/{side.image}:{side.versions[0]}" for side in sides.both]
    for image in images:
        stage.docker.run("pull", image)
        _start(stage, image)
    used: list[list[float]] = [[], []]
    for _ in stage.count(9):
        for number, image in enumerate(images):
            used[number].append(_start(stage, image))
    return {"container.cpu": Values(tuple(used[0]), tuple(used[1]))}


def _start(stage: Stage, image: str) -> float:
    ran = stage.docker.run("run", "--rm", "--network=none", image, "python", "-c", _MEASURED)
    return float(ran.stdout)
