"""The way of a guest through the portal: enter, choose the form, fill it in, look it over, hand it in, follow the link.

Everything is found by what people read: names of buttons, fields and links. Fields bear the titles of the template.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from neuroscale.browser.visit import Visit

if TYPE_CHECKING:
    from neuroscale.browser.tab import Tab

Form = Mapping[str, object]

#: What the template calls the link to the pull request.
_LINK = "Pull request"
_FORM = "/create/templates/default/model-endpoint"
_TASK = re.compile(r"/create/tasks/([0-9a-f-]+)$")
#: Field of the form -> its title.
TITLES: Mapping[str, str] = {
    "name": "Name",
    "owner": "Owner",
    "costCenter": "Cost center",
    "modelFormat": "Format",
    "storageUri": "Location of the model",
    "cpu": "CPU",
    "memory": "Memory",
}
#: Those that are chosen from a list.
_CHOSEN = frozenset({"owner", "costCenter", "modelFormat"})


@dataclass(frozen=True)
class HandedIn:
    """A form that was handed in, up to the link.

    Attributes:
        task: ID of the portal's task.
        seconds: From the press of the button until the link is shown.
    """

    task: str
    seconds: float


@dataclass(frozen=True)
class Walk:
    """All of the way.

    Attributes:
        visit: What the browser saw on it.
        task: ID of the portal's task.
        seconds: From the press of the button until the link was shown.
        landed: Address of the page that the link has led to.
        title: Of that page.
    """

    visit: Visit
    task: str
    seconds: float
    landed: str
    title: str


def walk(tab: Tab, form: Form, portal: str) -> Walk:
    """Ask for a model in a browser, and follow the link.

    Args:
        tab: Of a browser that has just been opened.
        form: What to fill in; what else the page has put in stays.
        portal: Its URL.

    Raises:
        ConditionTimeout: A page does not get that far.
    """
    enter(tab, portal)
    fill_in(tab, form)
    handed = hand_in(tab)
    tab.follow_to_another_tab(_LINK)
    tab.picture("the pull request")
    return Walk(tab.visit, handed.task, handed.seconds, tab.page.url, tab.page.title())


def enter(tab: Tab, portal: str) -> None:
    """Enter as a guest and choose the form.

    Raises:
        ConditionTimeout: The portal does not get that far.
    """
    tab.go(portal)
    tab.picture("sign-in", once=tab.button("Enter"))
    tab.press("Enter")
    tab.picture("what can be created", once=tab.button("Choose"))
    tab.press("Choose")
    tab.picture("the form", once=tab.field(TITLES["name"]))


def open_form(tab: Tab, portal: str) -> None:
    """Come back to the form by its address, as whoever has entered before.

    Raises:
        ConditionTimeout: It does not come.
    """
    tab.go(f"{portal}{_FORM}")
    tab.see(tab.field(TITLES["name"]), "the form is there")


def fill_in(tab: Tab, form: Form) -> None:
    """Fill in what a form holds; what else the page has put in stays.

    Raises:
        ConditionTimeout: A field is not there, or has no such value to choose.
    """
    for name, value in form.items():
        if name in _CHOSEN:
            tab.choose(TITLES[name], str(value))
        else:
            tab.type_into(TITLES[name], str(value))


def hand_in(tab: Tab) -> HandedIn:
    """Look the form over, hand it in, and wait for the link.

    Raises:
        ConditionTimeout: The page does not take the form, or shows no link.
    """
    tab.picture("the form, filled in", once=tab.button("Review"))
    tab.press("Review")
    tab.picture("the review", once=tab.button("Create"))
    begun = time.monotonic()
    tab.press("Create")
    tab.see(tab.link(_LINK), "the link to the pull request is shown")
    seconds = round(time.monotonic() - begun, 3)
    tab.picture("the task, with its link", once=tab.link(_LINK))
    task = _TASK.search(tab.page.url)
    return HandedIn(task[1] if task else "", seconds)


def try_to_go_on(tab: Tab) -> dict[str, str]:
    """Want to look a form over that has a mistake: title of a field -> what the page says of it; empty if it goes on.

    Raises:
        ConditionTimeout: It neither goes on nor says anything.
    """
    tab.press("Review")
    tab.see(tab.button("Create").or_(tab.complaints()).first, "the page goes on, or says what is wrong")
    tab.picture("what the page says")
    return dict(map(tab.complaint, tab.complaints().all()))
