"""Releases that meet each fault of the other side end with the right content or in a clear error, and in time.

The short version of what ``python -m chaos faults`` does with every call.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from archives import NAME, wheel_bytes
from chaos.alarm import Overdue, alarm
from chaos.faults import run
from chaos.matrix.cells import names
from chaos.matrix.exchange import Act, Exchange
from chaos.matrix.faulty import Fault, Faulty
from chaos.matrix.network_faults import cut_short, sent_twice
from chaos.matrix.store_faults import NOT_THERE, file_stored_wrong, listed_wrong
from chaos.stage import Stage

from kfp_release.archive import same_members
from kfp_release.progress import Silent

ASKED_FOR = {
    "throttling": {"throttled", "429"},
    "5xx": {"503", "a fault of its own"},
    "reset connections": {"reset before it arrived", "reset after it arrived"},
    "hung connections": {"silent before it arrived", "silent after it arrived"},
    "truncated answers": {"answer cut off", "answer cut short", "empty answer"},
    "duplicated answers": {"answered twice", "sent twice"},
    "a vanished upload id": {"upload forgotten"},
    "a token that expires midway": {"token expired", "login expired"},
    "clock skew": {"clock an hour off"},
    "a registry that stores other bytes": {
        "layer kept wrong",
        "part stored wrong",
        "manifest stored wrong",
        "stored wrong",
    },
    "an index that accepts and does not serve": {"taken and not kept", "not listed", "not there"},
    "an index that serves something else": {"file stored wrong", "answered wrong", "listed with another sha256"},
}


def test_every_release_that_meets_a_fault_completes_or_ends_in_a_clear_error_in_time(tmp_path: Path) -> None:
    found = run(Stage(tmp_path, seed=1, short=True, progress=Silent()))
    assert found.broken == ()
    assert {row["fault"] for row in found.rows} >= {name for kinds in ASKED_FOR.values() for name in kinds}
    assert found.figures["completed"]
    assert found.figures["ended in a clear error"]


def test_the_matrix_has_each_fault_that_is_asked_for_and_the_short_one_some_of_each(tmp_path: Path) -> None:
    stage = Stage(tmp_path, seed=1, short=True, progress=Silent())
    everything, short = (names(short=one, chance=stage.random()) for one in (False, True))
    assert len(everything) == len(set(everything))
    assert set(short) < set(everything)
    for what, kinds in ASKED_FOR.items():
        for kind in kinds:
            assert any(f": {kind} (" in name for name in everything), what
    assert {
        "index page: listed with another sha256",
        "index file: answered wrong",
        "index upload: file stored wrong",
    } < {name.rpartition(" (")[0] for name in short}
    assert any(name.startswith("ecr UploadLayerPart: reset after it arrived (") for name in short)
    assert "ecr any call: token expired (from the middle on)" in everything
    assert "ecr UploadLayerPart: silent after it arrived (every)" in everything
    assert all(any(f": {name.partition(': ')[2].rpartition(' (')[0]} (" in one for one in short) for name in everything)


class Upstream(BaseHTTPRequestHandler):
    """Answers with the path, all but its slash; ``/404`` is not there, ``/moved`` leads elsewhere. A POST: its body."""

    def do_GET(self) -> None:
        body = self.path[1:].encode()
        self.send_response({b"404": 404, b"moved": 303}.get(body, 200))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


def test_an_index_that_keeps_another_file_keeps_other_content(proxy: Faulty) -> None:
    wheel = wheel_bytes()
    with proxy.with_fault(Fault(file_stored_wrong, lambda _: True)):
        kept = requests.post(f"{proxy.url}/echo", files={"content": (NAME, wheel)}, timeout=20).content
    start = kept.index(b"\r\n\r\n") + 4
    assert not same_members(NAME, wheel, kept[start : start + len(wheel)])
    assert len(kept[start:]) > len(wheel)


@pytest.fixture
def proxy() -> Iterator[Faulty]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Upstream) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            with Faulty(f"http://127.0.0.1:{server.server_port}").running() as faulty:
                yield faulty
        finally:
            server.shutdown()
            thread.join()


def asked(proxy: Faulty, act: Act, *paths: str) -> tuple[Fault, list[str]]:
    """The bodies of the answers for these paths, the first of which `act` is to change."""
    with proxy.with_fault(Fault(act, lambda _: True)) as fault:
        return fault, [requests.get(f"{proxy.url}/{path}", allow_redirects=False, timeout=20).text for path in paths]


def test_what_cannot_be_changed_is_passed_on_and_the_next_is_taken(proxy: Faulty) -> None:
    fault, bodies = asked(proxy, cut_short, "", "moved", "404", "abcd", "abcd")
    assert (bodies, fault.met) == (["", "moved", "404", "ab", "abcd"], 1)
    fault, bodies = asked(proxy, listed_wrong, "none", "sha256=0123456789")
    assert (bodies, fault.met) == (["none", "sha256=0000000089"], 1)
    fault, bodies = asked(proxy, NOT_THERE.act, "404", "a")
    assert (bodies, fault.met) == (["404", ""], 1)


def test_a_fault_that_never_happened_was_not_met(proxy: Faulty) -> None:
    assert asked(proxy, cut_short, "")[0].met == 0
    assert asked(proxy, NOT_THERE.act, "404")[0].met == 0
    assert asked(proxy, lambda exchange: exchange.reply(exchange.forward()), "a")[0].met == 0
    assert asked(proxy, sent_twice, "a")[0].met == 1


def test_what_an_act_raises_is_kept(proxy: Faulty) -> None:
    def act(_: Exchange) -> None:
        raise KeyError("layers")

    with proxy.with_fault(Fault(act, lambda _: True)) as fault, pytest.raises(requests.ConnectionError):
        requests.get(f"{proxy.url}/a", timeout=20)
    assert fault.met == 0
    assert fault.failures == ["KeyError('layers') at GET /a"]


def test_what_does_not_end_is_cut_off_even_where_all_exceptions_are_caught() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(Overdue, match=r"did not end within 0\.2 s"), alarm(0.2), suppress(Exception):
        threading.Event().wait(60)
    assert signal.getsignal(signal.SIGALRM) is before
    with alarm(5):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
