"""The ledger of claims: ``docs/claims.toml`` beside the measured figures, as ``docs/claims.md``.

``python -m suite.claims_page`` writes it; a test fails when it is out of date.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, model_validator

from neuroscale.errors import UsageError
from neuroscale.settings import ROOT
from suite.benchmarks_page import Figure, load
from suite.catalogue import Entry, entries

DATA = ROOT / "docs" / "claims.toml"
PAGE = ROOT / "docs" / "claims.md"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Claim(_Strict):
    """What the reference documents say, and what stands beside it: a figure, a scenario, or why there is neither.

    Attributes:
        says: The claim, in our words.
        where: Which of the documents says so.
        figure: Slug of a figure.
        at_most: What is claimed, in the figure's unit.
        scenario: Name of a scenario that keeps or breaks it.
        unmeasured: Why nobody has measured it.
    """

    says: str
    where: str
    figure: str = ""
    at_most: float | None = None
    scenario: str = ""
    unmeasured: str = ""

    @model_validator(mode="after")
    def _one_thing(self) -> Claim:
        if sum(map(bool, (self.figure, self.scenario, self.unmeasured))) != 1:
            raise ValueError(f"one of figure, scenario and unmeasured should stand beside: {self.says}")
        return self


class Principle(_Strict):
    """What a programme of other people asks for.

    Attributes:
        programme: Whose.
        says: What is asked for.
        scenario: Name of the scenario that shows it.
        lacking: Why none does.
    """

    programme: str
    says: str
    scenario: str = ""
    lacking: str = ""

    @model_validator(mode="after")
    def _one_thing(self) -> Principle:
        if bool(self.scenario) == bool(self.lacking):
            raise ValueError(f"a scenario, or what is lacking, should stand beside: {self.says}")
        return self


class Ledger(_Strict):
    """``docs/claims.toml``."""

    claim: list[Claim]
    principle: list[Principle]


def read(file: Path = DATA) -> Ledger:
    """The ledger, as it is written."""
    return Ledger.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))


def render(ledger: Ledger, figures: Mapping[str, Figure], scenarios: Mapping[str, Entry]) -> str:
    """The page as Markdown.

    Raises:
        UsageError: A figure or a scenario that is named does not exist.
    """
    kept = [verdict(one, figures) for one in ledger.claim]
    counts = (
        f"{len(ledger.claim)} claims: {kept.count('kept')} kept, {kept.count('**not kept**')} not kept, "
        f"{sum(bool(one.scenario) for one in ledger.claim)} in the hands of a scenario, "
        f"{sum(bool(one.unmeasured) for one in ledger.claim)} that nobody measured."
    )
    return "\n".join(
        [
            "# Claims",
            "",
            "Generated from `claims.toml` and `benchmarks.json` by `make docs`; a test fails when it is out of date.",
            "What the reference platform's documents say, beside what was measured here. The worst sample decides.",
            "",
            counts,
            "",
            "| claim | where | claimed | measured here | verdict |",
            "|---|---|---|---|---|",
            *(_row(one, figures, scenarios) for one in ledger.claim),
            "",
            "## Principles and requirements of others",
            "",
            "Each with the scenario that shows it. No certificate is claimed: nobody but this suite has looked.",
            "",
            *_principles(ledger, scenarios),
        ]
    )


def verdict(claim: Claim, figures: Mapping[str, Figure]) -> str:
    """Whether the worst sample keeps what is claimed."""
    if not claim.figure or claim.at_most is None:
        return "–"
    return "kept" if _figure(claim.figure, figures).most <= claim.at_most else "**not kept**"


def _row(claim: Claim, figures: Mapping[str, Figure], scenarios: Mapping[str, Entry]) -> str:
    claimed, measured = "–", f"nobody measured it: {claim.unmeasured}"
    if claim.figure:
        figure = _figure(claim.figure, figures)
        measured = f"[{figure.value}](benchmarks.md), {figure.recorded.isoformat()}: {figure.what}"
        if claim.at_most is not None:
            claimed = figure.model_copy(update={"limit": claim.at_most, "claimed": False}).limit_text
    elif claim.scenario:
        measured = _link(claim.scenario, scenarios)
    cells = (claim.says, claim.where, claimed, measured, verdict(claim, figures))
    return f"| {' | '.join(cells)} |"


def _principles(ledger: Ledger, scenarios: Mapping[str, Entry]) -> Iterator[str]:
    for programme in dict.fromkeys(one.programme for one in ledger.principle):
        own = [one for one in ledger.principle if one.programme == programme]
        yield from (f"**{programme}**", "", "| what is asked for | shown by |", "|---|---|")
        for one in own:
            shown = _link(one.scenario, scenarios) if one.scenario else f"nothing: {one.lacking}"
            yield f"| {one.says} | {shown} |"
        yield ""


def _figure(slug: str, figures: Mapping[str, Figure]) -> Figure:
    if slug not in figures:
        raise UsageError(f"A claim should name a figure of benchmarks.json, but names {slug!r}. Next: docs/claims.toml")
    return figures[slug]


def _link(name: str, scenarios: Mapping[str, Entry]) -> str:
    if name not in scenarios:
        raise UsageError(f"A claim should name a scenario, but there is no {name!r}. Next: docs/catalogue.md")
    return f"[{name}](../features/{scenarios[name].file})"


def page() -> str:
    """The page of this checkout."""
    figures = {figure.slug: figure for figure in load().figures}
    return render(read(), figures, {entry.scenario: entry for entry in entries()})


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
