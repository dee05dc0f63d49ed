"""What the gate has to say against a manifest."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from neuroscale.errors import ExitCode
from neuroscale.kubernetes.refs import Object

Stage = Literal["render", "schema", "appproject", "policy", "resources", "removal"]
#: A folder of the tree -> the objects that it makes.
Places = Mapping[str, list[Object]]


@dataclass(frozen=True)
class Tree:
    """What Argo CD makes of a checkout.

    Attributes:
        places: Folder -> its objects.
        applications: All that there are, those that ApplicationSets generate among them.
        idle: Folders with manifests that no Application deploys.
        origins: Place, kind and name of an object -> its file and line, as far as they are known.
    """

    places: Mapping[str, list[Object]] = field(default_factory=dict)
    applications: tuple[Object, ...] = ()
    idle: tuple[str, ...] = ()
    origins: Mapping[tuple[str, str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, order=True)
class Finding:
    """One reason why a change must not be merged.

    Attributes:
        stage: Who found it.
        rule: What was broken: a policy by its name, or a word for the rule of another stage.
        where: The folder, and the object in it if there is one.
        description: What should be and what is.
        at: File and line, where they are known.
    """

    stage: Stage
    rule: str
    where: str
    description: str
    at: str = ""

    def __str__(self) -> str:
        at = f" ({self.at})" if self.at else ""
        return f"{self.stage}: {self.where}{at}: {self.description} [{self.rule}]"


def named(place: str, obj: Object) -> str:
    """An object as people look for it: ``apps/test-app: Deployment nginx-test``."""
    meta = obj["metadata"]
    where = f"{meta['namespace']}/" if meta.get("namespace") else ""
    return f"{place}: {obj['kind']} {where}{meta['name']}"


def exit_code(findings: Collection[Finding]) -> ExitCode:
    """What the gate says to the shell once it has judged."""
    return ExitCode.FAILED if findings else ExitCode.PASSED
