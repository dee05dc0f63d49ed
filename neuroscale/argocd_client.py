"""Asking Argo CD's API server what the repo-server makes of a commit, or of files that nobody has committed.

Files go by gRPC-Web, as from Argo CD's own command line: its JSON gateway cannot read such a message (3.2.1).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any
from urllib.parse import unquote

import httpx

from neuroscale.cluster.client import Cluster
from neuroscale.cluster.state import load_state
from neuroscale.errors import NeuroscaleError, PreconditionFailed
from neuroscale.host import direct
from neuroscale.kubernetes.objects import secret_values
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.settings import ARGOCD

_ADMINISTRATOR = "admin"
_PASSWORD = Ref("Secret", "argocd-initial-admin-secret", ARGOCD)
_SETTINGS = Ref("Secret", "argocd-secret", ARGOCD)
#: Seconds: the largest Application may not have been rendered before.
_WITHIN = 60
_GRPC_WEB = "application/grpc-web+proto"
_WITH_FILES = "/application.ApplicationService/GetManifestsWithFiles"
#: Of gRPC: "it went well"; and the codes with which the repo-server speaks of a manifest: an error that is none of
#: gRPC's own, or something else had to be first. Other parts of Argo CD use them too, and so does a repo-server without
#: Git or disk.
_OK, _ABOUT_MANIFESTS = 0, (2, 9)
#: What the renderer alone says, as in 3.2.1: Helm or Kustomize ended with an error of its own (and was not killed, nor
#: late), or what they or the files hold is no manifest. API server and repo-server pass it on with no words in front.
_OF_RENDERER = re.compile(
    r"(?:Manifest generation error \(cached\): )?"
    r"(?:(?:failed to execute helm template command: [^`]*)?"
    r"`(?:helm template|kustomize build)\b.*?` failed exit status \d"
    r'|Failed to (?:evaluate jsonnet|unmarshal)\b|Found multiple objects in "|failed to unmarshal manifest: '
    r"|failed to (?:load|unmarshal) kustomization\.yaml: |kustomization file not found in the path"
    r"|failed to set app instance tracking info on manifest: |resource list item has unexpected type"
    r"|(?:failed to get app path: )?\S+: app path (?:does not exist|is not a directory))"
)
#: Marks the end of an answer, which says how it went.
_TRAILERS = 0x80
_SHOWN = 300
_HERE = f"Next: kubectl -n {ARGOCD} logs deploy/argocd-server"


class ArgoCDError(NeuroscaleError):
    """Argo CD did not say what it was asked."""


class NotRendered(ArgoCDError):
    """The repo-server makes no objects of it; the text is its reason."""


class ArgoCD:
    """Argo CD at an address, as its administrator.

    Args:
        url: Of its API server.
        password: The administrator's.
        certificate: In PEM; nobody else is told the password. Empty: the usual authorities say who it is.
    """

    def __init__(self, url: str, password: str, certificate: str = "") -> None:
        self.url = url
        self._password, self._certificate = password, certificate

    def manifests(self, application: str, revision: str) -> list[Object]:
        """What an Application deploys at a commit; of Secrets the keys alone.

        Raises:
            NotRendered: Nothing, for this reason.
            ArgoCDError: It did not say.
        """
        path = f"/api/v1/applications/{application}/manifests"
        answer = self._send(self._http, "GET", path, params={"revision": revision})
        if answer.is_success:
            return [json.loads(text) for text in answer.json().get("manifests") or []]
        try:
            said = answer.json()
            code, message = said["code"], said["message"]
        except (ValueError, TypeError, KeyError):
            code, message = answer.status_code, answer.text
        raise self._error(path, code, message)

    def manifests_of(self, application: str, files: bytes) -> list[Object]:
        """What an Application would deploy if its repository had these files.

        Args:
            application: One that exists.
            files: A tar archive, compressed by gzip.

        Raises:
            NotRendered: Nothing, for this reason.
            ArgoCDError: It did not say.
        """
        query = _field(1, application.encode()) + _field(2, hashlib.sha256(files).hexdigest().encode())
        body = _frame(_field(1, query)) + _frame(_field(2, _field(1, files)))
        answer = self._send(self._http, "POST", _WITH_FILES, content=body, headers={"Content-Type": _GRPC_WEB})
        said, made = dict(answer.headers), list[Object]()
        try:
            for kind, content in _frames(answer.content if answer.is_success else b""):
                if kind == _TRAILERS:
                    said |= _headers(content)
                else:
                    made += [json.loads(text) for number, text in _fields(content) if number == 1]
            code = int(said["grpc-status"])
        except (ValueError, KeyError, IndexError):
            raise self._error(_WITH_FILES, answer.status_code, answer.text) from None
        if code != _OK:
            raise self._error(_WITH_FILES, code, unquote(said.get("grpc-message", "")))
        return made

    def _error(self, path: str, code: int, message: str) -> ArgoCDError:
        words = " ".join(message.split())
        if code in _ABOUT_MANIFESTS and _OF_RENDERER.match(words):
            return NotRendered(words)
        return ArgoCDError(f"Argo CD at {self.url} should answer {path}, but said {code}: {words:.{_SHOWN}}. {_HERE}")

    def _send(self, http: httpx.Client, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            return http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise ArgoCDError(
                f"Argo CD at {self.url} should answer {method} {path}, but: {type(error).__name__}: {error}. {_HERE}"
            ) from error

    @cached_property
    def _http(self) -> httpx.Client:
        http = direct.client(base_url=self.url, seconds=_WITHIN, certificate=self._certificate)
        asked = {"username": _ADMINISTRATOR, "password": self._password}
        answer = self._send(http, "POST", "/api/v1/session", json=asked)
        if not answer.is_success:
            raise self._error("/api/v1/session", answer.status_code, answer.text)
        http.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return http


def argocd(cluster: Cluster) -> ArgoCD:
    """The cluster's Argo CD.

    Raises:
        PreconditionFailed: This machine has no port that leads there, or nobody knows the password.
    """
    state = load_state()
    if state is None or "argocd" not in (state.ports or {}):
        raise PreconditionFailed("The cluster should have a port for Argo CD, but has none. Next: neuroscale up")
    password = secret_values(cluster.get(_PASSWORD)).get("password")
    certificate = secret_values(cluster.get(_SETTINGS)).get("tls.crt")
    if not (password and certificate):
        missing = f"{_PASSWORD} has no password" if certificate else f"{_SETTINGS} has no certificate"
        raise PreconditionFailed(f"Argo CD should let its administrator in, but {missing}. {_HERE}")
    return ArgoCD(f"https://127.0.0.1:{(state.ports or {})['argocd']}", password, certificate)


# --- gRPC-Web, as far as texts, bytes and messages of these go


def _frame(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


def _frames(body: bytes) -> Iterator[tuple[int, bytes]]:
    while body:
        end = 5 + int.from_bytes(body[1:5], "big")
        yield body[0], body[5:end]
        body = body[end:]


def _headers(trailers: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in trailers.decode().splitlines())
    return {name.strip().lower(): value.strip() for name, _, value in lines}


def _field(number: int, content: bytes) -> bytes:
    """A field of a message: its number, how long it is, and what it holds."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    while message:
        number, message = message[0] >> 3, message[1:]
        length, message = _read_varint(message)
        yield number, message[:length]
        message = message[length:]


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last byte have the eighth."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _read_varint(message: bytes) -> tuple[int, bytes]:
    number = 0
    for index, byte in enumerate(message):
        number |= (byte & 0x7F) << 7 * index
        if byte <= 0x7F:
            return number, message[index + 1 :]
    raise ValueError("a number should have an end")
