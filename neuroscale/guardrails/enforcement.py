"""The two that enforce the policies: Kyverno left alone, and a workload that slips in while neither does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import Fault, FieldsEdited, ObjectCreated, ScaledTo
from neuroscale.chaos.journal import Journal
from neuroscale.cluster.client import Cluster
from neuroscale.cluster.state import load_state
from neuroscale.errors import ApiError, ConditionTimeout, PreconditionFailed
from neuroscale.guardrails.admission import Enforcer, assert_met, objects_of, specimen, submit, submit_repeatedly
from neuroscale.guardrails.oracle import POLICIES, evaluate
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, eventually, met, pending, unrecoverable
from neuroscale.probes import guardrails
from neuroscale.probes.probe_function import ProbeFunction
from neuroscale.settings import APPS_NAMESPACE

AUTOMATED_SYNC_OFF = disable_automated_sync(guardrails.APPLICATION)


def _audited(place: Callable[[str], Ref]) -> tuple[Fault, ...]:
    patch = {"spec": {"validationActions": ["Audit"]}}
    return tuple(FieldsEdited(target=place(name), patch=patch) for name in POLICIES)


#: The API server only writes down what its policies would have rejected.
AUDIT_ONLY = _audited(guardrails.binding)
#: So does Kyverno.
KYVERNO_AUDIT_ONLY = _audited(guardrails.policy)
NO_KYVERNO: tuple[Fault, ...] = (ScaledTo(target=guardrails.ADMISSION_CONTROLLER, replicas=0),)
#: Seconds. The API server reads its policies anew after a moment.
_GONE_WITHIN = 30.0
#: Seconds until a scan has reported what it found.
_REPORTED_WITHIN = 120.0
_STOWAWAY = "slipped-in"


def leave_kyverno_alone(breakage: Breakage) -> None:
    """The API server only audits, and Kyverno stays.

    Raises:
        PreconditionFailed: The API server goes on refusing.
    """
    # The API server speaks before any webhook does: what Kyverno rejects says nothing of it.
    _let_go(breakage, AUDIT_ONLY, "the API server")


def _let_go(breakage: Breakage, faults: Sequence[Fault], *enforcers: Enforcer) -> None:
    """Inject, and wait until none of these rejects any more."""
    for fault in (*AUTOMATED_SYNC_OFF, *faults):
        breakage.inject(fault)
    cluster, description = breakage.platform.cluster, f"{' and '.join(enforcers)} reject nothing"
    try:
        eventually(
            ProbeFunction(description, lambda: evaluate_no_policy(cluster, enforcers), area="guardrails"),
            cluster,
            within=_GONE_WITHIN,
        )
    except ConditionTimeout as error:
        raise PreconditionFailed(f"The guardrails could not be weakened. {error}") from error


def evaluate_no_policy(cluster: Cluster, enforcers: Collection[Enforcer]) -> Verdict:
    """None of these rejects by its policies."""
    still = [
        f"{denial.policy}"
        for name in ("owner-missing", "no-cpu-request", "no-tag", "may-be-root", "model-owner-missing")
        for obj in objects_of(specimen(name, good=False))
        for denial in submit(cluster, obj).denials
        if denial.enforcer in enforcers
    ]
    return pending(f"rejected by {', '.join(still)}") if still else met("nothing is rejected")


# --- what was there before the policies


@dataclass(frozen=True)
class SlippedIn:
    """A workload that breaks all promises and is there.

    Attributes:
        dropped: Reports that Kyverno had dropped before.
    """

    target: Ref
    dropped: int


def create_unenforced(breakage: Breakage) -> SlippedIn:
    """A workload that breaks all promises comes into being while nobody enforces any, and then both do again.

    Raises:
        PreconditionFailed: It was rejected all the same.
    """
    platform, state = breakage.platform, load_state()
    if state is None:
        raise PreconditionFailed("The cluster should be known to this machine. Next: neuroscale up")
    with Breakage(platform, Journal.of(state.nonce)) as unguarded:
        # Kyverno stays: policies that come into force are what it scans for at once, and not half a minute later.
        _let_go(unguarded, (*AUDIT_ONLY, *KYVERNO_AUDIT_ONLY), "the API server", "Kyverno")
        dropped = _dropped(platform.cluster)
        breakage.inject(ObjectCreated(manifest=stowaway()))
    return SlippedIn(Ref.to(stowaway()), dropped)


def _dropped(cluster: Cluster) -> int:
    try:
        return guardrails.dropped(cluster.text(guardrails.REPORTS_METRICS))
    except ApiError:
        return 0  # a controller that is not there begins to count when it comes


def stowaway() -> Object:
    """A Deployment without pods that nobody answers for: of the latest image, as root and without limits."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": _STOWAWAY, "namespace": APPS_NAMESPACE},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": _STOWAWAY}},
            "template": {
                "metadata": {"labels": {"app": _STOWAWAY}},
                "spec": {"containers": [{"name": "main", "image": "docker.io/library/nginx:latest"}]},
            },
        },
    }


def wait_for_report(slipped_in: SlippedIn, platform: Platform) -> None:
    """A scan reports it, by each policy that must reject it.

    Raises:
        ConditionTimeout: A policy says nothing of it.
    """
    wanted = set(evaluate(stowaway()))
    question = ProbeFunction(
        f"a scan reports {slipped_in.target} as failing {len(wanted)} policies",
        lambda: evaluate_reported(platform.cluster, slipped_in, wanted),
        area="guardrails",
    )
    eventually(question, platform.cluster, within=_REPORTED_WITHIN, every=1)


def evaluate_reported(cluster: Cluster, slipped_in: SlippedIn, wanted: set[str]) -> Verdict:
    """Whether reports say of it that it fails these policies."""
    obj = cluster.get(slipped_in.target)
    if obj is None:
        return pending("it does not exist")
    reports = cluster.list("PolicyReport", APPS_NAMESPACE, api_version="wgpolicyk8s.io/v1alpha2")
    about = [report for report in reports if (report.get("scope") or {}).get("uid") == obj["metadata"]["uid"]]
    if not about:
        try:
            silence = guardrails.evaluate_silence(cluster.text(guardrails.REPORTS_METRICS), slipped_in.dropped)
        except ApiError as error:
            return pending(f"0 reports about it, and their controller does not answer: {error}")
        return replace(silence, observed=f"0 reports about it: {silence.observed}")
    failing = {
        result["policy"] for report in about for result in report.get("results") or [] if result["result"] == "fail"
    }
    seen = f"{len(about)} reports about it, failing {', '.join(sorted(failing)) or 'nothing'}"
    return met(seen) if failing == wanted else pending(seen)


def assert_refused_again(platform: Platform) -> None:
    """What slipped in would not do so now.

    Raises:
        ConditionTimeout: It would.
    """
    again = stowaway()
    again["metadata"] = {**again["metadata"], "name": f"{_STOWAWAY}-again"}
    answer = submit_repeatedly(platform.cluster, again)
    verdict = (
        met(answer.said)
        if answer.outcome == "rejected by policy"
        else unrecoverable(f"{answer.outcome}: {answer.said}")
    )
    assert_met("what slipped in would be rejected now", verdict, platform)
