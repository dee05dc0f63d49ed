"""Webhooks that somebody could add to the cluster, and should not."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from neuroscale.chaos.faults import ObjectCreated
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import APPS_NAMESPACE


def _webhook(name: str, failure_policy: str, seconds: int, client: Object, rule: Object, **narrower: Object) -> Object:
    """A configuration with one webhook, asked when something is created."""
    webhook = {
        "name": f"{name}.experiment.neuroscale.io",
        "failurePolicy": failure_policy,
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": seconds,
        "clientConfig": client,
        "rules": [{"apiVersions": ["v1"], "operations": ["CREATE"], **rule}],
        **narrower,
    }
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}
    return {**kind, "metadata": {"name": name}, "webhooks": [webhook]}


#: The DNS server takes the connection and waits for a question: the webhook's second passes, and it is ignored.
SLOW = _webhook(
    "takes-its-time",
    "Ignore",
    1,
    {"service": {"name": "kube-dns", "namespace": "kube-system", "port": 53}},
    {"apiGroups": ["apps"], "resources": ["deployments"]},
    namespaceSelector={"matchLabels": {"kubernetes.io/metadata.name": APPS_NAMESPACE}},
)
#: An authority that signed nothing; its key was thrown away.
_SOMEBODY_ELSE = (
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJIVENCeGFBREFnRUNBZ0VCTUFvR0NDcUdTTTQ5QkFNQ01CZ3hGakFVQmdO"
    "VkJBTU1EWE52YldWaWIyUjUKSUdWc2MyVXdJQmNOTWpBd01UQXhNREF3TURBd1doZ1BNakV5TURBeE1ERXdNREF3TURCYU1CZ3hG"
    "akFVQmdOVgpCQU1NRFhOdmJXVmliMlI1SUdWc2MyVXdXVEFUQmdjcWhrak9QUUlCQmdncWhrak9QUU1CQndOQ0FBUlJnNGJJCmU0"
    "RDJLbTBzUE5WOGtYNzJKS1l1eEhKeFFObW9yNEVuWmViTG1tYytxemxEMUQ2ZDBTdzYzcFdMaWxoelBpK1oKWjVsQmlGSUVVeGJ2"
    "a3pLSU1Bb0dDQ3FHU000OUJBTUNBMGNBTUVRQ0lDMlZ4NmZNa1hTSHl1S2UrSC9PeDkzTwpCQXJEM2NhU0ZKaUs1ZU9sazljZ0Fp"
    "QWxlR3hsdi92Mkx3RFB4NXZHcEx5eFEwc1pQaHFMZFpMYytpTlhSUFdGClhnPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="
)
#: About a kind that nobody has.
TRUSTS_SOMEBODY_ELSE = _webhook(
    "trusts-somebody-else",
    "Fail",
    5,
    {"service": {"name": "kyverno-svc", "namespace": "kyverno", "path": "/"}, "caBundle": _SOMEBODY_ELSE},
    {"apiGroups": ["experiment.neuroscale.io"], "resources": ["nothings"]},
)

_ABOUT_TO_EXPIRE = "about-to-expire"


def secret_about_to_expire(namespace: str, host: str = "about-to-expire.example.com") -> ObjectCreated:
    """A Secret with a certificate that nobody has renewed: it was valid for 30 days, and is for one more day."""
    meta = {"name": _ABOUT_TO_EXPIRE, "namespace": namespace}
    held = {"tls.crt": _about_to_expire(host)}
    return ObjectCreated(manifest={"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": held})


def webhook_about_to_expire(namespace: str, service: str) -> tuple[ObjectCreated, ObjectCreated]:
    """Such a Secret, of a Service that is there, and a webhook that trusts it, about a kind that nobody has."""
    held = secret_about_to_expire(namespace, f"{service}.{namespace}.svc")
    client = {
        "service": {"name": service, "namespace": namespace, "path": "/"},
        "caBundle": held.manifest["data"]["tls.crt"],
    }
    hook = _webhook(
        _ABOUT_TO_EXPIRE, "Fail", 5, client, {"apiGroups": ["experiment.neuroscale.io"], "resources": ["nothings"]}
    )
    return held, ObjectCreated(manifest=hook)


def _about_to_expire(host: str) -> str:
    """Made anew by each run, since no certificate is about to expire for long; its key is thrown away."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return b64encode(built.public_bytes(serialization.Encoding.PEM)).decode()
