"""The reference platform's checks in CI, as its incidents D4 and D7 found them: what they made of a folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from neuroscale.errors import ConditionTimeout, Inconclusive, ProgramFailed
from neuroscale.gate import kyverno_cli, pipeline
from neuroscale.gate.placement import placed
from neuroscale.gate.schema import Schemas
from neuroscale.gate.tools import Tools
from neuroscale.guardrails.corpus import Specimen, named
from neuroscale.host.programs import run
from neuroscale.kustomize import documents

_WITHIN = 120
_SHOWN = 200


@dataclass(frozen=True)
class Added:
    """A folder that a change adds.

    Attributes:
        path: Where it is.
        bad: What is wrong in it, now or later.
    """

    path: Path
    bad: Specimen


def add_two_manifests(copy: Path) -> Added:
    """A folder of two manifests; the second lacks the label that D4 was about."""
    bad, folder = named("cost-center-missing"), copy / "apps" / "second-is-bad"
    folder.mkdir(parents=True)
    shutil.copyfile(named("deployment").path, folder / "first.yaml")
    shutil.copyfile(bad.path, folder / "second.yaml")
    return Added(folder, bad)


def add_kustomization(copy: Path) -> Added:
    """A folder whose object a kustomization makes."""
    return Added(named("kustomization").put(copy / "apps"), named("kustomization-to-a-misspelt-field"))


def make_a_bad_object(added: Added) -> None:
    """Let a kustomization make what does not fit, of files that all do."""
    shutil.rmtree(added.path)
    made = added.bad.put(added.path.parent)
    made.rename(added.path)


@contextmanager
def ready_for_the_cli(tools: Tools, copy: Path) -> Iterator[kyverno_cli.Prepared]:
    """All that a checkout makes, laid out for Kyverno's CLI.

    Raises:
        Inconclusive: The checkout does not render.
    """
    tree, findings = pipeline.rendered(tools, copy)
    if findings:
        raise Inconclusive(f"{copy} should render, but: {findings[0]}. Next: neuroscale gate")
    with TemporaryDirectory(prefix="neuroscale-cli-") as name:
        yield kyverno_cli.prepare(Path(name), [obj for objects in placed(tree).values() for obj in objects])


def is_green_for_the_first(tools: Tools, copy: Path, added: Added) -> None:
    """D4's symptom: the check judges the first manifest, says that all is well, and has not seen the second.

    Raises:
        ConditionTimeout: It is not so.
        Inconclusive: The checkout does not render.
    """
    with ready_for_the_cli(tools, copy) as prepared:
        asked = command(tools.kyverno(), prepared, sorted(added.path.iterdir()))
        code, said = piped(asked, prepared.environment)
    seen = {result.subject[-1] for result in kyverno_cli.parse(said)[0]}
    if code or seen != {"deployment"}:
        raise ConditionTimeout(
            f"The check of D4 should be green after the first of two manifests, but ended with exit code {code} and "
            f"has seen {', '.join(sorted(seen)) or 'neither'}: {' '.join(said.split()):.{_SHOWN}}. Next: pytest -m gate"
        )


def refuses_what_is_right(added: Added) -> None:
    """D7's symptom: the check takes each file for an object, and so rejects the kustomization and nothing else.

    Raises:
        ConditionTimeout: It rejects something else, or nothing.
    """
    rejected = {file.name for file in files(added.path) if _findings(file)}
    if rejected != {"kustomization.yaml"}:
        raise ConditionTimeout(
            f"The check of D7 should reject kustomization.yaml alone, but rejects {', '.join(rejected) or 'nothing'}. "
            f"Next: pytest -m gate"
        )


def command(cli: Path, prepared: kyverno_cli.Prepared, manifests: Sequence[Path]) -> list[str]:
    """One flag and several paths: the CLI takes the first, and those behind it for policies."""
    given = ["apply", str(prepared.policies), "--resource", *map(str, manifests)]
    return [str(cli), *given, *prepared.options]


def piped(command: list[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """The exit code of a pipe's last program, which is not the one that judges; and what was said."""
    try:
        judged = run(command, within=_WITHIN, env=environment)
        last = run(["tee", "/dev/null"], within=_WITHIN, stdin=judged.stdout)
    except ProgramFailed as error:
        raise Inconclusive(f"The check of D4 should end, but {error}. Next: neuroscale supply status") from error
    return last.returncode, last.stdout


def files(folder: Path) -> list[Path]:
    """Whatever ends in .yaml."""
    return sorted(folder.rglob("*.yaml"))


def _findings(file: Path) -> bool:
    # Kubernetes' own schemas: there is none of a kustomization, which has no name either.
    read = documents(file.read_text(encoding="utf-8"))
    unnamed = {"metadata": {"name": file.name}}
    return any(Schemas(()).findings(file.parent.name, {**unnamed, **obj}) for obj in read)
