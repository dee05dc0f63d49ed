"""What of a command line's work is written down, and where it stops."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from neuroscale.bootstrap_scenarios.observed import STOPPED, Observer, deed_of, hear_httpx
from neuroscale.bootstrap_scenarios.points import POINTS, Deed
from neuroscale.local_portal.doors import Held, Moment
from neuroscale.polling import met, pending, wait_until


def request(line: str) -> tuple[None, bytes]:
    return None, f"{line} HTTP/1.1\r\nHost: x\r\n".encode()


@pytest.mark.parametrize(
    ("event", "arguments", "deed"),
    [
        ("subprocess.Popen", ("/opt/k3d", ["/opt/k3d", "cluster", "create", "own"]), "program k3d cluster create own"),
        ("subprocess.Popen", ("setpriv", ["setpriv", "--pdeathsig", "KILL", b"git", "push"]), "program git push"),
        ("os.rename", ("/a/.state.json.0f", "/a/state.json", -1), "file state.json"),
        ("os.rename", ("/a/x", "/a/x.pyc", -1), ""),
        ("http.client.send", request("PATCH /api/v1/namespaces/a?force=true"), "api PATCH /api/v1/namespaces/a"),
        ("http.client.send", request("PATCH /api/v1/namespaces/a?force=true&dryRun=All"), ""),
        ("http.client.send", request("GET /api/v1/namespaces/a"), ""),
        ("http.client.send", (None, b'{"a": 1}'), ""),
        ("http.client.send", (None, iter(())), ""),
        ("socket.getaddrinfo", ("ghcr.io", 443), "look up ghcr.io"),
        ("socket.getaddrinfo", (b"ghcr.io", 443), "look up ghcr.io"),
        ("socket.getaddrinfo", ("localhost", 1), ""),
        ("socket.getaddrinfo", (None, 1), ""),
        ("socket.getaddrinfo", ("192.0.2.1", 1), ""),
        ("socket.connect", (None, ("192.0.2.1", 443)), "reach 192.0.2.1"),
        ("socket.connect", (None, ("2001:db8::1", 443, 0, 0)), "reach 2001:db8::1"),
        ("socket.connect", (None, ("127.0.0.1", 6550)), ""),
        ("socket.connect", (None, "/var/run/docker.sock"), ""),
        ("import", ("os",), ""),
    ],
)
def test_a_deed_is_what_the_world_outside_notices(event: str, arguments: tuple[Any, ...], deed: str) -> None:
    assert deed_of(event, arguments) == deed


def test_it_stops_before_the_deed_that_was_named_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    observer = Observer(tmp_path / "trace", "^file state.json$", 2)
    stops = list[str]()
    monkeypatch.setattr(observer, "stop", lambda: stops.append((tmp_path / "trace").read_text()))
    for name in ("state.json", "kubeconfig", "state.json", "state.json"):
        observer.hear("os.rename", ("", f"/a/{name}", -1))
    lines = ["file state.json", "file kubeconfig", "file state.json", STOPPED]
    assert stops == ["\n".join([f"pid {os.getpid()}", *lines, ""])]


def test_whoever_comes_while_one_has_stopped_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    observer, go_on, trace = Observer(tmp_path / "trace", "^stop$", 1), threading.Event(), tmp_path / "trace"
    monkeypatch.setattr(observer, "stop", go_on.wait)
    threads = [threading.Thread(target=observer.note, args=(deed,)) for deed in ("stop", "later")]
    threads[0].start()
    wait_until(lambda: met("") if STOPPED in trace.read_text() else pending(""), "it has stopped", "", within=5)
    threads[1].start()
    threads[1].join(0.2)
    assert "later" not in trace.read_text()
    go_on.set()
    for thread in threads:
        thread.join()
    assert trace.read_text().splitlines()[-1] == "later"


def test_writes_to_the_git_server_are_deeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = list[str]()

    def serve(transport: httpx.HTTPTransport, asked: httpx.Request) -> httpx.Response:
        served.append(asked.method)
        return httpx.Response(200)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", serve)
    observer = Observer(tmp_path / "trace", "", 1)
    hear_httpx(observer)
    with httpx.Client(transport=httpx.HTTPTransport()) as client:
        client.get("http://git/api/v1/orgs")
        client.post("http://git/api/v1/orgs?a=b")
    assert served == ["GET", "POST"]
    assert (tmp_path / "trace").read_text().splitlines()[1:] == ["forge POST /api/v1/orgs"]


# --- the points


def test_each_point_is_one_of_its_own() -> None:
    assert len(POINTS) >= 30
    assert len(set(POINTS.values())) == len(POINTS)
    for point in POINTS.values():
        for pattern in [point.pattern] if isinstance(point, Deed) else point.said:
            re.compile(pattern)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("before it has written the marker", "file marker.yaml"),
        ("before the cluster is created", "program k3d cluster create neuroscale-own --image"),
        ("before the Git server has its namespace", "api PATCH /api/v1/namespaces/forge"),
        ("before the Git server's password is made", "api POST /api/v1/namespaces/forge/secrets"),
        ("before the push hook is made", "forge POST /api/v1/repos/neuroscale/platform/hooks"),
        ("before the tree is pushed", "program git push origin"),
    ],
)
def test_a_point_is_the_deed_that_it_names(when: str, said: str) -> None:
    point = POINTS[when]
    assert isinstance(point, Deed)
    matching = [name for name, one in POINTS.items() if isinstance(one, Deed) and re.search(one.pattern, said)]
    assert matching == [when]


def test_a_request_to_docker_is_the_moment_it_names() -> None:
    point = POINTS["after the node was started"]
    assert isinstance(point, Moment)
    assert point.answered
    held, node = Held(point), b"k3d-neuroscale-own-server-0"
    said = [
        b"POST /v1.41/containers/create?name=k3d-neuroscale-own-tools HTTP/1.1\r\n",
        b"POST /v1.41/containers/1f/start HTTP/1.1\r\n",
        b"POST /v1.41/containers/create?name=" + node + b" HTTP/1.1\r\n",
        b"PUT /v1.41/containers/2f/archive?path=%2F HTTP/1.1\r\n",
    ]
    assert [held.begins(0, one) for one in said] == [False] * 4
    assert held.begins(0, b"POST /v1.41/containers/2f/start HTTP/1.1\r\n")
