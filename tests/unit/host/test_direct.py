"""A proxy in the environment is for the internet: nobody on this machine or in the cluster is asked through it."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from apiserver import ApiServer, kubeconfig_for
from repository import git

from neuroscale.cli.platform import _answers
from neuroscale.cluster import client as cluster_client
from neuroscale.errors import NeuroscaleError
from neuroscale.git_server import GitServer
from neuroscale.host import direct
from neuroscale.inference_client import Endpoint, ask
from neuroscale.kserve_client import run_client
from neuroscale.platform import Platform
from neuroscale.probes.git_server import GitServerAnswers
from neuroscale.supply import registry
from neuroscale.supply.installed import run_program

VARIABLES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A proxy for everything that takes connections and never answers; a test fails that asked it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        for name in VARIABLES:
            monkeypatch.setenv(name, f"http://127.0.0.1:{server.getsockname()[1]}")
        yield server
        with pytest.raises(BlockingIOError):
            server.accept()


def git_server(web: ApiServer, platform: Platform) -> GitServer:
    return GitServer(platform.cluster, web.url)


ASKED: dict[str, Callable[[ApiServer, Platform], object]] = {
    "the Git server's probe": lambda web, platform: GitServerAnswers(web.url).check(platform.cluster),
    "a package of the Git server": lambda web, platform: git_server(web, platform).has_package("/api/packages/x"),
    "an endpoint": lambda web, _: _answers(web.url),
    "a model": lambda web, _: ask(Endpoint(web.url, "iris.example", "iris"), [[1.0]], "v1"),
    "a registry's mirror": lambda web, _: registry.answering(registry.Mirror(web.url), (), 2),
}


@pytest.mark.usefixtures("proxy")
@pytest.mark.parametrize("who", ASKED)
def test_who_is_near_is_asked_directly(who: str, toy_platform: Platform) -> None:
    with ApiServer() as web:
        asked: list[str] = []
        web.before = lambda method, path: asked.append(path)
        ASKED[who](web, toy_platform)
        assert asked


@pytest.mark.usefixtures("proxy")
def test_git_asks_the_git_server_directly(
    toy_platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever proxy the environment or the user's own settings name."""
    settings = tmp_path / "gitconfig"
    settings.write_text("[http]\n\tproxy = http://127.0.0.1:9\n[core]\n\tautocrlf = true\n", encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    with ApiServer() as web:
        asked: list[str] = []
        web.before = lambda method, path: asked.append(path)
        with pytest.raises(NeuroscaleError):  # it is no git server
            git_server(web, toy_platform).head()
        assert any("info/refs" in path for path in asked)


def test_line_ends_of_the_user_are_not_the_git_servers(
    toy_platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, repository: Path
) -> None:
    settings = tmp_path / "gitconfig"
    settings.write_text("[core]\n\tautocrlf = true\n\tsafecrlf = true\n", encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    assert toy_platform.git_server.commit({"a.txt": "one\ntwo\n"}, "Add")
    assert git("-C", str(repository), "cat-file", "blob", "main:a.txt") == "one\ntwo"


@pytest.mark.usefixtures("proxy")
def test_the_kserve_client_asks_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import json, os; print(json.dumps({name: 1 for name in os.environ if name.lower().endswith('_proxy')}))"
    monkeypatch.setattr("neuroscale.kserve_client.command", lambda _: (sys.executable, "-c", program))
    monkeypatch.setattr("neuroscale.kserve_client.provide", lambda: Path("none"))
    answer = run_client("infer", {})
    assert (answer.content, answer.error) == ({}, "")


@pytest.mark.usefixtures("proxy")
def test_what_downloads_has_the_proxy_but_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "intranet.example")
    program = (
        "import os, urllib.request as u; print(u.getproxies()['http'] == os.environ['http_proxy'], "
        "*(bool(u.proxy_bypass(host)) for host in ('intranet.example', 'localhost', '127.0.0.1', 'pypi.org')))"
    )
    assert run_program([sys.executable, "-c", program], within=10).split() == ["True", "True", "True", "True", "False"]
    assert direct.internet_environment()["NO_PROXY"].startswith("localhost,")


def test_a_network_of_docker_is_near(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_client, "docker_networks", lambda: ["172.18.0.0/16"])
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(str(kubeconfig_for("https://172.18.0.2:6443")), encoding="utf-8")
    rules = (cluster_client.read_kubeconfig(kubeconfig).no_proxy or "").split(",")
    assert {"localhost", "127.0.0.0/8", "172.18.0.0/16"} <= set(rules)


@pytest.mark.parametrize("kind", ["socks5://127.0.0.1:9", "gopher://127.0.0.1:9"])
def test_a_proxy_that_cannot_be_spoken_to_is_a_registry_that_cannot_be_reached(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", kind)
    assert "registry.example cannot be reached" in registry._complaint("https://registry.example", 2)
