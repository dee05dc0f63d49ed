"""C13: the portal's memory limit is too small for its start."""

from neuroscale.chaos.faults import Committed
from neuroscale.incidents.incident import Incident
from neuroscale.incidents.portal_values import VALUES
from neuroscale.probes.backstage import BACKSTAGE, guest_admitted
from neuroscale.probes.rollouts import Held, NewPodKilled

_ENOUGH = """\
    requests: {cpu: 100m, memory: 512Mi}
    limits: {cpu: "2", memory: 1Gi}
  startupProbe"""
_TOO_LITTLE = """\
    requests: {cpu: 100m, memory: 128Mi}
    limits: {cpu: "2", memory: 128Mi}
  startupProbe"""

INCIDENT = Incident(
    number="c13",
    slug="memory_too_small",
    title="The portal's memory limit is too small for its start: it is killed, started, and killed again",
    milestone="c",
    faults=(
        Committed(
            message="Lower the memory limit of the portal", files={}, replaced={VALUES: [(_ENOUGH, _TOO_LITTLE)]}
        ),
    ),
    sees="the new pod is killed for want of memory while the old pod goes on serving",
    symptom=(NewPodKilled(BACKSTAGE, "OOMKilled"), Held(BACKSTAGE), guest_admitted()),
    shows_within=120,
    remedy="raise the memory limit of the portal, in Git; here: revert the commit",
    recovers_within=120,
    slo="portal-recovery",
)
