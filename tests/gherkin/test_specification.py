"""The specification holds together: found out in seconds, not when the cluster is up."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections import Counter

import pytest
import specification

from neuroscale.chaos import monkeypatching
from neuroscale.chaos.faults import Committed, FunctionPatched
from neuroscale.components import COMPONENTS, selected
from neuroscale.errors import UsageError
from neuroscale.incidents import EVERY_INCIDENT, INCIDENTS
from neuroscale.incidents.gate_incident import GateIncident
from neuroscale.incidents.incident import Incident
from neuroscale.settings import ROOT
from neuroscale.slos import MEASURED_ONLY, SLOS
from suite import catalogue
from suite.catalogue import FEATURES
from suite.markers import DOCUMENT, markers, table
from suite.mutants import MUTANTS, Mutant
from suite.mutants.mutant import symptom_step

E2E, STEPS = ROOT / "tests" / "e2e", ROOT / "steps"
#: Marks of pytest itself that a test may set.
_PYTEST_MARKS = {"parametrize", "usefixtures", "filterwarnings"}


def test_there_is_a_specification() -> None:
    assert len(catalogue.entries()) == len(specification.templates(FEATURES)) > 0
    assert len(specification.definitions(STEPS)) > 0


def test_each_step_resolves_to_exactly_one_definition() -> None:
    assert specification.unresolved(FEATURES, specification.definitions(STEPS)) == []


def test_no_step_definition_is_idle() -> None:
    assert specification.unused(FEATURES, specification.definitions(STEPS)) == []


def test_scenario_names_are_unique() -> None:
    names = Counter(entry.scenario for entry in catalogue.entries())
    assert [name for name, count in names.items() if count > 1] == []


def test_scenarios_are_three_to_five_steps() -> None:
    assert specification.badly_sized(FEATURES) == []


def test_features_speak_of_the_platform_and_not_of_machinery() -> None:
    assert specification.machinery(FEATURES) == []


def test_each_feature_is_bound_once() -> None:
    assert specification.badly_bound(FEATURES, E2E) == []


def test_every_tag_is_declared_and_no_marker_is_idle() -> None:
    tags = {tag for entry in catalogue.entries() for tag in entry.tags} | specification.marks(E2E) - _PYTEST_MARKS
    assert sorted(tags) == sorted(markers())


def test_the_table_of_tags_is_up_to_date() -> None:
    assert table() in DOCUMENT.read_text(encoding="utf-8"), "Next: make docs"


def test_each_scenario_is_of_one_kind() -> None:
    """Hardening is proven by scenarios of the milestones whose components it hardens."""
    kinds = {
        *(f"milestone_{component.milestone}" for component in COMPONENTS),
        "incident",
        "outage",
        "portal",
        "death",
        "cluster_death",
        "bootstrap",
        "three_nodes",
        "safety",
    }
    alone = {"gate"}  # beside no other
    found = catalogue.entries()
    assert [entry for entry in found if len(kinds & set(entry.tags) or alone & set(entry.tags)) != 1] == []


#: Who needs no cluster of the session: the gate, the portal as processes, and what makes a cluster of its own.
_ALONE = {"gate", "portal", "death", "bootstrap"}


def test_each_scenario_says_which_components_it_needs() -> None:
    """Those of its milestone at least, and what all stand on; others have no use for the session's cluster."""
    for entry in catalogue.entries():
        tagged = {component.name for component in COMPONENTS} & set(entry.tags)
        # Hardening is of what the other milestones brought.
        hardened = "milestone_f" in entry.tags
        own = {one.name for one in COMPONENTS if f"milestone_{one.milestone}" in entry.tags and not hardened}
        if _ALONE & set(entry.tags):
            assert tagged == set(), entry
        else:
            assert tagged >= own | {one.name for one in selected(())}, entry


#: Steps that only a platform with policies can pass.
_OF_POLICIES = (
    "the gate has rejected a pull request",
    "admission rejects its model",
    "require-standard-labels",
    "the guardrails are in force",
)


def test_what_of_milestone_c_needs_policies_says_so() -> None:
    """A platform without milestone D runs what has no such tag."""
    runs = [
        (f"{template.name} {context}", " ".join(step.name for step in template.render(context).steps), tags)
        for template in specification.templates(FEATURES)
        for context, tags in specification.rows(template)
        if "milestone_c" in tags
    ]
    needing = {name for name, said, _ in runs if any(words in said for words in _OF_POLICIES)}
    assert needing == {name for name, _, tags in runs if "guardrails" in tags}
    assert 0 < len(needing) < len(runs)


# --- incidents, SLOs, mutants


def test_each_incident_has_a_scenario_a_tag_and_a_write_up() -> None:
    entries = catalogue.entries()
    for incident in EVERY_INCIDENT.values():
        scenarios = [entry for entry in entries if f"incident_{incident.number}" in entry.tags]
        assert len(scenarios) == 1, incident.number
        assert "incident" in scenarios[0].tags
        assert (ROOT / "docs" / "incidents" / f"{incident.number}_{incident.slug}.md").is_file()


def test_each_row_of_an_incident_says_what_its_data_say() -> None:
    rows = [
        (context, table.tags)
        for template in specification.templates(FEATURES)
        for table in template.examples
        for context in table.as_contexts()
        if "incident" in context
    ]
    assert sorted(context["incident"] for context, _ in rows) == sorted(INCIDENTS)
    for context, tags in rows:
        incident = INCIDENTS[context["incident"]]
        said = (context["symptom"], context["remedy"], float(context["slo"]))
        assert said == (incident.sees, incident.remedy, incident.recovers_within), incident.number
        assert tags == {f"incident_{incident.number}"}


def test_each_incident_that_is_tagged_has_a_write_up_also_when_no_cluster_suffers_it() -> None:
    tags = {tag for entry in catalogue.entries() for tag in entry.tags if tag.startswith("incident_")}
    written = {file.name.partition("_")[0] for file in (ROOT / "docs" / "incidents").glob("*.md")}
    assert {tag.removeprefix("incident_") for tag in tags} == written


def _remedy(number: str, slug: str) -> str:
    """The section of the write-up that whoever is on call reads."""
    page = (ROOT / "docs" / "incidents" / f"{number}_{slug}.md").read_text(encoding="utf-8")
    return page.partition("\n## Remedy\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("incident", EVERY_INCIDENT.values(), ids=lambda incident: incident.number)
def test_each_remedy_can_be_typed(incident: Incident | GateIncident) -> None:
    """At night nobody looks for the object to ask about, nor for the file behind "in Git"."""
    remedy = _remedy(incident.number, incident.slug)
    on_a_cluster = isinstance(incident, Incident)
    program = "kubectl" if on_a_cluster else "neuroscale gate"
    commands = "".join(re.findall(r"^```\n(.*?)^```$", remedy, re.DOTALL | re.MULTILINE))
    assert re.search(rf"^{program} ", commands, re.MULTILINE), "a command"
    assert not on_a_cluster or "](../troubleshooting.md#kubectl)" in remedy, "how to reach the cluster"
    links = re.findall(r"\]\(\.\./\.\./((?:apps|bootstrap|infrastructure)/[^)#]+)\)", remedy)
    assert [link for link in links if not (ROOT / link).is_file()] == []
    assert links or "in Git" not in incident.remedy, "the file to change"


def test_each_slo_is_measured_somewhere() -> None:
    modules = [file for file in (ROOT / "neuroscale").rglob("*.py") if file.name != "slos.py"]
    source = "\n".join(file.read_text(encoding="utf-8") for file in modules)
    assert [slug for slug in SLOS if f'"{slug}"' not in source] == []


def test_each_slo_that_is_named_exists() -> None:
    """Those of incidents, and those of figures: a typing mistake would be a figure that nothing is held to."""
    sources = [file for folder in ("neuroscale", "suite", "steps") for file in (ROOT / folder).rglob("*.py")]
    texts = (file.read_text(encoding="utf-8") for file in sources)
    # Where neither word is, neither is a keyword: to parse the others as well takes seconds.
    trees = (ast.parse(text) for text in texts if re.search(r"\b(claim|slo)\b", text))
    nodes = (node for tree in trees for node in ast.walk(tree))
    named = {
        keyword.value.value
        for node in nodes
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg in {"claim", "slo"} and isinstance(keyword.value, ast.Constant)
    }
    assert {"drift-heal", "serving-recovery"} <= named
    assert named - {*SLOS, *MEASURED_ONLY} == set()
    assert {incident.slo for incident in INCIDENTS.values()} <= set(SLOS)


def test_an_incident_that_names_no_slo_cannot_be_made() -> None:
    incident = next(iter(INCIDENTS.values()))
    with pytest.raises(UsageError, match=r"an SLO that exists, but names 'serving-recovry'"):
        dataclasses.replace(incident, slo="serving-recovry")


ALL_MUTANTS = [mutant for of_milestone in MUTANTS.values() for mutant in of_milestone]


def test_each_scenario_has_a_mutant() -> None:
    covered = {mutant.scenario for mutant in ALL_MUTANTS}
    assert [entry.scenario for entry in catalogue.entries() if entry.scenario not in covered] == []


@pytest.mark.parametrize("outline", ["A known bypass of the policies is closed", "A component goes down"])
def test_each_row_has_a_mutant_of_its_own(outline: str) -> None:
    runs = [run for template in specification.templates(FEATURES) for run in specification.examples(template)]
    rows = {run.name for run in runs if run.template.name == outline}
    meant = [mutant.example for mutant in ALL_MUTANTS if mutant.scenario == outline]
    assert len(rows) == 8
    assert {row for row in rows if not any(example in row for example in meant)} == set()
    assert {example for example in meant if sum(example in row for row in rows) != 1} == set()


def test_each_incident_has_a_mutant_that_takes_its_symptom_away() -> None:
    """An outline of incidents is covered by its scenario's name alone as soon as one row is."""
    chosen = {mutant.example for mutant in ALL_MUTANTS if mutant.red_step.startswith("an operator sees that ")}
    assert chosen == set(INCIDENTS)


def _misspelt(mutant: Mutant, runs: list[specification.Example]) -> list[str]:
    """What a mutant says of its scenario that is not so; it would be void at the end of an hour."""
    chosen = [run for run in runs if run.template.name == mutant.scenario and mutant.example in run.name]
    if not chosen:
        return [f"no scenario {mutant.scenario!r} with an example {mutant.example!r}"]
    wrong = []
    for run in chosen:
        steps = [step.name for step in run.steps]
        missing = [f"no step {text!r} in {run.name}" for text in (mutant.before, mutant.red_step) if text not in steps]
        wrong += missing
        if not missing and steps.index(mutant.before) > steps.index(mutant.red_step):
            wrong.append(f"{mutant.before!r} comes after {mutant.red_step!r}")
    return wrong


def test_each_mutant_names_a_scenario_and_its_steps() -> None:
    runs = [run for template in specification.templates(FEATURES) for run in specification.examples(template)]
    assert {mutant.slug: wrong for mutant in ALL_MUTANTS if (wrong := _misspelt(mutant, runs))} == {}
    for mutant in ALL_MUTANTS:
        re.compile(mutant.reason)
    assert [mutant.slug for mutant in ALL_MUTANTS if not mutant.faults] == []


def test_what_a_mutant_puts_in_the_place_of_a_function_exists() -> None:
    """A function that was moved leaves a mutant that nobody can inject."""
    patched = [fault for mutant in ALL_MUTANTS for fault in mutant.faults if isinstance(fault, FunctionPatched)]
    assert patched
    for fault in patched:
        assert callable(monkeypatching.at(fault.wire)), fault.wire
        assert callable(monkeypatching.at(fault.replacement)), fault.replacement


def test_what_needs_no_cluster_is_broken_without_one() -> None:
    """A fault of a cluster would need one to be brought up, for a scenario that has none."""
    alone = {entry.scenario for entry in catalogue.entries() if _ALONE & set(entry.tags)}
    broken = {mutant.slug: mutant.faults for mutant in ALL_MUTANTS if mutant.scenario in alone}
    assert len(broken) > 20
    assert [
        slug for slug, faults in broken.items() if not all(isinstance(one, FunctionPatched) for one in faults)
    ] == []


def test_what_a_mutant_replaces_on_main_is_there_once() -> None:
    """As this checkout has it, which is what the platform is brought up with, and as its incident has left it."""
    tried = 0
    for mutant in ALL_MUTANTS:
        incident = INCIDENTS.get(mutant.example)
        earlier = incident.faults if incident and mutant.before == symptom_step(incident) else ()
        on_main: dict[str, str | None] = {}
        for commit in (fault for fault in (*earlier, *mutant.faults) if isinstance(fault, Committed)):
            before = {path: on_main.get(path, (ROOT / path).read_text(encoding="utf-8")) for path in commit.replaced}
            after = commit.contents({**dict.fromkeys(commit.paths), **before})
            assert before.items().isdisjoint(after.items()), f"{mutant.slug}: {commit.message}"
            on_main |= after
            tried += len(before)
    assert tried


def test_mutants_have_names_of_their_own() -> None:
    assert [slug for slug, count in Counter(mutant.slug for mutant in ALL_MUTANTS).items() if count > 1] == []


# --- the catalogue


def test_the_catalogue_is_up_to_date() -> None:
    written = catalogue.DOCUMENT.read_text(encoding="utf-8")
    assert written == catalogue.render(catalogue.entries()), "Next: python -m suite.catalogue"
