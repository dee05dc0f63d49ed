"""The official KServe client, used as its users use it: predictions by REST, a model created, awaited and deleted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import CreatedByProgram
from neuroscale.chaos.objects import evaluate_gone
from neuroscale.fresh_names import fresh_name
from neuroscale.inference_client import IN_A_ROW, Endpoint, Protocol, evaluate_in_a_row
from neuroscale.kserve_client import SdkAnswer, command, provide, run_client
from neuroscale.kubernetes.refs import Ref
from neuroscale.model_store import SERVED, expected_predictions
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, duration, eventually, met, pending, unrecoverable
from neuroscale.probes.probe_function import ProbeFunction, assert_met
from neuroscale.serving.inference_requests import endpoint
from neuroscale.serving.model_rollouts import MODEL, manifest_of
from neuroscale.settings import APPS_NAMESPACE, BUDGETS

#: Seconds until the client gives up waiting for a model.
READY_WITHIN = 60
_GONE_WITHIN = 30.0
#: Characters of an answer that a message shows.
_SHOWN = 60


@dataclass(frozen=True)
class SdkModel:
    """A model that the client created and waited for."""

    ref: Ref
    waited: SdkAnswer


def ask_for(rows: str, protocol: Protocol, count: int, platform: Platform) -> SdkAnswer:
    """So many predictions in a row by the REST client, its retries off."""
    return infer(endpoint(platform), expected_predictions().inputs[rows], protocol, count)


def infer(where: Endpoint, rows: list[list[float]], protocol: Protocol, count: int = IN_A_ROW) -> SdkAnswer:
    """So many predictions of any model, by the REST client; each is an answer of its own."""
    asked = {"gateway": where.gateway, "host": where.host, "model": where.model, "rows": rows, "protocol": protocol}
    within = {"times": count, "within": BUDGETS.request}
    return run_client("infer", {**asked, **within}, waiting=count * BUDGETS.request)


def create_model(breakage: Breakage) -> SdkModel:
    """Create a model like the one that Git describes, wait with the client until it is Ready.

    The client writes with its own connection, so the guard is asked first; the rollback is in the journal before.
    """
    platform = breakage.platform
    _, isvc = manifest_of(MODEL, platform)
    name = fresh_name("sdk")
    manifest = {**isvc, "metadata": {**isvc["metadata"], "name": name, "namespace": APPS_NAMESPACE}}
    breakage.inject(
        CreatedByProgram(
            manifest=manifest, program=command("create"), python_path=str(provide()), by="the KServe client"
        )
    )
    asked = {"kubeconfig": platform.cluster.kubeconfig(), "name": name, "namespace": APPS_NAMESPACE}
    waited = run_client("wait", {**asked, "within": READY_WITHIN}, waiting=READY_WITHIN)
    return SdkModel(Ref.to(manifest), waited)


def delete_model(model: SdkModel, platform: Platform) -> SdkAnswer:
    """Delete it with the client; the guard is asked first."""
    platform.cluster.assert_writable(f"delete {model.ref} with the KServe client")
    asked = {"kubeconfig": platform.cluster.kubeconfig(), "name": model.ref.name, "namespace": model.ref.namespace}
    return run_client("delete", asked)


def assert_predictions(answer: SdkAnswer, rows: str, platform: Platform, count: int = IN_A_ROW) -> None:
    """Each time exactly the predictions that were written down when the model was trained, of the same JSON type.

    Raises:
        ConditionTimeout: It gave others, or none.
    """
    verdict = evaluate_predictions(answer, expected_predictions().outputs[SERVED][rows], count)
    assert_met(f"the KServe client gets the trained answer to {rows}, each time", verdict, platform)


def assert_ready_and_answering(model: SdkModel, platform: Platform) -> None:
    """The client's wait ended by itself, and the model that it calls Ready answers at once, each time.

    Raises:
        ConditionTimeout: It did not, or answers otherwise than trained.
    """
    verdict = unrecoverable(model.waited.error) if model.waited.error else met(duration(model.waited.seconds))
    assert_met("the KServe client sees the model become Ready", verdict, platform)
    where = endpoint(platform, model.ref.name)
    rows = "the reference rows"
    assert_predictions(infer(where, expected_predictions().inputs[rows], "v1"), rows, platform)


def assert_deleted(model: SdkModel, deleted: SdkAnswer, platform: Platform) -> None:
    """The client's deletion succeeded, and the model is gone from the cluster.

    Raises:
        ConditionTimeout: It is still there.
    """
    verdict = unrecoverable(deleted.error) if deleted.error else met("the client said so")
    assert_met("the KServe client deletes the model", verdict, platform)
    gone = ProbeFunction(f"{model.ref} is gone", lambda: evaluate_gone(platform.cluster, model.ref))
    eventually(gone, platform.cluster, within=_GONE_WITHIN)


def evaluate_predictions(answer: SdkAnswer, wanted: list[int], count: int = IN_A_ROW) -> Verdict:
    """Each of so many answers has these values, of the type that the protocol gives them."""
    if answer.error:
        return pending(answer.error)
    return evaluate_in_a_row(answer.content["answers"], lambda one: _evaluate_one(one, wanted), count)


def _evaluate_one(answer: dict[str, Any], wanted: list[int]) -> Verdict:
    """``1.0``, ``true`` and ``"1"`` are not ``1``."""
    if "error" in answer:
        return pending(f"no prediction, but {answer['error']}")
    found = answer["predictions"]
    same = found == wanted and all(type(one) is int for one in found)
    seen = json.dumps(found)[:_SHOWN]
    return met(seen) if same else pending(f"{seen} instead of {json.dumps(wanted)[:_SHOWN]}")
