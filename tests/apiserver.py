"""A small Kubernetes API server for the fast tier: real HTTP on 127.0.0.1, objects in memory, every write on record.

It stores, patches, watches and refuses as the real one does, so far as the suite's client notices. Controllers are
played by three rules: the ready pods of a workload follow its spec at once, a pod is placed when it is created, and an
Application is compared as soon as somebody asks for it.
"""

from __future__ import annotations

import base64
import contextlib
import copy
import hashlib
import json
import re
import threading
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local_server import LocalServer
from websocket import ABNF
from websocket._abnf import frame_buffer

from neuroscale.cluster.guard import MARKER_PATH, marker
from neuroscale.kubernetes.refs import Object

NONCE = "0123456789abcdef0123456789abcdef"
KINDS = {
    "/api/v1": {
        "configmaps": ("ConfigMap", True),
        "namespaces": ("Namespace", False),
        "nodes": ("Node", False),
        "pods": ("Pod", True),
        "resourcequotas": ("ResourceQuota", True),
        "secrets": ("Secret", True),
        "services": ("Service", True),
    },
    "/apis/admissionregistration.k8s.io/v1": {
        "mutatingwebhookconfigurations": ("MutatingWebhookConfiguration", False),
        "validatingwebhookconfigurations": ("ValidatingWebhookConfiguration", False),
    },
    "/apis/apps/v1": {
        "daemonsets": ("DaemonSet", True),
        "deployments": ("Deployment", True),
        "replicasets": ("ReplicaSet", True),
        "statefulsets": ("StatefulSet", True),
    },
    "/apis/argoproj.io/v1alpha1": {
        "applications": ("Application", True),
        "applicationsets": ("ApplicationSet", True),
    },
    "/apis/discovery.k8s.io/v1": {"endpointslices": ("EndpointSlice", True)},
}
#: What RFC 6455 has a server answer with.
_WEBSOCKET = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
REFRESH = "argocd.argoproj.io/refresh"
_PATH = re.compile(r"(/api/v1|/apis/[^/]+/[^/]+)(?:/namespaces/([^/]+))?/([a-z]+)(?:/([^/]+))?")
_REASONS = {404: "NotFound", 409: "AlreadyExists", 405: "MethodNotAllowed"}


def merge(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


class RefusalError(Exception):
    def __init__(self, status: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.status, self.reason = status, reason or _REASONS.get(status, "")


class ApiServer(LocalServer):
    """The server.

    Attributes:
        writes: Method and path of every request that is not a GET, in order of arrival; without applies in a dry run.
        objects: Path -> object.
        answers: ``"GET /path"`` -> what is answered instead: status, body, headers.
        before: Called with method and path before each request is served.
        ports: Path of a pod -> what its one port answers to a message; those of others are closed.
    """

    def __init__(self, nonce: str | None = None) -> None:
        self.writes: list[str] = []
        self.objects: dict[str, Object] = {}
        self.answers: dict[str, tuple[int, bytes, dict[str, str]]] = {}
        self.before: Callable[[str, str], None] = lambda method, path: None
        self.ports: dict[str, Callable[[bytes], bytes]] = {}
        self.changed = threading.Condition(threading.RLock())
        self._events: list[tuple[str, str, Object]] = []
        self._version = 0
        self._hung_up = 0
        if nonce is not None:
            self.put(MARKER_PATH, marker(nonce, "neuroscale"))

    def make_handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(_Handler):
            api = server

        return Handler

    # --- objects

    def put(self, path: str, obj: Object, event: str = "") -> Object:
        """Store an object and tell the watchers."""
        with self.changed:
            self._version += 1
            old = self.objects.get(path)
            meta = {"uid": str(uuid.uuid4()), **((old or {}).get("metadata") or {}), **obj["metadata"]}
            obj = {**obj, "metadata": {**meta, "resourceVersion": str(self._version)}}
            if obj["kind"] in ("Deployment", "StatefulSet"):
                wanted = obj["spec"].get("replicas", 1)
                obj["status"] = {"readyReplicas": wanted, "updatedReplicas": wanted, "replicas": wanted}
            if obj["kind"] == "Pod":
                obj["spec"] = {"nodeName": "node-0", **obj["spec"]}
            self.objects[path] = obj
            self._tell(event or ("MODIFIED" if old else "ADDED"), path, obj)
            if obj["kind"] == "Application" and REFRESH in (meta.get("annotations") or {}):
                self.put(path, merge(obj, {"metadata": {"annotations": {REFRESH: None}}}))
            return obj

    def remove(self, path: str) -> Object:
        """Delete an object and tell the watchers."""
        with self.changed:
            self._version += 1
            obj = self.objects.pop(path)
            obj = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self._version)}}
            self._tell("DELETED", path, obj)
            return obj

    def hang_up(self) -> None:
        """End every watch, as a restarting API server does. What is told after this, no open watch hears."""
        with self.changed:
            self._hung_up += 1
            self.changed.notify_all()

    def _tell(self, event: str, path: str, obj: Object) -> None:
        self._events.append((event, path, obj))
        self.changed.notify_all()

    # --- requests

    def serve(self, method: str, path: str, query: dict[str, str], body: Object | None) -> Object:
        found = _PATH.fullmatch(path)
        if method == "GET" and path in KINDS:
            named = [{"name": p, "kind": kind, "namespaced": ns} for p, (kind, ns) in KINDS[path].items()]
            return {"resources": [*named, {"name": "deployments/status", "kind": "Deployment", "namespaced": True}]}
        if found is None or found[3] not in KINDS.get(found[1], {}):
            raise RefusalError(404, "the server could not find the requested resource")
        if method == "POST":
            return self._create(path, query, body or {})
        if method == "GET" and found[4] is None:
            return self._list(path, found[3], query)
        if method == "PATCH" and "force" in query:
            return self._apply(path, query, body or {})
        if path not in self.objects:
            raise RefusalError(404, f'{found[3]} "{found[4]}" not found')
        return self._serve_one(method, path, body or {})

    def _serve_one(self, method: str, path: str, body: Object) -> Object:
        match method:
            case "GET":
                return self.objects[path]
            case "PATCH":
                return self.put(path, merge(self.objects[path], body))
            case "DELETE":
                return self._delete(path, body)
        raise RefusalError(405, method)

    def _apply(self, path: str, query: dict[str, str], body: Object) -> Object:
        applied = merge(self.objects.get(path), body)
        return applied if query.get("dryRun") else self.put(path, applied)

    def _create(self, path: str, query: dict[str, str], body: Object) -> Object:
        target = f"{path}/{body['metadata']['name']}"
        if target in self.objects:
            raise RefusalError(409, f"{target} already exists")
        return body if query.get("dryRun") else self.put(target, body)

    def _delete(self, path: str, options: Object) -> Object:
        uid = (options.get("preconditions") or {}).get("uid")
        if uid and uid != self.objects[path]["metadata"]["uid"]:
            raise RefusalError(409, "the UID in the precondition does not match", "Conflict")
        return self.remove(path)

    def _list(self, path: str, plural: str, query: dict[str, str]) -> Object:
        prefix, _, _ = path.partition(f"/{plural}")
        items = [obj for key, obj in self.objects.items() if _in(key, prefix, plural) and _selected(obj, query)]
        bare = [{key: value for key, value in item.items() if key not in ("kind", "apiVersion")} for item in items]
        return {"kind": "List", "metadata": {"resourceVersion": str(self._version)}, "items": bare}

    def stream(self, path: str, query: dict[str, str], send: Callable[[bytes], None]) -> None:
        """Events after the given version, until the time asked for is over."""
        plural = path.rsplit("/", 1)[1]
        prefix, since = path.partition(f"/{plural}")[0], int(query["resourceVersion"])
        sent = 0
        with self.changed:
            hung_up = self._hung_up
            while hung_up == self._hung_up:
                for event, key, obj in self._events[sent:]:
                    fits = _in(key, prefix, plural) and _selected(obj, query)
                    if fits and int(obj["metadata"]["resourceVersion"]) > since:
                        send(json.dumps({"type": event, "object": obj}).encode() + b"\n")
                sent = len(self._events)
                if not self.changed.wait(timeout=float(query["timeoutSeconds"])):
                    return


def _in(key: str, prefix: str, plural: str) -> bool:
    return key.startswith(prefix) and key.split("/")[-2] == plural


def _selected(obj: Object, query: dict[str, str]) -> bool:
    labels = obj["metadata"].get("labels") or {}
    name = query.get("fieldSelector", "").removeprefix("metadata.name=")
    wanted = [pair.split("=") for pair in query.get("labelSelector", "").split(",") if pair]
    return name in ("", obj["metadata"]["name"]) and all(labels.get(key) == value for key, value in wanted)


class _Handler(BaseHTTPRequestHandler):
    api: ApiServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # header and body are two small writes; together with delayed ACKs that costs 40 ms

    def _handle(self) -> None:
        # As a proxy it is asked for absolute addresses.
        parts = urlsplit(self.path)
        path = parts.path
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if self.command != "GET" and not (self.command == "PATCH" and query.get("dryRun")):
            self.api.writes.append(f"{self.command} {path}")
        self.api.before(self.command, path)
        if canned := self.api.answers.get(f"{self.command} {path}"):
            self._answer(*canned)
            return
        if path.endswith("/portforward"):
            self._forward(path.removesuffix("/portforward"), int(query["ports"]))
            return
        if query.get("watch"):
            self._watch(path, query)
            return
        try:
            obj = self.api.serve(self.command, path, query, json.loads(raw) if raw else None)
            self._answer(201 if self.command == "POST" else 200, json.dumps(obj).encode(), {})
        except RefusalError as no:
            status = {"kind": "Status", "message": str(no), "reason": no.reason, "code": no.status}
            self._answer(no.status, json.dumps(status).encode(), {})

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_CONNECT = do_OPTIONS = _handle  # noqa: N815 - http.server's names

    def _forward(self, pod: str, port: int) -> None:
        """Messages to a port of a pod, over a WebSocket, until the client goes; each has its length before it."""
        self.close_connection = True
        digest = hashlib.sha1(self.headers["Sec-WebSocket-Key"].encode() + _WEBSOCKET, usedforsecurity=False).digest()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(digest).decode())
        self.send_header("Sec-WebSocket-Protocol", "v4.channel.k8s.io")
        self.end_headers()
        for channel in (0, 1):
            self._frame(channel, port.to_bytes(2, "little"))
        if pod not in self.api.ports:
            self._frame(1, b"failed to connect: connection refused")
            return
        frames = frame_buffer(self._read, skip_utf8_validation=True)
        with contextlib.suppress(EOFError):
            while True:
                asked = frames.recv_frame().data[1:]
                while asked:
                    end = 2 + int.from_bytes(asked[:2], "big")
                    answer = self.api.ports[pod](asked[2:end])
                    asked = asked[end:]
                    # A stream, that comes in parts.
                    whole = len(answer).to_bytes(2, "big") + answer
                    self._frame(0, whole[:1])
                    self._frame(0, whole[1:])

    def _read(self, size: int) -> bytes:
        if received := self.rfile.read(size):
            return received
        raise EOFError

    def _frame(self, channel: int, content: bytes) -> None:
        self.wfile.write(ABNF(1, opcode=ABNF.OPCODE_BINARY, mask_value=0, data=bytes([channel]) + content).format())
        self.wfile.flush()

    def _watch(self, path: str, query: dict[str, str]) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        try:
            self.wfile.flush()
            self.api.stream(path, query, self._send_now)
            self._send_now(b"")
        except OSError:
            return  # the client went away, as watchers do

    def _send_now(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Quiet."""


def kubeconfig_for(server: str, context: str = "k3d-neuroscale") -> Object:
    """A kubeconfig with one context."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": context, "context": {"cluster": "c", "user": "u"}}],
    }
