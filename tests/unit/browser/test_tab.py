"""What a page does not do is told in a sentence, whatever Playwright calls it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from playwright.sync_api import Error

from neuroscale.browser.tab import Tab
from neuroscale.browser.visit import Visit
from neuroscale.errors import ConditionTimeout
from neuroscale.polling import longest_wait


class Page:
    """A page that shows a sentence and has no button."""

    url = "http://127.0.0.1:7007/create"

    def __init__(self, *, closed: bool = False) -> None:
        self.closed, self.patience = closed, 0.0

    def set_default_timeout(self, milliseconds: float) -> None:
        self.patience = milliseconds

    def get_by_role(self, role: str, **_: object) -> Any:
        def click() -> None:
            raise Error("Locator.click: Timeout 30000ms exceeded.\nCall log:\n  - waiting for it")

        return SimpleNamespace(click=click)

    def screenshot(self, **_: object) -> bytes:
        if self.closed:
            raise Error("Target page has been closed")
        return b"jpeg"

    def inner_text(self, *_: object, **__: object) -> str:
        if self.closed:
            raise Error("Target page has been closed")
        return "Sorry,\n  nothing here"


def tab(page: Page, *errors: str) -> Tab:
    return Tab(cast("Any", page), Visit({}, errors=list(errors)))


def test_what_is_not_there_is_told_with_what_is() -> None:
    there = tab(Page(), "console: no such menu")
    with pytest.raises(ConditionTimeout) as told:
        there.press("Create")
    assert str(told.value) == (
        "Timed out after 1 min 00 s waiting for: there is a button 'Create'. Locator.click: Timeout 30000ms exceeded. "
        "Last seen: http://127.0.0.1:7007/create shows 'Sorry, nothing here'; its errors: console: no such menu. "
        "Next: pytest -m browser"
    )
    assert there.visit.pictures == {"where it ended": b"jpeg"}


def test_a_page_that_is_gone_is_told_of_as_well() -> None:
    with pytest.raises(ConditionTimeout, match="shows 'nothing that can be read'"):
        tab(Page(closed=True)).press("Create")
    with pytest.raises(ConditionTimeout, match=r"waiting for: the page shows the review\. Target page has been closed"):
        tab(Page(closed=True)).picture("the review")


def test_a_wait_is_no_longer_than_any_may_be() -> None:
    page = Page()
    reset = longest_wait.set(2)
    try:
        with tab(page).expecting("something") as within:
            assert within == page.patience == 2000
    finally:
        longest_wait.reset(reset)


def test_a_page_that_comes_again_is_not_pictured_again() -> None:
    page = Page()
    there = tab(page)
    there.picture("the review")
    page.closed = True
    there.picture("the review")
    assert there.visit.pictures == {"the review": b"jpeg"}
