"""CAP_SYS_RESOURCE: whether an engine has it, and the runc wrapper for those that do not."""

from __future__ import annotations

import os
import re
from pathlib import Path

from neuroscale.errors import HostError, ProgramFailed
from neuroscale.host.programs import output
from neuroscale.settings import ROOT, cache_dir

#: Name under which dockerd knows the wrapper.
RUNTIME = "neuroscale"
_CAP_SYS_RESOURCE = 24
_COMPILE_SECONDS = 120
_SOURCE = ROOT / "infrastructure" / "images" / "runc" / "runc.c"


def has_sys_resource(pid: int | None = None) -> bool:
    """May a process and its children ever hold CAP_SYS_RESOURCE? True when its status cannot be read."""
    try:
        status = Path(f"/proc/{pid or 'self'}/status").read_text(encoding="ascii")
    except OSError:
        return True
    found = re.search(r"^CapBnd:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return found is None or bool(int(found[1], 16) >> _CAP_SYS_RESOURCE & 1)


def wrapper() -> Path:
    """The wrapper, compiled unless it is there already.

    Raises:
        HostError: The compiler failed.
    """
    program = cache_dir() / "host" / "runc"
    if program.is_file() and program.stat().st_mtime >= _SOURCE.stat().st_mtime:
        return program
    program.parent.mkdir(parents=True, exist_ok=True)
    draft = program.with_suffix(f".{os.getpid()}")
    try:
        output(["gcc", "-O2", "-static", "-s", "-o", str(draft), str(_SOURCE)], within=_COMPILE_SECONDS)
    except ProgramFailed as error:
        raise HostError(f"gcc should compile {_SOURCE}, but {error}. Next: gcc -static {_SOURCE}") from error
    # By rename, since a running engine may be executing the old one.
    draft.rename(program)
    return program
