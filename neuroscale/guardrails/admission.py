"""What the API server says of a new object, asked in a dry run: who rejects it, and for which rule.

A rejection is evidence only if it names what it should name. Three things look alike and are told apart here: a policy
said no; the webhook that should have said something did not answer; something else is wrong with the object.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import yaml

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import ObjectCreated
from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError, PreconditionFailed
from neuroscale.guardrails.corpus import Specimen, specimens
from neuroscale.kubernetes.refs import Object
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, met, unrecoverable
from neuroscale.probes import probe_function
from neuroscale.settings import APPS_NAMESPACE

Enforcer = Literal["the API server", "Kyverno"]
Outcome = Literal[
    "admitted", "rejected by policy", "rejected because a webhook is away", "rejected otherwise", "not always the same"
]
#: One of several webhook pods may judge otherwise than the others, or pass everything: a single look would miss it.
TIMES = 3
#: How either says no. Which webhook of Kyverno's it was stands in front of its words.
_DENIALS: dict[Enforcer, re.Pattern[str]] = {
    "the API server": re.compile(
        r"ValidatingAdmissionPolicy '([\w-]+)' with binding '[\w-]+' denied request: ([\w-]+):"
    ),
    "Kyverno": re.compile(r"Policy ([\w-]+) failed: ([\w-]+):"),
}
_WEBHOOK = re.compile(r'admission webhook "vpol\.validate\.kyverno\.svc-fail[^"]*" denied the request')
#: A bad request, and what cannot be processed.
_INVALID = frozenset({400, 422})
_AWAY = re.compile(r'failed calling webhook "([^"]+)"')


@dataclass(frozen=True)
class Denial:
    """One policy's no.

    Attributes:
        rule: With which its message begins.
    """

    enforcer: Enforcer
    policy: str
    rule: str


@dataclass(frozen=True)
class AdmissionResponse:
    """What was said of one object.

    Attributes:
        outcome: Admitted, in which of three ways it was not, or different answers to the same object.
        denials: Of the policies that said no.
        said: The API server's own words; empty when admitted.
        invalid: It is rejected as no object of a kind that there is, rather than for who asks or what is there already.
    """

    outcome: Outcome
    denials: frozenset[Denial]
    said: str
    invalid: bool = False

    @property
    def webhook_away(self) -> str:
        """Name of the webhook that was away; empty when none was, or none is named."""
        found = _AWAY.search(self.said)
        return found[1] if found else ""


def answer_to(error: ApiError | None) -> AdmissionResponse:
    """Read a rejection; ``None`` is none."""
    if error is None:
        return AdmissionResponse("admitted", frozenset(), "")
    said = str(error)
    found = frozenset(
        Denial(enforcer, policy, rule)
        for enforcer, pattern in _DENIALS.items()
        for policy, rule in pattern.findall(said)
        if enforcer != "Kyverno" or _WEBHOOK.search(said)
    )
    if found:
        return AdmissionResponse("rejected by policy", found, said)
    if _AWAY.search(said):
        return AdmissionResponse("rejected because a webhook is away", found, said)
    invalid = error.status in _INVALID or error.reason == "NoSuchKind"
    return AdmissionResponse("rejected otherwise", found, said, invalid)


def submit(cluster: Cluster, obj: Object, namespace: str = APPS_NAMESPACE) -> AdmissionResponse:
    """Ask once, in the namespace that the object names or else in this one."""
    meta = {"namespace": namespace, **obj["metadata"]}
    try:
        cluster.create({**obj, "metadata": meta}, dry_run=True, strict=True)
    except ApiError as error:
        return answer_to(error)
    return answer_to(None)


def submit_repeatedly(cluster: Cluster, obj: Object, namespace: str = APPS_NAMESPACE) -> AdmissionResponse:
    """Ask several times: one answer if each says the same, and otherwise none to rely on."""
    answers = [submit(cluster, obj, namespace) for _ in range(TIMES)]
    if len({(answer.outcome, answer.denials) for answer in answers}) == 1:
        return answers[0]
    said = "; ".join(f"{answer.outcome}: {answer.said}".removesuffix(": ") for answer in answers)
    return AdmissionResponse("not always the same", frozenset(), f"asked {TIMES} times: {said}")


# --- specimens of the corpus


def for_admission() -> list[Specimen]:
    """Those that a person could send as they are, and of which a policy has the last word."""
    return [one for one in specimens() if one.path.is_file() and one.stage in ("", "policy")]


def specimen(name: str, *, good: bool) -> Specimen:
    """One of them by name.

    Raises:
        PreconditionFailed: There is none.
    """
    for one in for_admission():
        if one.name == name and one.is_good == good:
            return one
    raise PreconditionFailed(f"The corpus should have a {'good' if good else 'bad'} specimen {name}, but has none.")


def objects_of(one: Specimen) -> list[Object]:
    """What it asks for, lists taken apart."""
    found: list[Object] = []
    waiting = [obj for obj in yaml.load_all(one.path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) if obj]
    while waiting:
        obj = waiting.pop(0)
        if obj["kind"].endswith("List") and "items" in obj:
            waiting = [*obj["items"], *waiting]
        else:
            found.append(obj)
    return found


def answers_to(one: Specimen, cluster: Cluster, namespace: str = APPS_NAMESPACE) -> list[AdmissionResponse]:
    """What is said of each of its objects, wherever it says it belongs."""
    return [submit_repeatedly(cluster, without_namespace(obj), namespace) for obj in objects_of(one)]


def without_namespace(obj: Object) -> Object:
    """The same object, to be submitted to any namespace."""
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key != "namespace"}}


def evaluate_specimen(
    one: Specimen, answers: Collection[AdmissionResponse], enforcer: Enforcer = "the API server"
) -> Verdict:
    """A good one is admitted whole; a bad one is rejected by the policy and rule that its page names, and only so."""
    rejections = [answer for answer in answers if answer.outcome != "admitted"]
    if one.is_good:
        return unrecoverable(f"{one.name}: {rejections[0].said}") if rejections else met(f"{one.name} is admitted")
    if not rejections:
        return unrecoverable(f"{one.name}: admitted, although {one.description[0].lower()}{one.description[1:]}")
    wanted = Denial(enforcer, one.rule, one.detail)
    for answer in rejections:
        if answer.outcome != "rejected by policy":
            return unrecoverable(f"{one.name}: {answer.outcome}: {answer.said}")
        if strangers := answer.denials - {wanted}:
            return unrecoverable(f"{one.name}: {'; '.join(map(_named, sorted(strangers, key=_named)))}")
    return met(f"{one.name}: {_named(wanted)}")


def _named(denial: Denial) -> str:
    return f"rejected by {denial.enforcer}, policy {denial.policy}, rule {denial.rule}"


# --- what is demanded


def assert_met(description: str, verdict: Verdict, platform: Platform) -> None:
    """A verdict on an answer that was given.

    Raises:
        ConditionTimeout: It is not met.
    """
    probe_function.assert_met(description, verdict, platform, area="guardrails")


def assert_refused(
    one: Specimen, answers: Sequence[AdmissionResponse], policy: str, rule: str, platform: Platform
) -> None:
    """Refused by this policy and rule.

    Raises:
        ConditionTimeout: Admitted, or rejected by somebody else or for something else.
    """
    if (one.rule, one.detail) != (policy, rule):
        raise PreconditionFailed(
            f"{one.path.name} should be about rule {rule} of {policy}, but is about {one.rule} {one.detail}."
        )
    assert_met(f"{one.name} is rejected by rule {rule} of {policy}", evaluate_specimen(one, answers), platform)


def assert_control_admitted(one: Specimen, platform: Platform) -> None:
    """The good one that differs in a single field is admitted.

    Raises:
        ConditionTimeout: It is not.
        PreconditionFailed: It has no compliant control.
    """
    control = specimen(one.control, good=True)
    verdict = evaluate_specimen(control, answers_to(control, platform.cluster))
    assert_met(f"{control.name}, one field apart from {one.name}, is admitted", verdict, platform)


def evaluate_all(
    chosen: Sequence[Specimen], cluster: Cluster, enforcer: Enforcer = "the API server", namespace: str = APPS_NAMESPACE
) -> Verdict:
    """All of them as their pages say."""
    if not chosen:
        return unrecoverable("there is no such specimen, so nothing can be said")
    verdicts = [evaluate_specimen(one, answers_to(one, cluster, namespace), enforcer) for one in chosen]
    wrong = [verdict.observed for verdict in verdicts if not verdict]
    if wrong:
        return unrecoverable(f"{len(wrong)} of {len(chosen)} are not: {'; '.join(wrong[:5])}")
    return met(f"{len(chosen)} of {len(chosen)}")


@dataclass(frozen=True)
class Corpus:
    """All specimens that can be sent as they are, to one namespace."""

    platform: Platform
    namespace: str = APPS_NAMESPACE

    def assert_good_admitted(self) -> None:
        """Each good specimen is admitted.

        Raises:
            ConditionTimeout: One is not.
        """
        chosen = [one for one in for_admission() if one.is_good]
        verdict = evaluate_all(chosen, self.platform.cluster, namespace=self.namespace)
        assert_met(f"what complies is admitted to {self.namespace}", verdict, self.platform)

    def assert_bad_refused(self, enforcer: Enforcer) -> None:
        """Each bad specimen is rejected by its policy and rule.

        Raises:
            ConditionTimeout: One is not.
        """
        chosen = [one for one in for_admission() if not one.is_good]
        verdict = evaluate_all(chosen, self.platform.cluster, enforcer, self.namespace)
        assert_met(f"each bad specimen is rejected by {enforcer}, by its policy and rule", verdict, self.platform)


def in_a_namespace_of_its_own(breakage: Breakage) -> Corpus:
    """The corpus in a namespace that was made a moment ago."""
    name = "a-minute-ago"
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    breakage.inject(ObjectCreated(manifest=manifest))
    return Corpus(breakage.platform, name)
