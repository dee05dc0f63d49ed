"""Manifests of which everybody who judges manifests must say the same: data, with the verdict written into it.

A specimen is a file or a folder below ``corpus/good`` or ``corpus/bad``. Comments at its top, in a folder
those of its ``README.md``, say what it is about, and for a bad one the stage and the rule that must reject it. Names of
objects begin with that of the specimen, so that all of them can be judged together.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from neuroscale.settings import ROOT

CORPUS = ROOT / "corpus"


@dataclass(frozen=True)
class Specimen:
    """A manifest, or a folder of them.

    Attributes:
        path: Where it is.
        says: What it is about.
        stage: The stage that must reject it; empty: it is good.
        rule: That stage's rule, or the policy.
        detail: The rule of the policy, as its message begins.
        control: The good one that differs in a single field.
        bypass: Number of the known bypass of the guardrails that it tries.
        deployed: ``apps``: as a folder there, ``by hand``: without an Application, since apps may not have such kinds.
        folder: Name of its folder below ``apps``.
        needs: A program without which it does not render, or is not seen to be bad.
    """

    path: Path
    description: str
    stage: str = ""
    rule: str = ""
    detail: str = ""
    control: str = ""
    bypass: int | None = None
    deployed: str = "apps"
    folder: str = ""
    needs: str = ""

    @property
    def name(self) -> str:
        """Its own name."""
        return self.path.stem

    @property
    def is_good(self) -> bool:
        """Whether nobody must reject it."""
        return not self.stage

    def put(self, apps: Path) -> Path:
        """Lay it down as a folder of its own, and say where."""
        folder = apps / (self.folder or self.name)
        if self.path.is_dir():
            shutil.copytree(self.path, folder)
        else:
            folder.mkdir(parents=True)
            shutil.copyfile(self.path, folder / "manifest.yaml")
        return folder


def specimens(corpus: Path = CORPUS) -> list[Specimen]:
    """All of them, by name.

    Raises:
        ValueError: One of them does not say what it has to say.
    """
    return sorted(_read(corpus), key=lambda one: one.path)


def named(name: str) -> Specimen:
    """The one of a name."""
    return next(one for one in specimens() if one.name == name)


def _read(corpus: Path) -> Iterator[Specimen]:
    for side in ("bad", "good"):
        for path in (corpus / side).iterdir():
            text = (path / "README.md" if path.is_dir() else path).read_text(encoding="utf-8")
            head = re.match(r"# (?P<says>.+)\n(?P<fields>(?:# [a-z]+: .+\n)*)", text)
            if head is None:
                raise ValueError(
                    f"{path} should begin with a comment that says what it is about. Next: # Nobody pays for it"
                )
            fields = dict(line.removeprefix("# ").split(": ", 1) for line in head["fields"].splitlines())
            stage, rule, detail = (*fields.pop("rejected", "").split(), "", "", "")[:3]
            if bool(stage) != (side == "bad"):
                raise ValueError(f"{path} should say who rejects it if it is bad. Next: # rejected: policy POLICY RULE")
            bypass = int(fields.pop("bypass")) if "bypass" in fields else None
            yield Specimen(path, head["says"], stage, rule, detail, bypass=bypass, **fields)
