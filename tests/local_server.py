"""An HTTP server of this process."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class LocalServer:
    """Answers at ``url`` for the length of a ``with`` block."""

    url: str

    def make_handler(self) -> type[BaseHTTPRequestHandler]:
        """What answers one request."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.handler = self.make_handler()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self.handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # It looks twice a second whether it shall end, and whenever there is something to accept.
        self._http.socket.shutdown(socket.SHUT_RDWR)
        self._http.shutdown()
        self._http.server_close()
