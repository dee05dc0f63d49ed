"""Costs: OpenCost says what each team's workloads cost, from what Prometheus has scraped, at the prices in Git."""

from __future__ import annotations

from collections.abc import Iterable

from neuroscale.cluster.ports import Port
from neuroscale.components.component import Component, Evidence, Stage
from neuroscale.metering.service import NAMESPACE
from neuroscale.platform import Platform
from neuroscale.polling import Probe
from neuroscale.probes import applications, cost, expected
from neuroscale.probes.cluster_dns import ServicesResolved
from neuroscale.supply.contract import Demand

_NAMESPACES = (NAMESPACE,)


def steady_state(platform: Platform) -> Iterable[Probe]:
    """Both run and see everything, and the prices are those of Git."""
    yield applications.each_as_in_git(platform.git_server)
    yield cost.workloads_ready()
    yield ServicesResolved(_NAMESPACES, area=cost.AREA)
    yield cost.TargetsUp()
    yield cost.PricesAsInGit(expected.prices(platform.git_server))
    yield cost.AllFound()


COMPONENT = Component(
    name="cost",
    milestone="f",
    title="hardening: who pays, and what production is",
    namespaces=_NAMESPACES,
    workloads=cost.WORKLOADS,
    applications=(cost.APPLICATION,),
    folders=("infrastructure/apps/opencost.yaml", "infrastructure/opencost"),
    demand=Demand(archives=("images-f",)),
    ports=(Port("opencost", "OpenCost", 9003, 30903),),
    steady_state=steady_state,
    stages=(Stage("costs", lambda *_: None, steady_state),),
    evidence=Evidence(kinds=(("apps/v1", "Deployment"),), logs=cost.WORKLOADS),
)
