"""The milestones and their steady states. The same probes are precondition, verdict and ``neuroscale check``.

``python -m neuroscale.milestones`` prints their letters.
"""

from __future__ import annotations

from neuroscale.components import COMPONENTS
from neuroscale.errors import ConditionTimeout, PreconditionFailed, UsageError
from neuroscale.platform import Platform
from neuroscale.polling import Probe, eventually
from neuroscale.settings import BUDGETS

#: Milestones that bring components, in order.
MILESTONES = tuple(dict.fromkeys(component.milestone for component in COMPONENTS))
#: What people call them -> letter.
NAMES = {component.name: component.milestone for component in COMPONENTS}


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
        raise UsageError(f"Milestones should be among {known}, but {' '.join(unknown)} is not. Next: --milestones a")
    return wanted


def probes_of(milestone: str, platform: Platform) -> list[Probe]:
    """The steady state of a milestone, as Git describes it at this moment."""
    return [probe for one in COMPONENTS if one.milestone == milestone for probe in one.steady_state(platform)]


def assert_steady_state(milestone: str, platform: Platform) -> None:
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


if __name__ == "__main__":
    print(*MILESTONES)
