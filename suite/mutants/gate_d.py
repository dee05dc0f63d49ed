"""Mutants of the CI gate, in milestone D. The gate runs in the suite's process, and so does what breaks it."""

from __future__ import annotations

from neuroscale.chaos.faults import FunctionPatched
from suite.mutants.mutant import Mutant

_PASSES = "This repository passes the gate"
_CORPUS = "The gate gives every manifest of the corpus the expected verdict"
_BLIND = "The gate fails when it cannot give a verdict"
_D4 = "A check of the first manifest only passes a bad folder"
_D7 = "A check that takes every file for an object rejects a valid folder"

_JUDGES_THIS = "the gate checks this repository"
_JUDGES_CORPUS = "the gate checks the corpus"
_EACH_BAD_ONE = "each bad manifest is rejected at its stage and by its rule"
_NOT_GREEN = "the gate does not pass"
_D4_SYMPTOM = "a check of the first manifest only passes"
_D4_REFUSED = "the gate rejects the second manifest for its policy"
_D7_SYMPTOM = "a check that takes every file for an object rejects the kustomization"
_D7_PASSED = "the gate passes the folder"
_D7_REFUSED = "the gate rejects the folder for that object"


def _wired(wire: str, replacement: str) -> FunctionPatched:
    return FunctionPatched(wire=f"neuroscale.gate{wire}", replacement=f"suite.mutants.gate:{replacement}")


_ALWAYS_GREEN = _wired(".findings:exit_code", "always_green")
_IGNORE_SCHEMAS = _wired(".schema:check", "ignore_schemas")
_DROP_FINDINGS = _wired(".policy:check", "drop_findings")
_GO_ON = (_wired(".policy:ask", "go_on_without"), _wired(".api_validation:ask", "validate_without"))


def _judges(flaw: str) -> str:
    return f"the gate checks a repository {flaw}"


MILESTONE = "d"
MUTANTS = (
    # --- this repository
    Mutant(
        "gate-evaluates-nothing",
        "The policy engine is not asked",
        scenario=_PASSES,
        before=_JUDGES_THIS,
        faults=(_wired(".policy:simulate", "evaluate_nothing"),),
        red_step="every policy has evaluated objects of it",
        reason=r"disallow-root-containers judged none",
    ),
    Mutant(
        "gate-rejects-compliant-manifests",
        "A stage rejects whatever comes",
        scenario=_PASSES,
        before=_JUDGES_THIS,
        faults=(_wired(".resources:check", "refuse_whatever_comes"),),
        red_step="the gate has nothing to reject",
        reason=r"exit code 1 and resources: .*should be whole, but is broken",
    ),
    Mutant(
        "gate-slow",
        "The gate takes its time",
        scenario=_PASSES,
        before=_JUDGES_THIS,
        faults=(_wired(".pipeline:pass_through", "take_long"),),
        red_step="it took at most 20 s",
        reason=r"at most 20 s, but took ([2-5]\d\.\d s|\d+ min)",
    ),
    # --- the corpus
    Mutant(
        "corpus-findings-dropped",
        "The policies' findings are dropped",
        scenario=_CORPUS,
        before=_JUDGES_CORPUS,
        faults=(_DROP_FINDINGS,),
        red_step=_EACH_BAD_ONE,
        reason=r"cost-center-missing should be rejected: policy [^;]*, but nothing was found",
    ),
    Mutant(
        "corpus-first-object",
        "Only the first object of a folder is looked at",
        scenario=_CORPUS,
        before=_JUDGES_CORPUS,
        faults=(_wired(".render:objects_of", "first_object"),),
        red_step=_EACH_BAD_ONE,
        reason=r"second-of-two should be rejected: policy [^;]*, but nothing was found",
    ),
    Mutant(
        "corpus-unknown-fields",
        "Schemas are not strict: a misspelt field is dropped without a word",
        scenario=_CORPUS,
        before=_JUDGES_CORPUS,
        faults=(_wired(".schema:check", "ignore_unknown_fields"),),
        red_step=_EACH_BAD_ONE,
        reason=r"misspelt-field should be rejected: schema invalid, but nothing was found",
    ),
    Mutant(
        "corpus-not-validated",
        "Whatever fits its schema is taken for what the API server creates",
        scenario=_CORPUS,
        before=_JUDGES_CORPUS,
        faults=(_wired(".api_validation:ask", "nothing_invalid"),),
        red_step=_EACH_BAD_ONE,
        reason=r"escalates-without-leave should be rejected: schema invalid, but nothing was found",
    ),
    Mutant(
        "corpus-quotas-not-checked",
        "The stage of resources looks at nothing",
        scenario=_CORPUS,
        before=_JUDGES_CORPUS,
        faults=(_wired(".resources:check", "drop_findings"),),
        red_step=_EACH_BAD_ONE,
        reason=r"too-many-replicas should be rejected: resources quota, but nothing was found",
    ),
    Mutant(
        "corpus-compliant-rejected",
        "A stage rejects whatever comes",
        scenario=_CORPUS,
        before=_JUDGES_CORPUS,
        faults=(_wired(".resources:check", "refuse_whatever_comes"),),
        red_step="no compliant manifest is rejected",
        reason=r"anchors should pass, but resources: .*should be whole, but is broken",
    ),
    Mutant(
        "corpus-answer-cut-off",
        "Half of what the policy engine says is lost",
        scenario=_CORPUS,
        before=_JUDGES_CORPUS,
        faults=(_wired(".policy:ask", "half_an_answer"),),
        red_step="no compliant manifest is rejected",
        reason=r"should pass, but policy: .*passed it over",
    ),
    # --- nothing to judge with
    Mutant(
        "gate-passes-without-manifests",
        "No verdict is taken for a pass",
        scenario=_BLIND,
        example="without manifests",
        before=_judges("without manifests"),
        faults=(_wired(".pipeline:pass_through", "no_verdict_is_green"),),
        red_step=_NOT_GREEN,
        reason=r"should not be green, but ended with exit code 0 and nothing was found",
    ),
    Mutant(
        "gate-passes-unknown-kind",
        "What has no schema is taken for right",
        scenario=_BLIND,
        example="with an object of an unknown kind",
        before=_judges("with an object of an unknown kind"),
        faults=(_IGNORE_SCHEMAS,),
        red_step="the gate says that the kind is unknown",
        # The project of the apps knows its kinds, and is the second to reject it.
        reason=r"should say .* but ended with exit code 1 and appproject: .*does not allow its kind",
    ),
    Mutant(
        "gate-passes-without-a-policy",
        "The gate does not look for missing policies",
        scenario=_BLIND,
        example="without one of its policies",
        before=_judges("without one of its policies"),
        faults=(_DROP_FINDINGS,),
        red_step=_NOT_GREEN,
        reason=r"should not be green, but ended with exit code 0 and nothing was found",
    ),
    Mutant(
        "gate-passes-with-idle-policy",
        "The findings are said, and the exit code is swallowed",
        scenario=_BLIND,
        example="with a policy that matches nothing",
        before=_judges("with a policy that matches nothing"),
        faults=(_ALWAYS_GREEN,),
        red_step=_NOT_GREEN,
        reason=r"should not be green, but ended with exit code 0 and policy: .*passed it over",
    ),
    Mutant(
        "gate-overlooks-repositories",
        "The gate does not ask which repository an Application's folder is in",
        scenario=_BLIND,
        example="that deploys another repository",
        before=_judges("that deploys another repository"),
        faults=(_wired(".render:unseen", "see_folders_only"),),
        red_step="the gate says that it was not rendered",
        # That such folders have no objects is found as well, by the next stage.
        reason=r"should say .* but ended with exit code 1 and appproject: .*an Application should deploy it, but none",
    ),
    Mutant(
        "gate-continues-without-engine",
        "A policy engine that is not there is passed over",
        scenario=_BLIND,
        example="without a policy engine",
        before=_judges("without a policy engine"),
        faults=_GO_ON,
        red_step="the gate says that the policy engine is missing",
        reason=r"should say .* but ended with exit code 1 and policy: .*passed it over",
    ),
    Mutant(
        "gate-continues-after-engine-failure",
        "A policy engine that fails is passed over",
        scenario=_BLIND,
        example="with a policy engine that fails",
        before=_judges("with a policy engine that fails"),
        faults=_GO_ON,
        red_step="the gate says that the policy engine failed",
        reason=r"should say .* but ended with exit code 1 and policy: .*passed it over",
    ),
    Mutant(
        "gate-passes-without-engine-output",
        "No answer of the policy engine is no verdict, which is taken for a pass",
        scenario=_BLIND,
        example="with a policy engine without output",
        before=_judges("with a policy engine without output"),
        faults=(_wired(".pipeline:pass_through", "no_verdict_is_green"),),
        red_step=_NOT_GREEN,
        reason=r"should not be green, but ended with exit code 0 and nothing was found",
    ),
    # --- incidents
    Mutant(
        "no-symptom-d4",
        "The check of D4 has a flag for each manifest, and no pipe",
        scenario=_D4,
        before=_D4_SYMPTOM,
        faults=(
            _wired(".legacy_checks:command", "one_flag_for_each"),
            _wired(".legacy_checks:piped", "without_the_pipe"),
        ),
        red_step=_D4_SYMPTOM,
        reason=r"should be green .* but ended with exit code 1 and has seen cost-center-missing, deployment",
    ),
    Mutant(
        "d4-first-object",
        "The gate judges the first object of a folder",
        scenario=_D4,
        before=_D4_REFUSED,
        faults=(_wired(".render:objects_of", "first_object"),),
        red_step=_D4_REFUSED,
        reason=r"should reject cost-center-missing .* but ended with exit code 0 and nothing was found",
    ),
    Mutant(
        "d4-first-manifest-shown",
        "The policy engine is shown the first object of a folder",
        scenario=_D4,
        before=_D4_REFUSED,
        faults=(_wired(".policy:simulate", "show_the_first"),),
        red_step=_D4_REFUSED,
        reason=r"should reject cost-center-missing .* policy: .*passed it over",
    ),
    Mutant(
        "d4-exit-code-swallowed",
        "The gate says what it found, and its exit code is swallowed",
        scenario=_D4,
        before=_D4_REFUSED,
        faults=(_ALWAYS_GREEN,),
        red_step=_D4_REFUSED,
        reason=r"should reject cost-center-missing .* but ended with exit code 0 and policy: .*cost-center-missing",
    ),
    Mutant(
        "no-symptom-d7",
        "The check of D7 leaves kustomizations out",
        scenario=_D7,
        before=_D7_SYMPTOM,
        faults=(_wired(".legacy_checks:files", "without_kustomizations"),),
        red_step=_D7_SYMPTOM,
        reason=r"should reject kustomization.yaml alone, but rejects nothing",
    ),
    Mutant(
        "d7-kustomization-not-rendered",
        "The gate takes a kustomization for an object",
        scenario=_D7,
        before=_D7_PASSED,
        faults=(_wired(".render:objects_of", "files_beside_objects"),),
        red_step=_D7_PASSED,
        reason=r"exit code 1 and render: .*a Kustomization should have a name",
    ),
    Mutant(
        "d7-schemas-ignored",
        "The gate ignores schemas",
        scenario=_D7,
        before=_D7_REFUSED,
        faults=(_IGNORE_SCHEMAS,),
        red_step=_D7_REFUSED,
        reason=r"should reject kustomization-to-a-misspelt-field .* but ended with exit code 0 and nothing was found",
    ),
)
