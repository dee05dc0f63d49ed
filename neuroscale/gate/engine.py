"""The program that renders and judges with Argo CD's own packages and the API server's: ``images/gate-engine``."""

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
#: Growth of the heap in per cent at which Go collects garbage. At its own 100 a Kustomize takes 3.4 s of a processor
#: for the folder of KServe, at this 2.0 s; all together the gate takes 700 MB at its peak, for 460 MB.
_COLLECT_AT = "400"
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

    def ask(self, what: Literal["render", "judge"], request: Mapping[str, Any]) -> Any:
        """Its answer to a request; the forms of both are in its source.

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
        return {"HOME": "/nonexistent", "PATH": path, "ARGOCD_LOG_LEVEL": "panic", "GOGC": _COLLECT_AT, **keeping}


_NEXT = "neuroscale supply status --verify"
