"""Forms by a real browser at the portal of this machine: good ones, wrong ones, and how long they take."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from neuroscale.browser import portal_form
from neuroscale.browser.chromium import opened
from neuroscale.browser.portal_form import Form
from neuroscale.browser.visit import NEXT
from neuroscale.errors import ConditionTimeout
from neuroscale.golden_path.browsing import Browsed, Followed
from neuroscale.golden_path.form import filled_in
from neuroscale.local_portal.rig import LocalPortal
from neuroscale.local_portal.submissions import Handed, Submission, wait_for_ends
from neuroscale.polling import duration
from neuroscale.quantile import quantile
from neuroscale.results import Recorder

#: The form has no other team's name, price or size in it already.
_EVERY_FIELD: Mapping[str, str | int] = {
    "owner": "platform-team",
    "costCenter": "cc-platform",
    "cpu": 250,
    "memory": 1024,
}
#: What the page puts in by itself.
_PUT_IN = ("modelFormat", "cpu", "memory")
#: In words -> what is wrong; an empty value is left out.
_MISTAKES: Mapping[str, Mapping[str, str | int]] = {
    "a capital letter in its name": {"name": "Iris"},
    "a name of the platform's own": {"name": "neuroscale-iris"},
    "no cost center": {"costCenter": ""},
    "a password in the location": {"storageUri": "http://user:password@models/iris/1/model.joblib"},
    "too little CPU": {"cpu": 10},
}
_SHARE = 0.9
#: How forms are handed in -> the SLO that it is held to.
_CLAIMS = {"by API": "form-to-pull-request", "in a browser": "form-in-browser"}


@dataclass(frozen=True)
class Refused(Browsed):
    """A form with which the page did not go on.

    Attributes:
        complaints: Title of a field -> what the page says of it.
    """

    complaints: Mapping[str, str]


@dataclass(frozen=True)
class Timed(Handed):
    """Forms that were handed in one after the other.

    Attributes:
        seconds: Of each, from handing it in until its user has the link.
    """

    seconds: tuple[float, ...]


def names_of(portal: LocalPortal) -> dict[str, str]:
    """Where a browser finds portal and Git server: by the addresses that they have here."""
    return {(here := urlsplit(url).netloc): here for url in (portal.running.url, portal.git_server.url)}


def follow(portal: LocalPortal, what: str) -> Followed:
    """Fill in the form in a browser, hand it in, and follow its link.

    Args:
        portal: Where.
        what: ``every field``, or what the page has not put in by itself.

    Raises:
        ConditionTimeout: A page does not get that far.
    """
    values = {**filled_in(), **_EVERY_FIELD} if what == "every field" else filled_in()
    form = values if what == "every field" else {name: values[name] for name in values if name not in _PUT_IN}
    with opened(names_of(portal)) as tab:
        walk = portal_form.walk(tab, form, portal.running.url)
    return Followed(values, walk.visit, portal.git_server, walk, portal.git_server.url, portal.backstage)


def try_mistake(portal: LocalPortal, mistake: str) -> Refused:
    """Fill in a form with a mistake in a browser, and try to go on.

    Raises:
        ConditionTimeout: A page does not get that far.
    """
    values = {**filled_in(), **_MISTAKES[mistake]}
    form = {name: value for name, value in values.items() if value != ""}
    with opened(names_of(portal)) as tab:
        portal_form.enter(tab, portal.running.url)
        portal_form.fill_in(tab, form)
        complaints = portal_form.try_to_go_on(tab)
    return Refused(values, tab.visit, portal.git_server, complaints)


def assert_says(refused: Refused, title: str, complaint: str) -> None:
    """The page did not go on, and says why beside one field alone.

    Raises:
        ConditionTimeout: It went on, or says something else.
    """
    if set(refused.complaints) != {title} or complaint not in refused.complaints[title]:
        raise ConditionTimeout(
            f"The page should say of {title}: {complaint}, and of nothing else anything, but says "
            f"{dict(refused.complaints) or 'nothing and goes on'}. Next: {NEXT}"
        )


def assert_not_handed_in(refused: Refused) -> None:
    """The page handed nothing in, and there is no branch.

    Raises:
        ConditionTimeout: It did, or there is one.
    """
    handed = [request for request in refused.visit.requests if request.startswith("POST") and "/tasks" in request]
    if handed or refused.git_server.branch_head(refused.branch):
        raise ConditionTimeout(
            f"Nothing should come of {dict(refused.values)}, but there is a branch {refused.branch}, or the page asked "
            f"{handed}. Next: {NEXT}"
        )


# --- how long it takes


def hand_in_one_by_one(portal: LocalPortal, count: int, how: str, recorder: Recorder) -> Timed:
    """Hand in forms one after the other; how long each took is kept.

    Args:
        portal: Where.
        count: How many.
        how: ``by API`` or ``in a browser``.
        recorder: Keeps the figures.

    Raises:
        ConditionTimeout: A page does not get that far, or a task has no end.
    """
    before, submissions, seconds = frozenset(portal.git_server.branches()), list[Submission](), list[float]()
    claim, hand_in = _CLAIMS[how], by_api if how == "by API" else in_browser
    forms = [filled_in() for _ in range(count)]
    for form, (task, took) in zip(forms, hand_in(portal, forms), strict=False):
        (end,) = wait_for_ends(portal.backstage, [task])
        submissions.append(Submission(form, end))
        seconds.append(took)
        recorder.figure(
            claim=claim, fault=f"a form is handed in {how}", subject=f"pull request of model-{form['name']}",
            series=f"form to pull request, {how}, without a cluster", at=datetime.now(UTC), seconds=took,
        )  # fmt: skip
    return Timed(tuple(submissions), before, tuple(seconds))


def by_api(portal: LocalPortal, forms: Sequence[Form]) -> Iterator[tuple[str, float]]:
    """Hand forms in by API; task and seconds of each."""
    for form in forms:
        begun = time.monotonic()
        task = portal.backstage.create_task(dict(form))
        wait_for_ends(portal.backstage, [task])
        yield task, round(time.monotonic() - begun, 3)


def in_browser(portal: LocalPortal, forms: Sequence[Form]) -> Iterator[tuple[str, float]]:
    """Hand forms in in one browser, which its guest enters once; task and seconds of each."""
    with opened(names_of(portal)) as tab:
        portal_form.enter(tab, portal.running.url)
        for form in forms:
            portal_form.open_form(tab, portal.running.url)
            portal_form.fill_in(tab, form)
            handed = portal_form.hand_in(tab)
            yield handed.task, handed.seconds


def assert_nine_of_ten(timed: Timed, within: float) -> None:
    """Nine of ten forms took that long at most.

    Raises:
        ConditionTimeout: They took longer.
    """
    ranked = sorted(timed.seconds)
    reached = quantile(ranked, _SHARE)
    if reached is None or reached > within:
        raise ConditionTimeout(
            f"Nine of ten of {len(ranked)} forms should be a pull request within {duration(within)}, but took "
            f"{', '.join(map(duration, ranked))}. Next: {NEXT}"
        )
