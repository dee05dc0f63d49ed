"""Mutants of the bootstrap: each is a command line that does otherwise (:mod:`suite.broken_bootstrap`)."""

from __future__ import annotations

from pathlib import Path

from neuroscale.bootstrap_scenarios.lookups import NameServer
from neuroscale.chaos.faults import FunctionPatched
from suite.mutants.mutant import Mutant

_Program = tuple[str, ...]


def _broken(how: str) -> _Program:
    return "suite.broken_bootstrap", how


def write_always() -> _Program:
    """It applies what is as it should be."""
    return _broken("write-always")


def look_up() -> _Program:
    """A program that it starts looks up a name."""
    return _broken("look-up")


def reach_out() -> _Program:
    """It asks an address outside of this machine."""
    return _broken("reach-out")


def keep_drafts() -> _Program:
    """It leaves the files that a killed one had begun to write."""
    return _broken("keep-drafts")


def trust_half_a_cluster() -> _Program:
    """It goes on with a cluster whose creation was cut short."""
    return _broken("trust-half-a-cluster")


def trust_half_a_stage() -> _Program:
    """It goes on behind a stage that was cut short."""
    return _broken("trust-half-a-stage")


def remove_containers_by_name() -> _Program:
    """It removes containers by the beginning of their names."""
    return _broken("remove-container-by-name")


def remove_volumes_by_name() -> _Program:
    """It removes volumes by the beginning of their names."""
    return _broken("remove-volume-by-name")


def remove_networks_by_name() -> _Program:
    """It removes networks by the beginning of their names."""
    return _broken("remove-network-by-name")


def prune_namespaces() -> _Program:
    """It deletes namespaces that it does not know."""
    return _broken("prune-namespaces")


def switch_context() -> _Program:
    """It changes the context of the user's kubeconfig."""
    return _broken("switch-context")


class _Deaf(NameServer):
    """Answers, and forgets who asked."""

    def answer(self, question: bytes) -> bytes:
        said = super().answer(question)
        self.heard.clear()
        return said


def answer_and_forget(folder: Path) -> NameServer:
    """A name server that hears nobody."""
    return _Deaf(folder)


def _patched(replacement: str, wire: str = "own_cluster:program") -> tuple[FunctionPatched]:
    return (
        FunctionPatched(
            wire=f"neuroscale.bootstrap_scenarios.{wire}", replacement=f"suite.mutants.bootstrap:{replacement}"
        ),
    )


_KILLED = "A bootstrap that was killed is completed by the next one"
_AGAIN, _ALIKE = "it is started again", "the cluster is as an undisturbed bootstrap makes it"
_SECOND = "A second bootstrap writes nothing and needs no internet"
_WITHOUT_INTERNET = "it is bootstrapped again, without internet"
_STAYED = "it has looked up no name, and reached nothing outside this machine"
_OTHERS = "What is somebody else's is left alone"
_UP, _AFTER_UP = "the cluster is bootstrapped again", "each of them is as it was"
_DOWN, _AFTER_DOWN = "the cluster is deleted", "what was beside it is as it was"

MILESTONE = "e"
MUTANTS = (
    Mutant(
        "second-bootstrap-writes",
        "A bootstrap of a cluster that is well applies its namespaces once more",
        scenario=_SECOND,
        before=_WITHOUT_INTERNET,
        faults=_patched("write_always"),
        red_step="the API server's audit log has no write of it",
        reason=r"wrote \d+ times, .*: patch namespaces/",
    ),
    Mutant(
        "second-bootstrap-looks-up-a-registry",
        "A program that the bootstrap starts looks up a registry",
        scenario=_SECOND,
        before=_WITHOUT_INTERNET,
        faults=_patched("look_up"),
        red_step=_STAYED,
        reason=r"[1-9]\d* look-ups were heard: .*'registry-1\.docker\.io'",
    ),
    Mutant(
        "second-bootstrap-reaches-out",
        "The bootstrap asks an address outside of this machine, without a look-up",
        scenario=_SECOND,
        before=_WITHOUT_INTERNET,
        faults=_patched("reach_out"),
        red_step=_STAYED,
        reason=r"0 look-ups were heard: .*'reach 192\.0\.2\.1'",
    ),
    Mutant(
        "look-ups-not-heard",
        "The name server of the check answers, and remembers nothing of it",
        scenario=_SECOND,
        before=_WITHOUT_INTERNET,
        faults=_patched("answer_and_forget", "lookups:NameServer"),
        red_step=_WITHOUT_INTERNET,
        reason=r"control\.invalid should be heard and find nothing, but .* heard was \[\]",
    ),
    Mutant(
        "killed-bootstrap-leaves-drafts",
        "The next bootstrap leaves the files that the killed one had begun to write",
        scenario=_KILLED,
        example="before it remembers that all is well",
        before=_AGAIN,
        faults=_patched("keep_drafts"),
        red_step=_ALIKE,
        reason=r"remembered \.state\.json\.[0-9a-f]{32} is there besides",
    ),
    Mutant(
        "killed-bootstrap-leaves-half-a-cluster",
        "The next bootstrap takes a cluster whose creation was cut short for a whole one",
        scenario=_KILLED,
        example="after the node was started",
        before=_AGAIN,
        faults=_patched("trust_half_a_cluster"),
        red_step=_ALIKE,
        reason=r"container k3d-neuroscale-own-tools \w+ is there besides",
    ),
    Mutant(
        "killed-bootstrap-leaves-half-a-stage",
        "The next bootstrap takes a stage for done of which the first object is there",
        scenario=_KILLED,
        example="before the root Application is applied",
        before=_AGAIN,
        faults=_patched("trust_half_a_stage"),
        red_step=_AGAIN,
        # It waits for the root Application as long as it may, longer than the check of a mutant.
        reason=r"neuroscale up .* ends",
    ),
    Mutant(
        "bootstrap-prunes-namespaces",
        "The bootstrap deletes namespaces that it does not know",
        scenario=_OTHERS,
        before=_UP,
        faults=_patched("prune_namespaces"),
        red_step=_AFTER_UP,
        reason=r'the Namespace "somebody-elses" is (gone|changed)',
    ),
    Mutant(
        "bootstrap-switches-the-context",
        "The bootstrap makes its cluster the current context of the user's kubeconfig",
        scenario=_OTHERS,
        before=_UP,
        faults=_patched("switch_context"),
        red_step=_AFTER_UP,
        reason=r"the kubeconfig of somebody else is changed",
    ),
    Mutant(
        "down-removes-a-foreign-container",
        "The cluster is deleted with every container whose name begins like its own",
        scenario=_OTHERS,
        before=_DOWN,
        faults=_patched("remove_containers_by_name"),
        red_step=_AFTER_DOWN,
        reason=r"the container is gone",
    ),
    Mutant(
        "down-removes-a-foreign-volume",
        "The cluster is deleted with every volume whose name begins like its own",
        scenario=_OTHERS,
        before=_DOWN,
        faults=_patched("remove_volumes_by_name"),
        red_step=_AFTER_DOWN,
        reason=r"the volume is gone",
    ),
    Mutant(
        "down-removes-a-foreign-network",
        "The cluster is deleted with every network whose name begins like its own",
        scenario=_OTHERS,
        before=_DOWN,
        faults=_patched("remove_networks_by_name"),
        red_step=_AFTER_DOWN,
        reason=r"the network is gone",
    ),
)
