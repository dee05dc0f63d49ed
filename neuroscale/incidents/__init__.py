"""The catalogue of past and feared outages: one module each, a literal and no logic."""

from __future__ import annotations

from neuroscale.chaos.breakage import Breakage
from neuroscale.errors import UsageError
from neuroscale.incidents.annotation_too_long import INCIDENT as ANNOTATION_TOO_LONG
from neuroscale.incidents.camel_case_label import INCIDENT as CAMEL_CASE_LABEL
from neuroscale.incidents.controllers_refused import INCIDENT as CONTROLLERS_REFUSED
from neuroscale.incidents.crd_deleted import INCIDENT as DEFINITION_DELETED
from neuroscale.incidents.crd_held_by_finalizers import INCIDENT as DEFINITION_HELD
from neuroscale.incidents.crd_left_out_of_git import INCIDENT as DEFINITION_LEFT_OUT
from neuroscale.incidents.domain_of_somebody_else import INCIDENT as DOMAIN_OF_SOMEBODY_ELSE
from neuroscale.incidents.endless_sync import INCIDENT as ENDLESS_SYNC
from neuroscale.incidents.given_up_while_starting import INCIDENT as GIVEN_UP_WHILE_STARTING
from neuroscale.incidents.incident import Incident, inject_faults, resolve, wait_for_symptom
from neuroscale.incidents.ingress_class_unset import INCIDENT as INGRESS_CLASS_UNSET
from neuroscale.incidents.minimum_above_sidecar import INCIDENT as MINIMUM_ABOVE_SIDECAR
from neuroscale.incidents.model_over_quota import INCIDENT as MODEL_OVER_QUOTA
from neuroscale.incidents.node_full import INCIDENT as NODE_FULL
from neuroscale.incidents.own_app_refused import INCIDENT as OWN_APP_REFUSED
from neuroscale.incidents.policy_drift import INCIDENT as POLICY_DRIFT
from neuroscale.incidents.policy_engine_not_serving import INCIDENT as POLICY_ENGINE_NOT_SERVING
from neuroscale.incidents.repo_server_down import INCIDENT as REPO_SERVER_DOWN
from neuroscale.incidents.stale_webhook import INCIDENT as STALE_WEBHOOK
from neuroscale.incidents.virtual_hosts_on import INCIDENT as VIRTUAL_HOSTS_ON
from neuroscale.incidents.webhook_without_endpoints import INCIDENT as WEBHOOK_WITHOUT_ENDPOINTS

INCIDENTS = {
    incident.slug: incident
    for incident in (
        REPO_SERVER_DOWN,
        STALE_WEBHOOK,
        NODE_FULL,
        VIRTUAL_HOSTS_ON,
        ANNOTATION_TOO_LONG,
        WEBHOOK_WITHOUT_ENDPOINTS,
        DOMAIN_OF_SOMEBODY_ELSE,
        ENDLESS_SYNC,
        DEFINITION_LEFT_OUT,
        INGRESS_CLASS_UNSET,
        GIVEN_UP_WHILE_STARTING,
        DEFINITION_DELETED,
        DEFINITION_HELD,
        POLICY_ENGINE_NOT_SERVING,
        CAMEL_CASE_LABEL,
        POLICY_DRIFT,
        MINIMUM_ABOVE_SIDECAR,
        OWN_APP_REFUSED,
        CONTROLLERS_REFUSED,
        MODEL_OVER_QUOTA,
    )
}

__all__ = ["INCIDENTS", "Incident", "begin", "by_slug", "resolve", "wait_for_symptom"]


def by_slug(slug: str) -> Incident:
    """An incident by its slug, or by its number in the reference catalogue ("a1").

    Raises:
        UsageError: There is none; the text lists those there are.
    """
    for incident in INCIDENTS.values():
        if slug.lower() in (incident.slug, incident.number):
            return incident
    known = ", ".join(f"{incident.slug} ({incident.number})" for incident in INCIDENTS.values())
    raise UsageError(f"The incident {slug!r} should be in the catalogue, but is not. There are: {known}")


def begin(slug: str, breakage: Breakage) -> Incident:
    """Inject the faults of an incident, each proven.

    Raises:
        UsageError: No such incident.
        FaultHadNoEffect: It did not happen.
    """
    incident = by_slug(slug)
    inject_faults(incident, breakage)
    return incident
