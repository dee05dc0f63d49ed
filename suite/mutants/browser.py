"""Mutants of what a browser sees. What a replacement changes of a page ends with its tab."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from neuroscale.browser.chromium import opened
from neuroscale.browser.portal_form import Form
from neuroscale.chaos.faults import Committed, FunctionPatched
from neuroscale.git_server import IN_CLUSTER_URL
from neuroscale.local_portal.browsing import by_api, in_browser
from neuroscale.local_portal.rig import LocalPortal
from neuroscale.polling import pause
from suite.mutants.mutant import Mutant

if TYPE_CHECKING:
    from playwright.sync_api import Route

    from neuroscale.browser.tab import Tab

#: More would only take longer to be late.
_ENOUGH = 2
_API_LIMIT, _BROWSER_LIMIT = 3.0, 5.0
_TASKS = "**/api/scaffolder/v2/tasks"
_LOGS_AN_ERROR = "addEventListener('load', () => console.error('TypeError: the menu is undefined'))"
_LOADS_A_FONT = """
addEventListener('load', () => document.head.append(Object.assign(
  document.createElement('link'), {rel: 'stylesheet', href: 'https://fonts.example.org/css?family=Roboto'})))
"""
#: Whatever link appears: it looks the same, and leads to the first pull request.
_LEADS_ELSEWHERE = """
new MutationObserver(() => document.querySelectorAll('a[href*="/pulls/"]').forEach(link => {
  if (!link.href.endsWith('/pulls/1')) link.href = link.href.replace(/[0-9]+$/, '1')
})).observe(document, {childList: true, subtree: true})
"""
#: The page says what is wrong, and sends the form all the same.
_HANDS_IN = """
addEventListener('click', event => {
  if (event.target.closest('button')?.innerText.toLowerCase() === 'review')
    fetch('/api/scaffolder/v2/tasks', {method: 'POST', body: '{}'})
}, true)
"""


@contextmanager
def _with_script(names: Mapping[str, str], script: str) -> Iterator[Tab]:
    with opened(names) as tab:
        tab.page.context.add_init_script(script)
        yield tab


def page_that_logs_an_error(names: Mapping[str, str]) -> object:
    """A page writes an error to the console, and looks as ever."""
    return _with_script(names, _LOGS_AN_ERROR)


def page_that_hands_in_what_is_wrong(names: Mapping[str, str]) -> object:
    """A page sends a form before it has looked at it."""
    return _with_script(names, _HANDS_IN)


def page_with_a_font_from_elsewhere(names: Mapping[str, str]) -> object:
    """A page wants its font from another machine."""
    return _with_script(names, _LOADS_A_FONT)


def page_that_leads_elsewhere(names: Mapping[str, str]) -> object:
    """The link to the pull request leads to another one."""
    return _with_script(names, _LEADS_ELSEWHERE)


@contextmanager
def page_that_sends_another_owner(names: Mapping[str, str]) -> Iterator[Tab]:
    """The page sends another owner than was chosen."""

    def falsify(route: Route) -> None:
        sent = json.loads(route.request.post_data or "{}")
        sent["values"]["owner"] = "ml-platform" if sent["values"]["owner"] == "platform-team" else "platform-team"
        route.continue_(post_data=json.dumps(sent))

    with opened(names) as tab:
        tab.page.context.route(_TASKS, falsify)
        yield tab


@contextmanager
def page_without_patterns(names: Mapping[str, str]) -> Iterator[Tab]:
    """The page knows no pattern, and leaves it to the portal to refuse."""

    def simplify(route: Route) -> None:
        answer = route.fetch()
        schema = answer.json()
        for step in schema["steps"]:
            for field in step["schema"]["properties"].values():
                field.pop("pattern", None)
        route.fulfill(response=answer, json=schema)

    with opened(names) as tab:
        tab.page.context.route("**/parameter-schema*", simplify)
        yield tab


def late_by_api(portal: LocalPortal, forms: Sequence[Form]) -> Iterator[tuple[str, float]]:
    """Each form waits before the portal has it."""
    for form in forms[:_ENOUGH]:
        begun = time.monotonic()
        pause(_API_LIMIT)
        ((task, _),) = by_api(portal, [form])
        yield task, time.monotonic() - begun


def few_in_browser(portal: LocalPortal, forms: Sequence[Form]) -> Iterator[tuple[str, float]]:
    """Some forms of the many."""
    return in_browser(portal, forms[:_ENOUGH])


@contextmanager
def page_that_waits(names: Mapping[str, str]) -> Iterator[Tab]:
    """What is handed in is late at the portal."""

    def delay(route: Route) -> None:
        pause(_BROWSER_LIMIT)
        route.continue_()

    with opened(names) as tab:
        tab.page.context.route(_TASKS, delay)
        yield tab


def _patched(*replaced: tuple[str, str]) -> tuple[FunctionPatched, ...]:
    return tuple(
        FunctionPatched(wire=f"neuroscale.local_portal.browsing:{name}", replacement=f"suite.mutants.browser:{by}")
        for name, by in replaced
    )


_BECOMES = "A form that is filled in in a browser becomes the pull request that the API would have opened"
_WRONG = "The page itself says what is wrong with a form"
_SECONDS = "A form is a pull request within seconds"
_CLUSTER = "A model is asked for in a real browser"
_FILLS_IN = "a guest fills in every field in a browser, and follows the link"
_LED = "the link has led to the page of the pull request"
_AS_BY_API = "the pull request has what the oracle says, and byte by byte what the API makes of the same form"
_QUIET = "the pages had no error but for assets that the Git server lacks, and asked this machine alone"
_CAPITAL = "a capital letter in its name"
_TRIES = f"a guest tries a form with {_CAPITAL} in a browser"
_IN_TIME = "nine of ten were a pull request within {} s"
_TEMPLATE = "backstage/templates/model-endpoint/template.yaml"

MILESTONE = "c"
MUTANTS = (
    Mutant(
        "browser-page-logs-an-error",
        "A page of the portal writes an error to the console, and looks as ever",
        scenario=_BECOMES,
        example="every field",
        before=_FILLS_IN,
        faults=_patched(("opened", "page_that_logs_an_error")),
        red_step=_QUIET,
        reason=r"the pages had \d+ errors: console: TypeError: the menu is undefined",
    ),
    Mutant(
        "browser-font-from-elsewhere",
        "A page of the portal wants its font from another machine",
        scenario=_BECOMES,
        example="every field",
        before=_FILLS_IN,
        faults=_patched(("opened", "page_with_a_font_from_elsewhere")),
        red_step=_QUIET,
        reason=r"\d+ of \d+ requests were for another machine: GET https://fonts\.example\.org/css",
    ),
    Mutant(
        "browser-sends-another-owner",
        "The page sends another owner than was chosen",
        scenario=_BECOMES,
        example="every field",
        before=_FILLS_IN,
        faults=_patched(("opened", "page_that_sends_another_owner")),
        red_step=_AS_BY_API,
        reason=r"holds .*'owner': 'group:default/ml-platform'.* and not .*'owner': 'group:default/platform-team'",
    ),
    Mutant(
        "browser-link-to-another",
        "The link to the pull request leads to another one",
        scenario=_BECOMES,
        example="every field",
        before=_FILLS_IN,
        faults=_patched(("opened", "page_that_leads_elsewhere")),
        red_step=_LED,
        reason=r"it leads to \S+/pulls/1 and not to \S+/pulls/\d+",
    ),
    Mutant(
        "browser-form-without-patterns",
        "The page knows no pattern, and takes any name",
        scenario=_WRONG,
        example=_CAPITAL,
        before=_TRIES,
        faults=_patched(("opened", "page_without_patterns")),
        red_step="the page says of Name: must match pattern",
        reason=r"should say of Name: must match pattern, .* but says nothing and goes on",
    ),
    Mutant(
        "browser-hands-in-what-is-wrong",
        "The page says what is wrong with a form, and hands it in all the same",
        scenario=_WRONG,
        example=_CAPITAL,
        before=_TRIES,
        faults=_patched(("opened", "page_that_hands_in_what_is_wrong")),
        red_step="nothing has been handed in",
        reason=r"Nothing should come of .*, or the page asked \['POST http\S+/api/scaffolder/v2/tasks'",
    ),
    Mutant(
        "browser-wrong-form-logs-an-error",
        "A page with a form that is wrong writes another error to the console",
        scenario=_WRONG,
        example=_CAPITAL,
        before=_TRIES,
        faults=_patched(("opened", "page_that_logs_an_error")),
        red_step="the pages had no error but that the form is wrong, and asked this machine alone",
        reason=r"the pages had \d+ errors: console: TypeError: the menu is undefined",
    ),
    Mutant(
        "portal-late-by-api",
        "Each form waits for 3 s before the portal has it",
        scenario=_SECONDS,
        example="by API",
        before="20 forms are handed in by API, one after the other",
        faults=_patched(("by_api", "late_by_api")),
        red_step=_IN_TIME.format(3),
        reason=r"Nine of ten of 2 forms should be a pull request within 3 s, but took",
    ),
    Mutant(
        "portal-late-in-the-browser",
        "What a page hands in comes to the portal 5 s late",
        scenario=_SECONDS,
        example="in a browser",
        before="20 forms are handed in in a browser, one after the other",
        faults=_patched(("opened", "page_that_waits"), ("in_browser", "few_in_browser")),
        red_step=_IN_TIME.format(5),
        reason=r"Nine of ten of 2 forms should be a pull request within 5 s, but took",
    ),
    Mutant(
        "template-links-elsewhere",
        "The template gives its users a link to another pull request",
        scenario=_CLUSTER,
        before="a developer asks for a model in a browser, and follows the link",
        faults=(
            Committed(
                message="Link to the first pull request",
                files={},
                replaced={
                    _TEMPLATE: [
                        (
                            "${{ steps.gitea.output.remoteUrl or steps.github.output.remoteUrl }}",
                            f"{IN_CLUSTER_URL.removesuffix('.git')}/pulls/1",
                        )
                    ]
                },
            ),
        ),
        # Until the catalog has read the template again.
        hold=70,
        red_step=_LED,
        reason=r"it leads to \S+/pulls/1 and not to \S+/pulls/\d+",
    ),
)
