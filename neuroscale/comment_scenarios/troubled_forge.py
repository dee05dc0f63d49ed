"""A Git server in front of the Git server, which has trouble with comments and passes on everything else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from neuroscale.host import direct
from neuroscale.local_portal.process import HERE

_WITHIN = 10.0
#: Of one connection to the other these are not the other's.
_OWN = {"connection", "content-length", "host", "transfer-encoding", "content-encoding", "accept-encoding"}


@dataclass(frozen=True)
class Trouble:
    """What comes of a question about comments.

    Attributes:
        status: It is answered with; 0: not at all.
        headers: Of the answer.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()


#: In the words of features.
TROUBLES = {
    "answers 500 about comments": Trouble(500),
    "answers 429 about comments": Trouble(429, (("Retry-After", "2"),)),
    "does not answer about comments": Trouble(0),
    "knows nothing of comments": Trouble(404),
    "takes no comment from the gate": Trouble(403),
}


@contextmanager
def troubled(url: str, trouble: Trouble) -> Iterator[str]:
    """Where the Git server is reached in its trouble.

    Args:
        url: Of the Git server.
        trouble: That it has.
    """
    over = Event()

    class Handler(_Handler):
        there, meant, ended = url, trouble, over

    server = ThreadingHTTPServer((HERE, 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{HERE}:{server.server_port}"
    finally:
        over.set()
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    there: str
    meant: Trouble
    ended: Event

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "/comments" not in self.path:
            self._pass_on(body)
        elif self.meant.status:
            self._answer(self.meant.status, dict(self.meant.headers), b"it has trouble")
        else:
            self.ended.wait()

    do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the server looks for them by these names

    def _pass_on(self, body: bytes) -> None:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OWN}
        with direct.client(base_url=self.there, seconds=_WITHIN) as server:
            answer = server.request(self.command, self.path, content=body, headers=headers)
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _OWN}
        self._answer(answer.status_code, kept, answer.content)

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing to say."""
