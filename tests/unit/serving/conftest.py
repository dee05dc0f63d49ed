"""What the tests of serving share."""

from __future__ import annotations

from collections.abc import Iterator

import apiserver
import fake_gateway
import pytest
from apiserver import ApiServer
from fake_gateway import Gateway

from neuroscale.cluster.state import ClusterState


@pytest.fixture
def gateway(state: ClusterState) -> Iterator[Gateway]:
    """A gateway on the port that this machine remembers."""
    with Gateway() as toy:
        port = int(toy.url.rsplit(":", 1)[1])
        state.model_copy(update={"ports": {"api": 1, "gateway": port}}).save()
        yield toy


@pytest.fixture
def world(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    """An API server that knows the kinds of serving, and holds one model that is served."""
    for path, kinds in fake_gateway.KINDS.items():
        monkeypatch.setitem(apiserver.KINDS, path, kinds)
    fake_gateway.put(api, fake_gateway.isvc(), fake_gateway.made())
    return api
