"""A door in front of Docker's socket, at which k3d and the Docker client are stopped."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from neuroscale.errors import HostError
from neuroscale.local_portal.doors import Door, Held, Moment

_USUAL = "unix:///var/run/docker.sock"
_SCHEME = "unix://"


class _OnAnyConnection(Held):
    """A client of Docker has several connections, and says the one thing on this and the next on that."""

    def begins(self, connection: int, chunk: bytes) -> bool:  # noqa: ARG002 - all are one
        return super().begins(0, chunk)


class DockerDoor(Door):
    """The door, as long as the block lasts.

    Args:
        folder: Where it is; nobody else may go there.

    Attributes:
        address: What ``DOCKER_HOST`` must be for whoever goes by it.
    """

    def __init__(self, folder: Path) -> None:
        self._socket = docker_socket()
        self._path = folder / "docker.sock"
        self.address = f"{_SCHEME}{self._path}"
        super().__init__(0)

    def held_at(self, moment: Moment) -> Held:
        """What stops at a moment."""
        return _OnAnyConnection(moment)

    def _listen(self) -> socket.socket:
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self._path))
        self._path.chmod(0o600)
        listener.listen()
        return listener

    def _reach(self) -> socket.socket:
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(str(self._socket))
        except OSError:
            server.close()
            raise
        return server


def docker_socket() -> Path:
    """Where Docker listens.

    Raises:
        HostError: Not at a socket of this machine.
    """
    address = os.environ.get("DOCKER_HOST") or _USUAL
    if not address.startswith(_SCHEME):
        raise HostError(
            f"Docker should listen at a socket of this machine, but DOCKER_HOST={address}. Next: docker info"
        )
    return Path(address.removeprefix(_SCHEME))
