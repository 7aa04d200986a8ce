"""The sandbox's HTTP handler: a client that goes away leaves nothing open."""

from __future__ import annotations

import socket
import struct
import threading
from http.server import HTTPServer
from io import BufferedIOBase

from kfp_release.sandbox.http_handler import HttpHandler


class Kept(HttpHandler):
    """Answers when the client is gone, and keeps its file."""

    gone = threading.Event()
    files: list[BufferedIOBase] = []  # noqa: RUF012 - of the class: the server makes the handlers

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
        self.files.append(self.rfile)
        assert self.gone.wait(20)
        self.connection.settimeout(20)
        assert not self.rfile.closed
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        self.close_connection = True


def test_a_socket_whose_client_is_gone_is_closed_with_its_files() -> None:
    with HTTPServer(("127.0.0.1", 0), Kept) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        client = socket.create_connection(("127.0.0.1", server.server_port))
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()  # with a reset
        Kept.gone.set()
        thread.join()
    assert [file.closed for file in Kept.files] == [True]
