"""What the tests of serving share."""

from __future__ import annotations

from collections.abc import Iterator

import apiserver
import pytest
import served
from apiserver import ApiServer
from served import Gateway

from neuroscale.cluster.state import ClusterState, Ports


@pytest.fixture
def gateway(state: ClusterState) -> Iterator[Gateway]:
    """A gateway on the port that this machine remembers."""
    with Gateway() as toy:
        port = int(toy.url.rsplit(":", 1)[1])
        state.model_copy(update={"ports": Ports(api=1, forge=2, argocd=3, gateway=port)}).save()
        yield toy


@pytest.fixture
def world(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    """An API server that knows the kinds of serving, and holds one model that is served."""
    for path, kinds in served.KINDS.items():
        monkeypatch.setitem(apiserver.KINDS, path, kinds)
    served.put(api, served.isvc(), served.made())
    return api
