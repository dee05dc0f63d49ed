"""The stages of a bootstrap, in order. Each applies something by hand and is done when its probes are met."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from neuroscale.components import Component, Stage, selected


def stages(milestones: Collection[str]) -> list[Stage]:
    """The stages of some milestones, in an order that they can be begun in."""
    return ordered(selected(milestones))


def ordered(components: Iterable[Component]) -> list[Stage]:
    """As the components declare them, but that each comes later than those it waits for.

    Raises:
        ValueError: Some wait for each other.
    """
    waiting = [stage for component in components for stage in component.stages]
    chosen: list[Stage] = []
    while waiting:
        begun = next((stage for stage in waiting if not _earlier(stage, waiting)), None)
        if begun is None:
            raise ValueError(f"These stages wait for each other: {', '.join(stage.name for stage in waiting)}")
        waiting.remove(begun)
        chosen.append(begun)
    return chosen


def _earlier(stage: Stage, waiting: Iterable[Stage]) -> bool:
    """Whether one of those that wait must come before the stage."""
    return any(other.name in stage.after or stage.name in other.before for other in waiting)
