"""Whole processes at a fraction of their price: forked from one that has imported the libraries for all of them.

A forked process has arguments, a folder, an environment, an output and an import path of its own, as a fresh
interpreter would, and writes in the encoding that ``PYTHONIOENCODING`` names. What else an interpreter itself reads of
its environment (a locale) it has not.
"""

from __future__ import annotations

import importlib
import io
import multiprocessing
import os
import runpy
import signal
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from neuroscale.polling import pause
from neuroscale.settings import ROOT

#: There is one such server in a process. It has no threads, and finds what to import in the folder that it starts in.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.preloaded"])

_SECONDS = 60
_OURS = frozenset({"neuroscale", "suite", "steps"})


@dataclass(frozen=True)
class Started:
    """A process that runs; ``process.pid`` can be sent signals."""

    process: multiprocessing.process.BaseProcess
    output: Path

    def send(self, number: signal.Signals) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def wait_for(self, file: Path) -> None:
        """Until it has made this file."""
        while not file.exists():
            assert self.process.is_alive()
            pause(0.01)

    def end(self) -> tuple[int, str]:
        """Wait for it: its exit code, or the negative number of the signal that killed it, and what it said."""
        self.process.join(_SECONDS)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
            raise TimeoutError(f"The process should end within {_SECONDS} s, but did not")
        said = self.output.read_text(encoding="utf-8")
        self.output.unlink()
        return self.process.exitcode, said


def start(module: str, *arguments: str, folder: Path, environment: Mapping[str, str]) -> Started:
    """``python -m module`` in a folder, with this environment alone."""
    opened, output = tempfile.mkstemp(prefix="neuroscale-test-")
    os.close(opened)
    process = PROCESSES.Process(target=_run, args=(module, arguments, folder, dict(environment), output))
    process.start()
    return Started(process, Path(output))


def run(module: str, *arguments: str, folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """The same to its end."""
    return start(module, *arguments, folder=folder, environment=environment).end()


def forget_ours() -> None:
    """Have all that a checkout has imported anew: what stayed would know no error of the library by its class.

    Of whoever started this process the main module has been imported, and all that it imports.
    """
    for name in [name for name in sys.modules if name.partition(".")[0] in _OURS]:
        del sys.modules[name]


def _run(module: str, arguments: tuple[str, ...], folder: Path, environment: dict[str, str], output: str) -> None:
    named = list(filter(None, environment.get("PYTHONPATH", "").split(os.pathsep)))
    others = [Path(entry) for entry in (folder, *named) if Path(entry) != ROOT]
    elsewhere = any((entry / package).exists() for entry in others for package in _OURS)
    if elsewhere or environment.get("NEUROSCALE_CLUSTER") != os.environ.get("NEUROSCALE_CLUSTER"):
        # It lies elsewhere, or reads another cluster's name when it is imported.
        forget_ours()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    libraries = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    own = [entry for entry in sys.path if any(Path(entry).is_relative_to(library) for library in libraries)]
    sys.path[:] = [str(folder), *named, *own]
    importlib.invalidate_caches()
    sys.argv = [module, *arguments]
    opened = os.open(output, os.O_WRONLY | os.O_APPEND)
    os.dup2(opened, 1)
    os.dup2(opened, 2)
    os.close(opened)
    for stream in (sys.stdout, sys.stderr):
        assert isinstance(stream, io.TextIOWrapper)
        stream.reconfigure(encoding=environment.get("PYTHONIOENCODING"))
    runpy.run_module(module, run_name="__main__", alter_sys=True)
