"""Choosing a supply, and what the registry supply hands over."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from neuroscale.components import demands
from neuroscale.errors import HostError, UsageError
from neuroscale.host.engine import Engine
from neuroscale.milestones import MILESTONES
from neuroscale.supply import Demand, choice, choose
from neuroscale.supply import registry as module
from neuroscale.supply.artifacts import PARTS, Catalogue, ImageArchive
from neuroscale.supply.builder import Builder
from neuroscale.supply.golang import GoProgram, ModuleFiles, ModuleTree
from neuroscale.supply.pins import pins
from neuroscale.supply.registry import Mirror, RegistrySupply, answering, upstream_registries
from neuroscale.supply.store import Stored


class FakeRegistry(BaseHTTPRequestHandler):
    """Answers ``/v2/`` as the test wants it to."""

    status = 200
    headers_sent: dict[str, str]
    delay: threading.Event | None = None

    def do_GET(self) -> None:
        if self.delay:
            self.delay.wait(20)
        self.send_response(self.status if self.path == "/v2/" else 404)
        for key, value in self.headers_sent.items():
            self.send_header(key, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def registry() -> Iterator[HTTPServer]:
    class Handler(FakeRegistry):
        headers_sent = {"Docker-Distribution-Api-Version": "registry/2.0"}  # noqa: RUF012 - of this test alone

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()


def address(server: HTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_port}"


class FakeEngine(Engine):
    """Remembers what it was told."""

    labels: str = ""
    system: str = "Debian GNU/Linux 12 (bookworm)"

    def call(self, *arguments: str, within: float = 60) -> str:
        calls.append(arguments)
        if arguments[0] == "info":
            return f"{FakeEngine.system}\n"
        if arguments[0] == "network":
            return "172.17.0.0/16\n"
        return f"{FakeEngine.labels}\n" if arguments[:2] == ("image", "inspect") else ""

    def has_image(self, reference: str) -> bool:
        return False


calls: list[tuple[str, ...]] = []


class FakeBuilder(Builder):
    """Has all parts."""

    def provide(self, targets: object) -> dict[str, Stored]:
        return {name: Stored(Path("/store") / name, {}, 1) for name in targets}  # type: ignore[attr-defined]


@pytest.fixture
def supply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RegistrySupply:
    monkeypatch.setenv("NEUROSCALE_CACHE", str(tmp_path))
    monkeypatch.setattr(module.capability, "has_sys_resource", lambda: True)
    calls.clear()
    FakeEngine.labels = ""
    mirror = Mirror("http://127.0.0.1:5000/mirror")
    return RegistrySupply("asked for", mirror, FakeBuilder(tmp_path), FakeEngine())


def test_auto_takes_a_registry_that_answers(registry: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROSCALE_MIRROR", address(registry))
    chosen = choose("auto", demands("a"))
    assert (chosen.name, chosen.reason) == ("registry", f"the mirror 127.0.0.1:{registry.server_port} answered")


def test_auto_falls_back_to_source_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROSCALE_MIRROR", "http://127.0.0.1:1")
    chosen = choose("auto", demands("a"))
    assert chosen.name == "source"
    assert chosen.reason == "no registry: 127.0.0.1:1 cannot be reached (ConnectError)"


def test_auto_decides_within_five_seconds_whatever_hangs(registry: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(FakeRegistry, "delay", release)
    start = time.monotonic()
    complaint = answering(Mirror(address(registry)), demands("a"), 0.3)
    release.set()
    assert time.monotonic() - start < 2
    assert "127.0.0.1" in complaint


def test_a_page_that_is_no_registry_is_not_taken_for_one(registry: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.RequestHandlerClass, "headers_sent", {"Content-Type": "text/html"})
    assert "answers, but not as a registry does (HTTP 200)" in answering(Mirror(address(registry)), demands("a"), 3)


def test_a_registry_that_wants_a_login_is_one(registry: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeRegistry, "status", 401)
    assert answering(Mirror(address(registry)), demands("a"), 3) == ""


@pytest.mark.parametrize(
    ("milestones", "silent", "chosen"),
    [("a", "gcr.io", "registry"), ("ab", "gcr.io", "source"), ("a", "quay.io", "source")],
)
def test_auto_asks_only_registries_that_the_milestones_images_come_from(
    milestones: str, silent: str, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def complaint(url: str, within: float) -> str:
        asked.append(url.removeprefix("https://"))
        return f"{silent} cannot be reached (ConnectError)" if silent in url else ""

    monkeypatch.delenv("NEUROSCALE_MIRROR", raising=False)
    monkeypatch.setattr(module, "_complaint", complaint)
    assert choose("auto", demands(milestones)).name == chosen
    of_b = ["gcr.io"] if "b" in milestones else []
    assert sorted(asked) == sorted(["public.ecr.aws", "quay.io", "registry-1.docker.io", *of_b])


@pytest.mark.parametrize("made_with", ["registry", "source"])
@pytest.mark.parametrize("status", [200, 429])
def test_auto_asks_nobody_where_a_cluster_was_made_already(
    made_with: str, status: int, registry: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One 429 must not turn a cluster to another node image, and so into another cluster."""
    monkeypatch.setenv("NEUROSCALE_MIRROR", address(registry))
    monkeypatch.setattr(FakeRegistry, "status", status)
    assert choose("auto", demands(["a"]), recorded="").name == ("registry" if status == 200 else "source")
    monkeypatch.setattr(choice, "answering", lambda *_: pytest.fail("a registry was asked"))
    chosen = choose("auto", demands(["a"]), recorded=made_with)
    assert chosen.name == made_with
    assert "as the cluster was made" in chosen.reason


@pytest.mark.parametrize("recorded", ["registry", "source", "none", ""])
@pytest.mark.parametrize("wanted", ["registry", "source"])
def test_who_asks_for_a_supply_gets_it_whatever_the_cluster_was_made_with(
    wanted: Any, recorded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NEUROSCALE_MIRROR", raising=False)
    assert choose(wanted, demands(["a"]), recorded=recorded).name == wanted
    monkeypatch.setenv("SUPPLY", wanted)
    assert choose("auto", demands(["a"]), recorded=recorded).name == wanted
    monkeypatch.setenv("SUPPLY", "source" if wanted == "registry" else "registry")
    assert choose(wanted, demands(["a"]), recorded=recorded).name == wanted


def test_an_adopted_cluster_has_no_supply_yet_and_registries_are_asked(
    registry: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEUROSCALE_MIRROR", address(registry))
    assert (
        choose("auto", demands(["a"]), recorded="none").reason
        == f"the mirror 127.0.0.1:{registry.server_port} answered"
    )


def test_a_supply_that_does_not_exist_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPPLY", "registery")
    with pytest.raises(UsageError, match=r"SUPPLY should be one of auto, registry, source, but is 'registery'"):
        choose("auto", demands(["a"]))


def test_every_image_that_is_not_our_own_is_pulled_from_a_registry_of_its_milestone() -> None:
    own = pins().images["webhook-certs"]
    all_of_them = {reference.partition("/")[0] for reference in pins().images.values() if reference != own}
    assert upstream_registries(demands(MILESTONES)) == all_of_them


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:5000", "ftp://mirror", "http://", "http://[::1", "http://:5000", "http://a:b", "http://a:99999",
        "http://a:0", "http://a b", "http://a/b?c", "http://a/#b",
    ],
)  # fmt: skip
def test_a_mirror_that_is_no_url_is_refused_with_an_example(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROSCALE_MIRROR", url)
    with pytest.raises(UsageError, match="Next: NEUROSCALE_MIRROR=http"):
        choose("registry", demands("a"))


@pytest.mark.parametrize(
    ("mirror", "expected"),
    [
        ("http://127.0.0.1:5000", "127.0.0.1:5000/argoproj/argocd:v3.2.1"),
        ("https://harbor.example/cache", "harbor.example/cache/argoproj/argocd:v3.2.1"),
        ("https://harbor.example/{registry}", "harbor.example/quay.io/argoproj/argocd:v3.2.1"),
    ],
)
def test_references_in_a_mirror(mirror: str, expected: str) -> None:
    assert Mirror(mirror).reference("quay.io/argoproj/argocd:v3.2.1") == expected


def test_nodes_are_sent_to_this_machine_by_an_address_they_can_reach() -> None:
    content = Mirror("http://localhost:5000/p/{registry}").registries_file(["quay.io"], "172.17.0.1")
    assert content == {
        "mirrors": {"quay.io": {"endpoint": ["http://172.17.0.1:5000"], "rewrite": {"^(.*)$": "p/quay.io/$1"}}}
    }
    assert Mirror("https://harbor.example").registries_file(["quay.io"], "172.17.0.1") == {
        "mirrors": {"quay.io": {"endpoint": ["https://harbor.example"]}}
    }


def test_the_node_image_is_pulled_from_the_mirror_and_named_as_upstream(supply: RegistrySupply) -> None:
    provisions = supply.provide(demands(["a"]))
    node = pins().images["node"]
    assert ("pull", "--quiet", "127.0.0.1:5000/mirror/rancher/k3s:v1.31.1-k3s1") in calls
    assert ("tag", "127.0.0.1:5000/mirror/rancher/k3s:v1.31.1-k3s1", node) in calls
    assert provisions.node_image == node
    assert provisions.image_tarballs == ()
    assert provisions.images == pins().images
    assert provisions.binaries == {"k3d": Path("/store/k3d/k3d")}
    config = Path(provisions.k3d_args[provisions.k3d_args.index("--registry-config") + 1])
    mirrors = yaml.safe_load(config.read_text())["mirrors"]
    assert set(mirrors) == upstream_registries(demands(MILESTONES))
    assert all(mirror["endpoint"] == ["http://172.17.0.1:5000"] for mirror in mirrors.values())


def test_from_docker_desktop_a_mirror_on_this_machine_is_reached_by_its_name(
    supply: RegistrySupply, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind its bridge is a machine of its own."""
    monkeypatch.setattr(FakeEngine, "system", "Docker Desktop")
    provisions = supply.provide(demands(["a"]))
    config = Path(provisions.k3d_args[provisions.k3d_args.index("--registry-config") + 1])
    mirrors = yaml.safe_load(config.read_text())["mirrors"]
    assert {*mirrors} == upstream_registries(demands(MILESTONES))
    assert [mirror["endpoint"] for mirror in mirrors.values()] == [["http://host.docker.internal:5000"]] * len(mirrors)


def test_no_part_of_it_needs_a_tool_of_a_linux_host() -> None:
    """A Mac with Docker Desktop has Python, git and Go from PyPI, and that is all. Only milestone C asks for more."""
    parts = Catalogue(module._not_in_registries(demands(set(MILESTONES) - {"c"})), pins()).order
    assert {type(PARTS[part]) for part in parts} <= {GoProgram, ModuleFiles, ModuleTree, ImageArchive}
    every = Catalogue(module._not_in_registries(demands(MILESTONES)), pins()).order
    roots = {"debian-nodejs", "debian-gate", "debian-python"}
    portal = {"backstage", "images-c-own"}
    gate = {"helm", "gate-engine", "kustomize", "pull-request-gate", "suite-package", "images-gate-own"}
    assert set(every) - set(parts) == roots | portal | gate
    programs = {part: program for part in parts if isinstance(program := PARTS[part], GoProgram)}
    assert [part for part, program in programs.items() if program.cgo] == []


def test_our_own_image_is_built_and_imported_as_no_registry_has_it(supply: RegistrySupply) -> None:
    provisions = supply.provide(demands(["a", "b"]))
    assert provisions.image_tarballs == (Path("/store/images-own/images.tar"),)
    assert provisions.manifests["serving-stack"] == Path("/store/serving-stack-files/manifests")
    assert supply.provide(demands(["a", "d"])).manifests["kyverno"] == Path("/store/kyverno-files/manifests")


def test_images_are_never_collected_whichever_node_image_it_is(supply: RegistrySupply) -> None:
    upstream = supply.provide(demands(["a"]))
    FakeEngine.labels = "source"
    built = supply.provide(demands(["a"]))
    for provisions in (upstream, built):
        assert "--kubelet-arg=image-gc-high-threshold=100" in provisions.node_args
        assert ("--flannel-backend=none" in provisions.node_args) != provisions.flannel
    assert (upstream.flannel, built.flannel) == (True, False)


def test_upstreams_node_image_is_refused_where_it_could_not_start_pods(
    supply: RegistrySupply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.capability, "has_sys_resource", lambda: False)
    with pytest.raises(HostError, match="Next: --supply source"):
        supply.provide(demands(["a"]))
    FakeEngine.labels = "source"
    supply.provide(demands(["a"]))


def test_an_image_without_a_recipe_is_pulled_and_its_registry_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    images = {**pins().images, "portal": "ghcr.io/a/portal:1.0"}
    monkeypatch.setattr(module, "pins", lambda: pins().model_copy(update={"images": images}))
    assert upstream_registries([Demand(pulled=("portal",))]) - upstream_registries([]) == {"ghcr.io"}
