"""Which supply to use."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Literal, cast, get_args

from neuroscale.errors import UsageError
from neuroscale.supply.builder import Builder
from neuroscale.supply.contract import Demand, Supply
from neuroscale.supply.registry import Mirror, RegistrySupply, answering
from neuroscale.supply.source import SourceSupply

Mode = Literal["auto", "registry", "source"]
#: Registries that take longer would not be pleasant to pull from either.
_ANSWER_WITHIN = 3.0


def choose(mode: Mode, demands: Collection[Demand], *, recorded: str = "", may_install: bool = False) -> Supply:
    """The supply for a mode.

    Args:
        mode: ``auto`` is what the environment's ``SUPPLY`` says. Without that it is what the cluster was made with:
            another supply may mean another node image, and so another cluster. Where there is no cluster, the
            registries are asked, and taken if all answer within 3 s; else it is the source.
        demands: What is wanted; registries that none of these images come from are not asked.
        recorded: The supply in the cluster's state, if there is a cluster.
        may_install: Whether missing build tools may be installed on this machine.

    Raises:
        UsageError: ``NEUROSCALE_MIRROR`` is no URL, or ``SUPPLY`` no mode.
    """
    builder = Builder(may_install=may_install)
    mode = _from_environment() if mode == "auto" else mode
    if mode == "auto" and recorded == "source":
        return SourceSupply("as the cluster was made; --supply chooses another", builder)
    if mode == "source":
        return SourceSupply("asked for", builder)
    mirror = Mirror.from_environment()
    where = f"the mirror {mirror.host}" if mirror else "the upstream registries"
    if mode == "registry":
        return RegistrySupply(f"asked for; from {where}", mirror, builder)
    if recorded == "registry":
        return RegistrySupply(f"as the cluster was made, from {where}; --supply chooses another", mirror, builder)
    if complaint := answering(mirror, demands, _ANSWER_WITHIN):
        return SourceSupply(f"no registry: {complaint}", builder)
    return RegistrySupply(f"{where} answered", mirror, builder)


def assert_usable() -> None:
    """What the environment says of the supply can be read; asked before anything takes its time.

    Raises:
        UsageError: ``NEUROSCALE_MIRROR`` is no URL, or ``SUPPLY`` no mode.
    """
    Mirror.from_environment()
    _from_environment()


def _from_environment() -> Mode:
    mode = os.environ.get("SUPPLY") or "auto"
    if mode not in get_args(Mode):
        raise UsageError(f"SUPPLY should be one of {', '.join(get_args(Mode))}, but is {mode!r}. Next: SUPPLY=registry")
    return cast("Mode", mode)
