"""What breaks a promise by way of Git: where it is stopped, who says so, and what runs meanwhile."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.commits import PushedCommit, push
from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError, PreconditionFailed
from neuroscale.guardrails.admission import objects_of, specimen
from neuroscale.guardrails.corpus import Specimen, specimens
from neuroscale.guardrails.oracle import TAG
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import Verdict, met, pending
from neuroscale.probes import argo
from neuroscale.probes.reference_app import MANIFEST, TEST_APP
from neuroscale.settings import APPS_NAMESPACE

#: Where Argo CD puts a rejection: of a sync, of one object in it, or of the Application as such.
_REFUSALS = ("SyncError", "OperationFailed", "SyncFailed", "InvalidSpecError", "ComparisonError")


@dataclass(frozen=True)
class EachRefused:
    """The Application of each folder shows an error with these words."""

    words: tuple[tuple[str, str], ...]
    area: str = "gitops"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"the Applications of {len(self.words)} folders say what they may not do"

    def check(self, cluster: Cluster) -> Verdict:
        """Judge each."""
        verdicts = {
            name: argo.evaluate_error_shown(cluster.get(argo.application(name)), _REFUSALS, words)
            for name, words in self.words
        }
        wrong = [f"{name}: {verdict.observed}" for name, verdict in verdicts.items() if not verdict]
        return pending("; ".join(wrong)) if wrong else met("; ".join(one.observed for one in verdicts.values()))


@dataclass(frozen=True)
class NothingThere:
    """None of these objects exists."""

    refs: tuple[Ref, ...]
    area: str = "gitops"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"none of {len(self.refs)} objects exists"

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch each."""
        there = [str(ref) for ref in self.refs if _exists(cluster, ref)]
        return pending(f"there are {', '.join(there)}") if there else met("none does")


def _exists(cluster: Cluster, ref: Ref) -> bool:
    try:
        return cluster.get(ref) is not None
    except ApiError as error:
        if error.reason == "NoSuchKind":  # nor can any object of it
            return False
        raise


def add_bad_folder(breakage: Breakage, name: str) -> PushedCommit:
    """Commit a bad specimen as a folder of its own."""
    one = specimen(name, good=False)
    expects = EachRefused(((one.name, one.detail),))
    message = f"Add a workload that must not run: {one.description}"
    return push(breakage, message, _folder(one), expects, argo.Gone(argo.application(one.name)))


def exceed_project(breakage: Breakage) -> PushedCommit:
    """Commit every specimen that reaches beyond the project of workloads, each as a folder of its own."""
    files: dict[str, str | None] = {}
    for one in exceeding_project():
        files |= _folder(one)
    expects = EachRefused(tuple((one.name, "not permitted in project") for one in exceeding_project()))
    gone = NothingThere(tuple(argo.application(one.name) for one in exceeding_project()))
    return push(breakage, "Add workloads that reach beyond their project", files, expects, gone)


def exceeding_project() -> list[Specimen]:
    """Specimens that their AppProject must stop.

    Raises:
        PreconditionFailed: There is none.
    """
    found = [
        one for one in specimens() if (one.stage, one.rule) == ("appproject", "not-permitted") and one.path.is_file()
    ]
    if not found:
        raise PreconditionFailed("The corpus should have specimens that reach beyond their project, but has none.")
    return found


def what_must_not_be_there(pushed: PushedCommit) -> NothingThere:
    """Nothing of the specimens whose Applications the commit made."""
    if not isinstance(pushed.expects, EachRefused):
        raise PreconditionFailed("Only of a commit that must be rejected is there something that must not be there.")
    names = {name for name, _ in pushed.expects.words}
    chosen = [one for one in specimens() if one.path.is_file() and one.name in names and not one.is_good]
    return NothingThere(tuple(ref for one in chosen for ref in _refs(objects_of(one))))


def _refs(objects: Sequence[Object]) -> list[Ref]:
    placed = [{**obj, "metadata": {"namespace": APPS_NAMESPACE, **obj["metadata"]}} for obj in objects]
    return [Ref.to(obj) for obj in placed]


def _folder(one: Specimen) -> dict[str, str | None]:
    return {f"apps/{one.name}/manifest.yaml": one.path.read_text(encoding="utf-8")}


def float_the_test_app(breakage: Breakage) -> PushedCommit:
    """Commit the test application with the latest image, whatever that is."""
    manifest = breakage.platform.git_server.read(MANIFEST) or ""
    changed = re.sub(r"(?m)^( +image: [^:\n]+):.*$", r"\1:latest", manifest)
    if changed == manifest:
        raise PreconditionFailed(f"{MANIFEST} should name an image by a tag, but does not. Next: neuroscale up")
    shown = argo.shows_error(TEST_APP, _REFUSALS, f"'{TAG}'")
    return push(breakage, f"Let {TEST_APP} run the latest image", {MANIFEST: changed}, shown, argo.good(TEST_APP))
