"""C12: the portal listens on the loopback address only; the process is up, and nobody reaches it."""

from neuroscale.chaos.faults import Committed
from neuroscale.incidents.incident import Incident
from neuroscale.incidents.portal_values import VALUES
from neuroscale.probes.backstage import BACKSTAGE, CONTAINER, guest_admitted
from neuroscale.probes.rollouts import Held, NewPodHasEvent, NewPodSays

INCIDENT = Incident(
    number="c12",
    slug="loopback_only",
    title="The portal listens on the loopback address only: its probes are refused, and the rollout does not go on",
    milestone="c",
    faults=(
        Committed(
            message="Let the portal listen on the loopback address",
            files={},
            replaced={VALUES: [('listen: ":7007"', 'listen: "127.0.0.1:7007"')]},
        ),
    ),
    sees="the new pod listens and its probes are refused while the old pod goes on serving",
    symptom=(
        NewPodSays(BACKSTAGE, CONTAINER, "Listening on 127.0.0.1:7007"),
        NewPodHasEvent(BACKSTAGE, "Unhealthy", "connect: connection refused"),
        Held(BACKSTAGE),
        guest_admitted(),
    ),
    shows_within=90,
    remedy="let it listen on every address, in Git; here: revert the commit",
    recovers_within=120,
    slo="portal-recovery",
)
