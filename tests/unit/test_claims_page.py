"""The ledger of claims: what stands beside each, and that the page is of this checkout."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from neuroscale.errors import UsageError
from suite import claims_page
from suite.benchmarks_page import Figure
from suite.catalogue import Entry
from suite.claims_page import Claim, Ledger, Principle


def figure(most: float) -> Figure:
    fields = {
        "slug": "heal",
        "what": "Healed",
        "least": 1,
        "unit": "s",
        "command": "make bench",
        "recorded": "2026-11-29",
    }
    return Figure.model_validate({**fields, "most": most})


SCENARIO = Entry("a/b.feature", 1, "Feature", "It heals", (), 1)


def rendered(*claims: Claim, most: float = 2, principles: tuple[Principle, ...] = ()) -> str:
    ledger = Ledger(claim=list(claims), principle=list(principles))
    return claims_page.render(ledger, {"heal": figure(most)}, {"It heals": SCENARIO})


def test_the_page_is_up_to_date() -> None:
    assert claims_page.PAGE.read_text(encoding="utf-8") == claims_page.page(), "Next: make docs"


def test_the_ledger_has_claims_of_each_sort_and_the_four_principles() -> None:
    ledger = claims_page.read()
    assert all(any(getattr(one, sort) for one in ledger.claim) for sort in ("figure", "scenario", "unmeasured"))
    assert len([one for one in ledger.principle if one.programme.startswith("OpenGitOps") and one.scenario]) == 4


@pytest.mark.parametrize(("most", "verdict"), [(20, "kept"), (20.1, "**not kept**")])
def test_the_worst_sample_decides(most: float, verdict: str) -> None:
    page = rendered(Claim(says="heals", where="README", figure="heal", at_most=20), most=most)
    row = next(line for line in page.splitlines() if line.startswith("| heals"))
    assert row.startswith("| heals | README | 20 s | [1 s to 20")
    assert row.endswith(f"2026-11-29: Healed | {verdict} |")
    assert f"1 claims: {int(most == 20)} kept, {int(most != 20)} not kept" in page


def test_a_figure_without_a_claimed_number_has_no_verdict() -> None:
    assert "| heals | README | – | [1 s to 2 s]" in rendered(Claim(says="heals", where="README", figure="heal"))


def test_what_nobody_measured_says_so() -> None:
    page = rendered(Claim(says="cheap", where="README", unmeasured="there is no bill"))
    assert "| cheap | README | – | nobody measured it: there is no bill | – |" in page


def test_a_principle_leads_to_its_scenario_or_says_what_is_lacking() -> None:
    shown = Principle(programme="P", says="reconciled", scenario="It heals")
    lacking = Principle(programme="P", says="metrics", lacking="no Prometheus")
    page = rendered(principles=(shown, lacking))
    assert "| reconciled | [It heals](../features/a/b.feature) |" in page
    assert "| metrics | nothing: no Prometheus |" in page


@pytest.mark.parametrize("named", [{"figure": "none"}, {"scenario": "none"}])
def test_what_a_claim_names_exists(named: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="'none'"):
        rendered(Claim.model_validate({"says": "heals", "where": "README", **named}))


@pytest.mark.parametrize("beside", [{}, {"figure": "heal", "scenario": "It heals"}])
def test_one_thing_stands_beside_a_claim(beside: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="one of figure, scenario and unmeasured"):
        Claim.model_validate({"says": "heals", "where": "README", **beside})


def test_a_principle_without_a_scenario_says_why(tmp_path: Path) -> None:
    file = tmp_path / "claims.toml"
    file.write_text('claim = []\n[[principle]]\nprogramme = "P"\nsays = "declarative"\n', encoding="utf-8")
    with pytest.raises(ValidationError, match="a scenario, or what is lacking"):
        claims_page.read(file)
