"""The cluster's DNS, asked as pods ask it: whoever relies on a Service finds it by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dns.exception
import dns.message
import dns.rcode

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import Verdict, met, pending
from neuroscale.probes.endpoints import ready, slices_of

_DNS = Ref("Service", "kube-dns", "kube-system")
_PORT = 53
#: How often each question is asked: an answer that comes and goes is none.
_TIMES = 5


@dataclass(frozen=True)
class ServicesResolved:
    """Each pod of DNS has the right address for each Service of some namespaces, whenever it is asked."""

    namespaces: tuple[str, ...]
    area: str

    @property
    def description(self) -> str:
        """The expectation."""
        return f"the cluster's DNS has the address of each Service of {', '.join(self.namespaces)}"

    def check(self, cluster: Cluster) -> Verdict:
        """Ask for those that there are."""
        return evaluate_resolved(cluster, [one for space in self.namespaces for one in cluster.list("Service", space)])


def evaluate_resolved(cluster: Cluster, services: Sequence[Object]) -> Verdict:
    """Each pod behind the Service that every pod asks for names answers with the address of each of these Services.

    A Service without an address, which is headless or another name of something elsewhere, is not asked for.
    """
    addresses = {Ref.to(one): one["spec"].get("clusterIP") or "None" for one in services}
    wanted = {ref: address for ref, address in addresses.items() if address != "None"}
    if not wanted:
        return pending("there is no Service with an address yet")
    ends = ready(slices_of(cluster, _DNS))
    if not ends:
        return pending(f"{_DNS} has no ready endpoint, so no name is resolved")
    wrong = [f"{end['addresses'][0]} {said}" for end in ends for said in _wrong_answers(cluster, end, wanted)]
    if wrong:
        return pending("; ".join(wrong))
    return met(f"{len(ends)} of {len(ends)} endpoints of {_DNS} have {len(wanted)} addresses, {_TIMES} times each")


def _wrong_answers(cluster: Cluster, end: Object, wanted: Mapping[Ref, str]) -> list[str]:
    """What is wrong with an endpoint of DNS: of each Service the first answer that is not its address."""
    pod = end.get("targetRef") or {}
    if pod.get("kind") != "Pod":
        return ["is no pod"]
    questions = {ref: _question(ref, address) for ref, address in wanted.items()}
    asked = [question.to_wire() for question in questions.values()]
    try:
        answers = cluster.exchange(Ref("Pod", pod["name"], _DNS.namespace), _PORT, asked * _TIMES)
    except ApiError as error:
        return [f"answers nothing: {error}"]
    messages = [message for message in map(_message, answers) if message]
    found = []
    for ref, question in questions.items():
        # Not by their order, which is the server's to choose.
        said = [_addresses(message) for message in messages if question.is_response(message)]
        said += ["nothing that is an answer"] * (_TIMES - len(said))
        if wrong := [one for one in said if one != wanted[ref]]:
            times = f"{len(wrong)} of {len(said)} times"
            found.append(f"answers {wrong[0]} when it is asked for {ref}, not {wanted[ref]}, {times}")
    return found


def _question(service: Ref, address: str) -> dns.message.QueryMessage:
    name = f"{service.name}.{service.namespace}.svc.cluster.local"
    return dns.message.make_query(name, "AAAA" if ":" in address else "A")


def _message(answer: bytes) -> dns.message.Message | None:
    try:
        return dns.message.from_wire(answer)
    except dns.exception.DNSException:
        return None


def _addresses(message: dns.message.Message) -> str:
    """Those in an answer, or why it has none."""
    addresses = sorted(str(address) for found in message.answer for address in found)
    return ", ".join(addresses) or dns.rcode.to_text(message.rcode())
