"""What a browser saw is judged without one."""

from __future__ import annotations

import pytest

from neuroscale.browser.visit import NOT_VALID, Visit, assert_quiet, evaluate_quiet
from neuroscale.errors import ConditionTimeout

PORTAL, FORGE = "127.0.0.1:7007", "gitea.forge.svc.cluster.local:3000"
NAMES = {PORTAL: PORTAL, FORGE: "127.0.0.1:3300"}


def visit(*urls: str, errors: tuple[str, ...] = ()) -> Visit:
    seen = Visit(NAMES, errors=list(errors))
    for url in urls:
        seen.note_request("GET", url)
    return seen


def test_pages_of_this_machine_without_an_error_are_quiet() -> None:
    seen = visit(
        f"http://{PORTAL}/",
        f"ws://{PORTAL}/events",
        f"http://{FORGE}/neuroscale/platform/pulls/1",
        "http://localhost:1234/",
        "http://[::1]/",
    )
    assert evaluate_quiet(seen).observed == "5 requests, all of this machine, and no error"
    assert_quiet(seen)


@pytest.mark.parametrize(
    "url",
    [
        "https://fonts.example.org/css",
        "wss://example.org/",
        "http://gitea.forge.svc.cluster.local/",
        "http://gitea.forge.svc.cluster.local:3001/",
        "http://127.0.0.1.example.org/",
        "http://127.0.0.1:7007@example.org/",
        "http://8.8.8.8/",
    ],
)
def test_a_request_to_anybody_else_is_seen(url: str) -> None:
    seen = visit(f"http://{PORTAL}/", url, errors=("console: it did not come",))
    assert seen.elsewhere == [f"GET {url}"]
    with pytest.raises(ConditionTimeout, match=r"1 of 2 requests were for another machine: GET \w+://"):
        assert_quiet(seen)


def test_what_goes_over_no_network_is_no_request() -> None:
    seen = visit("data:image/png;base64,AA==", "blob:http://example.org/1", "about:blank", "chrome-error://x/")
    assert seen.requests == []


def test_a_browser_that_asked_for_nothing_has_proven_nothing() -> None:
    with pytest.raises(ConditionTimeout, match="but nothing was asked at all"):
        assert_quiet(visit())


def test_that_a_form_is_wrong_may_be_said_and_nothing_else() -> None:
    wrong = f"{NOT_VALID} [Object]"
    assert_quiet(visit(f"http://{PORTAL}/", errors=(wrong, wrong)), but=NOT_VALID)
    with pytest.raises(ConditionTimeout, match="the pages had 1 errors: page: no"):
        assert_quiet(visit(f"http://{PORTAL}/", errors=(wrong, "page: no")), but=NOT_VALID)
    with pytest.raises(ConditionTimeout, match="the pages had 1 errors: console: Form validation failed"):
        assert_quiet(visit(f"http://{PORTAL}/", errors=(wrong,)))


def test_errors_are_counted_and_the_first_of_them_told() -> None:
    seen = visit(f"http://{PORTAL}/", errors=tuple(f"page: {number}" for number in range(7)))
    with pytest.raises(ConditionTimeout, match=r"the pages had 7 errors: page: 0; .*page: 4; and 2 more\. Next: "):
        assert_quiet(seen)
