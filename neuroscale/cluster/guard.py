"""Default deny: a write passes only to a cluster that this suite created, and that is proved anew at each write.

Two facts must hold. The API server's address must be on loopback or on a network of the local Docker engine (or the
user adopted exactly this server with its nonce). And the marker ConfigMap, read over the very connection that is about
to write, must carry the nonce of the local state file. A kubeconfig that changes between the check and the write
cannot matter, since both go to the address that was read once.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

import psutil
from urllib3.util import parse_url

from neuroscale.errors import ApiError, ClusterUnreachable, WriteForbidden
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import MARKER_NAME, MARKER_NAMESPACE

MARKER_PATH = f"/api/v1/namespaces/{MARKER_NAMESPACE}/configmaps/{MARKER_NAME}"
READS = frozenset({"GET", "HEAD", "OPTIONS"})
Read = Callable[[str], Object]
#: What an API server says that cannot answer now. 502 is not among them: whoever answers so is no API server.
_BUSY = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


class Guard(Protocol):
    """Decides about one request."""

    def allow(self, method: str, path: str, server: str, read: Read) -> None:
        """Return if the request may go out.

        Args:
            method: HTTP method.
            path: Path at the API server.
            server: Base URL that the connection really uses.
            read: GETs a path over that same connection.

        Raises:
            WriteForbidden: It may not.
            ClusterUnreachable: The API server did not say whose cluster it is. The request may not go out now.
            ApiError: Likewise: it answered that it cannot.
        """
        ...


@dataclass(frozen=True)
class DenyWrites:
    """What a client has that was given no guard."""

    why: str

    def allow(self, method: str, path: str, server: str, read: Read) -> None:  # noqa: ARG002 - the port's signature
        """Let reads pass and nothing else."""
        if method not in READS:
            raise WriteForbidden(f"{method} {path} at {server} was not sent: {self.why}")


@dataclass(frozen=True)
class MarkerGuard:
    """Lets writes pass to one server that carries one nonce.

    Attributes:
        server: Base URL from the local state file.
        nonce: Nonce from the local state file.
        adopted: The user marked this cluster by hand (``neuroscale adopt``), so that it need not be local.
    """

    server: str
    nonce: str
    adopted: bool = False

    def allow(self, method: str, path: str, server: str, read: Read) -> None:
        """Let reads pass; let writes pass when server, address and marker are the expected ones."""
        if method in READS:
            return
        request = f"{method} {path} at {server} was not sent"
        if server != self.server:
            raise WriteForbidden(f"{request}: the suite's cluster is at {self.server}. Next: neuroscale status")
        if not self.adopted and not is_local(server, docker_networks()):
            raise WriteForbidden(
                f"{request}: the address is neither loopback nor a network of the local Docker engine. "
                "Next: neuroscale up (a cluster of your own), or neuroscale adopt --help"
            )
        unread = f"{request}: the marker {MARKER_NAMESPACE}/{MARKER_NAME} cannot be read"
        try:
            found = (read(MARKER_PATH).get("data") or {}).get("nonce")
        except ClusterUnreachable as error:
            # Whose cluster it is was not said, which is no refusal: who waits for the API server goes on waiting.
            raise type(error)(f"{unread} ({error}). Next: neuroscale status") from error
        except ApiError as error:
            said = f"{unread} ({error}). Next: neuroscale status"
            if error.status in _BUSY:
                raise ApiError(said, status=error.status, reason=error.reason) from error
            raise WriteForbidden(said) from error
        if not self.nonce or found != self.nonce:
            raise WriteForbidden(
                f"{request}: the marker {MARKER_NAMESPACE}/{MARKER_NAME} belongs to another run or carries no nonce. "
                "Next: neuroscale status"
            )


def docker_networks() -> Iterable[ipaddress.IPv4Network]:
    """Networks of the local Docker engine, by its bridge interfaces: ``docker0``, ``br-`` and 12 digits of the ID."""
    for name, addresses in psutil.net_if_addrs().items():
        # Not any bridge: behind br-lan or br-ex lies somebody's real network.
        if re.fullmatch(r"docker0|br-[0-9a-f]{12}", name):
            for address in addresses:
                if address.family.name == "AF_INET" and address.netmask:
                    yield ipaddress.ip_network(f"{address.address}/{address.netmask}", strict=False)  # type: ignore[misc]


def is_local(server: str, networks: Iterable[ipaddress.IPv4Network]) -> bool:
    """Whether a server URL is a literal address on loopback or in one of the networks. Names are never resolved."""
    # By the parser that the connection uses: others find another host in http://prod\\@127.0.0.1.
    host = parse_url(server).host or ""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host == "localhost"
    return address.is_loopback or any(address in network for network in networks)


def marker(nonce: str, name: str) -> Object:
    """The marker ConfigMap of a cluster."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": MARKER_NAME, "namespace": MARKER_NAMESPACE},
        "data": {"nonce": nonce, "cluster": name, "meaning": "the NeuroScale suite may break this cluster"},
    }
