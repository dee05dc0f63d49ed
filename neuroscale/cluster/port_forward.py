"""A port of a pod, reached through the API server, as ``kubectl port-forward`` does.

Ours, since the port forwarding of the Kubernetes client has no time limit, and takes the environment's proxy.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import websocket

if TYPE_CHECKING:
    from kubernetes.client import Configuration

_PROTOCOL = "v4.channel.k8s.io"
#: Each frame begins with the number of its channel; the first one of either channel names the port.
_DATA, _ERRORS = 0, 1


def exchange(
    configuration: Configuration, path: str, port: int, messages: Sequence[bytes], *, seconds: float
) -> list[bytes]:
    """Send messages over one TCP connection, and read as many answers as they come.

    Each message and each answer has its length in two bytes before it.

    Args:
        configuration: How the API server is reached.
        path: Of the pod, on the API server.
        port: Of the pod.
        messages: What is sent, all at once: one after the other would take as many journeys through the API server.
        seconds: That connecting, and each part of the answer, may take.

    Raises:
        OSError: The API server or the pod refuses, is silent, or ends the connection.
    """
    token = configuration.get_api_key_with_prefix("authorization")
    try:
        with _connection(configuration, seconds) as way:
            forwarded = websocket.create_connection(
                f"ws://{urlsplit(configuration.host).netloc}{path}/portforward?ports={port}",
                socket=way,
                subprotocols=[_PROTOCOL],
                header={"Authorization": token} if token else {},
            )
            asked = b"".join(len(message).to_bytes(2, "big") + message for message in messages)
            forwarded.send_binary(bytes([_DATA]) + asked)
            return list(_answers(forwarded, len(messages)))
    except websocket.WebSocketException as error:
        raise OSError(str(error)) from error


def _connection(configuration: Configuration, seconds: float) -> socket.socket:
    where = urlsplit(configuration.host)
    secure = where.scheme == "https"
    plain = socket.create_connection((where.hostname or "", where.port or (443 if secure else 80)), seconds)
    if not secure:
        return plain
    with contextlib.ExitStack() as at_error:
        at_error.callback(plain.close)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if not configuration.verify_ssl:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        elif configuration.ssl_ca_cert:
            context.load_verify_locations(configuration.ssl_ca_cert)
        else:
            context.load_default_certs()
        if configuration.cert_file:
            context.load_cert_chain(configuration.cert_file, configuration.key_file)
        secured = context.wrap_socket(plain, server_hostname=configuration.tls_server_name or where.hostname)
        at_error.pop_all()
    return secured


def _answers(forwarded: websocket.WebSocket, count: int) -> Iterator[bytes]:
    named: set[int] = set()
    received = b""
    for _ in range(count):
        while len(received) < 2 or len(received) < 2 + int.from_bytes(received[:2], "big"):
            channel, content = _frame(forwarded)
            if channel not in named:
                named.add(channel)
            elif channel == _ERRORS:
                raise OSError(content.decode(errors="replace"))
            else:
                received += content
        end = 2 + int.from_bytes(received[:2], "big")
        yield received[2:end]
        received = received[end:]


def _frame(forwarded: websocket.WebSocket) -> tuple[int, bytes]:
    kind, content = forwarded.recv_data()
    if kind != websocket.ABNF.OPCODE_BINARY:
        raise OSError("the connection was ended")
    return content[0], content[1:]
