"""Chromium: where it comes from, and how it is started so that nothing leaves this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from neuroscale.browser import visit
from neuroscale.browser.visit import Visit
from neuroscale.errors import HostError
from neuroscale.host import direct, packages
from neuroscale.host.programs import output

if TYPE_CHECKING:
    from neuroscale.browser.tab import Tab

_PURPOSE = "a browser"
_VERSION_SECONDS = 30


def provide() -> str:
    """Where Chromium is. Playwright's own builds are no Debian packages, and are not asked for.

    Raises:
        HostError: It is not installed; the text has the command to type.
    """
    if found := shutil.which(packages.BROWSER):
        return found
    packages.ensure([packages.BROWSER], _PURPOSE, allow_install=False, recommended=False)
    raise HostError(
        f"{_PURPOSE.capitalize()} is installed, but {packages.BROWSER} is not on PATH. Type: export PATH=$PATH:/usr/bin"
    )


def version() -> str:
    """Which Chromium, and whose build.

    Raises:
        HostError: There is none.
        ProgramFailed: It does not start.
    """
    said = output([provide(), "--version"], within=_VERSION_SECONDS, env=direct.cluster_environment())
    return said.strip().removeprefix("Chromium ")


@contextmanager
def opened(names: Mapping[str, str]) -> Iterator[Tab]:
    """A browser of its own with one tab, which ends with the block; what it saw goes to the listeners.

    Args:
        names: Host and port, as pages name them -> host and port of this machine that they are.

    Raises:
        HostError: There is no browser, or it does not start.
    """
    # Playwright takes as long to load as all the rest together.
    from neuroscale.browser import tab  # noqa: PLC0415

    seen = Visit(names)
    try:
        with tab.launched(provide(), arguments(names), sandbox=os.geteuid() != 0, visit=seen) as opened_tab:
            yield opened_tab
    finally:
        for listener in visit.listeners:
            listener(seen)


def arguments(names: Mapping[str, str]) -> list[str]:
    """How Chromium is to be started: it finds these names and this machine, and nobody else."""
    maps = [f"MAP {name} {here}" for name, here in names.items() if name != here]
    rules = [*maps, "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1", "EXCLUDE localhost"]
    return ["--no-proxy-server", f"--host-resolver-rules={', '.join(rules)}"]
