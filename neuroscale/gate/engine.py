"""The program that renders, validates and judges: packages of Argo CD and of the API server, ``images/gate-engine``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from neuroscale.errors import Inconclusive, ProgramFailed
from neuroscale.host import programs

#: Seconds, for a tree of thousands of folders on a busy machine.
_WITHIN = 300
_SHOWN = 400
#: Go collects no garbage before a heap is that large, of the engine and of each Kustomize that it starts. *Measured* in
#: four runs each: the platform takes 7.7 s of a busy machine's processors so, and 8.4 s where a heap may grow by 400
#: per cent. All together have 750 MB at their peak either way. A tree of 3,000 more folders is 54 MB in the engine.
_HEAP = {"GOGC": "off", "GOMEMLIMIT": "300MiB"}
#: Has a Kustomize that keeps what the program of that name has built.
_KEEPING = Path(__file__).with_name("kept")


@dataclass(frozen=True)
class Engine:
    """The program, and what it starts.

    Attributes:
        program: Itself.
        helpers: Folders with Helm and Kustomize, of the versions that are in Argo CD's image.
        kept: Where what Kustomize has built is kept for the next time; ``None``: it is not.
    """

    program: Path
    helpers: tuple[Path, ...] = ()
    kept: Path | None = None

    def ask(self, what: Literal["render", "validate", "judge"], request: Mapping[str, Any]) -> Any:
        """Its answer to a request; the forms of all three are in its source.

        Raises:
            Inconclusive: It cannot be started, failed, or does not answer.
        """
        try:
            done = programs.run(
                [str(self.program), what], within=_WITHIN, env=self._environment(), stdin=json.dumps(request)
            )
        except ProgramFailed as error:
            raise Inconclusive(f"The gate's engine should {what}, but {error}. Next: {_NEXT}") from error
        try:
            if done.returncode == 0:
                return json.loads(done.stdout)
        except ValueError:
            pass
        said = " ".join((done.stderr or done.stdout or "nothing").split())
        raise Inconclusive(
            f"The gate's engine should {what}, but ended with exit code {done.returncode} and said: "
            f"{said:.{_SHOWN}}. Next: {_NEXT}"
        )

    def _environment(self) -> dict[str, str]:
        """No home, no proxy, no credentials: whatever is asked for is in the request."""
        path = ":".join(map(str, self.helpers)) or "/nonexistent"
        keeping = {}
        if self.kept is not None and (kustomize := shutil.which("kustomize", path=path)):
            path, keeping = f"{_KEEPING}:{path}", {"KUSTOMIZE": kustomize, "KUSTOMIZE_KEPT": str(self.kept)}
        return {"HOME": "/nonexistent", "PATH": path, "ARGOCD_LOG_LEVEL": "panic", **_HEAP, **keeping}


_NEXT = "neuroscale supply status --verify"
