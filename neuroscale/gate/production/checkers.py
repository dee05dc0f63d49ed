"""Checkers of other people, asked about objects as they are rendered, and what each of them said of which object."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from neuroscale.errors import Inconclusive, ProgramFailed
from neuroscale.gate.production.verdicts import Judged, Verdict
from neuroscale.gate.schema import kubernetes
from neuroscale.host import programs
from neuroscale.supply.builder import Builder
from neuroscale.supply.installed import installed, pip_install

KUBE_SCORE, CHECKOV = "kube-score", "checkov"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
#: Seconds, on a busy machine.
_WITHIN = 600
_NEXT = "neuroscale supply status --verify"
#: Its grades: 1 is critical, 5 a warning, 7 nearly well, 10 well.
_WELL = 7
#: Of its rules those about what the platform deploys. The others are about the flags of the cluster's own control
#: plane, which no manifest here has, ask for the pod what each container has, or for digests where exact versions are
#: named, or limit CPU, by which a webhook is throttled.
CHECKS = (
    "CKV_K8S_8", "CKV_K8S_9", "CKV_K8S_10", "CKV_K8S_12", "CKV_K8S_13", "CKV_K8S_14", "CKV_K8S_16", "CKV_K8S_17",
    "CKV_K8S_18", "CKV_K8S_19", "CKV_K8S_20", "CKV_K8S_22", "CKV_K8S_23", "CKV_K8S_25", "CKV_K8S_26", "CKV_K8S_27",
    "CKV_K8S_28", "CKV_K8S_30", "CKV_K8S_31", "CKV_K8S_35", "CKV_K8S_37", "CKV_K8S_38", "CKV_K8S_39",
    "CKV_K8S_49", "CKV_K8S_155", "CKV_K8S_156", "CKV_K8S_157", "CKV_K8S_158",
)  # fmt: skip


@dataclass(frozen=True)
class Checkers:
    """The programs.

    Attributes:
        kube_score: The program.
        checkov: Folder with its packages.
    """

    kube_score: Path
    checkov: Path


def provide() -> Checkers:
    """Build and install what is missing; some minutes the first time.

    Raises:
        SupplyError: They cannot be had.
    """
    program = Builder().provide([KUBE_SCORE])[KUBE_SCORE].path / KUBE_SCORE
    version = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = installed(
        CHECKOV, version, lambda _, __, into: pip_install(["--requirement", str(REQUIREMENTS)], into, within=_WITHIN)
    )
    return Checkers(program, folder)


def judge(checkers: Checkers, subjects: Sequence[Judged]) -> list[Verdict]:
    """Both of them about all objects at once: whether a budget or a policy selects a pod shows beside the others alone.

    Raises:
        Inconclusive: One of them gave no answer, or spoke of what it was not asked about.
    """
    # CRDs are megabytes of schemas, of which neither knows a rule.
    asked = [one for one in subjects if one.obj["kind"] != "CustomResourceDefinition"]
    stream = "\n---\n".join(json.dumps(one.obj) for one in asked)
    places = {one.key: one.where for one in asked}
    return [*kube_score(checkers, stream, places), *checkov(checkers, stream, places)]


def kube_score(checkers: Checkers, stream: str, places: Mapping[tuple[str, str, str], str]) -> list[Verdict]:
    """What kube-score says."""
    version = f"v{kubernetes()}"
    options = ["--output-format", "json", "--kubernetes-version", version, "--ignore-container-cpu-limit"]
    answer = _ask(KUBE_SCORE, [str(checkers.kube_score), "score", *options, "-"], {}, stream)
    verdicts = []
    for scored in answer:
        meta = scored["object_meta"]
        key = scored["type_meta"]["kind"], meta.get("namespace") or "", meta["name"]
        for check in (one for one in scored["checks"] or [] if not one["skipped"]):
            said = "; ".join(comment["summary"] for comment in check["comments"] or [])
            rule, good = check["check"]["id"], check["grade"] >= _WELL
            verdicts.append(Verdict(KUBE_SCORE, rule, _place(KUBE_SCORE, key, places), good, "" if good else said))
    return verdicts


def checkov(checkers: Checkers, stream: str, places: Mapping[tuple[str, str, str], str]) -> list[Verdict]:
    """What checkov says."""
    environment = {"PYTHONPATH": str(checkers.checkov), "HOME": "/nonexistent", "PATH": "/usr/bin:/bin"}
    # It writes "default" where an object has no namespace.
    known = {(kind, namespace or "default", name): where for (kind, namespace, name), where in places.items()}
    with TemporaryDirectory(prefix="neuroscale-checkov-") as folder:
        file = Path(folder) / "rendered.yaml"
        file.write_text(stream, encoding="utf-8")
        command = [
            sys.executable, "-S", "-m", "checkov.main", "--file", str(file), "--framework", "kubernetes",
            "--check", ",".join(CHECKS), "--output", "json", "--compact", "--skip-download",
        ]  # fmt: skip
        answer = _ask(CHECKOV, command, environment, "")
    if not isinstance(answer, dict) or "results" not in answer:
        raise Inconclusive(f"checkov should judge what it is given, but says {answer!r:.200}. Next: {_NEXT}")
    if answer["results"]["parsing_errors"]:
        raise Inconclusive(f"checkov should read what it is given, but cannot. Next: {_NEXT}")
    return sorted(set(_of_checkov(answer["results"], known)))


def _of_checkov(results: Mapping[str, Any], places: Mapping[tuple[str, str, str], str]) -> Iterator[Verdict]:
    for sort, good in (("passed_checks", True), ("failed_checks", False)):
        for one in results[sort]:
            kind, namespace, name = one["resource"].split(".", 2)
            said = "" if good else one["check_name"]
            where = _place(CHECKOV, (kind, namespace, name), places)
            yield Verdict(CHECKOV, one["check_id"], where, good, said)


def _place(checker: str, key: tuple[str, str, str], places: Mapping[tuple[str, str, str], str]) -> str:
    try:
        return places[key]
    except KeyError:
        raise Inconclusive(
            f"{checker} should speak of what it was asked about, but speaks of {' '.join(key)}. Next: {_NEXT}"
        ) from None


def _ask(checker: str, command: Sequence[str], environment: Mapping[str, str], stream: str) -> Any:
    """What it prints, whatever its exit code: with findings that is not 0."""
    try:
        ended = programs.run(command, within=_WITHIN, env=environment, stdin=stream)
        return json.loads(ended.stdout)
    except ProgramFailed as error:
        raise Inconclusive(f"{checker} should judge, but {error}. Next: {_NEXT}") from error
    except ValueError:
        said = " ".join((ended.stderr or ended.stdout or "nothing").split())
        raise Inconclusive(
            f"{checker} should judge, but ended with exit code {ended.returncode} and said: {said:.300}. Next: {_NEXT}"
        ) from None
