"""What threads have under way ends when it is told to, whenever that is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from kfp_release.stopping import Stop, Stopped, ended_after, ended_with


def work(stop: Stop, end: Callable[[], None], do: Callable[[], None]) -> None:
    with stop.covering(), ended_with(end):
        do()


def test_what_is_under_way_is_ended_and_says_so_when_it_is_left() -> None:
    stop, told = Stop(), list[str]()

    def do() -> None:
        stop.set()
        told.append("after")

    with pytest.raises(Stopped):
        work(stop, lambda: told.append("end"), do)
    assert told == ["end", "after"]


def test_what_begins_later_does_not_begin() -> None:
    stop, told = Stop(), list[str]()
    stop.set()
    with pytest.raises(Stopped):
        work(stop, lambda: told.append("end"), lambda: told.append("begun"))
    assert told == []


def test_what_has_ended_before_is_left_alone() -> None:
    stop, told = Stop(), list[str]()
    with stop.covering(), ended_with(lambda: told.append("end")):
        pass
    stop.set()
    assert told == []


def test_nobody_ends_what_is_not_covered() -> None:
    told: list[str] = []
    with ended_with(lambda: told.append("end")):
        pass
    assert told == []


def test_an_error_of_what_is_under_way_stays_that_error() -> None:
    stop = Stop()

    def do() -> None:
        stop.set()
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        work(stop, lambda: None, do)


def test_waiting_lasts_until_all_is_left() -> None:
    stop, begun, go, left = Stop(), threading.Event(), threading.Event(), list[str]()

    def do() -> None:
        begun.set()
        go.wait(60)
        left.append("left")

    def thread() -> None:
        with suppress(Stopped):
            work(stop, go.set, do)

    running = threading.Thread(target=thread)
    running.start()
    assert begun.wait(60)
    stop.set()
    stop.wait(60)
    assert left == ["left"]
    running.join()


def test_what_takes_too_long_is_ended() -> None:
    ended = threading.Event()
    with pytest.raises(Stopped), ended_after(0.05), ended_with(ended.set):
        assert ended.wait(20)
    with ended_after(20), ended_with(ended.clear):
        pass
    assert ended.is_set()
