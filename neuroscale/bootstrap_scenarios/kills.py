"""A bootstrap is killed at a boundary of its work, and started again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from neuroscale.bootstrap_scenarios.docker_door import DockerDoor
from neuroscale.bootstrap_scenarios.own_cluster import NEXT, UP, Ended, OwnCluster, Started, assert_well
from neuroscale.bootstrap_scenarios.points import POINTS, Deed
from neuroscale.errors import ConditionTimeout, FaultHadNoEffect
from neuroscale.local_portal.doors import Held, Moment
from neuroscale.polling import Verdict, met, pending, unrecoverable, wait_until

#: Seconds: the whole way to the last of the boundaries.
_COMES_WITHIN = 240.0
_DIES_WITHIN = 10.0


def kill(own: OwnCluster, when: str) -> None:
    """Kill a bootstrap from nothing, with the programs that it has started; what these have begun goes on by itself.

    Args:
        own: Its cluster; whatever was there is gone.
        when: Of :data:`neuroscale.bootstrap_scenarios.points.POINTS`.

    Raises:
        FaultHadNoEffect: The boundary did not come, or was passed, or something else has ended it.
    """
    own.delete()
    point = POINTS[when]
    with _at_docker(own, point) if isinstance(point, Moment) else _at_deed(own, point) as (work, held):
        try:
            arrived = partial(evaluate_arrival, work, held)
            wait_until(arrived, f"it is stopped {when}", NEXT, within=_COMES_WITHIN, every=0.05)
        except ConditionTimeout as error:
            raise FaultHadNoEffect(f"The bootstrap should be killed {when}, but: {error}") from error
        os.killpg(work.process, signal.SIGKILL)
        try:
            wait_until(partial(evaluate_death, work), "it is dead", NEXT, within=_DIES_WITHIN, every=0.02)
        except ConditionTimeout as error:
            raise FaultHadNoEffect(f"The bootstrap should die of SIGKILL {when}, but: {error}") from error


@contextmanager
def _at_docker(own: OwnCluster, moment: Moment) -> Iterator[tuple[Started, Held | None]]:
    with DockerDoor(own.folder) as door:
        held = door.stop_at(moment)
        with own.started(*UP, env={"DOCKER_HOST": door.address}) as work:
            yield work, held
        held.drop()


@contextmanager
def _at_deed(own: OwnCluster, deed: Deed) -> Iterator[tuple[Started, Held | None]]:
    with own.started(*UP, stop_before=deed.pattern, times=deed.times) as work:
        yield work, None


def evaluate_arrival(work: Started, held: Held | None) -> Verdict:
    """The command line is alive, and stopped where it was to be stopped."""
    if (code := work.ended()) is not None:
        return unrecoverable(f"it had ended with {code}: {work.said}")
    if held is not None and held.lost_at is not None:
        return unrecoverable("who had asked Docker is gone")
    if held.has_come() if held is not None else work.stopped:
        return met("it has come, and waits")
    return pending(f"its latest deed is: {work.deeds[-1] if work.deeds else 'none'}")


def evaluate_death(work: Started) -> Verdict:
    """It died by signal 9, and of nothing else."""
    code = work.ended()
    if code is None:
        return pending("it is alive")
    return met("killed") if code == -signal.SIGKILL else unrecoverable(f"it ended with {code}")


def start_again(own: OwnCluster) -> Ended:
    """The same bootstrap, undisturbed.

    Raises:
        ConditionTimeout: It does not end well.
    """
    ended = own.run(*UP)
    assert_well(ended)
    return ended
