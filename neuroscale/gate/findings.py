"""What the gate has to say against a manifest."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from neuroscale.errors import ExitCode
from neuroscale.kubernetes.refs import Object

Stage = Literal["render", "schema", "appproject", "policy", "resources"]
#: A folder of the tree -> the objects that it makes.
Places = Mapping[str, list[Object]]


@dataclass(frozen=True, order=True)
class Finding:
    """One reason why a change must not be merged.

    Attributes:
        stage: Who found it.
        rule: What was broken: a policy by its name, or a word for the rule of another stage.
        where: The folder, and the object in it if there is one.
        says: What should be and what is.
    """

    stage: Stage
    rule: str
    where: str
    description: str

    def __str__(self) -> str:
        return f"{self.stage}: {self.where}: {self.description} [{self.rule}]"


def named(place: str, obj: Object) -> str:
    """An object as people look for it: ``apps/test-app: Deployment nginx-test``."""
    meta = obj["metadata"]
    where = f"{meta['namespace']}/" if meta.get("namespace") else ""
    return f"{place}: {obj['kind']} {where}{meta['name']}"


def exit_code(findings: Collection[Finding]) -> ExitCode:
    """What the gate says to the shell once it has judged."""
    return ExitCode.FAILED if findings else ExitCode.PASSED
