"""Mutants of models that sleep."""

from __future__ import annotations

from collections.abc import Sequence

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import FieldsEdited, FunctionPatched, ScaledTo
from neuroscale.growth_law import Growth, Point, fit
from neuroscale.inference_client import GATEWAY_SERVICE
from neuroscale.kubernetes.refs import Ref
from neuroscale.probes import serving
from suite.mutants.models import drained
from suite.mutants.mutant import Mutant

_SYNC_OFF = disable_automated_sync(serving.APPLICATION)
_SLEEP = "Models sleep from the beginning, and each wakes with the right answer"
_HUNDREDS = "Hundreds of models are Ready in a time that grows no faster than their number"
_CREATED = "models that sleep are created up to 4 and 8 in all, each time once those before are Ready"
_LAW = "none of them has a pod, and the time grew with their number by an exponent of at most 1.15"
_DELETED = "one of those that are awake is deleted"
_MISSES_NONE = "another one that is awake misses no request"


def steeper(points: Sequence[Point]) -> Growth:
    """The law of what takes longer the more there are of it."""
    return fit([(count, seconds * count) for count, seconds in points])


MILESTONE = "f"
MUTANTS = (
    Mutant(
        "no-model-may-sleep",
        "Knative lets no model begin without a pod, as is upstream's default",
        scenario=_SLEEP,
        before=_CREATED,
        faults=(
            *_SYNC_OFF,
            FieldsEdited(
                target=Ref("ConfigMap", "config-autoscaler", "knative-serving"),
                patch={"data": {"allow-zero-initial-scale": "false"}},
            ),
        ),
        red_step=_CREATED,
        reason=r"4 models are Ready.*4 of 4 are not",
        hold=3,
    ),
    Mutant(
        "sleepers-without-activator",
        "The activator is down when those that sleep are asked",
        scenario=_SLEEP,
        before="3 of them, chosen at random, are asked, one after the other",
        faults=(*_SYNC_OFF, ScaledTo(target=serving.ACTIVATOR, replicas=0)),
        red_step="each wakes with the right answer within 15 s",
        reason=r"(\d) of \1 did not",
        in_place=drained,
    ),
    Mutant(
        "law-of-a-steep-growth",
        "The exponent is by one larger than what was measured",
        scenario=_HUNDREDS,
        before=_LAW,
        faults=(
            FunctionPatched(wire="neuroscale.growth_law:fit", replacement="suite.mutants.sleeping_models:steeper"),
        ),
        red_step=_LAW,
        reason=r"by an exponent of at most 1\.15.*95 % confidence 1\.",
    ),
    Mutant(
        "deleted-model-still-routed",
        "The gateway's controller is down: it goes on knowing a model that was deleted",
        scenario="A model that is deleted takes no other one along",
        before=_DELETED,
        faults=(*_SYNC_OFF, ScaledTo(target=serving.NET_KOURIER, replicas=0)),
        red_step=_DELETED,
        reason=r"the gateway knows sleeper-\d+ no more",
    ),
    Mutant(
        "deletion-breaks-others",
        "Nobody is behind the gateway while a model is deleted",
        scenario="A model that is deleted takes no other one along",
        before=_MISSES_NONE,
        faults=(*_SYNC_OFF, FieldsEdited(target=GATEWAY_SERVICE, patch={"spec": {"selector": {"app": "nobody"}}})),
        red_step=_MISSES_NONE,
        reason=r"\d+ of \d+ requests failed",
        hold=3,
    ),
)
