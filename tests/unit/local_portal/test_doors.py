"""Doors: what goes through, what is held and when, and what whoever speaks is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from neuroscale.local_portal.doors import Door, Moment
from neuroscale.local_portal.process import HERE, free_port
from neuroscale.polling import met, pending, wait_until


class Echo:
    """A server that answers each word with the same word in capitals, and remembers what it heard."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._listener = socket.create_server((HERE, 0))
        self.port = int(self._listener.getsockname()[1])
        self._clients: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._clients.append(client)
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        while word := self._next(client):
            self.heard.append(word)
            client.sendall(word.upper())

    @staticmethod
    def _next(client: socket.socket) -> bytes:
        try:
            return client.recv(1000)
        except OSError:  # it has died
            return b""

    def die(self) -> None:
        for one in (self._listener, *self._clients):
            one.shutdown(socket.SHUT_RDWR)
            one.close()


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def door(echo: Echo) -> Iterator[Door]:
    with Door(echo.port) as made:
        yield made


def caller(door: Door) -> socket.socket:
    client = socket.create_connection((HERE, door.port), 5)
    client.settimeout(5)
    return client


def say(client: socket.socket, word: bytes) -> bytes:
    client.sendall(word)
    return client.recv(1000)


def test_what_is_not_named_goes_through(door: Door) -> None:
    held = door.stop_at(Moment((b"commit",)))
    with caller(door) as one, caller(door) as other:
        assert (say(one, b"begin"), say(other, b"select"), say(one, b"end")) == (b"BEGIN", b"SELECT", b"END")
    assert not held.has_come()


def test_a_request_is_held_before_the_server_hears_of_it(door: Door, echo: Echo) -> None:
    held = door.stop_at(Moment((b"com+it",)))
    with caller(door) as client:
        client.sendall(b"commit")
        assert held.has_come(5)
        assert echo.heard == []
        held.deliver()
        assert client.recv(1000) == b"COMMIT"
    assert held.lost_at is None


def test_an_answer_is_held_after_the_server_has_done_it(door: Door, echo: Echo) -> None:
    held = door.stop_at(Moment((b"commit",), answered=True))
    with caller(door) as client:
        client.sendall(b"commit")
        assert held.has_come(5)
        assert echo.heard == [b"commit"]
        held.deliver()
        assert client.recv(1000) == b"COMMIT"


@pytest.mark.parametrize("answered", [False, True])
def test_what_is_dropped_is_heard_by_nobody(door: Door, echo: Echo, answered: bool) -> None:
    held = door.stop_at(Moment((b"commit",), answered=answered))
    with caller(door) as client:
        client.sendall(b"commit")
        assert held.has_come(5)
        held.drop()
        assert client.recv(1000) == b""
    assert echo.heard == ([b"commit"] if answered else [])


def test_what_was_dropped_stays_dropped(door: Door, echo: Echo) -> None:
    held = door.stop_at(Moment((b"commit",)))
    with caller(door) as client:
        client.sendall(b"commit")
        assert held.has_come(5)
        held.drop()
        held.deliver()
        assert client.recv(1000) == b""
    assert echo.heard == []


def test_several_words_must_be_of_one_connection_and_in_order(door: Door) -> None:
    held = door.stop_at(Moment((b"update", b"commit")))
    with caller(door) as one, caller(door) as other:
        say(one, b"commit")
        say(one, b"update")
        say(other, b"commit")
        assert not held.has_come()
        one.sendall(b"commit")
        assert held.has_come(5)
        held.drop()


def test_a_moment_comes_once(door: Door) -> None:
    held = door.stop_at(Moment((b"commit",)))
    with caller(door) as one, caller(door) as other:
        one.sendall(b"commit")
        assert held.has_come(5)
        assert say(other, b"commit") == b"COMMIT"
        held.deliver()
        assert one.recv(1000) == b"COMMIT"
        assert say(one, b"commit") == b"COMMIT"


def test_a_moment_that_was_called_off_does_not_come(door: Door) -> None:
    held = door.stop_at(Moment((b"commit",)))
    held.drop()
    with caller(door) as client:
        assert say(client, b"commit") == b"COMMIT"
    assert not held.has_come()


@pytest.mark.parametrize("answered", [False, True])
def test_who_does_not_wait_at_the_door_is_missed(door: Door, answered: bool) -> None:
    held = door.stop_at(Moment((b"commit",), answered=answered))
    with caller(door) as client:
        client.sendall(b"commit")
        assert held.has_come(5)
        assert held.lost_at is None
    wait_until(lambda: met("yes") if held.lost_at is not None else pending("no"), "it is missed", "", within=5)


def test_who_comes_while_nobody_is_there_is_turned_away(door: Door, echo: Echo) -> None:
    with caller(door) as client:
        assert say(client, b"a") == b"A"
        echo.die()
        assert client.recv(1000) == b""
    with pytest.raises(ConnectionError), caller(door) as client:
        say(client, b"a")
    assert door.turned_away == 1


def test_a_closed_door_lets_nobody_in() -> None:
    with Door(free_port()) as door:
        pass
    with pytest.raises(ConnectionRefusedError):
        caller(door)


def test_who_goes_again_at_once_keeps_nobody_else_from_the_door(door: Door) -> None:
    for _ in range(50):
        caller(door).close()
    with caller(door) as client:
        assert say(client, b"a") == b"A"
