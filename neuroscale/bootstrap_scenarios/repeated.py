"""A bootstrap of a cluster that is well already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from neuroscale.bootstrap_scenarios import audit_log
from neuroscale.bootstrap_scenarios.audit_log import Asked
from neuroscale.bootstrap_scenarios.lookups import without_internet
from neuroscale.bootstrap_scenarios.own_cluster import UP, Ended, OwnCluster, assert_well


@dataclass(frozen=True)
class Repeated:
    """What came of it.

    Attributes:
        ended: How it ended.
        asked: What it asked of the API server.
        heard: Names that were looked up.
    """

    ended: Ended
    asked: Asked
    heard: Sequence[str]


def make_well(own: OwnCluster) -> None:
    """A cluster that was bootstrapped, and is.

    Raises:
        ConditionTimeout: The bootstrap does not end well.
    """
    assert_well(own.run(*UP))


def repeat(own: OwnCluster) -> Repeated:
    """Bootstrap it again, where no name exists.

    Raises:
        PreconditionFailed: What is looked up would not be heard.
        HostError: Nor the audit log be read.
    """
    start = audit_log.length(own)
    with without_internet(own.folder) as names:
        ended = own.run(*UP, behind=names.behind)
    return Repeated(ended, audit_log.since(own, start), tuple(names.heard))
