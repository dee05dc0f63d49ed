"""A bootstrap of a cluster of its own: killed, repeated, undone."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from neuroscale.bootstrap_scenarios import audit_log, decoys, fingerprint, kills, lookups, repeated
from neuroscale.bootstrap_scenarios.decoys import Decoys
from neuroscale.bootstrap_scenarios.fingerprint import Undisturbed
from neuroscale.bootstrap_scenarios.own_cluster import OwnCluster, assert_well
from neuroscale.bootstrap_scenarios.repeated import Repeated


@given("it is known what an undisturbed bootstrap makes")
def it_is_known_what_is_made(undisturbed: Undisturbed) -> None:
    fingerprint.assert_known(undisturbed)


@when(parsers.re("a bootstrap from nothing is killed (?P<when>.+)"))
def a_bootstrap_is_killed(own_cluster: OwnCluster, when: str) -> None:
    kills.kill(own_cluster, when)


@when("it is started again")
def it_is_started_again(own_cluster: OwnCluster) -> None:
    kills.start_again(own_cluster)


@then("the cluster is as an undisturbed bootstrap makes it")
def the_cluster_is_as_undisturbed(own_cluster: OwnCluster, undisturbed: Undisturbed) -> None:
    fingerprint.assert_as_undisturbed(own_cluster, undisturbed)


@given("a cluster of its own is bootstrapped, and well")
def a_cluster_is_well(own_cluster: OwnCluster) -> None:
    repeated.make_well(own_cluster)


@when("it is bootstrapped again, without internet", target_fixture="repetition")
def it_is_bootstrapped_without_internet(own_cluster: OwnCluster) -> Repeated:
    return repeated.repeat(own_cluster)


@then(parsers.parse("the bootstrap has ended well within {seconds:d} s"))
def the_bootstrap_has_ended_well(repetition: Repeated, seconds: int) -> None:
    assert_well(repetition.ended, seconds)


@then("the API server's audit log has no write of it")
def the_audit_log_has_no_write(repetition: Repeated) -> None:
    audit_log.assert_no_write(repetition.asked)


@then("it has looked up no name, and reached nothing outside this machine")
def it_has_stayed_here(repetition: Repeated) -> None:
    lookups.assert_stayed_here(repetition.heard, repetition.ended.deeds)


@given(
    "somebody else's container, volume, network and kubeconfig, and in the cluster a namespace",
    target_fixture="somebody_elses",
)
def somebody_elses_things(own_cluster: OwnCluster) -> Decoys:
    return decoys.place(own_cluster)


@when("the cluster is bootstrapped again")
def the_cluster_is_bootstrapped_again(somebody_elses: Decoys) -> None:
    somebody_elses.bootstrap()


@then("each of them is as it was")
def each_is_as_it_was(somebody_elses: Decoys) -> None:
    decoys.assert_untouched(somebody_elses)


@when("the cluster is deleted")
def the_cluster_is_deleted(somebody_elses: Decoys) -> None:
    somebody_elses.take_down()


@then("what was beside it is as it was")
def what_was_beside_it_is_as_it_was(somebody_elses: Decoys) -> None:
    decoys.assert_untouched(somebody_elses, with_cluster=False)
