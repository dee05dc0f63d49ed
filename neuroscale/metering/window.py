"""A stretch of time that is looked back on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from neuroscale.errors import UsageError

#: At which steps OpenCost looks whether a pod runs, in seconds; as its Deployment is told.
RESOLUTION = 30
_WORD = re.compile(r"(\d+)(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class Window:
    """From one instant to another, both whole steps of OpenCost's: what lies between two steps it does not see.

    Attributes:
        start: Its first instant.
        end: Its last.
        step: At which steps OpenCost is to look, in seconds.
    """

    start: datetime
    end: datetime
    step: int = RESOLUTION

    @classmethod
    def ending(cls, at: datetime, seconds: float, step: int = RESOLUTION) -> Self:
        """The window of at least so many seconds that ends at the last step before an instant."""
        end = int(at.timestamp()) // step * step
        start = end - -(-int(seconds) // step) * step
        return cls(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC), step)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end - self.start).total_seconds()

    @property
    def hours(self) -> float:
        """How long it is, as prices count."""
        return self.seconds / 3600

    @property
    def query(self) -> str:
        """As OpenCost takes it: a word like ``today`` would follow its own idea of where it is.

        From a step earlier: what a range begins with is no part of it in Prometheus 3, so that OpenCost 1.108 counts
        from the second step on. *Measured*: of 300 s it showed 270, and 300 when it was asked for 330.
        """
        first = self.start - timedelta(seconds=self.step)
        return ",".join(one.strftime("%Y-%m-%dT%H:%M:%SZ") for one in (first, self.end))

    @property
    def range(self) -> str:
        """As Prometheus calls its length."""
        return f"{int(self.seconds)}s"

    def shared_with(self, start: datetime, end: datetime | None) -> timedelta:
        """How much of it lies between two instants; the second may not have come yet."""
        return max(min(self.end, end or self.end) - max(self.start, start), timedelta(0))

    def __str__(self) -> str:
        return f"{self.start:%H:%M:%S} to {self.end:%H:%M:%S} UTC"


def seconds(text: str) -> int:
    """A length as people write it: ``90s``, ``15m``, ``2h``.

    Raises:
        UsageError: It is none, or shorter than a step of OpenCost's.
    """
    found = _WORD.fullmatch(text.strip())
    length = int(found[1]) * _SECONDS[found[2]] if found else 0
    if length < RESOLUTION:
        raise UsageError(
            f"A window should be {RESOLUTION} s or longer, such as 90s, 15m or 2h, but is {text!r}. "
            "Next: neuroscale showback --window 15m"
        )
    return length
