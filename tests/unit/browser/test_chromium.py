"""How Chromium is found and started."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from neuroscale.browser import chromium, tab, visit
from neuroscale.browser.visit import Visit
from neuroscale.errors import HostError
from neuroscale.host import packages


def test_a_browser_finds_the_names_it_is_given_and_nobody_else() -> None:
    names = {"127.0.0.1:7007": "127.0.0.1:7007", "gitea.forge.svc.cluster.local:3000": "127.0.0.1:3300"}
    rules = (
        "MAP gitea.forge.svc.cluster.local:3000 127.0.0.1:3300, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
    )
    assert chromium.arguments(names) == ["--no-proxy-server", f"--host-resolver-rules={rules}"]


def test_a_machine_without_a_browser_is_told_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is installed: pytest never does that."""
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "chromium" else f"/usr/bin/{name}")
    monkeypatch.setattr(packages, "missing", list)
    monkeypatch.setattr(packages, "_install", lambda *_: pytest.fail("something was installed"))
    with pytest.raises(HostError, match=r"Type: .*apt-get install -y --no-install-recommends chromium; or, as root"):
        chromium.provide()
    monkeypatch.setattr(packages, "missing", lambda _: [])
    with pytest.raises(HostError, match="is not on PATH"):
        chromium.provide()


def test_what_a_browser_saw_is_told_also_when_the_scenario_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    started: dict[str, Any] = {}

    @contextmanager
    def launched(program: str, arguments: list[str], *, sandbox: bool, visit: Visit) -> Iterator[None]:
        started.update(program=program, sandbox=sandbox, visit=visit)
        yield None

    told: list[Visit] = []
    monkeypatch.setattr(tab, "launched", launched)
    monkeypatch.setattr(chromium, "provide", lambda: "the browser")
    monkeypatch.setattr(chromium.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(visit, "listeners", [told.append])
    with pytest.raises(KeyError), chromium.opened({"a:1": "b:2"}):
        raise KeyError
    assert told == [started["visit"]]
    assert (started["program"], started["sandbox"], told[0].names) == ("the browser", True, {"a:1": "b:2"})
