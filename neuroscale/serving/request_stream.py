"""Requests at a fixed rate in the background, while something is changed or broken, and what became of each of them."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ConditionTimeout, PreconditionFailed
from neuroscale.inference_client import InferenceResponse, ask, endpoint_of, gateway_url
from neuroscale.kubernetes.refs import Object
from neuroscale.model_store import SERVED, TELLING, expected_predictions
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, duration, eventually, met, pending, unrecoverable
from neuroscale.probes.knative_resources import fetch, inference_service
from neuroscale.probes.probe_function import assert_met
from neuroscale.quantile import quantile
from neuroscale.rate_scheduler import RateScheduler
from neuroscale.results import Recorder
from neuroscale.serving.model_rollouts import MODEL
from neuroscale.settings import BUDGETS

#: Requests a second.
RATE = 10.0
#: A request that hangs must not hold up those after it: as many as are sent during one request's timeout.
_AT_ONCE = 128
#: Of the list of one stream's requests: half an hour and more while they are answered, minutes while each one fails.
MOST_BYTES = 1_000_000
_HEADING_BYTES = 200


@dataclass(frozen=True)
class RequestRecord:
    """One request of a stream.

    Attributes:
        at: Monotonic seconds at which it was sent.
        clock: Wall clock of the same moment.
        versions: Versions of the model that would answer so; empty for a wrong answer, and for none.
    """

    at: float
    clock: datetime
    answer: InferenceResponse
    versions: frozenset[str]

    @property
    def back(self) -> float:
        """Monotonic seconds at which the answer was there."""
        return self.at + self.answer.seconds


class Stream(RateScheduler[RequestRecord]):
    """Asks again and again from ``with`` to the end of the block, each request on time whatever the others do.

    Args:
        asking: Sends one request.
        rate: Requests a second.
        name: Of the model that is asked.
    """

    def __init__(self, asking: Callable[[], InferenceResponse], rate: float = RATE, name: str = MODEL) -> None:
        super().__init__(self._ask, rate, _AT_ONCE, "requests")
        self.name = name
        self._asking = asking
        self._published = False

    def stop(self) -> None:
        """Send no more, wait for the answers under way, and tell the listeners; a second call does nothing."""
        super().stop()
        if not self._published:
            self._published = True
            for listener in listeners:
                listener(self)

    def _ask(self) -> RequestRecord:
        at, clock = time.monotonic(), datetime.now(UTC)
        answer = self._asking()
        versions = expected_predictions().versions_answering(TELLING, list(answer.classes) if answer.classes else None)
        return RequestRecord(at, clock, answer, frozenset(versions))


#: Called with each stream that has come to an end, so that the report has its requests. Filled by the runner.
listeners: list[Callable[[Stream], None]] = []


def stream_to(latest: Callable[[], Object | None], gateway: str, rate: float = RATE, name: str = MODEL) -> Stream:
    """A stream to an InferenceService; its host is taken from its status anew for each request.

    Args:
        latest: Hands out the InferenceService as it was last seen.
        gateway: Base URL of the gateway.
        rate: Requests a second.
        name: Of the InferenceService.
    """

    def asking() -> InferenceResponse:
        endpoint = endpoint_of(latest(), gateway)
        if endpoint is None:
            return InferenceResponse(None, 0.0, None, "the model has no URL yet")
        return ask(endpoint, expected_predictions().inputs[TELLING])

    return Stream(asking, rate, name)


def begin(streams: ExitStack, platform: Platform) -> Stream:
    """A stream to the model, flowing: what fails later, failed later.

    Raises:
        PreconditionFailed: Requests were failing before anything was done.
    """
    cluster = platform.cluster
    stream = streams.enter_context(stream_to(lambda: fetch(cluster, inference_service(MODEL)), gateway_url(cluster)))
    try:
        eventually(Flows(stream), cluster, within=BUDGETS.request)
    except ConditionTimeout as error:
        raise PreconditionFailed(
            f"Requests should be answered before anything is done to the platform. {error}"
        ) from error
    return stream


# --- the requests themselves


def listed(records: Sequence[RequestRecord], redact: Callable[[str], str], most: int = MOST_BYTES) -> str:
    """Each request as a line of CSV: when it was sent, how long it took, which version answered or what came instead.

    Args:
        records: At least one, in the order of sending.
        redact: Takes secrets out of what was answered.
        most: Bytes; the first requests that fit are listed, and the heading says so when some do not.
    """
    start, left = records[0], most - _HEADING_BYTES
    told = {said: " ".join(redact(said).split()) for said in {_outcome(record) for record in records}}
    lines: list[str] = []
    for record in records:
        line = _line(f"{record.at - start.at:.3f}", f"{record.answer.seconds * 1000:.1f}", told[_outcome(record)])
        left -= len(line.encode())
        if left < 0:
            break
        lines.append(line)
    cut = f" (cut: the first {len(lines)} of {len(records)} requests)" if len(lines) < len(records) else ""
    heading = _line(f"sent: s after {start.clock:%Y-%m-%dT%H:%M:%S.%fZ}", "took: ms", f"outcome{cut}")
    return "".join([heading, *lines])


def _outcome(record: RequestRecord) -> str:
    return " or ".join(sorted(record.versions)) or str(record.answer)


def _line(*fields: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(fields)
    return text.getvalue()


# --- figures


@dataclass(frozen=True)
class Figures:
    """What a stream says about a stretch of time.

    Attributes:
        sent: Requests.
        wrong: Those without a right answer.
        outage: Longest time in seconds from sending a request that failed to sending the next one that did not.
        p50: Seconds; the nearest-rank median of right answers, ``None`` without any.
        p99: Likewise.
        first_wrong: What the first failure looked like.
    """

    sent: int
    wrong: int
    outage: float
    p50: float | None
    p99: float | None
    first_wrong: str

    @property
    def facts(self) -> dict[str, str | int | float | None]:
        """For a sample."""
        return {
            "requests": self.sent,
            "failed": self.wrong,
            "error rate": round(self.wrong / self.sent, 4) if self.sent else None,
            "longest outage": round(self.outage, 3),
            "p50": self.p50,
            "p99": self.p99,
            "first failure": self.first_wrong,
        }


def figures(records: Sequence[RequestRecord], right: Collection[str] = (SERVED,)) -> Figures:
    """Count; right is an answer that one of these versions would give."""
    good = [bool(record.versions & set(right)) for record in records]
    took = sorted(record.answer.seconds for record, fine in zip(records, good, strict=True) if fine)
    first_wrong = next((str(record.answer) for record, fine in zip(records, good, strict=True) if not fine), "")
    return Figures(
        len(records), good.count(False), _outage(records, good), _rounded(took, 0.5), _rounded(took, 0.99), first_wrong
    )


def _rounded(ranked: Sequence[float], share: float) -> float | None:
    found = quantile(ranked, share)
    return None if found is None else round(found, 4)


def _outage(records: Sequence[RequestRecord], good: Sequence[bool]) -> float:
    longest, since = 0.0, None
    for record, fine in zip(records, good, strict=True):
        if not fine and since is None:
            since = record.at
        if since is not None:
            # One that was still failing when it was last looked at lasted at least until its answer.
            longest = max(longest, (record.at if fine else record.back) - since)
        if fine:
            since = None
    return longest


def first_right(records: Sequence[RequestRecord], since: float, right: Collection[str] = (SERVED,)) -> float | None:
    """Monotonic seconds at which the first right answer to a request sent at or after ``since`` was there."""
    return min((record.back for record in records if record.at >= since and record.versions & set(right)), default=None)


# --- verdicts


def assert_unbroken(stream: Stream, right: Collection[str], platform: Platform, recorder: Recorder) -> None:
    """End the stream; every request of it got a right answer, and the figures are kept.

    Raises:
        ConditionTimeout: One did not.
    """
    stream.stop()
    records = stream.records
    seen = figures(records, right)
    recorder.figure(
        claim="unbroken",
        fault="a new version of the model",
        subject=MODEL,
        series="longest outage",
        at=records[0].clock if records else datetime.now(UTC),
        seconds=round(seen.outage, 3),
        facts=seen.facts,
    )
    assert_met(f"no request fails while {MODEL} is changed", evaluate_unbroken(records, right), platform)


@dataclass(frozen=True)
class Flows:
    """A stream has got so many right answers in a row: whatever fails later failed later."""

    stream: Stream
    right: frozenset[str] = frozenset({SERVED})
    row: int = 5
    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"{self.row} requests in a row are answered as {' or '.join(sorted(self.right))} does"

    def check(self, cluster: Cluster) -> Verdict:  # noqa: ARG002 - the stream knows
        """The latest requests that came back."""
        records = self.stream.records[-self.row :]
        bad = next((record for record in records if not record.versions & self.right), None)
        if bad is not None:
            return pending(f"a request was answered {bad.answer}")
        return met(f"{len(records)} in a row") if len(records) == self.row else pending(f"{len(records)} so far")


def evaluate_unbroken(records: Sequence[RequestRecord], right: Collection[str]) -> Verdict:
    """Every request got a right answer, and there were enough of them to say so (5 a second at least)."""
    if len(records) < 2:
        return unrecoverable(f"{len(records)} requests came back, so nothing can be said")
    seen, lasting = figures(records, right), records[-1].at - records[0].at
    if (rate := len(records) / max(lasting, 0.1)) < 5:
        return unrecoverable(f"only {rate:.1f} requests a second came back, so nothing can be said")
    if seen.wrong:
        return unrecoverable(
            f"{seen.wrong} of {seen.sent} requests failed, longest outage {duration(seen.outage)}, "
            f"first: {seen.first_wrong}"
        )
    return met(f"{seen.sent} requests in {duration(lasting)}, none failed")
