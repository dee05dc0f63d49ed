"""Argo CD's API server as far as it is asked for manifests: over JSON of Applications, over gRPC-Web of files."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import tarfile
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, quote, urlsplit

import yaml
from local_server import LocalServer

from neuroscale.kubernetes.refs import Object

PASSWORD, TOKEN = "only the administrator knows it", "a.token.of-it"
TRACKING = "argocd.argoproj.io/tracking-id"


class UnrenderableError(Exception):
    """The repo-server's word on what it cannot render."""


def marked(obj: Object, application: str) -> Object:
    """With Argo CD's mark; a CRD has none, and of a Secret nobody is shown the contents."""
    if obj["kind"] == "CustomResourceDefinition":
        return obj
    meta = obj["metadata"]
    mark = {TRACKING: f"{application}:{obj['kind']}/{meta['name']}"}
    made = {**obj, "metadata": {**meta, "annotations": {**(meta.get("annotations") or {}), **mark}}}
    if obj["kind"] == "Secret":
        keys = {**(made.pop("stringData", None) or {}), **(made.get("data") or {})}
        made["data"] = dict.fromkeys(keys, "++++++++")
    return made


def plain(folder: Path) -> list[Object]:
    """What a folder of plain manifests makes."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.yaml"))]
    return [one for text in texts for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one is not None]


class FakeArgoCD(LocalServer):
    """The server.

    Attributes:
        applications: Name -> the objects that it makes.
        errors: Name -> the repo-server's word on why it makes none.
        at: The commits that were asked for.
        render: What it makes of a folder that it is sent.
        answers: Path -> status and body that are answered instead.
        tokens: Those that it was shown, one a request.
    """

    def __init__(self) -> None:
        self.applications: dict[str, list[Object]] = {}
        self.errors: dict[str, str] = {}
        self.at: set[str] = set()
        self.render: Callable[[Path], list[Object]] = plain
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.tokens: list[str] = []

    def make_handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(_Handler):
            owner = server

        return Handler

    def with_files(self, body: bytes) -> bytes:
        """The answer to a call of gRPC-Web: a message, and how it went."""
        try:
            application, archive = _asked(body)
            with TemporaryDirectory() as name:
                with tarfile.open(fileobj=io.BytesIO(gzip.decompress(archive))) as files:
                    files.extractall(name, filter="data")
                made = [marked(one, application) for one in self.render(Path(name) / "apps" / application)]
        except UnrenderableError as error:
            command = "`helm template . --name-template test-app`"
            said = f"failed to execute helm template command: {command} failed exit status 1: Error: {error}"
            return _frame(0x80, f"grpc-status: 2\r\ngrpc-message: {quote(said)}\r\n".encode())
        message = b"".join(_text(1, json.dumps(one)) for one in made) + _text(2, "default") + _text(6, "Directory")
        return _frame(0, message) + _frame(0x80, b"grpc-status: 0\r\ngrpc-message: \r\n")


def _frame(kind: int, content: bytes) -> bytes:
    return struct.pack(">BI", kind, len(content)) + content


def _text(number: int, text: str) -> bytes:
    content, size = text.encode(), bytearray()
    left = len(content)
    while True:
        size.append(left % 128 + (128 if left >= 128 else 0))
        left //= 128
        if not left:
            return bytes([number * 8 + 2]) + bytes(size) + content


def _part(message: bytes, number: int) -> bytes:
    """The one field of a message that comes next, of this number."""
    assert message[0] == number * 8 + 2, message[:20]
    length, shift, at = 0, 0, 1
    while True:
        length |= (message[at] % 128) << shift
        shift, at = shift + 7, at + 1
        if message[at - 1] < 128:
            return message[at : at + length]


def _asked(body: bytes) -> tuple[str, bytes]:
    """The Application and the archive: a query, and one piece of a file, which is all of it."""
    kind, length = struct.unpack(">BI", body[:5])
    first, second = body[5 : 5 + length], body[5 + length :]
    assert (kind, second[:1]) == (0, b"\0")
    assert struct.unpack(">I", second[1:5]) == (len(second) - 5,)
    query = _part(first, 1)
    application = _part(query, 1)
    archive = _part(_part(second[5:], 2), 1)
    assert _part(query[2 + len(application) :], 2).decode() == hashlib.sha256(archive).hexdigest()
    return application.decode(), archive


class _Handler(BaseHTTPRequestHandler):
    owner: FakeArgoCD

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = urlsplit(self.path)
        status, content = self.owner.answers.get(asked.path) or self._answer(asked.path, asked.query, body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer(self, path: str, query: str, body: bytes) -> tuple[int, bytes]:
        if path == "/api/v1/session":
            known = json.loads(body) == {"username": "admin", "password": PASSWORD}
            return (200, json.dumps({"token": TOKEN}).encode()) if known else (401, b'{"code": 16, "message": "who?"}')
        self.owner.tokens.append(self.headers.get("Authorization", ""))
        if path == "/application.ApplicationService/GetManifestsWithFiles":
            assert self.headers["Content-Type"] == "application/grpc-web+proto"
            return 200, self.owner.with_files(body)
        name = path.removeprefix("/api/v1/applications/").removesuffix("/manifests")
        self.owner.at |= set(parse_qs(query)["revision"])
        if error := self.owner.errors.get(name):
            return 500, json.dumps({"error": error, "code": 2, "message": error}).encode()
        texts = [json.dumps(marked(one, name)) for one in self.owner.applications[name]]
        return 200, json.dumps({"manifests": texts} if texts else {}).encode()

    do_GET = do_POST = _serve  # noqa: N815 - as the base class has it

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Quiet."""
