"""A door in front of a server of this machine: passes bytes on, and stops at a moment that was named beforehand."""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Self

from neuroscale.local_portal.process import HERE

_CHUNK = 65_536
#: How often is looked whether who speaks is still there.
_LOOK = 0.02
_CONNECT_WITHIN = 1.0
#: Makes a close say that nobody is there, as the machine itself does where nobody listens.
_AT_ONCE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Moment:
    """When to stop.

    Attributes:
        said: Regular expressions of what a client says on one connection, one after the other; with the last it comes.
        answered: The server has done that, and its answer is held; else it has not heard of it.
    """

    said: tuple[bytes, ...]
    answered: bool = False


class Held:
    """A moment, and what is held from then on until it is let go.

    Attributes:
        lost_at: Monotonic seconds at which one of those who spoke was seen to be gone, or ``None``.
    """

    def __init__(self, moment: Moment) -> None:
        self.moment = moment
        self.lost_at: float | None = None
        self._turn = threading.Lock()
        self._heard: dict[int, int] = {}
        self._begun, self._deliver = False, False
        self._reached, self._decided = threading.Event(), threading.Event()

    def has_come(self, within: float = 0) -> bool:
        """Whether the moment has come, waiting up to ``within`` seconds for it."""
        return self._reached.wait(within)

    def deliver(self) -> None:
        """Let it go where it was meant to go; nothing happens to what was let go, or is lost."""
        if not self._decided.is_set():
            self._deliver = True
        self._decided.set()

    def drop(self) -> None:
        """Let neither side hear more of the other, as when one of them has died."""
        self._decided.set()

    def begins(self, connection: int, chunk: bytes) -> bool:
        """Whether the moment comes with what is said now on a connection. It comes once."""
        with self._turn:
            if self._begun or self._decided.is_set():
                return False
            heard, said = self._heard.get(connection, 0), self.moment.said
            while heard < len(said) and re.search(said[heard], chunk, re.DOTALL):
                heard += 1
            self._heard[connection], self._begun = heard, heard == len(said)
            return self._begun

    def stay(self, gone: Callable[[], bool]) -> bool:
        """Stay until it is decided, or one of those who speak is gone; whether to go on."""
        self._reached.set()
        while not self._decided.wait(_LOOK):
            if gone():
                self.lost_at = time.monotonic()
                return False
        return self._deliver


class Door:
    """The door, as long as the block lasts.

    Args:
        server: Port of the server.

    Attributes:
        turned_away: How many came while the server was not there.
    """

    def __init__(self, server: int) -> None:
        self._server = server
        self._listener = self._listen()
        # Asked for also when it is closed.
        self._address = self._listener.getsockname()
        self.turned_away = 0
        self._held: Held | None = None
        self._passages: list[_Passage] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._receive, name=f"door {self._address}", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _close(self._listener)
        for passage in self._passages:
            passage.close()

    @property
    def port(self) -> int:
        """Where it is."""
        return int(self._address[1])

    def stop_at(self, moment: Moment) -> Held:
        """Stop at a moment, from now on, and at none that was named before."""
        self._held = self.held_at(moment)
        return self._held

    def held_at(self, moment: Moment) -> Held:
        """What stops at a moment."""
        return Held(moment)

    def due(self, connection: int, chunk: bytes) -> Held | None:
        """What begins with this, if anything does."""
        held = self._held
        return held if held and held.begins(connection, chunk) else None

    def _listen(self) -> socket.socket:
        return socket.create_server((HERE, 0))

    def _reach(self) -> socket.socket:
        return socket.create_connection((HERE, self._server), _CONNECT_WITHIN)

    def _receive(self) -> None:
        numbers = count()
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # the block is over
                return
            try:
                server = self._reach()
            except OSError:
                self.turned_away += 1
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                client.close()
                continue
            server.settimeout(None)
            for end in (one for one in (client, server) if one.family == socket.AF_INET):
                # Else what is short waits for the answer to what was before it.
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._passages = [one for one in self._passages if not one.closed]
            self._passages.append(_Passage(self, next(numbers), client, server))


class _Passage:
    """The way of one connection, there and back; each has a thread of its own."""

    def __init__(self, door: Door, number: int, client: socket.socket, server: socket.socket) -> None:
        self.closed = False
        self._door, self._number, self._client, self._server = door, number, client, server
        self._awaited: Held | None = None
        for way in (self._there, self._back):
            threading.Thread(target=self._walk, args=(way,), daemon=True).start()

    def close(self) -> None:
        """Both sides are told."""
        self.closed = True
        _close(self._client)
        _close(self._server)

    def _walk(self, way: Callable[[], None]) -> None:
        try:
            # Who has died, or was told that the other has, ends the passage.
            with suppress(OSError):
                way()
        finally:
            self.close()

    def _there(self) -> None:
        for chunk in _chunks(self._client):
            held = self._door.due(self._number, chunk)
            if held and held.moment.answered:
                self._awaited = held
            elif held and not held.stay(lambda: self.closed or _is_gone(self._client)):
                return
            self._server.sendall(chunk)

    def _back(self) -> None:
        for chunk in _chunks(self._server):
            held, self._awaited = self._awaited, None
            if held and not held.stay(lambda: self.closed or _is_gone(self._server)):
                return
            self._client.sendall(chunk)


def _chunks(end: socket.socket) -> Iterator[bytes]:
    while chunk := end.recv(_CHUNK):
        yield chunk


def _is_gone(end: socket.socket) -> bool:
    """Whether the other side has closed, without taking anything that it said before."""
    try:
        return end.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _close(end: socket.socket) -> None:
    # A close alone would not wake the thread that waits for it.
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
