"""How the sandbox's servers speak HTTP: connections are kept, an answer goes out as one piece."""

from __future__ import annotations

import contextlib
from http.server import BaseHTTPRequestHandler
from typing import Any


class HttpHandler(BaseHTTPRequestHandler):
    """HTTP/1.1 whose answers are buffered. A client that goes away ends its connection and nothing else."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def finish(self) -> None:
        """Close both files of the socket: `wfile` raises where its buffer cannot go out, and leaves `rfile` open."""
        with contextlib.closing(self.rfile), contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Nothing: the sandbox's output belongs to its user."""
