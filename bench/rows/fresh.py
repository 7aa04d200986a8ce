"""Releases in which only code changed, on machines that have nothing: as hosted CI runners are."""

from __future__ import annotations

from relay import Relay

from bench.figure import Values
from bench.goals import Unit
from bench.side import Released, Side
from bench.stage import Sides, Stage
from bench.table import told


def run(stage: Stage) -> dict[str, Values]:
    """Seconds, bytes by where they went, and what a node pulls that has the version before."""
    sides = stage.sides()
    releases: list[tuple[Released, Released]] = []
    pulls: list[tuple[int, int]] = []
    for _ in stage.count(3):
        ours, baseline = (_release(stage, side) for side in sides.both)
        releases.append((ours, baseline))
        pulls.append((_pulled(sides.ours), _pulled(sides.baseline)))
    seconds, everything, registry, index = (
        Values(tuple(of(ours) for ours, _ in releases), tuple(of(baseline) for _, baseline in releases))
        for of in (_seconds, _bytes, _registry, _index)
    )
    return {
        "fresh.seconds": seconds,
        "fresh.bytes": everything,
        "fresh.registry": registry,
        "fresh.index": index,
        "fresh.pull": Values(tuple(ours for ours, _ in pulls), tuple(baseline for _, baseline in pulls)),
        "fresh.wire": _wire(stage, sides),
    }


def _release(stage: Stage, side: Side) -> Released:
    side.forget()
    return stage.told(side, side.release_next())


def _pulled(side: Side) -> int:
    """Bytes of the config and of those layers of the newest image that the one before has not."""
    new, old = (side.registry.manifest(side.image, version) for version in side.versions[:2])
    there = {layer["digest"] for layer in old["layers"]}
    missing = [layer for layer in new["layers"] if layer["digest"] not in there]
    return sum(int(one["size"]) for one in (new["config"], *missing))


def _wire(stage: Stage, sides: Sides) -> Values:
    """One more release through a relay that counts: layers go to ECR in base64, in JSON."""
    with Relay(stage.environ["AWS_ENDPOINT_URL_ECR"]).running() as relay:
        sides.ours.forget()
        released = sides.ours.release_next({"AWS_ENDPOINT_URL_ECR": relay.url})
        sent = sum(len(call.body) for call in relay.calls)
    arrived = told(released.registry, Unit.BYTES)
    return Values((sent,), note=f"{arrived} of it arrived in the registry; layers travel in base64, in JSON")


def _seconds(released: Released) -> float:
    return released.seconds


def _bytes(released: Released) -> float:
    return released.bytes


def _registry(released: Released) -> float:
    return released.registry


def _index(released: Released) -> float:
    return released.index
