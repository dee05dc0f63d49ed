"""Single questions to a model, good and bad, and what is demanded of the answer."""

from __future__ import annotations

from collections.abc import Sequence

from neuroscale.errors import NotReady
from neuroscale.platform import Platform
from neuroscale.probes.generated import fetch, inference_service
from neuroscale.serving.models import SERVED, golden
from neuroscale.serving.predict import (
    BAD_INPUT,
    NOBODY,
    Answer,
    Endpoint,
    Protocol,
    ask,
    endpoint_of,
    gateway_url,
    judge_classes,
    judge_not_found,
    judge_refusal,
    send,
)
from neuroscale.serving.question import demand
from neuroscale.serving.versions import MODEL


def endpoint(platform: Platform, name: str = MODEL) -> Endpoint:
    """Where a model is asked at this moment.

    Raises:
        NotReady: It has no URL.
    """
    found = endpoint_of(fetch(platform.cluster, inference_service(name)), gateway_url(platform.cluster))
    if found is None:
        raise NotReady(f'"{name}" should have a URL before it is asked, but has none. Try: neuroscale check serving')
    return found


def ask_for(rows: str, protocol: Protocol, platform: Platform) -> Answer:
    """Ask once for an input by name."""
    return ask(endpoint(platform), golden().inputs[rows], protocol)


def ask_nobody(platform: Platform) -> Answer:
    """The same request that the model answers, but for a host that nobody has."""
    known = endpoint(platform)
    return ask(Endpoint(known.gateway, NOBODY, known.model), golden().inputs["the reference rows"])


def send_bad(what: str, platform: Platform) -> Answer:
    """Send an input that no model can take."""
    protocol, body = BAD_INPUT[what]
    return send(endpoint(platform), body, protocol)


def demand_classes(answer: Answer, wanted: Sequence[int], platform: Platform) -> None:
    """Exactly these predictions.

    Raises:
        NotMet: It gave others, or none.
    """
    demand(f"the model predicts {list(wanted)}", judge_classes(answer, wanted), platform)


def demand_golden(answer: Answer, rows: str, platform: Platform) -> None:
    """The predictions that were written down when the model was trained.

    Raises:
        NotMet: It gave others, or none.
    """
    wanted = golden().outputs[SERVED][rows]
    demand(f"the model answers {rows} as trained", judge_classes(answer, wanted), platform)


def demand_not_found(answer: Answer, platform: Platform) -> None:
    """404.

    Raises:
        NotMet: Somebody answered.
    """
    demand("the gateway knows no such host", judge_not_found(answer), platform)


def demand_refusal(answer: Answer, platform: Platform) -> None:
    """A client error with a reason.

    Raises:
        NotMet: Anything else.
    """
    demand("bad input is refused with a reason", judge_refusal(answer), platform)
