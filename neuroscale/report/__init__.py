"""What people read after a run: ``report.html``, and a summary in the terminal. The gate is never decided here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from neuroscale.atomic_write import write_atomically
from neuroscale.errors import Locked, SupplyError
from neuroscale.report import allure
from neuroscale.report.page import overview
from neuroscale.report.terminal import Benchmark, benchmarks, summary
from neuroscale.results import RunFolder

__all__ = ["Benchmark", "Written", "benchmarks", "summary", "write"]


@dataclass(frozen=True)
class Written:
    """A report on disk.

    Attributes:
        note: Why it is the plain page and not Allure's; empty when it is Allure's.
    """

    path: Path
    note: str


def write(folder: RunFolder) -> Written:
    """Write ``report.html`` into a run's folder: one file, to be read without server or network.

    It is Allure's report with our overview in front, or the overview alone when Allure cannot be had.

    Raises:
        pydantic.ValidationError: The run's own files are damaged.
    """
    path = folder.path / "report.html"
    note = ""
    try:
        page = allure.report(folder, overview(folder))
    except (SupplyError, Locked) as error:
        note = f"Plain report without Allure's step-by-step view: {' '.join(str(error).split())}"
        page = overview(folder, note)
    write_atomically(path, page)
    return Written(path, note)
