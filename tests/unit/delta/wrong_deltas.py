"""Deltas that are wrong the way other tools are wrong: each has one mistake, which the second opinion must find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from both_opinions import Case, disagreements

from neuroscale import prices
from neuroscale.delta import compare, demand, models, needs, runtimes, surroundings, unpriced, workloads
from neuroscale.kubernetes.quantities import quantity

Patch = pytest.MonkeyPatch
WRONG: dict[str, Callable[[Patch], None]] = {}
#: Enough that each wrong delta is found, whatever it is wrong about.
SEEDS = 400


def is_found(mistake: Callable[[Patch], None]) -> bool:
    """Whether the second implementation says something else of one of many pairs."""
    with Patch.context() as patch:
        mistake(patch)
        return any(next(disagreements(Case.of(Random(seed))), "") for seed in range(SEEDS))  # noqa: S311 - test data


def wrong(name: str) -> Callable[[Callable[[Patch], None]], Callable[[Patch], None]]:
    def keep(mistake: Callable[[Patch], None]) -> Callable[[Patch], None]:
        WRONG[name] = mistake
        return mistake

    return keep


def around(patch: Patch, module: Any, name: str, changed: Callable[..., Any]) -> None:
    """Put a function in place of another one, which it is given first."""
    real = getattr(module, name)
    patch.setattr(module, name, lambda *given, **named: changed(real, *given, **named))


@wrong("ignores replicas")
def _(patch: Patch) -> None:
    around(patch, demand, "_times", lambda real, pod, count: real(pod, min(count, 1)))


@wrong("takes the fewest replicas for the most")
def _(patch: Patch) -> None:
    around(patch, workloads, "_replicas", lambda real, *given: (real(*given)[0],) * 2)


@wrong("has never heard of autoscalers")
def _(patch: Patch) -> None:
    patch.setattr(surroundings, "_target", lambda scaler: ("", "", ""))


@wrong("scales what was switched off")
def _(patch: Patch) -> None:
    around(patch, workloads, "number", lambda real, value, default: real(value, default) or default)


@wrong("reads Gi as G")
def _(patch: Patch) -> None:
    patch.setattr(needs, "quantity", lambda text: quantity(str(text).replace("i", "")))


@wrong("reads a quantity without a suffix as none")
def _(patch: Patch) -> None:
    patch.setattr(needs, "quantity", lambda text: quantity(text) if str(text)[-1:].isalpha() else Decimal(0))


@wrong("rounds to thousandths")
def _(patch: Patch) -> None:
    patch.setattr(needs, "quantity", lambda text: round(quantity(text), 3))


@wrong("is a float")
def _(patch: Patch) -> None:
    around(patch, prices.Prices, "monthly", lambda real, *given: Decimal(float(real(*given))))


@wrong("leaves out init containers")
def _(patch: Patch) -> None:
    around(patch, needs, "total", lambda real, main, starting: real(main, []))


@wrong("adds init containers to the others")
def _(patch: Patch) -> None:
    around(patch, needs, "total", lambda real, main, starting: real([*main, *starting], []))


@wrong("takes a native sidecar for an init container")
def _(patch: Patch) -> None:
    def ended(real: Any, main: Any, starting: Any) -> Any:
        return real(main, [replace(one, stays=False) for one in starting])

    around(patch, needs, "total", ended)


@wrong("does not know that sidecars run beside later init containers")
def _(patch: Patch) -> None:
    def late(real: Any, main: Any, starting: Any) -> Any:
        return real(main, sorted(starting, key=lambda one: one.stays))

    around(patch, needs, "total", late)


@wrong("counts the first container of a pod")
def _(patch: Patch) -> None:
    around(patch, needs, "total", lambda real, main, starting: real(main[:1], starting))


@wrong("leaves out LimitRanges")
def _(patch: Patch) -> None:
    patch.setattr(needs, "admitted", lambda one, ranges: one)


@wrong("gives init containers nothing from a LimitRange")
def _(patch: Patch) -> None:
    def fewer(real: Any, spec: Any, ranges: Any, **named: Any) -> Any:
        return real(spec, ranges if not spec.get("initContainers") else (), **named)

    around(patch, workloads, "pod_needs", fewer)


@wrong("knows no maximum of a LimitRange")
def _(patch: Patch) -> None:
    def without(real: Any, limit_range: Any) -> Any:
        entries = [{k: v for k, v in one.items() if k != "max"} for one in limit_range["spec"]["limits"]]
        return real({**limit_range, "spec": {"limits": entries}})

    around(patch, surroundings, "range_of", without)


@wrong("requests the default where a limit is written")
def _(patch: Patch) -> None:
    def literal(real: Any, container: Any) -> Any:
        given = container.get("resources") or {}
        return replace(real(container), requests=needs.amounts(given.get("requests")))

    around(patch, needs, "needs_of", literal)


@wrong("has never heard of resources of a whole pod")
def _(patch: Patch) -> None:
    around(patch, workloads, "pod_needs", lambda real, spec, ranges, **_: real(spec, ranges, pod_level=False))


@wrong("takes no overhead of a RuntimeClass")
def _(patch: Patch) -> None:
    around(patch, workloads, "_needs", lambda real, spec, *given: real({**spec, "runtimeClassName": None}, *given))


@wrong("leaves out what a runtime says")
def _(patch: Patch) -> None:
    patch.setattr(models, "runtime_for", lambda *given: None)


@wrong("takes the first runtime, whatever its priority")
def _(patch: Patch) -> None:
    around(patch, runtimes, "_rank", lambda real, *given: (real(*given)[0], 0))


@wrong("takes another namespace's runtime")
def _(patch: Patch) -> None:
    around(patch, models, "runtime_for", lambda real, model, wanted, all_of_them, namespace: real(
        model, wanted, [{**one, "kind": "ClusterServingRuntime"} for one in all_of_them], namespace
    ))  # fmt: skip


@wrong("knows the newer form of a model alone")
def _(patch: Patch) -> None:
    def newer(real: Any, obj: Any, around_it: Any) -> Any:
        predictor = obj["spec"].get("predictor") or {}
        return real(obj, around_it) if not {"sklearn", "xgboost"} & set(predictor) else iter(())

    around(patch, workloads, "of_model", newer)


@wrong("prices the predictor alone")
def _(patch: Patch) -> None:
    patch.setattr(models, "COMPONENTS", ("predictor",))


@wrong("leaves out queue-proxy")
def _(patch: Patch) -> None:
    around(patch, models, "in_knative", lambda real, spec, *given: spec)


@wrong("puts queue-proxy where there is no Knative")
def _(patch: Patch) -> None:
    patch.setattr(models, "_RAW", set())
    patch.setattr(models, "_KNATIVE", {"Serverless", "Knative", "RawDeployment", "Standard"})


@wrong("has queue-proxy at its default, whatever is configured")
def _(patch: Patch) -> None:
    around(patch, models, "queue_proxy", lambda real, *given: real(surroundings.Surroundings(pod_level=False), {}))


@wrong("leaves out the storage initializer")
def _(patch: Patch) -> None:
    patch.setattr(models, "fetching", lambda *given: ([], []))


@wrong("fetches what is on a volume")
def _(patch: Patch) -> None:
    around(patch, models, "fetching", lambda real, where, uri: real(where, uri.replace("pvc://", "s3://")))


@wrong("reads no address from the environment")
def _(patch: Patch) -> None:
    around(patch, models, "address", lambda real, model, own: real(model, own) if model is not None else iter(()))


@wrong("leaves out KServe's agent")
def _(patch: Patch) -> None:
    patch.setattr(models, "agent", lambda *given: [])


@wrong("leaves out KServe's defaults for models")
def _(patch: Patch) -> None:
    patch.setattr(models, "model_defaults", lambda where: {"requests": {}, "limits": {}})


@wrong("prices a Job as if it ran all the time")
def _(patch: Patch) -> None:
    patch.setattr(workloads, "_BY_TIME", {"Cronjob"})


@wrong("takes a DaemonSet for one pod")
def _(patch: Patch) -> None:
    around(patch, workloads, "_replicas", lambda real, obj, where, nodes: real(obj, where, 1))


@wrong("passes over unknown kinds")
def _(patch: Patch) -> None:
    patch.setattr(unpriced, "_runs_something", lambda value: False)


@wrong("has nothing to say of volumes")
def _(patch: Patch) -> None:
    around(patch, workloads, "unknown", lambda real, obj: () if "Claim" in obj["kind"] else real(obj))


@wrong("has nothing to say of accelerators")
def _(patch: Patch) -> None:
    around(patch, workloads, "beside", lambda real, obj, spec, asked, *given: real(
        obj, spec, replace(asked, requests={key: one for key, one in asked.requests.items() if "/" not in key}), *given
    ))  # fmt: skip


@wrong("has nothing to say of containers without requests")
def _(patch: Patch) -> None:
    patch.setattr(unpriced, "silent", lambda *given, **named: {})


@wrong("has a month of 720 hours")
def _(patch: Patch) -> None:
    patch.setattr(prices, "MONTH", Decimal(720))


@wrong("prices memory by the gigabyte")
def _(patch: Patch) -> None:
    patch.setattr(prices, "_UNITS", {"memory": Decimal(10) ** 9})


@wrong("swaps the two labels")
def _(patch: Patch) -> None:
    real = workloads.Share
    patch.setattr(workloads, "Share", lambda owner, payer, *given: real(payer, owner, *given))


@wrong("asks an object's labels, not its pods'")
def _(patch: Patch) -> None:
    def own(real: Any, place: Any, obj: Any, made: Any) -> Any:
        labels = obj["metadata"].get("labels") or {}
        return real(place, obj, [(replace(one, labels=labels), asked) for one, asked in made])

    around(patch, workloads, "_workload", own)


@wrong("does not see what is gone")
def _(patch: Patch) -> None:
    around(patch, compare, "_paired", lambda real, *given: [pair for pair in real(*given) if pair[1]])


@wrong("takes a new name for another workload")
def _(patch: Patch) -> None:
    def by_name(real: Any, gone: Any, new: Any, same: Any) -> Any:
        return [] if "content" in same.__code__.co_names else real(gone, new, same)

    around(patch, compare, "_matched", by_name)


@wrong("takes a new folder for another workload")
def _(patch: Patch) -> None:
    def strict(real: Any, gone: Any, new: Any, same: Any) -> Any:
        return real(gone, new, lambda one: None if (sign := same(one)) is None else (one.place, sign))

    around(patch, compare, "_matched", strict)


@wrong("prices after as before")
def _(patch: Patch) -> None:
    around(patch, compare, "compare", lambda real, base, head, *given: real(base, base, *given))


@wrong("says the limits as the requests")
def _(patch: Patch) -> None:
    around(patch, demand, "_times", lambda real, pod, count: real(replace(pod, requests=pod.limits), count))


@wrong("leaves a stopped model running")
def _(patch: Patch) -> None:
    patch.setattr(models, "_STOPPED", "no such annotation")


@wrong("has an upper bound where nobody says one")
def _(patch: Patch) -> None:
    around(patch, models, "bounded", lambda real, least, *given: (least, real(least, *given)[1] or least))
