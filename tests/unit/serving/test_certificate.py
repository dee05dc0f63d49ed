"""A lost certificate: what counts as another one, as trusted, and as accepted."""

from __future__ import annotations

from base64 import b64encode

from neuroscale.kubernetes.refs import Object
from neuroscale.platform import Platform
from neuroscale.serving.certificate import SECRET, authority_of, evaluate_accepted, evaluate_another, evaluate_trusted
from tests.apiserver import ApiServer

CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1"


def secret(authority: str) -> Object:
    data = {"ca.crt": b64encode(authority.encode()).decode()} if authority else {}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET.name}, "data": data}


def test_the_old_authority_is_not_another_one() -> None:
    before = authority_of(secret("old"))
    assert (evaluate_another(secret("old"), before).state, evaluate_another(secret("new"), before).state) == (
        "pending",
        "met",
    )


def test_neither_no_secret_nor_an_empty_one_is_a_certificate() -> None:
    assert evaluate_another(None, "x").observed == "the Secret does not exist"
    assert evaluate_another(secret(""), "x").observed == "the Secret holds no certificate"
    assert evaluate_another({**secret(""), "data": None}, "x").observed == "the Secret holds no certificate"


def test_trusted_is_what_every_webhook_of_both_configurations_trusts(api: ApiServer, toy_platform: Platform) -> None:
    def put(plural: str, kind: str, bundle: str | None) -> None:
        webhooks = [] if bundle is None else [{"name": "one", "clientConfig": {"caBundle": bundle}}]
        api.put(
            f"{CONFIGURATIONS}/{plural}/inferenceservice.serving.kserve.io",
            {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": kind,
                "metadata": {"name": "inferenceservice.serving.kserve.io"},
                "webhooks": webhooks,
            },
        )

    def check() -> str:
        return evaluate_trusted(toy_platform.cluster).observed

    new, old = secret("new"), secret("old")["data"]["ca.crt"]
    api.put("/api/v1/namespaces/kserve/secrets/kserve-webhook-server-cert", new)
    put("mutatingwebhookconfigurations", "MutatingWebhookConfiguration", new["data"]["ca.crt"])
    put("validatingwebhookconfigurations", "ValidatingWebhookConfiguration", old)
    assert "one not with the new authority" in check()
    put("validatingwebhookconfigurations", "ValidatingWebhookConfiguration", None)
    assert "it has no webhook" in check()
    put("validatingwebhookconfigurations", "ValidatingWebhookConfiguration", new["data"]["ca.crt"])
    assert check() == "all webhooks of 2 configurations"


def test_a_refusal_is_not_accepted(api: ApiServer, toy_platform: Platform) -> None:
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}}
    assert evaluate_accepted(toy_platform.cluster, config_map).state == "met"
    api.put("/api/v1/namespaces/default/configmaps/a", config_map)
    assert evaluate_accepted(toy_platform.cluster, config_map).state == "pending"
