"""What the fast tier shares: an API server, a Git server that is a bare repository, and nothing of this machine."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import signal
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from apiserver import NONCE, ApiServer, kubeconfig_for
from fake_portal import FakePortal, QuickGitServer
from fakes import PROPOSED, docker
from hypothesis import HealthCheck, settings
from repository import git, new_repository

from neuroscale.cluster.client import Cluster
from neuroscale.cluster.state import ClusterState
from neuroscale.git_server_api import OWNER, REPOSITORY
from neuroscale.platform import Platform
from neuroscale.settings import CLUSTER_NAME

# The machine is shared and slow at times; a deadline a single example would make luck of it.
settings.register_profile(
    "fast tier",
    deadline=None,
    database=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("fast tier")

_MACHINE = itertools.count()
_OF_A_TERMINAL = {"COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "PY_COLORS", "TTY_COMPATIBLE", "TTY_INTERACTIVE"}


# A shell ignores Ctrl-C for what it starts in the background, and every process of a test would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays to the end: the garbage collector would look through it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True)
def nothing_of_this_machine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test outside tests/e2e never sees this machine's state, cache, reports, supply, proxies, git or terminal."""
    if Path(__file__).parent / "e2e" in request.path.parents:
        return
    base = tmp_path_factory.getbasetemp() / "machines" / str(next(_MACHINE))
    base.mkdir(parents=True)
    for name in ("STATE", "CACHE", "REPORTS"):
        monkeypatch.setenv(f"NEUROSCALE_{name}", str(base / name.lower()))
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith("GIT_") or name in _OF_A_TERMINAL:
            monkeypatch.delenv(name)
    for name in ("NEUROSCALE_MIRROR", "SUPPLY", "DOCKER_HOST"):
        monkeypatch.delenv(name, raising=False)
    # Somebody's line endings, templates and signatures.
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    # A test that would download packages fails at once, where it would be slow and depend on the network.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("GOPROXY", "off")
    monkeypatch.setenv("KUBECONFIG", str(base / "no-kubeconfig"))


@pytest.fixture
def api() -> Iterator[ApiServer]:
    """An API server that carries the marker of this run."""
    with ApiServer(NONCE) as server:
        yield server


@pytest.fixture
def state(api: ApiServer) -> ClusterState:
    """What this machine remembers of it."""
    return ClusterState(
        name=CLUSTER_NAME,
        nonce=NONCE,
        server=api.url,
        created_at=datetime.now(UTC),
        forge_url="http://127.0.0.1:1",
    )


@pytest.fixture
def kubeconfig(api: ApiServer, tmp_path: Path) -> Path:
    """A kubeconfig that leads to it."""
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.dump(kubeconfig_for(api.url), Dumper=yaml.CSafeDumper), encoding="utf-8")
    return file


@pytest.fixture
def cluster(kubeconfig: Path, state: ClusterState) -> Cluster:
    """The lawful client."""
    return Cluster.from_kubeconfig(kubeconfig, state)


@pytest.fixture(scope="session")
def _new_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What each test has a copy of: one commit on ``main``, and a branch that is proposed."""
    bare = new_repository(tmp_path_factory.mktemp("forge") / "new.git")
    FakePortal(bare).propose(PROPOSED, "second/proposed.txt")
    # A few files take less to copy than a dozen folders with one each.
    git("-C", str(bare), "repack", "-a", "-d", "--quiet")
    git("-C", str(bare), "pack-refs", "--all")
    return bare


@pytest.fixture
def repository(_new_repository: Path, tmp_path: Path) -> Path:
    """The Git server's repository, on disk instead of behind HTTP; ``main`` has one commit."""
    copy = tmp_path / "forge" / OWNER / f"{REPOSITORY}.git"
    return Path(shutil.copytree(_new_repository, copy, copy_function=shutil.copyfile))


@pytest.fixture
def portal(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePortal]:
    """The portal and the Git server, with one open pull request."""
    with FakePortal(repository) as server:
        server.open[1] = PROPOSED
        monkeypatch.setattr("neuroscale.backstage_client.backstage_url", lambda: server.url)
        yield server


@pytest.fixture
def engine(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Docker client of a machine whose nodes have one process."""
    monkeypatch.setenv("PATH", docker(tmp_path / "docker", repository))


@pytest.fixture
def toy_platform(api: ApiServer, cluster: Cluster, repository: Path, portal: FakePortal, engine: None) -> Platform:
    """The platform that faults act on."""
    password = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "gitea-bot", "namespace": "forge"}}
    api.put("/api/v1/namespaces/forge/secrets/gitea-bot", {**password, "data": {"password": "cGFzc3dvcmQ="}})
    return Platform(cluster, QuickGitServer(cluster, portal.url, repository))
