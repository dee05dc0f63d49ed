"""Whether this machine is as fast as the limits of what is timed take it to be: ``python -m suite.pace``.

Exit code 0: it is. 3: it is slower by more than half in one respect, so that a time above its limit would say nothing
of the platform.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from neuroscale.errors import ExitCode
from neuroscale.host.programs import output
from neuroscale.polling import duration

_SLOWER, _TIMES, _WITHIN, _FILES = 1.5, 10, 30.0, 100


def compute() -> float:
    """Seconds that a fixed piece of work takes: a program is started, computes, and ends."""
    start = time.perf_counter()
    output([sys.executable, "-I", "-S", "-c", "sum(range(2_000_000))"], within=_WITHIN)
    return time.perf_counter() - start


def write() -> float:
    """Seconds that a hundred folders with a small file each take, as trees that are judged are made of.

    *Measured* on ext4: for five minutes after tens of thousands of files were deleted each new one takes up to 1.5 ms,
    since the file system looks for an inode that was not in use a moment ago (``recently_deleted``). The delta of 300
    folders, which may take 5 s, took 8 to 12 s then, and less than 5 s in memory.
    """
    with TemporaryDirectory(prefix="neuroscale-pace-") as name:
        start = time.perf_counter()
        for number in range(_FILES):
            folder = Path(name, str(number))
            folder.mkdir()
            (folder / "file").write_text("one", encoding="ascii")
        return time.perf_counter() - start


#: What is done -> the seconds that it takes on the machine on which the limits were set, two cores with nothing else to
#: do; to write, in memory, which a file system in good health is not much slower than.
USUAL: Mapping[Callable[[], float], float] = {compute: 0.04, write: 0.006}


def main() -> int:
    """Say it, and return the exit code. What else is at work slows some of the times down, and not the shortest."""
    shortest = {work: min(work() for _ in range(_TIMES)) for work in USUAL}
    for work, seconds in shortest.items():
        usual = duration(USUAL[work])
        print(f"to {work.__name__} takes this machine {duration(seconds)}, and {usual} where limits are set")
    fast = all(seconds <= USUAL[work] * _SLOWER for work, seconds in shortest.items())
    return ExitCode.PASSED if fast else ExitCode.NOT_RUN


if __name__ == "__main__":
    sys.exit(main())
