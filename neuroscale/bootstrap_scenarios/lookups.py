"""A machine without internet for one program and all that it starts: a name server of ours hears what is looked up.

The program gets a ``/etc/resolv.conf`` of its own, in a mount namespace of its own; no name exists for it. Docker and
the cluster live outside of it: what they look up is not heard here.
"""

from __future__ import annotations

import re
import shutil
import socket
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import dns.exception
import dns.message
import dns.rcode

from neuroscale.bootstrap_scenarios.own_cluster import NEXT
from neuroscale.errors import ConditionTimeout, HostError, PreconditionFailed, ProgramFailed
from neuroscale.host.programs import run

#: On loopback, where no other name server is looked for.
_ADDRESS = ("127.53.0.53", 53)
_BIND = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
#: What proves, before each use, that a look-up is heard.
_CONTROL = "control.invalid"
_LARGEST = 4096
#: Seconds between two looks whether the block is over: a socket that somebody still reads keeps its address.
_LOOK = 0.1


class NameServer:
    """Knows no name, and remembers which it was asked for, as long as the block lasts.

    Args:
        folder: For the file that names it.

    Attributes:
        heard: The names, in order.
    """

    def __init__(self, folder: Path) -> None:
        self.heard: list[str] = []
        self._file = folder / "resolv.conf"
        self._file.write_text(f"nameserver {_ADDRESS[0]}\noptions timeout:1 attempts:1\n", encoding="utf-8")
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(_LOOK)
        self._over = threading.Event()
        self._listener = threading.Thread(target=self._listen, name="name server", daemon=True)

    @property
    def behind(self) -> tuple[str, ...]:
        """What runs a command that asks it and nobody else."""
        return ("unshare", "--mount", "sh", "-c", _BIND, "sh", str(self._file))

    def __enter__(self) -> Self:
        """Begin to listen.

        Raises:
            HostError: That is not allowed.
        """
        try:
            self._socket.bind(_ADDRESS)
        except OSError as error:
            self._socket.close()
            raise HostError(
                f"A name server should listen at {_ADDRESS[0]}, but: {error.strerror}. Next: the same as root"
            ) from error
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.join()
        self._socket.close()

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                question, sender = self._socket.recvfrom(_LARGEST)
            except TimeoutError:
                continue
            if answer := self.answer(question):
                self._socket.sendto(answer, sender)

    def answer(self, question: bytes) -> bytes:
        """That there is no such name; nothing to what is no question."""
        try:
            asked = dns.message.from_wire(question)
        except dns.exception.DNSException:
            return b""
        self.heard += [one.name.to_text(omit_final_dot=True) for one in asked.question]
        said = dns.message.make_response(asked)
        said.set_rcode(dns.rcode.NXDOMAIN)
        return said.to_wire()

    def assert_hears(self) -> None:
        """A look-up behind it is heard, and finds nothing; what was heard so far is forgotten.

        Raises:
            PreconditionFailed: It is not.
        """
        try:
            code = run([*self.behind, "getent", "hosts", _CONTROL], within=10).returncode
        except ProgramFailed as error:
            raise PreconditionFailed(f"A look-up should be heard, but {error}. Next: unshare --mount true") from error
        if not code or _CONTROL not in self.heard:
            raise PreconditionFailed(
                f"The look-up of {_CONTROL} should be heard and find nothing, but ended with {code}, and heard was "
                f"{self.heard}. Next: unshare --mount true"
            )
        self.heard.clear()


@contextmanager
def without_internet(folder: Path) -> Iterator[NameServer]:
    """A name server that was seen to hear.

    Raises:
        HostError: This user may not have one.
        PreconditionFailed: It does not hear.
    """
    if not shutil.which("unshare"):
        raise HostError("unshare should be on PATH, but is not. Next: apt-get install util-linux")
    with NameServer(folder) as server:
        server.assert_hears()
        yield server


def assert_stayed_here(heard: Collection[str], deeds: Sequence[str]) -> None:
    """No name was looked up, and nothing outside this machine was reached.

    Args:
        heard: By the name server.
        deeds: Of the command line.

    Raises:
        PreconditionFailed: The command line was not seen to do anything.
        ConditionTimeout: It looked something up, or reached out.
    """
    if not any(deed.startswith("program ") for deed in deeds):
        raise PreconditionFailed(f"The command line should be seen at work, but did {list(deeds)}. Next: {NEXT}")
    outside = [deed for deed in deeds if re.match("reach |look up ", deed)]
    if heard or outside:
        raise ConditionTimeout(
            f"Nothing outside this machine should be asked, but {len(heard)} look-ups were heard: "
            f"{sorted(set(heard))}, and Python had {len(outside)}: {sorted(set(outside))}. Next: {NEXT}"
        )
