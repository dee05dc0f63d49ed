"""The overview as one HTML page without scripts: alone, or as the first tab of the Allure report."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from neuroscale.polling import duration
from neuroscale.report.figures import rows
from neuroscale.report.timelines import pictures
from neuroscale.report.trend import history, trends
from neuroscale.results import RunFolder

_TEMPLATES = Path(__file__).with_name("templates")


def overview(folder: RunFolder, note: str = "") -> str:
    """The page.

    Args:
        folder: The run; earlier runs beside it give the trend.
        note: A line under the title, for instance why there is no Allure report around this page.

    Raises:
        pydantic.ValidationError: The run's own files are damaged.
    """
    run, samples, kills = folder.run, folder.samples, folder.kills
    past = history(folder)
    table = rows(samples)
    return (
        _environment()
        .get_template("overview.html.j2")
        .render(
            css=Markup((_TEMPLATES / "overview.css").read_text(encoding="utf-8")),  # noqa: S704 - a file of this package
            run=run,
            folder_name=folder.path.name,
            note=note,
            verdicts=Counter(result.verdict for result in run.results),
            troubled=[result for result in run.results if result.verdict != "passed"],
            rows=table,
            pictures=pictures(table),
            kills=kills,
            killed=sum(kill.verdict == "killed" for kill in kills),
            stale=folder.stale or [],
            history=past,
            trends=trends(past.runs),
            evidence=_evidence(folder),
        )
    )


def shell(overview_page: str) -> str:
    """Markup that puts the overview in front of another page."""
    # In a frame, "#sample-3" would otherwise be resolved against the address of the page around it.
    framed = overview_page.replace("<head>", '<head><base href="about:srcdoc">', 1)
    return _environment().get_template("shell.html.j2").render(overview=framed)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = duration
    return environment


def _evidence(folder: RunFolder) -> dict[str, str]:
    """Index of each evidence folder of the run."""
    found = sorted((folder.path / "evidence").glob("*/index.md"))
    return {index.parent.name: index.read_text(encoding="utf-8", errors="replace") for index in found}
