"""C1: the rules of the catalog do not allow templates."""

from neuroscale.backstage_client import TEMPLATE
from neuroscale.chaos.faults import Committed
from neuroscale.incidents.incident import Incident
from neuroscale.incidents.portal_values import VALUES
from neuroscale.probes.backstage import BACKSTAGE, LocationRefused
from neuroscale.probes.workloads import Available

_RULES = "      rules: [{allow: [Component, Group, Location, System, User]}]\n"

INCIDENT = Incident(
    number="c1",
    slug="template_not_allowed",
    title="The rules of the catalog do not allow templates: no new one gets in, and the page says nothing of it",
    milestone="c",
    faults=(
        Committed(
            message="Allow no templates in the catalog",
            files={},
            replaced={
                VALUES: [("    catalog:\n      locations:\n", f"    catalog:\n{_RULES}      locations:\n")],
            },
        ),
    ),
    sees="the catalog refuses the template and goes on with what it took before",
    symptom=(LocationRefused(f"NotAllowedError: Entity {TEMPLATE}"), Available(BACKSTAGE)),
    shows_within=150,
    remedy="allow the kind Template in the catalog's rules, in Git; here: revert the commit",
    recovers_within=120,
    slo="portal-recovery",
)
