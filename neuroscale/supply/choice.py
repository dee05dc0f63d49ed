"""Which supply to use."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from neuroscale.supply.builder import Workshop
from neuroscale.supply.contract import Demand, Supply
from neuroscale.supply.registry import Mirror, RegistrySupply, answering
from neuroscale.supply.source import SourceSupply

Mode = Literal["auto", "registry", "source"]
#: Registries that take longer would not be pleasant to pull from either.
_ANSWER_WITHIN = 3.0


def choose(mode: Mode, demands: Collection[Demand], *, may_install: bool = False) -> Supply:
    """The supply for a mode.

    Args:
        mode: ``auto`` asks the registries and takes them if all answer within 3 s, else the source.
        demands: What is wanted; registries that none of these images come from are not asked.
        may_install: Whether missing build tools may be installed on this machine.

    Raises:
        UsageError: ``NEUROSCALE_MIRROR`` is no URL.
    """
    workshop = Workshop(may_install=may_install)
    if mode == "source":
        return SourceSupply("asked for", workshop)
    mirror = Mirror.from_environment()
    where = f"the mirror {mirror.host}" if mirror else "the upstream registries"
    if mode == "registry":
        return RegistrySupply(f"asked for; from {where}", mirror, workshop)
    if complaint := answering(mirror, demands, _ANSWER_WITHIN):
        return SourceSupply(f"no registry: {complaint}", workshop)
    return RegistrySupply(f"{where} answered", mirror, workshop)
