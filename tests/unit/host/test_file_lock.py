"""Two runs at once: the second is told who the first is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from neuroscale.errors import Locked
from neuroscale.host.file_lock import exclusive

_HOLDER = """
import sys
from pathlib import Path
from neuroscale.host.file_lock import exclusive
with exclusive(Path(sys.argv[1]), "Building"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_second_is_told_pid_and_start_time_and_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    lock = tmp_path / "build.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(Locked, match=rf"pid {holder.pid}, started \d{{4}}-\d\d-\d\dT"), exclusive(lock, "Building"):
        pass
    holder.kill()
    holder.wait()
    with exclusive(lock, "Building"):
        assert lock.exists()


def test_an_unreadable_note_about_the_holder_does_not_hide_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "build.lock"
    with exclusive(lock, "Building"):
        (tmp_path / "build.holder").write_text("{")
        with pytest.raises(Locked, match="another process"), exclusive(lock, "Building"):
            pass
