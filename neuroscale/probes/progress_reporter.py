"""A long wait that tells what it is seeing, and asks what sleeps after an error to look again."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from neuroscale.cluster.client import Cluster
from neuroscale.polling import Probe, Verdict

_TELL_SECONDS = 5
#: What each answer has anew: the ID of a request or of a line in a log is no news.
_ID = re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b")


@dataclass
class ProgressReporter:
    """A probe that every few seconds helps along and tells what the wait is seeing, so that nobody has to wonder."""

    probe: Probe
    say: Callable[[str], None]
    refresh: Callable[[], Iterable[str]]
    spoke: float = field(default_factory=time.monotonic)
    told: str = ""

    @property
    def description(self) -> str:
        """The probe's own."""
        return self.probe.description

    @property
    def area(self) -> str:
        """The probe's own."""
        return self.probe.area

    def check(self, cluster: Cluster) -> Verdict:
        """Ask the probe; every few seconds say what it saw, if that is new, and have what sleeps look again."""
        verdict = self.probe.check(cluster)
        if not verdict and time.monotonic() - self.spoke > _TELL_SECONDS:
            self.spoke = time.monotonic()
            if (news := _ID.sub("", verdict.observed)) != self.told:
                self.told = news
                self.say(f"  waiting until {self.description}: {verdict.observed}")
            for deed in self.refresh():
                self.say(f"  {deed}")
        return verdict
