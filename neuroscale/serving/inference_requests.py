"""Single questions to a model, good and bad, and what is demanded of the answer."""

from __future__ import annotations

from collections.abc import Sequence

from neuroscale.errors import PreconditionFailed
from neuroscale.inference_client import (
    BAD_INPUT,
    NOBODY,
    Endpoint,
    InferenceResponse,
    Protocol,
    ask,
    endpoint_of,
    evaluate_classes,
    evaluate_not_found,
    evaluate_refusal,
    gateway_url,
    send,
)
from neuroscale.model_store import SERVED, expected_predictions
from neuroscale.platform import Platform
from neuroscale.probes.knative_resources import fetch, inference_service
from neuroscale.probes.probe_function import assert_met
from neuroscale.serving.model_rollouts import MODEL


def endpoint(platform: Platform, name: str = MODEL) -> Endpoint:
    """Where a model is asked at this moment.

    Raises:
        PreconditionFailed: It has no URL.
    """
    found = endpoint_of(fetch(platform.cluster, inference_service(name)), gateway_url(platform.cluster))
    if found is None:
        raise PreconditionFailed(
            f'"{name}" should have a URL before it is asked, but has none. Next: neuroscale check serving'
        )
    return found


def ask_for(rows: str, protocol: Protocol, platform: Platform) -> InferenceResponse:
    """Ask once for an input by name."""
    return ask(endpoint(platform), expected_predictions().inputs[rows], protocol)


def ask_nobody(platform: Platform) -> InferenceResponse:
    """The same request that the model answers, but for a host that nobody has."""
    known = endpoint(platform)
    return ask(Endpoint(known.gateway, NOBODY, known.model), expected_predictions().inputs["the reference rows"])


def send_bad(what: str, platform: Platform) -> InferenceResponse:
    """Send an input that no model can take."""
    protocol, body = BAD_INPUT[what]
    return send(endpoint(platform), body, protocol)


def assert_classes(answer: InferenceResponse, wanted: Sequence[int], platform: Platform) -> None:
    """Exactly these predictions.

    Raises:
        ConditionTimeout: It gave others, or none.
    """
    assert_met(f"the model predicts {list(wanted)}", evaluate_classes(answer, wanted), platform)


def assert_expected_predictions(answer: InferenceResponse, rows: str, platform: Platform) -> None:
    """The predictions that were written down when the model was trained.

    Raises:
        ConditionTimeout: It gave others, or none.
    """
    wanted = expected_predictions().outputs[SERVED][rows]
    assert_met(f"the model answers {rows} as trained", evaluate_classes(answer, wanted), platform)


def assert_not_found(answer: InferenceResponse, platform: Platform) -> None:
    """404.

    Raises:
        ConditionTimeout: Somebody answered.
    """
    assert_met("the gateway knows no such host", evaluate_not_found(answer), platform)


def assert_refusal(answer: InferenceResponse, platform: Platform) -> None:
    """A client error with a reason.

    Raises:
        ConditionTimeout: Anything else.
    """
    assert_met("bad input is refused with a reason", evaluate_refusal(answer), platform)
