"""Whether this machine is as fast as the limits of what is timed take it to be: ``python -m suite.pace``.

Exit code 0: it is. 3: it is slower by more than half, so that a time above its limit would say nothing of the platform.
"""

from __future__ import annotations

import sys
import time

from neuroscale.errors import ExitCode
from neuroscale.host.programs import output
from neuroscale.polling import duration

#: Seconds that :func:`work` takes on the machine on which the limits were set, two cores with nothing else to do.
USUAL = 0.04
_SLOWER, _TIMES, _WITHIN = 1.5, 10, 30.0


def work() -> float:
    """Seconds that a fixed piece of work takes: a program is started, computes, and ends."""
    start = time.perf_counter()
    output([sys.executable, "-I", "-S", "-c", "sum(range(2_000_000))"], within=_WITHIN)
    return time.perf_counter() - start


def main() -> int:
    """Say it, and return the exit code. What else is at work slows some of the times down, and not the shortest."""
    seconds = min(work() for _ in range(_TIMES))
    print(f"a fixed piece of work takes this machine {duration(seconds)}, and {duration(USUAL)} where limits are set")
    return ExitCode.PASSED if seconds <= USUAL * _SLOWER else ExitCode.NOT_RUN


if __name__ == "__main__":
    sys.exit(main())
