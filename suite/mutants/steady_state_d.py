"""Mutants of what the guardrails rely on."""

from __future__ import annotations

from neuroscale.chaos.faults import ObjectCreated
from suite.mutants.mutant import Mutant
from suite.mutants.webhooks import TRUSTS_SOMEBODY_ELSE, webhook_about_to_expire

_WELL = "The guardrails are well, and so is everything that they rely on"
_HOLDS = "it holds in every respect"

MILESTONE = "d"
MUTANTS = (
    Mutant(
        "guardrails-webhook-trusts-somebody-else",
        "A webhook of Kyverno's trusts an authority that did not sign its certificate",
        scenario=_WELL,
        before=_HOLDS,
        faults=(ObjectCreated(manifest=TRUSTS_SOMEBODY_ELSE),),
        red_step=_HOLDS,
        reason=r"trusts-somebody-else.*none is signed by its authority",
    ),
    Mutant(
        "guardrails-certificate-about-to-expire",
        "A webhook's certificate is valid for one more day, and nobody has renewed it",
        scenario=_WELL,
        before=_HOLDS,
        faults=webhook_about_to_expire("kyverno", "kyverno-svc"),
        red_step=_HOLDS,
        reason=r"about-to-expire\.experiment\S+ its certificate expires in (1\d|2[0-4])\.\d h",
    ),
)
