"""Threads that do the same to many things: in order, bounded, and ended by the first error."""

from __future__ import annotations

import threading

import pytest

from kfp_release.workers import in_parallel


def test_results_stand_in_the_order_of_the_items() -> None:
    first = threading.Event()

    def do(number: int) -> int:
        if number == 0:
            first.wait(30)
        first.set()
        return number * number

    assert in_parallel(do, range(9), workers=2) == [number * number for number in range(9)]
    assert in_parallel(do, [], workers=2) == []


def test_no_more_are_done_at_once_than_there_are_workers() -> None:
    lock, running, most = threading.Lock(), set[int](), [0]
    together = threading.Barrier(3)

    def do(number: int) -> None:
        with lock:
            running.add(number)
            most[0] = max(most[0], len(running))
        together.wait(30)
        with lock:
            running.remove(number)

    in_parallel(do, range(12), workers=3)
    assert most == [3]


def test_the_first_error_ends_it_without_waiting_for_what_hangs() -> None:
    hanging, done = threading.Event(), list[int]()

    def do(number: int) -> None:
        if number == 0:
            hanging.wait(60)
        if number == 1:
            raise ValueError("no answer")
        done.append(number)

    with pytest.raises(ValueError, match="no answer"):
        in_parallel(do, range(100), workers=2)
    hanging.set()
    assert len(done) < 99


def test_who_works_is_told_to_stop_at_the_end() -> None:
    stop = threading.Event()
    in_parallel(str, [1], workers=1, stop=stop)
    assert stop.is_set()
