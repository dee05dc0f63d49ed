"""Mutants of the gate over pull requests."""

from __future__ import annotations

import json
from base64 import b64encode

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import FieldsEdited, ProtectionChanged, ScaledTo
from neuroscale.guardrails.enforcement import AUDIT_ONLY, AUTOMATED_SYNC_OFF, KYVERNO_AUDIT_ONLY
from neuroscale.probes import pull_requests
from neuroscale.settings import GATE_WATCHER
from suite.mutants.gate_job import gate_job, judging_otherwise
from suite.mutants.mutant import Mutant

#: With a comment: without one, a good verdict is an error.
_GREEN = (
    "echo 'It costs nothing.' > /verdict/comment.md && "
    """echo '{"state": "success", "description": "251 objects rendered, nothing found"}' > /verdict/status.json"""
)

_WELL = "The portal and the pull-request gate are well"
_HOLDS = "it holds in every respect"
_JUDGED = "A proposed commit is judged, and says how"
_BY_NOBODY = "What the gate rejects is merged by nobody, and in no way"
_LET_THROUGH = "Where administrators are let through, admission stops the object"
_PUSHED = "A push after the verdict takes it back"
_FORGED = "A status that somebody else sets does not count"
_NO_VERDICT = "Without a verdict nothing is merged"
_REJECTED = "the gate has rejected a pull request"
_IN_ORDER = "the gate has found a pull request in order"
_ATTEMPTS = "each of these attempts to merge it is answered so, and main stays as it was:"
_SAYS_NO_VERDICT = "its commit says within 60 s that there is no verdict"
#: The Deployment that watches, away for good.
_NOBODY_WATCHES = (
    *disable_automated_sync(pull_requests.APPLICATION),
    ScaledTo(target=pull_requests.WATCH, replicas=0),
)
_WEAKER = "a model without an owner, and a policy that asks for none"

MILESTONE = "c"
MUTANTS = (
    Mutant(
        "gate-always-green",
        "The gate's Job judges nothing, and says that all is good",
        scenario=_BY_NOBODY,
        before=_REJECTED,
        faults=gate_job("Judge nothing", "args: [judge]", f"command: [sh, -c, {json.dumps(_GREEN)}]"),
        red_step=_REJECTED,
        reason=r"Last seen: success: 251 objects rendered",
    ),
    Mutant(
        "status-of-another-commit",
        "The gate's Job speaks of the latest commit of main instead of the proposed one",
        scenario=_PUSHED,
        before=_IN_ORDER,
        faults=gate_job("Speak of main", "args: [report]", "args: [report, --sha, main]"),
        red_step=_IN_ORDER,
        reason=r"Last seen: (error: no verdict came|pending)",
    ),
    Mutant(
        "only-the-proposed-rules-judge",
        "A pull request is judged by what it makes of the policies alone",
        scenario=_JUDGED,
        before=f"somebody proposes {_WEAKER}",
        faults=judging_otherwise("Be blind to changed rules", "judge._RULES = ('nowhere',)"),
        red_step="the gate's status of it is failure and says: require-standard-labels-inferenceservice",
        reason=r"Last seen: success: \d+ objects rendered",
        example=_WEAKER,
    ),
    Mutant(
        "main-unprotected",
        "main asks for no status and for no approval",
        scenario=_BY_NOBODY,
        before=_ATTEMPTS,
        faults=(ProtectionChanged(changed={"enable_status_check": False, "required_approvals": 0}),),
        red_step=_ATTEMPTS,
        reason=r"a writer: merge: 200, and main changed",
    ),
    Mutant(
        "administrators-not-bound",
        "The protection of main lets administrators through",
        scenario=_BY_NOBODY,
        before=_ATTEMPTS,
        faults=(ProtectionChanged(changed={"block_admin_merge_override": False}),),
        red_step=_ATTEMPTS,
        reason=r"a repository administrator: merge by force: 200, and main changed",
    ),
    Mutant(
        "status-alone-counts",
        "main asks for the gate's status, which everybody can set, and for no approval; and nobody watches",
        scenario=_FORGED,
        before="a writer sets the gate's status to success",
        faults=(*_NOBODY_WATCHES, ProtectionChanged(changed={"required_approvals": 0})),
        red_step=_ATTEMPTS,
        reason=r"a writer: merge: 200, and main changed",
    ),
    Mutant(
        "admission-only-writes-it-down",
        "An administrator merged a model without an owner, and no policy is enforced: it runs",
        scenario=_LET_THROUGH,
        before="a site administrator merges it by force",
        faults=(*AUTOMATED_SYNC_OFF, *AUDIT_ONLY, *KYVERNO_AUDIT_ONLY),
        red_step="admission rejects its model",
        reason=r"shows that its model is rejected.*no SyncError or OperationFailed",
        hold=3,
    ),
    Mutant(
        "verdict-outlives-a-push",
        "An approval counts for whatever is pushed after it, and no status is asked for",
        scenario=_PUSHED,
        before="another commit is pushed to it",
        faults=(
            ProtectionChanged(
                changed={
                    "enable_status_check": False,
                    "dismiss_stale_approvals": False,
                    "ignore_stale_approvals": False,
                }
            ),
        ),
        red_step=_ATTEMPTS,
        reason=r"a writer: merge: 200, and main changed",
    ),
    Mutant(
        "nobody-watches",
        "Nobody watches over pull requests: that no verdict came is said by nobody",
        scenario=_NO_VERDICT,
        before="somebody proposes a model with everything it needs",
        faults=_NOBODY_WATCHES,
        red_step=_SAYS_NO_VERDICT,
        reason=r"Last seen: (there is no status|pending: the gate will judge it)",
        example="who makes its Jobs",
    ),
    Mutant(
        "gate-watch-with-a-revoked-token",
        "Whoever watches over pull requests has a token that the Git server takes no longer: it runs, and sees nothing",
        scenario=_WELL,
        before=_HOLDS,
        faults=(
            *disable_automated_sync(pull_requests.APPLICATION),
            FieldsEdited(
                target=pull_requests.token(GATE_WATCHER), patch={"data": {"TOKEN": b64encode(b"revoked").decode()}}
            ),
            FieldsEdited(
                target=pull_requests.WATCH,
                patch={"spec": {"template": {"metadata": {"annotations": {"restarted": "with another token"}}}}},
            ),
        ),
        red_step=_HOLDS,
        reason=r"pull-requests/gate-watch\W+0 of 1 pods ready.*watch runs and is not ready",
        hold=10,
    ),
    Mutant(
        "protection-forgotten",
        "main asks administrators for nothing: every pull request is judged, and nothing looks amiss",
        scenario=_WELL,
        before=_HOLDS,
        faults=(ProtectionChanged(changed={"block_admin_merge_override": False}),),
        red_step=_HOLDS,
        reason=r"block_admin_merge_override is False",
    ),
)
