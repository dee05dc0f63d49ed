"""One tab, and what a person does in it: look for something by what it is called, press it, fill it in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Locator, Page, WebError, sync_playwright

from neuroscale.browser.visit import NEXT, Visit
from neuroscale.errors import ConditionTimeout, HostError
from neuroscale.host import direct
from neuroscale.polling import duration, longest_wait

#: Other programs may be at work on this machine.
_PATIENCE = 60.0
_WIDTH, _HEIGHT = 1100, 850
#: Text can be read, and a page has some 40 kB.
_QUALITY = 50
_SHOWN = 400
#: The page names the field in quotation marks; what the browser itself says stands beside the field and in no element.
_COMPLAINT = """said => said.validity
  ? [said.closest(':has(label)').querySelector('label').innerText.replace(/[ *\u2009]+$/, ''), said.validationMessage]
  : said.innerText.match(/^'([^']+)' ([^]+)$/).slice(1)"""


@contextmanager
def launched(program: str, arguments: list[str], *, sandbox: bool, visit: Visit) -> Iterator[Tab]:
    """Chromium with an empty profile and one tab.

    Args:
        program: Where it is.
        arguments: Beside Playwright's own.
        sandbox: Whether pages run in Chromium's sandbox, which root cannot have.
        visit: Where to keep what it sees.

    Raises:
        HostError: It does not start.
    """
    with sync_playwright() as playwright:
        try:
            # A signal is this process's to hear, which ends the browser.
            browser = playwright.chromium.launch(
                executable_path=program, args=arguments, chromium_sandbox=sandbox, env={**direct.cluster_environment()},
                handle_sigint=False, handle_sigterm=False, handle_sighup=False,
            )  # fmt: skip
        except Error as error:
            raise HostError(f"{program} should start, but: {_in_short(error)}. Next: {program} --version") from error
        with browser:
            context = browser.new_context(viewport={"width": _WIDTH, "height": _HEIGHT}, locale="en-US")
            _listen(context, visit)
            yield Tab(context.new_page(), visit)


def _listen(context: BrowserContext, visit: Visit) -> None:
    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            visit.errors.append(f"console: {message.text} ({message.location.get('url', '')})")

    def catch(error: WebError) -> None:
        visit.errors.append(f"page: {error.error}")

    def watch(page: Page) -> None:
        page.on("websocket", lambda socket: visit.note_request("CONNECT", socket.url))

    context.on("request", lambda request: visit.note_request(request.method, request.url))
    context.on("console", hear)
    context.on("weberror", catch)
    context.on("page", watch)


@dataclass
class Tab:
    """What is in front of the person.

    Attributes:
        page: The one that is looked at; another one after a link opened it.
        visit: What was seen so far.
    """

    page: Page
    visit: Visit

    @contextmanager
    def expecting(self, what: str) -> Iterator[float]:
        """Do what only works once the page has got there.

        Args:
            what: The expectation as a clause.

        Yields:
            Milliseconds that it may take.

        Raises:
            ConditionTimeout: It has not in time; the text says what the page shows instead.
        """
        within = min(_PATIENCE, longest_wait.get())
        self.page.set_default_timeout(within * 1000)
        try:
            yield within * 1000
        except Error as error:
            with suppress(Error):
                self._keep("where it ended")
            raise ConditionTimeout(
                f"Timed out after {duration(within)} waiting for: {what}. {_in_short(error)}. Last seen: "
                f"{self._shown()}. Next: {NEXT}"
            ) from error

    def go(self, url: str) -> None:
        """Type an address.

        Raises:
            ConditionTimeout: Nothing came.
        """
        with self.expecting(f"{url} is loaded"):
            self.page.goto(url)

    def button(self, name: str) -> Locator:
        """The button that is called so."""
        return self.page.get_by_role("button", name=name, exact=True)

    def link(self, name: str) -> Locator:
        """The link that is called so, whatever is said of where it opens."""
        return self.page.get_by_role("link", name=re.compile(f"^{re.escape(name)}( |,|$)"))

    def field(self, title: str) -> Locator:
        """The field to write into that has this title, whatever stands behind the title."""
        named = re.compile(f"^{re.escape(title)}( |$)")
        return self.page.get_by_role("textbox", name=named).or_(self.page.get_by_role("spinbutton", name=named))

    def complaints(self) -> Locator:
        """What is wrong with fields: a line of the page for each, or a field that the browser itself does not pass."""
        return (
            self.page.get_by_role("listitem").filter(has_text=re.compile("^'")).or_(self.page.locator("input:invalid"))
        )

    def complaint(self, said: Locator) -> tuple[str, str]:
        """One of them: title of the field, and what is wrong with it.

        Raises:
            ConditionTimeout: It is gone.
        """
        with self.expecting("what is wrong with a field can be read"):
            title, text = said.evaluate(_COMPLAINT)
            return str(title), str(text)

    def press(self, name: str) -> None:
        """Press the button that is called so.

        Raises:
            ConditionTimeout: There is none.
        """
        with self.expecting(f"there is a button {name!r}"):
            self.button(name).click()

    def follow_to_another_tab(self, name: str) -> None:
        """Follow a link that opens a tab, and look at that one.

        Raises:
            ConditionTimeout: There is none, or it opens nothing that is loaded.
        """
        with self.expecting(f"the link {name!r} opens a page") as within:
            with self.page.expect_popup() as opened:
                self.link(name).click()
            self.page = opened.value
            self.page.wait_for_load_state("networkidle", timeout=within)

    def type_into(self, title: str, text: str) -> None:
        """Write into the field that has this title, instead of what stands there.

        Raises:
            ConditionTimeout: There is none.
        """
        with self.expecting(f"there is a field {title!r}"):
            self.field(title).fill(text)

    def choose(self, title: str, value: str) -> None:
        """Choose a value in the list that has this title.

        Raises:
            ConditionTimeout: There is none, or it has no such value.
        """
        with self.expecting(f"there is a list {title!r} with {value!r}"):
            self.page.get_by_role("button", name=re.compile(f"^{re.escape(title)}( |$)")).click()
            self.page.get_by_role("option", name=value, exact=True).click()

    def see(self, thing: Locator, what: str) -> None:
        """Wait until something is there.

        Args:
            thing: What.
            what: The expectation as a clause.

        Raises:
            ConditionTimeout: It does not come.
        """
        with self.expecting(what):
            thing.wait_for()

    def picture(self, name: str, *, once: Locator | None = None) -> None:
        """Keep what is in front of the person.

        Args:
            name: What is to be seen.
            once: What must be there before.

        Raises:
            ConditionTimeout: That does not come.
        """
        with self.expecting(f"the page shows {name}"):
            if once is not None:
                once.wait_for()
            self._keep(name)

    def _keep(self, name: str) -> None:
        # The twentieth form looks as the first.
        if name not in self.visit.pictures:
            jpeg = self.page.screenshot(type="jpeg", quality=_QUALITY, animations="disabled")
            self.visit.pictures[name] = jpeg

    def _shown(self) -> str:
        """The page in words, and what it complained about."""
        try:
            text = " ".join(self.page.inner_text("body", timeout=1000).split())[:_SHOWN]
        except Error:
            text = "nothing that can be read"
        complaints = f"; its errors: {'; '.join(self.visit.errors)[:_SHOWN]}" if self.visit.errors else ""
        return f"{self.page.url} shows {text!r}{complaints}"


def _in_short(error: Error) -> str:
    """Its first line: what follows is Playwright's log."""
    return error.message.strip().splitlines()[0].rstrip(".")
