"""``python -m neuroscale.bootstrap_scenarios.observed TRACE PATTERN COUNT ARGUMENT…``: the command line, seen at work.

What the process does to the world outside is written down before it is done, a line for each deed: Python says so by
its audit events, and httpx at the one place where its requests go out. At the COUNTth deed that matches PATTERN the
process stops, with all of its threads, until it is killed. Nothing of the command line itself is changed, but that a
node which it makes keeps an audit log where a variable names a policy for it.
"""

from __future__ import annotations

import ipaddress
import os
import re
import runpy
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx

from neuroscale.bootstrap_scenarios.audited import POLICY_FILE, audited

#: The line before which the deed stands at which it stopped.
STOPPED = "stopped"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_REQUEST = re.compile(r"([A-Z]+) ([^ ?]+)(\?\S*)? HTTP/1\.1\r\n")
#: Words of a command that tell what it does; what follows may be an address or a number.
_TELLING_WORDS = 6
#: What :func:`neuroscale.host.programs.die_with_parent` puts before a command.
_WITH_PARENT = ["setpriv", "--pdeathsig", "KILL"]


def deed_of(event: str, arguments: Sequence[Any]) -> str:
    """What an audit event does to the world outside, in a line; empty if nothing.

    Args:
        event: Its name.
        arguments: As Python passes them.
    """
    match event:
        case "subprocess.Popen":
            return _of_program([os.fsdecode(word) for word in arguments[1]])
        case "os.rename":
            written = Path(os.fsdecode(arguments[1]))
            return "" if written.suffix == ".pyc" else f"file {written.name}"
        case "http.client.send":
            return _of_request(arguments[1])
        case "socket.getaddrinfo":
            host = os.fsdecode(arguments[0] or "localhost")
            return "" if _is_here(host) or _is_address(host) else f"look up {host}"
        case "socket.connect":
            host = str(arguments[1][0]) if isinstance(arguments[1], tuple) else "localhost"
            return "" if _is_here(host) else f"reach {host}"
    return ""


def _of_program(words: Sequence[str]) -> str:
    command = list(words)
    if command[: len(_WITH_PARENT)] == _WITH_PARENT:
        command = command[len(_WITH_PARENT) :]
    return " ".join(["program", Path(command[0]).name, *command[1:_TELLING_WORDS]])


def _of_request(data: object) -> str:
    """A write to the API server; nobody else is asked by way of the standard library."""
    found = _REQUEST.match(bytes(data).decode("latin-1")) if isinstance(data, bytes | bytearray) else None
    if found is None or found[1] in _READS or "dryRun=" in (found[3] or ""):
        return ""
    return f"api {found[1]} {found[2]}"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_here(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


class Observer:
    """Writes deeds down, and stops at one.

    Args:
        trace: File to append to.
        pattern: Of the deed to stop before, as a regular expression; empty for none.
        count: Which of those that match.
    """

    def __init__(self, trace: Path, pattern: str, count: int) -> None:
        self._trace = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._pattern = re.compile(pattern) if pattern else None
        self._left = count
        self._turn = threading.Lock()
        self.write(f"pid {os.getpid()}")

    def hear(self, event: str, arguments: Sequence[Any]) -> None:
        """An audit hook."""
        if deed := deed_of(event, arguments):
            self.note(deed)

    def note(self, deed: str) -> None:
        """Write a deed down, and stop where that is wanted; whoever comes while one has stopped waits for his turn."""
        with self._turn:
            self.write(deed)
            if self._pattern is None or not self._pattern.search(deed):
                return
            self._left -= 1
            if self._left == 0:
                self.write(STOPPED)
                self.stop()

    def write(self, line: str) -> None:
        """Append a line."""
        os.write(self._trace, f"{line}\n".encode())

    def stop(self) -> None:
        """Until the process is killed."""
        threading.Event().wait()


def hear_httpx(observer: Observer) -> None:
    """The Git server's API is asked through httpx, which tells Python's audit of connections alone."""
    original = httpx.HTTPTransport.handle_request

    def handle_request(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        if request.method not in _READS:
            observer.note(f"forge {request.method} {request.url.path}")
        return original(transport, request)

    httpx.HTTPTransport.handle_request = handle_request  # type: ignore[assignment, method-assign]


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    trace, pattern, count, *rest = arguments
    observer = Observer(Path(trace), pattern, int(count))
    hear_httpx(observer)
    sys.addaudithook(observer.hear)
    if policy := os.environ.get(POLICY_FILE):
        # By its path: the package has a function of the module's name.
        bootstrap = import_module("neuroscale.bootstrap.up")
        vars(bootstrap)["choose"] = audited(vars(bootstrap)["choose"], Path(policy))
    sys.argv = ["neuroscale", *rest]
    runpy.run_module("neuroscale", run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
