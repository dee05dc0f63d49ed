"""What the gate makes of folders beside what the live Argo CD's repo-server makes of them; nothing is written for it.

Argo CD is asked for each Application at the commit that ``main`` has. Of the corpus it knows nothing: each specimen is
sent to it as the files of an Application that there is.
"""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from neuroscale.argocd_client import NotRendered, argocd
from neuroscale.cluster.client import Cluster
from neuroscale.errors import ConditionTimeout, Inconclusive, PreconditionFailed
from neuroscale.gate.engine import Engine
from neuroscale.gate.findings import Finding, Tree
from neuroscale.gate.json_difference import differences
from neuroscale.gate.placement import path_of
from neuroscale.gate.render import BY_HAND, Checkout, render, render_several, without_nulls
from neuroscale.git_server_api import BRANCH
from neuroscale.guardrails.corpus import Specimen, specimens
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.probes import argo
from neuroscale.probes.reference_app import TEST_APP
from neuroscale.results import Recorder
from neuroscale.settings import ARGOCD

#: By what Argo CD knows its objects again, and how it says so; the latter alone is looked for here.
_SETTINGS, _TRACKING_METHOD = Ref("ConfigMap", "argocd-cm", ARGOCD), "application.resourceTrackingMethod"
_TRACKING_ID = "argocd.argoproj.io/tracking-id"
#: Where a hook stands, and those of Helm's that Argo CD runs; what only others would run the gate does not judge.
_ARGO_HOOK, _HELM_HOOK, _NO_HOOK = "argocd.argoproj.io/hook", "helm.sh/hook", "crd-install"
_RUN = {"pre-install", "pre-upgrade", "post-install", "post-upgrade", "post-delete"}
_UNMARKABLE = "an annotation should be text, but is not, so that Argo CD could not add its own"
#: As Argo CD shows what is in a Secret.
_HIDDEN = "++++++++"
#: What the gate rejects before Argo CD's code is asked (decision 0027): Argo CD may pass over it, or would fetch it.
_STRICTER = {"elsewhere", "link", "unreadable"}
#: Requests to Argo CD at a time, each of which asks the cluster for its kinds.
_AT_ONCE = 4
_SHOWN = 5


@dataclass(frozen=True)
class Rendering:
    """What one of both makes of a source.

    Attributes:
        objects: In any order.
        error: Why there are none.
    """

    objects: tuple[Object, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Comparison:
    """The same sources as both render them: Applications or specimens, by name."""

    gate: Mapping[str, Rendering]
    live: Mapping[str, Rendering]

    @property
    def objects(self) -> int:
        """How many the gate makes."""
        return sum(len(one.objects) for one in self.gate.values())


# --- both are asked


def render_main(engine: Engine, platform: Platform, recorder: Recorder) -> Comparison:
    """Every Application at the commit that ``main`` has; but for those of pull requests, which no commit has.

    Raises:
        Inconclusive: ``main`` does not render in the gate.
        PreconditionFailed: Argo CD cannot be asked.
        ArgoCDError: It did not answer.
    """
    with TemporaryDirectory(prefix="neuroscale-main-") as name:
        folder = Path(name) / BRANCH
        commit = platform.git_server.check_out(BRANCH, folder)
        tree, findings = render(engine, folder)
    if findings:
        raise Inconclusive(f"{BRANCH} at {commit[:8]} should render, but: {findings[0]}. Next: neuroscale gate")
    passing = _projects_of_pull_requests(tree)
    known = [app for app in tree.applications if app["spec"].get("project") not in passing]
    made = {app["metadata"]["name"]: Rendering(tuple(tree.places.get(path_of(app), ()))) for app in known}
    found = platform.cluster.list("Application", ARGOCD)
    server = argocd(platform.cluster)
    live = [app["metadata"]["name"] for app in found if app["spec"].get("project") not in passing]
    asked = {name: partial(server.manifests, name, commit) for name in sorted(live)}
    return _compared("Applications", made, asked, platform.cluster, recorder)


def render_corpus(engine: Engine, platform: Platform, recorder: Recorder) -> Comparison:
    """Every specimen in the place of the test application's folder; but for those that the gate alone rejects.

    Raises:
        PreconditionFailed: Argo CD cannot be asked.
        ArgoCDError: It did not answer.
    """
    deployed = platform.cluster.get(argo.application(TEST_APP))
    if deployed is None:
        raise PreconditionFailed(f"Application {TEST_APP} should exist, but does not. Next: neuroscale check gitops")
    chosen = specimens()
    with TemporaryDirectory(prefix="neuroscale-corpus-") as name:
        checkouts = [_in_place_of(deployed, one, Path(name) / str(number)) for number, one in enumerate(chosen)]
        # The renderer may change its checkouts.
        files = [_archived(one.root / one.only) for one in checkouts]
        answers = render_several(engine, checkouts)
    server, place = argocd(platform.cluster), path_of(deployed)
    made, asked = dict[str, Rendering](), dict[str, Callable[[], list[Object]]]()
    for one, archive, (tree, findings) in zip(chosen, files, answers, strict=True):
        if not _stricter(one, findings):
            made[one.name] = _rendering(tree.places.get(place, []), findings)
            asked[one.name] = partial(server.manifests_of, TEST_APP, archive)
    return _compared("manifests of the corpus", made, asked, platform.cluster, recorder)


def _projects_of_pull_requests(tree: Tree) -> set[str]:
    """Of the ApplicationSets that make an Application for each pull request, which no commit of ``main`` tells of."""
    sets = [obj for objects in tree.places.values() for obj in objects if obj["kind"] == "ApplicationSet"]
    return {
        one["spec"]["template"]["spec"]["project"]
        for one in sets
        if any("pullRequest" in generator for generator in one["spec"]["generators"])
    }


def _in_place_of(deployed: Object, one: Specimen, root: Path) -> Checkout:
    """A checkout in which an Application deploys a specimen."""
    place = Path(path_of(deployed))
    replace(one, folder=place.name).put(root / place.parent)
    meta = {key: deployed["metadata"][key] for key in ("name", "namespace")}
    app = {"apiVersion": deployed["apiVersion"], "kind": deployed["kind"], "metadata": meta, "spec": deployed["spec"]}
    (root / BY_HAND).mkdir()
    (root / BY_HAND / "application.json").write_text(json.dumps(app), encoding="utf-8")
    return Checkout(root, (BY_HAND,), str(place))


def _archived(folder: Path) -> bytes:
    """A folder two levels below the root of its repository, such as an app."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        archive.add(folder.parent, folder.parent.name)
    return content.getvalue()


def _stricter(one: Specimen, findings: Iterable[Finding]) -> bool:
    """Whether a specimen is rejected as it says, and by a rule that Argo CD does not have."""
    return one.stage == "render" and one.rule in _STRICTER and {found.rule for found in findings} == {one.rule}


def _rendering(objects: list[Object], findings: Iterable[Finding]) -> Rendering:
    errors = [str(found) for found in findings if found.rule in {*_STRICTER, "unrenderable", "unseen"}]
    # Argo CD gives up on what it cannot mark. Of that the gate's renderer knows nothing; to its schemas it is invalid.
    errors += [_UNMARKABLE for obj in objects if not all(isinstance(one, str) for one in _annotations(obj).values())]
    return Rendering(error=errors[0]) if errors else Rendering(tuple(objects))


def _compared(
    what: str,
    made: Mapping[str, Rendering],
    asked: Mapping[str, Callable[[], list[Object]]],
    cluster: Cluster,
    recorder: Recorder,
) -> Comparison:
    """Ask Argo CD, and put on record how much was compared.

    Raises:
        PreconditionFailed: Argo CD marks its objects otherwise than by annotation.
        ArgoCDError: It did not answer.
    """
    method = ((cluster.get(_SETTINGS) or {}).get("data") or {}).get(_TRACKING_METHOD) or "annotation"
    if method != "annotation":
        raise PreconditionFailed(
            f"Argo CD should mark its objects by annotation, as the platform has it, but does by {method}. "
            f"Next: kubectl -n {ARGOCD} get configmap argocd-cm -o yaml"
        )
    at, start = datetime.now(UTC), time.monotonic()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        live = dict(zip(asked, pool.map(_said, asked.values()), strict=True))
    result = Comparison(made, live)
    recorder.figure(
        claim="render",
        fault=f"Argo CD is asked for {len(live)} {what}",
        subject=what,
        series=f"{what}, live",
        at=at,
        seconds=round(time.monotonic() - start, 3),
        facts={what: len(made), "objects": result.objects},
    )
    return result


def _said(question: Callable[[], list[Object]]) -> Rendering:
    try:
        return Rendering(tuple(_unmarked(obj) for obj in question() if not _never_runs(obj)))
    except NotRendered as error:
        return Rendering(error=str(error) or "it says nothing")


def _annotations(obj: Object) -> Object:
    return (obj.get("metadata") or {}).get("annotations") or {}


def _unmarked(obj: Object) -> Object:
    """Without Argo CD's mark."""
    kept = {key: value for key, value in _annotations(obj).items() if key != _TRACKING_ID}
    return {**obj, "metadata": {**(obj.get("metadata") or {}), "annotations": kept}}


def _never_runs(obj: Object) -> bool:
    hook = str(_annotations(obj).get(_HELM_HOOK, _NO_HOOK))
    return hook != _NO_HOOK and _ARGO_HOOK not in _annotations(obj) and not _RUN & {w.strip() for w in hook.split(",")}


# --- what both say is judged


def assert_same_sources(comparison: Comparison) -> None:
    """Neither knows one that the other does not.

    Raises:
        ConditionTimeout: One does, or there are none.
    """
    gate, live = set(comparison.gate), set(comparison.live)
    wrong = [f"{name} is in the gate alone" for name in sorted(gate - live)]
    wrong += [f"{name} is in Argo CD alone" for name in sorted(live - gate)]
    _raise(f"The {len(gate)} Applications of the gate should be those of Argo CD", wrong, enough=bool(gate))


def assert_equal(comparison: Comparison) -> None:
    """Of what renders in the gate, each object is the same in Argo CD, and there is no other.

    Raises:
        ConditionTimeout: One is not, or there are none.
    """
    wrong = list[str]()
    for name, made in comparison.gate.items():
        live = comparison.live.get(name, Rendering(error="it does not know it"))
        if made.error:
            continue
        if live.error:
            wrong.append(f"{name}: Argo CD makes nothing of it: {live.error:.300}")
        else:
            found = differences(map(_plain, made.objects), map(_plain, live.objects), ("the gate", "Argo CD"))
            wrong += [f"{name}: {one}" for one in found]
    said = f"The {comparison.objects} objects of {len(comparison.gate)} sources should be the same in Argo CD"
    _raise(said, wrong, enough=comparison.objects > 0)


def assert_both_reject(comparison: Comparison) -> None:
    """What does not render in the gate does not in Argo CD.

    Raises:
        ConditionTimeout: It does, or there is no such source.
    """
    rejected = {name: one.error for name, one in comparison.gate.items() if one.error}
    wrong = [
        f"Argo CD makes {len(comparison.live[name].objects)} of {name}, and the gate says {error:.300}"
        for name, error in rejected.items()
        if not comparison.live[name].error
    ]
    _raise(
        f"The {len(rejected)} sources that the gate rejects should not render in Argo CD", wrong, enough=bool(rejected)
    )


def _plain(obj: Object) -> Object:
    """As the API server takes an object, with the contents of a Secret as Argo CD shows them."""
    kept = without_nulls(obj)
    meta = kept.get("metadata") or {}
    if not meta.get("annotations"):
        kept["metadata"] = {key: value for key, value in meta.items() if key != "annotations"}
    if (kept.get("apiVersion"), kept.get("kind")) == ("v1", "Secret"):
        keys = sorted({*(kept.get("data") or {}), *(kept.pop("stringData", None) or {})})
        kept |= {"data": dict.fromkeys(keys, _HIDDEN)} if keys else {}
    return dict(kept)


def _raise(said: str, wrong: list[str], *, enough: bool) -> None:
    if not enough:
        wrong = ["there is nothing to compare"]
    if wrong:
        more = f", and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise ConditionTimeout(f"{said}, but: {'; '.join(wrong[:_SHOWN])}{more}. Next: pytest -m render")
