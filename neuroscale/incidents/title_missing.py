"""C3: the front end is given no title, without which its first page cannot be shown."""

from neuroscale.chaos.faults import Committed
from neuroscale.incidents.incident import Incident
from neuroscale.incidents.portal_values import VALUES
from neuroscale.probes.backstage import BACKSTAGE, PageUntitled
from neuroscale.probes.workloads import Available

INCIDENT = Incident(
    number="c3",
    slug="title_missing",
    title="The portal's front end gets no title: the backend is well, and the first page cannot be shown",
    milestone="c",
    faults=(
        Committed(
            message="Take the title away from the portal",
            files={},
            # The image brings a title; one that is null is on top of it, and counts as none.
            replaced={VALUES: [("app: {baseUrl:", "app: {title: null, baseUrl:")]},
        ),
    ),
    sees="the portal is Ready and its page lacks what the browser cannot do without",
    symptom=(PageUntitled(), Available(BACKSTAGE)),
    shows_within=90,
    remedy="set the title in the portal's values, in Git; here: revert the commit",
    recovers_within=120,
    slo="portal-recovery",
)
