"""What a browser asked, showed and complained about between its start and its end, and the judgement of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from neuroscale.errors import ConditionTimeout
from neuroscale.host.direct import is_on_this_machine
from neuroscale.polling import Verdict, met, unrecoverable

NEXT = "pytest -m browser"
_SHOWN = 5
#: What goes over a network, as opposed to ``data:`` and ``blob:``.
_NETWORK = ("http", "https", "ws", "wss")


@dataclass
class Visit:
    """One run of a browser.

    Attributes:
        names: Host and port, as pages name them -> host and port of this machine that they are.
        requests: Method and URL of each request, in order, those of web sockets included.
        errors: What pages threw or wrote to the console as an error.
        pictures: Name of a page -> JPEG of how it first was, in order.
    """

    names: Mapping[str, str]
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)

    def note_request(self, method: str, url: str) -> None:
        """Keep a request that goes over a network; it counts before it is answered, and if it never is."""
        if urlsplit(url).scheme in _NETWORK:
            self.requests.append(f"{method} {url}")

    @property
    def elsewhere(self) -> list[str]:
        """The requests to who is neither this machine nor known by one of the names."""
        return [request for request in self.requests if not self._is_ours(request.partition(" ")[2])]

    def _is_ours(self, url: str) -> bool:
        asked = urlsplit(url)
        return asked.netloc in self.names or is_on_this_machine(asked.hostname)


#: What the library of forms writes to the console when a form is wrong, beside what it says on the page.
NOT_VALID = r"console: Form validation failed "
#: Called with each visit when its browser has ended. Filled by the runner.
listeners: list[Callable[[Visit], None]] = []


def evaluate_quiet(visit: Visit, but: str | None = None) -> Verdict:
    """Something was asked, all of it of this machine, and no page had an error.

    Args:
        visit: What a browser saw.
        but: Regular expression for the beginning of an error that does not count.
    """
    errors = [error for error in visit.errors if but is None or not re.match(but, error)]
    if not visit.requests:
        return unrecoverable("nothing was asked at all")
    if elsewhere := visit.elsewhere:
        return unrecoverable(
            f"{len(elsewhere)} of {len(visit.requests)} requests were for another machine: {_some(elsewhere)}"
        )
    if errors:
        return unrecoverable(f"the pages had {len(errors)} errors: {_some(errors)}")
    return met(f"{len(visit.requests)} requests, all of this machine, and no error")


def assert_quiet(visit: Visit, but: str | None = None) -> None:
    """Pages asked this machine alone, and had no error; arguments as for :func:`evaluate_quiet`.

    Raises:
        ConditionTimeout: One did not, or had; the text names the first few.
    """
    verdict = evaluate_quiet(visit, but)
    if not verdict:
        raise ConditionTimeout(
            f"The pages should ask this machine alone and have no error, but {verdict.observed}. Next: {NEXT}"
        )


def _some(lines: list[str]) -> str:
    more = f"; and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return "; ".join(lines[:_SHOWN]) + more
