"""C2: no way to sign in is configured, and without an identity the portal does nothing for anybody."""

from neuroscale.backstage_client import SIGN_IN
from neuroscale.chaos.faults import Committed
from neuroscale.incidents.incident import Incident
from neuroscale.incidents.portal_values import VALUES
from neuroscale.probes.backstage import Answers

_GUEST = """\
      providers:
        guest:
          userEntityRef: user:default/guest
          dangerouslyAllowOutsideDevelopment: true
"""

INCIDENT = Incident(
    number="c2",
    slug="no_sign_in",
    title="No provider is configured: nobody can sign in, and the portal's API rejects everybody",
    milestone="c",
    faults=(
        Committed(
            message="Take the guest out of the portal", files={}, replaced={VALUES: [(_GUEST, "      providers: {}\n")]}
        ),
    ),
    sees="nobody can sign in and the list of actions is refused for want of credentials",
    symptom=(
        Answers("POST", SIGN_IN, 404, "Unknown auth provider 'guest'"),
        Answers("GET", "/api/scaffolder/v2/actions", 401, "Missing credentials"),
    ),
    shows_within=90,
    remedy="configure a provider in the portal's values, in Git; here: revert the commit",
    recovers_within=120,
    slo="portal-recovery",
)
