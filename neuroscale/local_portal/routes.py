"""Every route that a running portal has, asked by nobody in particular."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from neuroscale.errors import ConditionTimeout
from neuroscale.host import direct
from neuroscale.local_portal.backstage import Running
from neuroscale.local_portal.process import NEXT
from neuroscale.settings import BUDGETS

_AT_ONCE = 4
_SHOWN = 5
#: What anybody may ask, and why; matched with a whole route.
PUBLIC: Mapping[str, str] = {
    r"GET /\.backstage/health/v1/(liveness|readiness)": "the kubelet asks",
    r"GET (/api/[a-z]+)?/\.backstage/auth/v1/jwks\.json": "public keys, by which plugins trust each other",
    r"DELETE (/api/[a-z]+)?/\.backstage/auth/v1/cookie": "takes the caller's own cookie away",
    r"GET /api/permission/health": "says that the plugin lives, and nothing else",
    r"[A-Z]+ /api/auth/.*": "who is about to sign in is nobody yet",
    r"GET (/api/app/.*|/\*?|)": "the front end, which shows the page to sign in with",
}
#: What there must be among the rest, one of each plugin that knows or does something.
_GUARDED = frozenset({"POST /api/permission/authorize", "GET /api/catalog/entities", "POST /api/scaffolder/v2/tasks"})
_FORGED = {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c2VyOmRlZmF1bHQvZ3Vlc3QifQ."}


@dataclass(frozen=True)
class Asked:
    """A route, and the status for who comes without a token, and with a forged one."""

    route: str
    statuses: tuple[int, int]

    @property
    def path(self) -> str:
        """Without the method."""
        return self.route.partition(" ")[2]

    @property
    def public(self) -> bool:
        """Whether anybody may ask it."""
        return any(re.fullmatch(pattern, self.route) for pattern in PUBLIC)


def ask_each(running: Running) -> list[Asked]:
    """Ask every route of a portal anonymously.

    Raises:
        HostError: One does not answer.
    """

    def ask(route: str) -> Asked:
        method, _, path = route.partition(" ")
        target = running.url + re.sub(r":\w+(\([^)]*\))?\??|\*", "x", path)
        given = (direct.ask(target, method, seconds=BUDGETS.request, headers=one) for one in (None, _FORGED))
        without, forged = (answer.status_code for answer in given)
        return Asked(route, (without, forged))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(ask, running.routes))


def assert_guarded(asked: Sequence[Asked]) -> None:
    """Each route answers 401 but those that are public; and there are routes of each plugin that guards something.

    Raises:
        ConditionTimeout: One lets somebody in, or there are none.
    """
    guarded = [one for one in asked if not one.public]
    if absent := _GUARDED - {one.route for one in guarded}:
        raise ConditionTimeout(
            f"The portal should have the routes {sorted(absent)}, but has {len(asked)} others. Next: {NEXT}"
        )
    if let_in := [f"{one.route} {one.statuses}" for one in guarded if one.statuses != (401, 401)]:
        raise ConditionTimeout(
            f"{len(guarded)} routes should answer 401 to who is not signed in, but {len(let_in)} do not: "
            f"{'; '.join(let_in[:_SHOWN])}. Next: {NEXT}"
        )
