"""KServe's webhooks lose their certificate: the platform makes another one, and new models are accepted again."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from hashlib import sha256

from neuroscale.chaos.breakage import Breakage, Effect
from neuroscale.chaos.faults import ObjectDeleted
from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError, PreconditionFailed
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, consistently, eventually_each, met, pending
from neuroscale.probes.probe_function import ProbeFunction
from neuroscale.results import Recorder
from neuroscale.serving.model_creation import NAME
from neuroscale.serving.model_rollouts import MODEL, manifest_of
from neuroscale.settings import APPS_NAMESPACE, BUDGETS

SECRET = Ref("Secret", "kserve-webhook-server-cert", "kserve")
#: Those that every InferenceService passes.
_WEBHOOKS = tuple(
    Ref(kind, "inferenceservice.serving.kserve.io", None, "admissionregistration.k8s.io/v1")
    for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
)
#: The kubelet brings a changed Secret to a pod within its sync period of a minute and its cache's lifetime.
_WITHIN = 120.0


@dataclass(frozen=True)
class CertificateLoss:
    """The certificate is gone.

    Attributes:
        effect: Its deletion.
        authority: Digest of the certificate of the authority that had signed it.
        newcomer: A model that somebody would like to create meanwhile.
    """

    effect: Effect
    authority: str
    newcomer: Object


def lose(breakage: Breakage) -> CertificateLoss:
    """Delete the Secret that holds the certificate.

    Raises:
        PreconditionFailed: There was no certificate to lose.
    """
    platform = breakage.platform
    authority = authority_of(platform.cluster.get(SECRET))
    if not authority:
        raise PreconditionFailed(f"{SECRET} should hold a certificate, but holds none. Next: neuroscale check serving")
    _, isvc = manifest_of(MODEL, platform)
    meta = {**isvc["metadata"], "name": NAME, "namespace": APPS_NAMESPACE}
    return CertificateLoss(breakage.inject(ObjectDeleted(target=SECRET)), authority, {**isvc, "metadata": meta})


def wait_until_renewed(lost: CertificateLoss, platform: Platform, recorder: Recorder) -> None:
    """Another certificate, webhooks that trust it, and models that pass them; each phase is kept.

    Raises:
        ConditionTimeout: One did not come in time, or did not last.
    """
    cluster = platform.cluster
    accepted = ProbeFunction("a new model is accepted", lambda: evaluate_accepted(cluster, lost.newcomer))
    steps = {
        "another certificate": ProbeFunction(
            "there is another certificate", lambda: evaluate_another(cluster.get(SECRET), lost.authority)
        ),
        "trusted": ProbeFunction("the webhooks' callers trust it", lambda: evaluate_trusted(cluster)),
        "new models accepted": accepted,
    }
    phases: dict[str, float | None] = {}
    try:
        eventually_each(steps, cluster, since=lost.effect.at, within=_WITHIN, reached=phases)
    finally:
        recorder.recovery(
            claim="certificate-recovery",
            fault=lost.effect.fault.description,
            subject="KServe's webhooks",
            series="lost to new models accepted",
            at=lost.effect.clock,
            phases=phases,
            seconds=phases["new models accepted"],
            within=_WITHIN,
        )
    consistently(accepted, cluster, lasting=BUDGETS.stable)


def authority_of(secret: Object | None) -> str:
    """Digest of the authority's certificate that a Secret holds; empty when it holds none."""
    encoded = ((secret or {}).get("data") or {}).get("ca.crt", "")
    return sha256(b64decode(encoded)).hexdigest()[:16] if encoded else ""


def evaluate_another(secret: Object | None, before: str) -> Verdict:
    """The Secret is there, with the certificate of another authority than before."""
    if secret is None:
        return pending("the Secret does not exist")
    now = authority_of(secret)
    if not now:
        return pending("the Secret holds no certificate")
    return met(f"authority {now}") if now != before else pending(f"the certificate is the old one, of {before}")


def evaluate_trusted(cluster: Cluster) -> Verdict:
    """Every webhook that a new model passes is called with trust in the authority that the Secret names."""
    secret = cluster.get(SECRET) or {}
    wanted = (secret.get("data") or {}).get("ca.crt", "")
    for ref in _WEBHOOKS:
        webhooks = (cluster.get(ref) or {}).get("webhooks") or []
        strangers = [one["name"] for one in webhooks if one["clientConfig"].get("caBundle") != wanted]
        if strangers or not webhooks:
            return pending(f"{ref}: {', '.join(strangers) or 'it has no webhook'} not with the new authority")
    return met(f"all webhooks of {len(_WEBHOOKS)} configurations") if wanted else pending("there is no certificate")


def evaluate_accepted(cluster: Cluster, isvc: Object) -> Verdict:
    """A server-side dry run of its creation passes admission."""
    try:
        cluster.create(isvc, dry_run=True)
    except ApiError as error:
        return pending(str(error))
    return met("accepted")
