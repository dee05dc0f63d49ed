"""What runs, beside what was promised: processes as the kernels of the nodes tell of them."""

from __future__ import annotations

from pytest_bdd import then, when

from neuroscale.chaos.breakage import Breakage
from neuroscale.components import COMPONENTS, PLATFORM_NAMESPACES
from neuroscale.guardrails import restricted, running
from neuroscale.guardrails.running import Running
from neuroscale.kubernetes.refs import Ref
from neuroscale.platform import Platform
from neuroscale.settings import APPS_NAMESPACE

#: Kubernetes' own are the distribution's, and no part of the platform.
_PLATFORMS = tuple(sorted(name for name in PLATFORM_NAMESPACES if not name.startswith("kube-")))
#: Of the components that the scenarios are tagged with.
_PEOPLED = (
    APPS_NAMESPACE,
    *(name for one in COMPONENTS if one.name in {"gitops", "serving", "guardrails"} for name in one.namespaces),
)


@when("the processes on the nodes are read", target_fixture="running_now")
def the_processes_are_read(platform: Platform) -> Running:
    return running.look(platform)


@then("they are those of the containers that the API server says are running, both ways")
def they_are_the_same(running_now: Running, platform: Platform) -> None:
    running.assert_found(running_now, _PEOPLED, platform)


@then("none of the tenants' and of the platform's is root's or has a capability added")
def none_is_privileged(running_now: Running, platform: Platform) -> None:
    running.assert_unprivileged(running_now, _PLATFORMS, platform)


@then("each of the tenants' containers has its labels and limits, the kernel's too")
def each_is_bounded(running_now: Running, platform: Platform) -> None:
    running.assert_bounded(running_now, platform)


@when("a model is created whose store never answers", target_fixture="another")
def a_model_that_waits(breakage: Breakage) -> Ref:
    return restricted.create_waiting(breakage)


@then("its storage-initializer is seen to run, neither as root nor with any capability")
def its_fetcher_is_unprivileged(another: Ref, platform: Platform) -> None:
    restricted.assert_fetcher_unprivileged(another, platform)


@when("a model is created where Pod Security is restricted", target_fixture="another")
def a_model_in_a_restricted_namespace(breakage: Breakage) -> Ref:
    return restricted.create_in_restricted_namespace(breakage)


@then("the model there answers the reference rows")
def it_answers(another: Ref, platform: Platform) -> None:
    restricted.assert_answers(another, platform)


@then("its pod with upstream's storage-initializer is refused there")
def upstreams_is_refused(another: Ref, platform: Platform) -> None:
    restricted.assert_upstreams_refused(another, platform)
