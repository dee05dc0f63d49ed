"""Watching: nothing after the beginning is missed, nothing is told twice."""

from __future__ import annotations

import time

import pytest
from apiserver import ApiServer
from fakes import CONFIG_MAPS, PAGE, populate

from neuroscale.cluster.client import Cluster
from neuroscale.cluster.watch import Watcher
from neuroscale.errors import ClusterUnreachable

PATH = f"{CONFIG_MAPS}/nginx-page"


def _until_watching(api: ApiServer, watcher: Watcher) -> None:
    _change(api, "the watch is open")
    assert watcher.first(lambda event: event.event == "MODIFIED", within=5)


def _change(api: ApiServer, text: str) -> None:
    api.put(PATH, {**api.objects[PATH], "data": {"index.html": text}})


def test_the_present_state_comes_first_and_every_change_after_it(api: ApiServer, cluster: Cluster) -> None:
    populate(api)
    with Watcher(cluster, PAGE) as watcher:
        assert [event.event for event in watcher.watch_events] == ["ADDED"]
        for number in range(5):
            _change(api, str(number))
        assert watcher.first(lambda event: event.obj["data"]["index.html"] == "4", within=5)
        texts = [event.obj["data"]["index.html"] for event in watcher.watch_events]
        assert texts == ["<p>hello", "0", "1", "2", "3", "4"]


def test_a_deletion_and_a_return_are_told_apart_by_uid(api: ApiServer, cluster: Cluster) -> None:
    populate(api)
    page = api.objects[PATH]
    with Watcher(cluster, PAGE) as watcher:
        api.remove(PATH)
        api.put(PATH, {**page, "metadata": {"name": "nginx-page", "namespace": "default"}})
        assert watcher.first(lambda event: event.uid != page["metadata"]["uid"], within=5)
        assert [event.event for event in watcher.watch_events] == ["ADDED", "DELETED", "ADDED"]


def test_other_objects_are_not_seen(api: ApiServer, cluster: Cluster) -> None:
    populate(api)
    with Watcher(cluster, PAGE) as watcher:
        other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other", "namespace": "default"}}
        api.put(f"{CONFIG_MAPS}/other", other)
        _change(api, "last")
        assert watcher.first(lambda event: event.obj.get("data", {}).get("index.html") == "last", within=5)
        assert {event.obj["metadata"]["name"] for event in watcher.watch_events} == {"nginx-page"}


def test_sightings_carry_the_kind_and_the_time_they_were_read(api: ApiServer, cluster: Cluster) -> None:
    populate(api)
    with Watcher(cluster, PAGE) as watcher:
        before = time.monotonic()
        _change(api, "now")
        seen = watcher.first(lambda event: event.event == "MODIFIED", within=5)
        assert seen is not None
        assert seen.obj["kind"] == "ConfigMap"
        assert before <= seen.at <= time.monotonic()


def test_waiting_for_what_never_comes_ends(api: ApiServer, cluster: Cluster) -> None:
    populate(api)
    with Watcher(cluster, PAGE) as watcher:
        assert watcher.first(lambda event: event.event == "DELETED", within=0.1) is None


def test_an_object_that_does_not_exist_yet_can_be_watched(api: ApiServer, cluster: Cluster) -> None:
    with Watcher(cluster, PAGE) as watcher:
        assert watcher.watch_events == ()
        populate(api)
        assert watcher.first(lambda event: event.event == "ADDED", within=5)


def test_a_watch_survives_an_api_server_that_hangs_up(api: ApiServer, cluster: Cluster) -> None:
    """What is known is not told again after the reconnect, what changed meanwhile is."""
    populate(api)
    outage = (503, b'{"reason": "ServiceUnavailable"}', {})
    with Watcher(cluster, PAGE) as watcher:
        _until_watching(api, watcher)
        api.answers[f"GET {CONFIG_MAPS}"] = outage
        api.hang_up()
        _change(api, "during the outage")
        api.answers.clear()
        assert watcher.first(lambda event: "outage" in event.obj["data"]["index.html"], within=5)
        assert len(watcher.watch_events) == 3


def test_a_watch_that_never_learns_the_present_state_does_not_begin(api: ApiServer, cluster: Cluster) -> None:
    """It had begun without a word, and missed what happened next."""
    populate(api)
    api.answers[f"GET {CONFIG_MAPS}"] = (503, b'{"reason": "ServiceUnavailable"}', {})
    with pytest.raises(ClusterUnreachable, match=r"should list ConfigMap .* within 500 ms .*503.* Next: "):
        Watcher(cluster, PAGE, known_within=0.5).__enter__()


def test_a_watch_begins_once_an_outage_is_over(api: ApiServer, cluster: Cluster) -> None:
    populate(api)
    asked = []

    def back_at_the_third(method: str, path: str) -> None:
        asked.append(path)
        if len(asked) > 2:
            api.answers.clear()

    api.answers[f"GET {CONFIG_MAPS}"] = (503, b'{"reason": "ServiceUnavailable"}', {})
    api.before = back_at_the_third
    with Watcher(cluster, PAGE) as watcher:
        assert [event.event for event in watcher.watch_events] == ["ADDED"]


def test_a_deletion_during_an_outage_is_seen_afterwards(api: ApiServer, cluster: Cluster) -> None:
    populate(api)
    with Watcher(cluster, PAGE) as watcher:
        _until_watching(api, watcher)
        api.answers[f"GET {CONFIG_MAPS}"] = (503, b'{"reason": "ServiceUnavailable"}', {})
        api.hang_up()
        api.remove(PATH)
        api.answers.clear()
        assert watcher.first(lambda event: event.event == "DELETED", within=5)
