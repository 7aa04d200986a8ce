"""One cell of the fault matrix, tried: publish with the fault, and look; if it was refused, the same without it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from chaos.alarm import Overdue, alarm
from chaos.matrix.bench import CALM, SECRETS, TIGHT, Bench, Place
from chaos.matrix.cells import ANY_CALL, Cell, calls, cells
from chaos.matrix.faulty import Fault
from chaos.matrix.verdict import Outcome, Ran, broken_end, wrong_content
from kfp_release.errors import ReleaseError
from kfp_release.patience import Patience


def bound_of(patience: Patience) -> float:
    """Seconds for one run: an upload and a look at what became of it at the limit of patience, and the rest of it."""
    waits = sum(map(patience.wait, range(1, patience.attempts)))
    return 2 * (patience.attempts * patience.seconds + waits) + 10


BOUND = bound_of(TIGHT)
_LIMIT = 3 * bound_of(TIGHT) + 20
"""Seconds after which a cell is cut off, whatever hangs in it: it is a broken row, and the next one begins."""


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one cell."""

    fault: str
    call: str
    when: str
    outcome: Outcome
    seconds: float
    message: str
    """The error's first line."""
    wrong: tuple[str, ...]
    """All that is not as promised."""

    @property
    def name(self) -> str:
        """The cell's."""
        return f"{self.call}: {self.fault} ({self.when})"

    def to_json(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


def try_cells(bench: Bench, names: Sequence[str], *, limit: float = _LIMIT) -> Iterator[Row]:
    """What becomes of the cells of these names, one after the other; each has `limit` seconds at most."""
    counts = _count_calls(bench)
    by_name = {cell.name: cell for cell in cells(forget=bench.local.stand_in.forget_uploads, spoil=bench.spoil)}
    for name in names:
        cell, began = by_name[name], time.monotonic()
        try:
            with alarm(limit):
                row = _try(bench, cell, counts[cell.where.name])
        except Overdue as error:
            row = _row(cell, Ran(1, "", time.monotonic() - began), [str(error)])
        except Exception as error:  # noqa: BLE001 - the next cells are to be tried, whatever it is
            row = _row(cell, Ran(1, "", time.monotonic() - began), [f"it could not be tried: {error!r}"])
        yield row


def _count_calls(bench: Bench) -> dict[str, int]:
    """How often a publish that meets no fault makes each call."""
    place = bench.place()
    for proxy in bench.proxies.values():
        proxy.calls.clear()
    ran = place.run("publish")
    if problems := _problems(bench, place, ran):
        raise ReleaseError(f"a publish that meets no fault fails: {ran.said}\n{problems}")
    everything = (*calls(forget=lambda: None, spoil=lambda _: None), *ANY_CALL)
    return {where.name: sum(map(where.meant, bench.proxies[where.part].calls)) for where in everything}


def _try(bench: Bench, cell: Cell, count: int) -> Row:
    first = {"last": count, "from the middle on": count // 2 + 1}.get(cell.when, 1)
    place, fault, ran = _meet(bench, cell, first)
    while cell.when == "last" and not fault.met and not fault.failures and first > 1:  # the last at which it can happen
        first -= 1
        place, fault, ran = _meet(bench, cell, first)
    wrong = list(broken_end(ran, bound=BOUND, secrets=SECRETS))
    completed = ran.outcome == "completed"
    wrong += wrong_content(bench.found(place), place.expected, completed=completed, damaged=cell.kind.damages)
    if not fault.met:
        wrong.append("the fault was not met")
    if not completed:
        again = place.run("publish")
        if again.outcome == "refused" and cell.kind.damages != "nothing":
            bench.mend(place)
            again = place.run("publish")
        wrong += [f"again, without the fault: {line}" for line in _problems(bench, place, again)]
    if cell.kind.damages == "registry":  # its other repositories share the file
        bench.mend(place)
    failures = [*fault.failures, *(line for proxy in bench.proxies.values() for line in proxy.failures)]
    return _row(cell, ran, [*wrong, *(f"the proxy failed: {line}" for line in failures)])


def _meet(bench: Bench, cell: Cell, first: int) -> tuple[Place, Fault, Ran]:
    """A publish that meets the fault from the `first` such call on."""
    place = bench.place()
    times = None if cell.when in {"every", "from the middle on"} else 1
    for proxy in bench.proxies.values():
        proxy.failures.clear()
    with bench.proxies[cell.where.part].with_fault(Fault(cell.kind.act, cell.where.meant, first, times)) as fault:
        return place, fault, place.run("publish", patience=TIGHT)


def _row(cell: Cell, ran: Ran, wrong: Sequence[str]) -> Row:
    return Row(
        fault=cell.kind.name,
        call=cell.where.name,
        when=cell.when,
        outcome=ran.outcome,
        seconds=round(ran.seconds, 2),
        message=ran.message,
        wrong=tuple(wrong),
    )


def _problems(bench: Bench, place: Place, ran: Ran) -> list[str]:
    """What is wrong after a publish that meets no fault."""
    lines = list(broken_end(ran, bound=bound_of(CALM), secrets=SECRETS))
    if ran.outcome != "completed":
        return [*lines, f"it is {ran.outcome}: {ran.message}"]
    return [*lines, *wrong_content(bench.found(place), place.expected, completed=True)]
