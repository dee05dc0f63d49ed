"""Ports on this machine that lead into the node."""

from __future__ import annotations

import socket
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

#: The API server's port on this machine; k3d maps it by itself.
_API = "api", 6550


@dataclass(frozen=True)
class Port:
    """A port on 127.0.0.1 that is mapped for the cluster's life.

    Attributes:
        name: The state file's key.
        title: What people call what answers there.
        host: The port wanted on this machine; a free one takes its place where it is taken.
        node: What it leads to in the node.
    """

    name: str
    title: str
    host: int
    node: int
    scheme: Literal["http", "https"] = "http"


def _wanted(ports: Collection[Port]) -> dict[str, int]:
    return dict([_API, *((port.name, port.host) for port in ports)])


def moved(chosen: Mapping[str, int], ports: Collection[Port]) -> str:
    """Which ports are others than wanted."""
    wanted = _wanted(ports)
    taken = [name for name, port in chosen.items() if port != wanted[name]]
    return "; ".join(f"port {wanted[one]} is taken, {one} is at {chosen[one]}" for one in taken)


def free_ports(ports: Collection[Port]) -> dict[str, int]:
    """The wanted ports where they are free, others where they are not."""
    chosen: dict[str, int] = {}
    with ExitStack() as held:
        for purpose, wanted in _wanted(ports).items():
            try:
                listener = _listening(wanted)
            except OSError:
                listener = _listening(0)
            chosen[purpose] = held.enter_context(listener).getsockname()[1]
    return chosen


def _listening(port: int) -> socket.socket:
    listener = socket.socket()
    # Connections to a cluster that went a moment ago linger, and are in nobody's way.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        # Two can be bound to one port in this way, and then only the first may listen.
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener
