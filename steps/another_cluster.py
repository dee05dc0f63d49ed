"""A cluster with three nodes."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from neuroscale.bootstrap_scenarios import other_cluster
from neuroscale.chaos.breakage import Breakage
from neuroscale.milestones import SteadyState
from neuroscale.platform import Platform
from neuroscale.polling import eventually_each
from neuroscale.results import Recorder
from neuroscale.serving import node_loss
from neuroscale.serving.node_loss import Death
from neuroscale.serving.request_stream import Stream


@when("the manifests for a cluster with one node are rendered", target_fixture="manifests")
def the_manifests_are_rendered(platform: Platform) -> dict[str, str]:
    return other_cluster.manifests_of_one_node(platform)


@then("the Git server serves each of these files as it is, and no other")
def the_git_server_serves_the_same(manifests: dict[str, str], platform: Platform) -> None:
    other_cluster.assert_same(manifests, platform)


@then("there are three nodes, all of which run pods, in networks of their own")
def there_are_three_nodes(platform: Platform) -> None:
    other_cluster.assert_other_shape(platform)


@given("each part that requests go through runs twice, on two nodes")
def each_part_runs_twice(breakage: Breakage) -> None:
    node_loss.run_twice(breakage)


@when("each node but the control plane's is drained in turn", target_fixture="drained")
def each_node_is_drained(breakage: Breakage) -> list[str]:
    return node_loss.drain_each(breakage)


@then("no request has failed")
def no_request_has_failed(drained: list[str], stream: Stream, platform: Platform, recorder: Recorder) -> None:
    node_loss.assert_none_failed(drained, stream, platform, recorder)


@when("a node that requests go through is killed", target_fixture="death")
def a_node_is_killed(breakage: Breakage) -> Death:
    return node_loss.kill_one(breakage)


@then(parsers.parse("each request is answered again within {within:d} s"))
def each_request_is_answered_again(
    within: int, death: Death, stream: Stream, platform: Platform, recorder: Recorder
) -> None:
    node_loss.assert_answers_again(death, stream, within, platform, recorder)


@when("the node is started again", target_fixture="started_at")
def the_node_is_started_again(death: Death, platform: Platform) -> float:
    return node_loss.start_again(death, platform)


@then(parsers.parse("every node, Application and model is well again within {within:d} s"))
def everything_is_well_again(within: int, started_at: float, platform: Platform) -> None:
    steady = {milestone: SteadyState.as_git_describes(milestone, platform) for milestone in ("a", "b")}
    eventually_each(steady, platform.cluster, since=started_at, within=within, reached={})
