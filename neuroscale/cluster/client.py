"""The one client. Every read and write of the suite goes through :class:`Cluster`, and every write through a guard."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
import yaml
from kubernetes.client import Configuration
from kubernetes.client.rest import ApiException, RESTClientObject, RESTResponse
from kubernetes.config import ConfigException, load_kube_config_from_dict

from neuroscale.cluster import port_forward
from neuroscale.cluster.guard import READS, DenyWrites, Guard, MarkerGuard, docker_networks
from neuroscale.cluster.state import ClusterState
from neuroscale.errors import ApiError, ApiServerSlow, ClusterUnreachable, UsageError
from neuroscale.host.direct import LOOPBACK
from neuroscale.kubernetes.refs import Object, Ref, api_version_of
from neuroscale.settings import BUDGETS

_LOG = logging.getLogger(__name__)

MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
FIELD_MANAGER = "neuroscale"
_CONNECT_SECONDS = 3
#: Where a kubeconfig names files: list, part of its entries, keys in there.
_PATHS = (
    ("clusters", "cluster", ("certificate-authority",)),
    ("users", "user", ("client-certificate", "client-key", "tokenFile")),
)


class Cluster:
    """A Kubernetes API server, as few verbs as the suite needs.

    Objects are plain dictionaries, as the API server sends them. Errors are :class:`ApiError` (it answered no),
    :class:`ClusterUnreachable` (it did not answer) and :class:`~neuroscale.errors.WriteForbidden` (the guard said no).
    """

    def __init__(self, configuration: Configuration, guard: Guard) -> None:
        # A silent retry inside the transport would hide the very outages that are measured here.
        configuration.retries = False
        self._configuration = configuration
        self._guard = guard
        self._rest = RESTClientObject(configuration)
        self._plurals: dict[tuple[str, str], tuple[str, bool]] = {}

    @classmethod
    def from_kubeconfig(cls, kubeconfig: Path, state: ClusterState | None, context: str | None = None) -> Cluster:
        """Connect as a kubeconfig says. The file is read once.

        Args:
            kubeconfig: The file.
            state: What this machine remembers of the cluster it made; without it, the client only reads.
            context: A context of the file; the current one if not given.

        Raises:
            UsageError: The file is missing or is no kubeconfig.
        """
        configuration = read_kubeconfig(kubeconfig, context)
        if state is None:
            return cls(configuration, DenyWrites("this machine made no such cluster. Next: neuroscale up"))
        return cls(configuration, MarkerGuard(state.server, state.nonce, adopted=state.adopted))

    @property
    def server(self) -> str:
        """Base URL of the API server."""
        return str(self._configuration.host)

    # --- reading

    def get(self, ref: Ref) -> Object | None:
        """One object, or ``None`` when it does not exist."""
        try:
            return self.read(self._path(ref))
        except ApiError as error:
            if error.status == 404 and error.reason != "NoSuchKind":
                return None
            raise

    def list(
        self, kind: str, namespace: str | None = None, *, labels: str = "", fields: str = "", api_version: str = ""
    ) -> list[Object]:
        """Objects of a kind, of one namespace or of all, by label and field selector."""
        query = _query(labelSelector=labels, fieldSelector=fields)
        version = api_version or api_version_of(kind)
        found = self.read(self._collection(version, kind, namespace) + query)
        return [{"apiVersion": version, "kind": kind, **item} for item in found["items"]]

    def read(self, path: str) -> Object:
        """GET a path and decode the JSON answer."""
        return _decoded(self._send("GET", path))

    def text(self, path: str) -> str:
        """GET a path and hand back the body, for logs and ``/readyz``."""
        return bytes(self._send("GET", path).read()).decode(errors="replace")

    def logs(self, pod: Ref, container: str, *, since_seconds: int, limit_bytes: int) -> str:
        """The log of one container, not older than ``since_seconds`` and not longer than ``limit_bytes``."""
        query = _query(
            container=container, sinceSeconds=str(since_seconds), limitBytes=str(limit_bytes), timestamps="true"
        )
        return self.text(f"{self._path(pod)}/log{query}")

    def exchange(self, pod: Ref, port: int, messages: Sequence[bytes]) -> Sequence[bytes]:
        """What a port of a pod answers to messages that change nothing there; see :func:`port_forward.exchange`.

        Raises:
            ApiError: To one of them no answer came.
        """
        try:
            return port_forward.exchange(self._configuration, self._path(pod), port, messages, seconds=_CONNECT_SECONDS)
        except OSError as error:
            raise ApiError(f"port {port} of {pod} did not answer: {error}", status=502, reason="NoAnswer") from error

    def watch(
        self, ref: Ref, *, seconds: float, listed: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[str, Object]]:
        """Events of one object, the present state first, as (``ADDED|MODIFIED|DELETED``, object).

        Ends after ``seconds`` at the latest; the caller asks again if it wants more. ``listed`` is called once the
        present state is out and every later change will follow.
        """
        collection = self._collection(ref.api_version, ref.kind, ref.namespace)
        selector = {"fieldSelector": f"metadata.name={ref.name}"}
        listing = self.read(collection + _query(**selector))
        for item in listing["items"]:
            yield "ADDED", {"apiVersion": ref.api_version, "kind": ref.kind, **item}
        listed()
        query = _query(
            watch="true",
            resourceVersion=listing["metadata"]["resourceVersion"],
            timeoutSeconds=str(max(1, int(seconds))),
            **selector,
        )
        response = self._send("GET", collection + query, read_seconds=seconds + _CONNECT_SECONDS)
        with contextlib.closing(response.response):
            for line in _lines(response):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                yield event["type"], event["object"]

    # --- writing

    def create(self, obj: Object, *, dry_run: bool = False, strict: bool = False) -> Object:
        """Create an object.

        Args:
            obj: The object.
            dry_run: It goes through admission on the server, and is not stored.
            strict: A field that its kind does not have is an error, as it is to Argo CD.
        """
        ref = Ref.to(obj)
        strictness = "Strict" if strict else ""
        query = _query(dryRun="All" if dry_run else "", fieldManager=FIELD_MANAGER, fieldValidation=strictness)
        return self._write("POST", self._collection(ref.api_version, ref.kind, ref.namespace) + query, obj)

    def apply(self, obj: Object, *, dry_run: bool = False) -> Object:
        """Server-side apply, taking over conflicting fields; in a dry run, what would come of it."""
        query = _query(dryRun="All" if dry_run else "", fieldManager=FIELD_MANAGER, force="true")
        return self._write("PATCH", self._path(Ref.to(obj)) + query, obj, APPLY)

    def patch(self, ref: Ref, body: Object) -> Object:
        """JSON merge patch: ``None`` deletes a key, a list is replaced whole."""
        return self._write("PATCH", self._path(ref) + _query(fieldManager=FIELD_MANAGER), body, MERGE)

    def delete(self, ref: Ref, *, uid: str | None = None, at_once: bool = False) -> None:
        """Delete an object and, in the background, what it owns.

        Args:
            ref: The object.
            uid: Spares a namesake that came after.
            at_once: A pod gets no time to end.

        Raises:
            ApiError: Also with status 404, when it does not exist.
        """
        options: Object = {"propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        if at_once:
            options["gracePeriodSeconds"] = 0
        self._write("DELETE", self._path(ref), options)

    def assert_writable(self, deed: str) -> None:
        """Ask the guard about a write that reaches the cluster by another door, such as a push to the Git server in it.

        Raises:
            WriteForbidden: The guard forbids it.
        """
        self._guard.allow("WRITE", deed, self.server, self.read)

    def kubeconfig(self) -> Object:
        """The way to this API server for a program with a client of its own.

        What such a program writes passes no guard: whoever starts one asks :meth:`assert_writable` first.
        """
        known = self._configuration
        user = {"client-certificate": known.cert_file, "client-key": known.key_file}
        if scheme_and_token := self._authorization().get("Authorization"):
            user["token"] = scheme_and_token.rpartition(" ")[2]
        names = {"cluster": "neuroscale", "user": "neuroscale"}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "neuroscale", "cluster": {"server": self.server, "certificate-authority": known.ssl_ca_cert}}
            ],
            "users": [{"name": "neuroscale", "user": {key: value for key, value in user.items() if value}}],
            "contexts": [{"name": "neuroscale", "context": names}],
            "current-context": "neuroscale",
        }

    # --- how

    def _write(self, method: str, path: str, body: Object, content_type: str = "application/json") -> Object:
        return _decoded(self._send(method, path, body, content_type))

    def _send(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        content_type: str = "application/json",
        *,
        read_seconds: float = BUDGETS.request,
    ) -> RESTResponse:
        if method not in READS:
            self._guard.allow(method, path, self.server, self.read)
            # Never the body: it may hold a secret.
            _LOG.debug("%s %s", method, path)
        headers = {"Accept": "application/json", "Content-Type": content_type, **self._authorization()}
        try:
            response = self._rest.request(
                method,
                self.server + path,
                headers=headers,
                body=body,
                _request_timeout=(_CONNECT_SECONDS, read_seconds),
            )
        except (urllib3.exceptions.HTTPError, ApiException, OSError) as error:
            slow = isinstance(error, urllib3.exceptions.ReadTimeoutError)
            raise (ApiServerSlow if slow else ClusterUnreachable)(
                f"The API server at {self.server} should answer {method} {path.partition('?')[0]}, but: {error}. "
                "Next: neuroscale status"
            ) from error
        # A redirect is a no as well: it would lead to a server that nobody asked for.
        if response.status >= 300:
            raise _refusal(method, path, response)
        return response

    def _authorization(self) -> Mapping[str, str]:
        token = self._configuration.get_api_key_with_prefix("authorization")
        return {"Authorization": token} if token else {}

    def _path(self, ref: Ref) -> str:
        return f"{self._collection(ref.api_version, ref.kind, ref.namespace)}/{ref.name}"

    def _collection(self, api_version: str, kind: str, namespace: str | None) -> str:
        plural, namespaced = self._plural(api_version, kind)
        middle = f"namespaces/{namespace}/" if namespaced and namespace else ""
        return f"{_group_path(api_version)}/{middle}{plural}"

    def _plural(self, api_version: str, kind: str) -> tuple[str, bool]:
        key = (api_version, kind)
        if key not in self._plurals:
            try:
                resources = self.read(_group_path(api_version))["resources"]
            except ApiError as error:
                if error.status != 404:
                    raise
                resources = []
            for resource in resources:
                if "/" not in resource["name"]:
                    self._plurals[api_version, resource["kind"]] = resource["name"], resource["namespaced"]
        if key not in self._plurals:
            raise ApiError(
                f"The API server at {self.server} should serve {kind} ({api_version}), but does not know it. "
                "Next: kubectl api-resources",
                status=404,
                reason="NoSuchKind",
            )
        return self._plurals[key]


def self_contained(kubeconfig: Path) -> Object:
    """The content of a kubeconfig that means the same from any folder: paths in it are relative to its own.

    Raises:
        OSError: It cannot be read.
        yaml.YAMLError: It is no YAML; a TypeError or AttributeError when it is no kubeconfig.
    """
    content: Object = yaml.load(kubeconfig.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    for section, part, keys in _PATHS:
        for entry in content.get(section) or []:
            settings = entry.get(part) or {}
            for key in filter(settings.get, keys):
                settings[key] = str(kubeconfig.absolute().parent / settings[key])
    return content


def read_kubeconfig(kubeconfig: Path, context: str | None = None) -> Configuration:
    """Where a kubeconfig leads, and with which credentials.

    Raises:
        UsageError: The file is missing or is no kubeconfig.
    """
    configuration = Configuration()
    try:
        content = self_contained(kubeconfig)
        load_kube_config_from_dict(content, context=context, client_configuration=configuration, persist_config=False)
        _assert_address(str(configuration.host))
    except (OSError, yaml.YAMLError, ConfigException, ValueError, TypeError, AttributeError) as error:
        raise UsageError(
            f"The kubeconfig {kubeconfig} should name a cluster, but: {error}. Next: neuroscale up"
        ) from error
    # Like kubectl, and so that what is said to be on this machine is reached there.
    near = [configuration.no_proxy, *LOOPBACK]
    # The environment's proxy does not know them; one that the kubeconfig names was named for its server.
    if not any("proxy-url" in entry["cluster"] for entry in content["clusters"]):
        near += map(str, docker_networks())
    configuration.no_proxy = ",".join(filter(None, near))
    # For good: before each request a token is looked after, and the environment's proxies would be looked up with it.
    configuration.proxy = configuration.proxy
    return configuration


def _assert_address(server: str) -> None:
    """Refuse what is no address before a request stumbles over it.

    Raises:
        ConfigException: It is none.
    """
    try:
        address = urllib3.util.parse_url(server)
    except urllib3.exceptions.LocationParseError:
        address = urllib3.util.Url()
    if address.scheme not in {"http", "https"} or not address.host:
        raise ConfigException(f"its server {server!r} is no address, such as https://127.0.0.1:6443")


def _group_path(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _query(**parameters: str) -> str:
    encoded = urlencode({name: value for name, value in parameters.items() if value})
    return f"?{encoded}" if encoded else ""


def _decoded(response: RESTResponse) -> Object:
    raw = response.read()
    try:
        content: Any = json.loads(raw)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ApiError(f"An object was expected, but the answer was {raw[:300]!r}", status=502, reason="BadAnswer")
    return content


def _lines(response: RESTResponse) -> Iterator[bytes]:
    """Complete lines of a stream; a read timeout ends it, since a watch is bounded by design."""
    rest = b""
    with contextlib.suppress(urllib3.exceptions.HTTPError, OSError):
        for chunk in response.response.stream(amt=None, decode_content=True):
            *complete, rest = (rest + chunk).split(b"\n")
            yield from (line for line in complete if line)


def _refusal(method: str, path: str, response: RESTResponse) -> ApiError:
    raw = response.read()
    try:
        status = json.loads(raw)
        message, reason = status.get("message", ""), status.get("reason", "")
    except (ValueError, AttributeError):
        message, reason = bytes(raw).decode(errors="replace")[:500], ""
    return ApiError(
        f"{method} {path.split('?', maxsplit=1)[0]} was answered {response.status} {reason}: {message}",
        status=response.status,
        reason=reason,
    )
