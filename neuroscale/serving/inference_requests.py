"""Questions to a model, good and bad, and what is demanded of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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
    evaluate_in_a_row,
    evaluate_not_found,
    evaluate_refusal,
    gateway_url,
    in_a_row,
    send,
)
from neuroscale.model_store import SERVED, expected_predictions
from neuroscale.platform import Platform
from neuroscale.probes.knative_resources import fetch, inference_service
from neuroscale.probes.probe_function import assert_met
from neuroscale.probes.serving import Answers
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


def ask_for(rows: str, protocol: Protocol, count: int, platform: Platform) -> list[InferenceResponse]:
    """Ask for an input by name, so many times in a row."""
    where = endpoint(platform)
    return in_a_row(lambda: ask(where, expected_predictions().inputs[rows], protocol), count)


def ask_nobody(count: int, platform: Platform) -> list[InferenceResponse]:
    """The same requests that the model answers, but for a host that nobody has."""
    where = replace(endpoint(platform), host=NOBODY)
    return in_a_row(lambda: ask(where, expected_predictions().inputs["the reference rows"]), count)


def send_bad(what: str, count: int, platform: Platform) -> list[InferenceResponse]:
    """Send an input that no model can take, so many times in a row."""
    where, bad = endpoint(platform), BAD_INPUT[what]
    return in_a_row(lambda: send(where, bad.body, bad.protocol), count)


def assert_classes(answers: Sequence[InferenceResponse], wanted: Sequence[int], count: int, platform: Platform) -> None:
    """Exactly these predictions, each time.

    Raises:
        ConditionTimeout: An answer had others, or none.
    """
    verdict = evaluate_in_a_row(answers, lambda answer: evaluate_classes(answer, wanted), count)
    assert_met(f"the model predicts {list(wanted)}", verdict, platform)


def assert_expected_predictions(
    answers: Sequence[InferenceResponse], rows: str, count: int, platform: Platform
) -> None:
    """The predictions that were written down when the model was trained, each time.

    Raises:
        ConditionTimeout: An answer had others, or none.
    """
    wanted = expected_predictions().outputs[SERVED][rows]
    verdict = evaluate_in_a_row(answers, lambda answer: evaluate_classes(answer, wanted), count)
    assert_met(f"the model answers {rows} as trained", verdict, platform)


def assert_answers_as_before(platform: Platform) -> None:
    """The model answers the reference rows as trained: at once, so many times in a row, and nothing is tried again.

    Raises:
        ConditionTimeout: An answer had other predictions, or none.
    """
    probe = Answers(MODEL, gateway_url(platform.cluster), SERVED, "the reference rows")
    assert_met(probe.description, probe.check(platform.cluster), platform)


def assert_not_found(answers: Sequence[InferenceResponse], count: int, platform: Platform) -> None:
    """The gateway's own 404, each time.

    Raises:
        ConditionTimeout: Somebody else answered.
    """
    assert_met("the gateway knows no such host", evaluate_in_a_row(answers, evaluate_not_found, count), platform)


def assert_refusal(answers: Sequence[InferenceResponse], what: str, count: int, platform: Platform) -> None:
    """KServe's rejection of this input, each time.

    Raises:
        ConditionTimeout: Anything else.
    """
    verdict = evaluate_in_a_row(answers, lambda answer: evaluate_refusal(answer, BAD_INPUT[what]), count)
    assert_met(f"{what} is rejected with the reason", verdict, platform)
