"""Streams: requests on time whatever the others do, and figures that hide no failure."""

from __future__ import annotations

import csv
import io
import threading
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from apiserver import ApiServer
from fake_gateway import NAME, Gateway, host_of, isvc
from fake_git_server import fake_platform

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ConditionTimeout, PreconditionFailed
from neuroscale.inference_client import InferenceResponse
from neuroscale.model_store import NEXT, SERVED, SWAPPED, TELLING, expected_predictions
from neuroscale.polling import State, pause
from neuroscale.results import Recorder, Sample
from neuroscale.serving import request_stream
from neuroscale.serving.request_stream import (
    Flows,
    RequestRecord,
    Stream,
    assert_unbroken,
    begin,
    evaluate_unbroken,
    figures,
    first_right,
    listed,
    stream_to,
)
from neuroscale.settings import Budgets

START = datetime(2026, 11, 23, tzinfo=UTC)


def record(at: float, version: str | None = SERVED, seconds: float = 0.01) -> RequestRecord:
    answer = (
        InferenceResponse(200, seconds, (1,), "")
        if version
        else InferenceResponse(503, seconds, None, "no healthy upstream")
    )
    return RequestRecord(at, START + timedelta(seconds=at), answer, frozenset({version} if version else ()))


def records(pattern: str) -> list[RequestRecord]:
    """One letter a tenth of a second: ``.`` right, ``x`` failed, ``n`` answered by the next version."""
    return [record(i / 10, {".": SERVED, "n": NEXT, "x": None}[letter]) for i, letter in enumerate(pattern)]


# --- figures

OUTAGES = {"....": 0.0, ".x..": 0.1, ".xx.x.": 0.2, "xx..": 0.2, "..xx": 0.11, "x": 0.01, "": 0.0}


@pytest.mark.parametrize("pattern", OUTAGES)
def test_the_longest_outage(pattern: str) -> None:
    assert figures(records(pattern)).outage == pytest.approx(OUTAGES[pattern])


def test_counts_and_the_first_failure() -> None:
    seen = figures(records("..x.x"))
    assert (seen.sent, seen.wrong, seen.first_wrong) == (5, 2, "503: no healthy upstream")
    assert seen.facts["error rate"] == 0.4


def test_another_versions_answer_is_right_only_where_it_is_expected() -> None:
    assert figures(records("..nn")).wrong == 2
    assert figures(records("..nn"), {SERVED, NEXT}).wrong == 0


def test_percentiles_are_those_of_right_answers_and_samples_themselves() -> None:
    some = [record(0, seconds=0.03), record(0.1, seconds=0.01), record(0.2, None, seconds=9), record(0.3, seconds=0.02)]
    assert (figures(some).p50, figures(some).p99) == (0.02, 0.03)
    assert figures(records("xx")).p50 is None


def test_the_first_right_answer_counts_from_when_it_was_back() -> None:
    slow = [record(1.0, None), record(1.1, seconds=5), record(1.2, seconds=0.5)]
    assert first_right(slow, 1.0) == pytest.approx(1.7)
    assert first_right(slow, 2.0) is None
    assert first_right(records("xx"), 0) is None


UNBROKEN: dict[str, tuple[list[RequestRecord], State, str]] = {
    "all right": (records("." * 20), "met", "20 requests in 1.90 s, none failed"),
    "one failed": (records("....x..............."), "unrecoverable", "1 of 20 requests failed, longest outage 100 ms"),
    "too slow to say": ([record(i) for i in range(20)], "unrecoverable", "only 1.1 requests a second"),
    "hardly any": (records("."), "unrecoverable", "1 requests came back"),
    "none": ([], "unrecoverable", "0 requests came back"),
}


@pytest.mark.parametrize("case", UNBROKEN)
def test_unbroken(case: str) -> None:
    seen, state, words = UNBROKEN[case]
    verdict = evaluate_unbroken(seen, {SERVED})
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


# --- the requests themselves


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_each_request_is_listed_with_what_became_of_it() -> None:
    some = [record(7.0), record(7.1, None, seconds=2), record(7.25, NEXT, seconds=0.0123)]
    heading, *found = rows(listed(some, str))
    assert heading == ["sent: s after 2026-11-23T00:00:07.000000Z", "took: ms", "outcome"]
    assert found == [
        ["0.000", "10.0", SERVED],
        ["0.100", "2000.0", "503: no healthy upstream"],
        ["0.250", "12.3", NEXT],
    ]


def test_an_answer_stays_in_its_line_and_is_redacted() -> None:
    odd = RequestRecord(0, START, InferenceResponse(500, 0, None, 'a "quoted", \nlong word: hunter2'), frozenset())
    (_, (*_, outcome)) = rows(listed([odd], lambda text: text.replace("hunter2", "[redacted]")))
    assert outcome == '500: a "quoted", long word: [redacted]'


def test_a_list_that_is_too_long_says_so() -> None:
    many = records("." * 1000)
    assert len(listed(many, str).encode()) < 30_000
    text = listed(many, str, most=5_000)
    heading, *found = rows(text)
    assert 4_500 < len(text.encode()) <= 5_000
    assert heading[-1] == f"outcome (cut: the first {len(found)} of 1000 requests)"
    assert found == rows(listed(many, str))[1 : len(found) + 1]


# --- a stream

RIGHT = InferenceResponse(200, 0.01, tuple(expected_predictions().outputs[SERVED][TELLING]), "")


def wait_for(stream: Stream, count: int) -> None:
    for _ in range(500):
        if len(stream.records) >= count:
            return
        pause(0.01)
    pytest.fail(f"only {len(stream.records)} of {count} requests came back")


def test_answers_tell_which_version_gave_them() -> None:
    answers = iter(
        [
            RIGHT,
            InferenceResponse(200, 0, tuple(expected_predictions().outputs[NEXT][TELLING]), ""),
            InferenceResponse(200, 0, (9,), ""),
        ]
    )
    with Stream(lambda: next(answers, InferenceResponse(None, 0, None, "x")), rate=100) as stream:
        wait_for(stream, 4)
    found = [one.versions for one in stream.records][:4]
    assert sorted(map(sorted, found)) == sorted([[SERVED], [NEXT], [], []])


def test_a_request_that_hangs_holds_up_no_other() -> None:
    first, release = threading.Event(), threading.Event()

    def asking() -> InferenceResponse:
        if not first.is_set():
            first.set()
            release.wait(5)
        return RIGHT

    with Stream(asking, rate=100) as stream:
        wait_for(stream, 10)
        release.set()
    assert len(stream.records) > 10
    assert stream.records[0].at == min(one.at for one in stream.records)


def test_requests_are_sent_at_the_rate() -> None:
    with Stream(lambda: RIGHT, rate=50) as stream:
        wait_for(stream, 20)
    lasting = stream.records[-1].at - stream.records[0].at
    assert (len(stream.records) - 1) / lasting == pytest.approx(50, rel=0.3)


def test_nothing_is_sent_after_the_end_and_ending_twice_is_fine() -> None:
    with Stream(lambda: RIGHT, rate=100) as stream:
        wait_for(stream, 2)
        stream.stop()
    count = len(stream.records)
    pause(0.05)
    assert len(stream.records) == count


def test_who_listens_hears_of_each_stream_once_and_when_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, int]] = []
    monkeypatch.setattr(request_stream, "listeners", [lambda stream: heard.append((stream.name, len(stream.records)))])
    with Stream(lambda: RIGHT, rate=100, name="iris") as stream:
        wait_for(stream, 2)
        assert heard == []
        stream.stop()
    assert heard == [("iris", len(stream.records))]


def test_the_host_is_looked_up_anew_for_each_request(gateway: Gateway) -> None:
    latest = iter([None, isvc(change={"status": None}), isvc()])
    last = isvc()
    with stream_to(lambda: next(latest, last), gateway.url, rate=50) as stream:
        wait_for(stream, 4)
    assert [one.answer.said for one in stream.records[:2]] == ["the model has no URL yet"] * 2
    assert stream.records[-1].versions == {SERVED}


def test_flowing_means_so_many_in_a_row(cluster: Cluster) -> None:
    class Canned:
        records = records(".x")

    stream = Canned()
    probe = Flows(stream)  # type: ignore[arg-type]
    assert "503" in probe.check(cluster).observed
    stream.records = records("x....")
    assert probe.check(cluster).state == "pending"
    stream.records = records("....")
    assert probe.check(cluster).observed == "4 so far"
    stream.records = records("x.....")
    assert probe.check(cluster).state == "met"


@pytest.mark.usefixtures("world")
def test_a_scenario_begins_with_requests_that_are_answered(
    cluster: Cluster, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as streams:
        stream = begin(streams, fake_platform(cluster))
        assert len(stream.records) >= 5
    monkeypatch.setattr(request_stream, "BUDGETS", Budgets(request=0.3))
    gateway.versions[host_of(NAME)] = SWAPPED
    with ExitStack() as streams, pytest.raises(PreconditionFailed, match=r"should be answered before anything is done"):
        begin(streams, fake_platform(cluster))


@pytest.mark.usefixtures("world")
def test_an_unbroken_stream_is_kept_and_so_is_a_broken_one(cluster: Cluster, gateway: Gateway, api: ApiServer) -> None:
    kept: list[Sample] = []
    platform = fake_platform(cluster)
    with ExitStack() as streams:
        stream = begin(streams, platform)
        assert_unbroken(stream, {SERVED}, platform, Recorder("scenario", kept.append))
    with ExitStack() as streams:
        stream = begin(streams, platform)
        gateway.instead[host_of(NAME)] = (503, "no healthy upstream")
        wait_for(stream, len(stream.records) + 2)
        with pytest.raises(ConditionTimeout, match=r"requests failed.*503: no healthy upstream"):
            assert_unbroken(stream, {SERVED}, platform, Recorder("scenario", kept.append))
    good, bad = kept
    assert (good.facts["failed"], good.seconds) == (0, 0)
    assert bad.facts["failed"]
    assert bad.seconds > 0
