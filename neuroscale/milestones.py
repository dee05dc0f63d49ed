"""The milestones and their steady states. The same probes are gate, verdict and ``neuroscale check``."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from neuroscale.errors import ConditionTimeout, PreconditionFailed, UsageError
from neuroscale.inference_client import gateway_url
from neuroscale.platform import Platform
from neuroscale.polling import Probe, eventually
from neuroscale.probes import argo, expected, guardrails, serving
from neuroscale.settings import BUDGETS


def _gitops(platform: Platform) -> Iterable[Probe]:
    yield argo.workloads_ready()
    described = expected.applications(platform.git_server)
    yield argo.ApplicationsExist(described)
    yield argo.EachApplication(described, platform.git_server.head())


def _serving(platform: Platform) -> Iterable[Probe]:
    # Nothing is served for long that is not reconciled: an incident of serving may begin and end in Argo CD.
    yield argo.EachApplication(expected.applications(platform.git_server), platform.git_server.head())
    yield serving.workloads_ready()
    yield serving.KServeLeads()
    uris = expected.inference_services(platform.git_server)
    yield serving.AllReady(frozenset(uris))
    yield serving.AllGenerated(frozenset(uris))
    yield serving.AllAnswer(uris, gateway_url(platform.cluster))


def _guardrails(platform: Platform) -> Iterable[Probe]:
    yield argo.EachApplication(expected.applications(platform.git_server), platform.git_server.head())
    yield guardrails.workloads_ready()
    yield guardrails.AllEnforced(expected.policies(platform.git_server))


_STEADY_STATES: dict[str, Callable[[Platform], Iterable[Probe]]] = {"a": _gitops, "b": _serving, "d": _guardrails}
#: Milestones that have scenarios, in order.
MILESTONES = tuple(_STEADY_STATES)
#: What people call them -> letter.
NAMES = {"gitops": "a", "serving": "b", "guardrails": "d"}


def parse_milestones(text: str) -> list[str]:
    """Milestones as people write them (``"a b"``, ``"a,b"``, ``"gitops"``, ``"all"``) as letters.

    Raises:
        UsageError: One of them does not exist.
    """
    words = text.lower().replace(",", " ").split()
    if not words or words == ["all"]:
        return list(MILESTONES)
    wanted = [NAMES.get(word, word) for word in words]
    if unknown := [word for word in wanted if word not in MILESTONES]:
        known = ", ".join(f"{letter} ({name})" for name, letter in NAMES.items())
        raise UsageError(f"Milestones should be among {known}, but {' '.join(unknown)} is not. Try: --milestones a")
    return wanted


def probes_of(milestone: str, platform: Platform) -> list[Probe]:
    """The steady state of a milestone, as Git describes it at this moment."""
    return list(_STEADY_STATES[milestone](platform))


def gate(milestone: str, platform: Platform) -> None:
    """The steady state must hold before anything is broken.

    Raises:
        PreconditionFailed: It does not, so the scenario is not run.
    """
    for probe in probes_of(milestone, platform):
        try:
            eventually(probe, platform.cluster, within=BUDGETS.settle)
        except ConditionTimeout as error:
            raise PreconditionFailed(
                f"The steady state of milestone {milestone.upper()} does not hold, so nothing was tried. {error}"
            ) from error


def reachable(platform: Platform) -> None:
    """The API server answers; nothing more is asked of the platform.

    Raises:
        ClusterUnreachable: It does not.
    """
    platform.cluster.text("/readyz")
