"""C5: the portal's token for the Git server is a placeholder; the portal is well, and every form fails."""

from neuroscale.chaos.faults import FormSubmitted, SecretEdited
from neuroscale.golden_path.form import filled_in
from neuroscale.incidents.incident import Incident
from neuroscale.probes.backstage import BACKSTAGE, SECRET, FormFailed, guest_admitted
from neuroscale.probes.workloads import Available

_FORM = filled_in()

INCIDENT = Incident(
    number="c5",
    slug="portal_token_placeholder",
    title="The portal's token for the Git server is a placeholder: the portal is well, and every form fails",
    milestone="c",
    faults=(
        # "change-me"
        SecretEdited(target=SECRET, patch={"data": {"GITEA_TOKEN": "Y2hhbmdlLW1l"}}, reader=BACKSTAGE),
        FormSubmitted(values=_FORM, whatever_comes=True),
    ),
    sees="the portal is Ready and lets guests in and a form fails because the Git server answers 401",
    symptom=(FormFailed(_FORM, "401"), Available(BACKSTAGE), guest_admitted()),
    shows_within=60,
    remedy="put the real token into the Secret and restart the portal, which reads it once",
    recovers_within=120,
    slo="portal-recovery",
)
