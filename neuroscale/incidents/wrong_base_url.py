"""C8: the portal's base URLs name another port than the one that leads to it."""

from neuroscale.chaos.faults import Committed
from neuroscale.incidents.incident import Incident
from neuroscale.incidents.portal_values import VALUES
from neuroscale.probes.backstage import BACKSTAGE, NobodyAt, PageSendsTo
from neuroscale.probes.workloads import Available

_ELSEWHERE = "http://127.0.0.1:7010"

INCIDENT = Incident(
    number="c8",
    slug="wrong_base_url",
    title="The portal's base URLs name another port: its page loads, and whatever the page asks for does not come",
    milestone="c",
    faults=(
        Committed(
            message="Let the base URLs name another port",
            files={},
            replaced={
                VALUES: [
                    ('app: {baseUrl: "http://127.0.0.1:7007"', f'app: {{baseUrl: "{_ELSEWHERE}"'),
                    ("\n      baseUrl: http://127.0.0.1:7007\n", f"\n      baseUrl: {_ELSEWHERE}\n"),
                ]
            },
        ),
    ),
    sees="the portal is Ready and its page sends browsers to a port where nobody is",
    symptom=(PageSendsTo(_ELSEWHERE), NobodyAt(_ELSEWHERE), Available(BACKSTAGE)),
    shows_within=90,
    remedy="name the address that leads to the portal in both base URLs, in Git; here: revert the commit",
    recovers_within=120,
    slo="portal-recovery",
)
