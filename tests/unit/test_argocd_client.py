"""Argo CD's certificate is its own: whoever has that very one is told the password, and nobody else."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import pytest
from apiserver import ApiServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fake_argocd import PASSWORD, TOKEN, FakeArgoCD

from neuroscale.argocd_client import ArgoCD, ArgoCDError, NotRendered, argocd
from neuroscale.cluster.client import Cluster
from neuroscale.cluster.state import ClusterState
from neuroscale.errors import PreconditionFailed
from neuroscale.kubernetes.objects import secret
from neuroscale.kubernetes.refs import Ref

ADMINISTRATOR = Ref("Secret", "argocd-initial-admin-secret", "argocd")
SETTINGS = Ref("Secret", "argocd-secret", "argocd")
_SECRETS = "/api/v1/namespaces/argocd/secrets"


def made(folder: Path) -> tuple[Path, str]:
    """Key and certificate as Argo CD makes its own: for names in the cluster, for servers alone, nobody's authority."""
    key = rsa.generate_private_key(65537, 2048)
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Argo CD")]), datetime.now(UTC)
    usage = dict.fromkeys(
        ("content_commitment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign", "encipher_only",
         "decipher_only"),
        False,
    )  # fmt: skip
    names = [x509.DNSName("localhost"), x509.DNSName("argocd-server.argocd.svc.cluster.local")]
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.KeyUsage(digital_signature=True, key_encipherment=True, **usage), critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate = built.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    folder.mkdir()
    (folder / "both.pem").write_bytes(private + certificate)
    return folder / "both.pem", certificate.decode()


class SecureArgoCD(FakeArgoCD):
    """Over TLS."""

    def __init__(self, key: Path) -> None:
        super().__init__()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(key)

    def __enter__(self) -> Self:
        super().__enter__()
        self._http.socket = self._context.wrap_socket(self._http.socket, server_side=True)
        self.url = self.url.replace("http:", "https:")
        return self


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[SecureArgoCD, str]]:
    """The server, and its certificate."""
    key, certificate = made(tmp_path / "argocd")
    with SecureArgoCD(key) as server:
        server.applications["test-app"] = []
        yield server, certificate


def test_who_has_the_certificate_is_asked(secure: tuple[SecureArgoCD, str]) -> None:
    server, certificate = secure
    assert ArgoCD(server.url, PASSWORD, certificate).manifests("test-app", "main") == []
    assert server.tokens == [f"Bearer {TOKEN}"]


@pytest.mark.parametrize("known", ["another's", "nobody's"])
def test_nobody_else_is_told_the_password(known: str, secure: tuple[SecureArgoCD, str], tmp_path: Path) -> None:
    server, _ = secure
    certificate = made(tmp_path / "another")[1] if known == "another's" else ""
    with pytest.raises(ArgoCDError, match="CERTIFICATE_VERIFY_FAILED"):
        ArgoCD(server.url, PASSWORD, certificate).manifests("test-app", "main")
    assert server.tokens == []


def test_the_clusters_argo_cd_is_asked_with_what_its_secrets_say(
    secure: tuple[SecureArgoCD, str], api: ApiServer, cluster: Cluster, state: ClusterState
) -> None:
    server, certificate = secure
    with pytest.raises(PreconditionFailed, match="should have a port for Argo CD"):
        argocd(cluster)
    state.model_copy(update={"ports": {"argocd": int(server.url.rpartition(":")[2])}}).save()
    with pytest.raises(PreconditionFailed, match=r'Secret "argocd/argocd-secret" has no certificate'):
        argocd(cluster)
    api.put(f"{_SECRETS}/{SETTINGS.name}", secret(SETTINGS, {"tls.crt": certificate}))
    with pytest.raises(PreconditionFailed, match=r'Secret "argocd/argocd-initial-admin-secret" has no password'):
        argocd(cluster)
    api.put(f"{_SECRETS}/{ADMINISTRATOR.name}", secret(ADMINISTRATOR, {"password": PASSWORD}))
    assert argocd(cluster).manifests("test-app", "main") == []


# --- whose word an error is


def said(code: int, message: str) -> ArgoCDError:
    """What becomes of an answer of Argo CD's."""
    with FakeArgoCD() as server:
        answer = json.dumps({"code": code, "message": message}).encode()
        server.answers["/api/v1/applications/a/manifests"] = (500, answer)
        with pytest.raises(ArgoCDError) as error:
            ArgoCD(server.url, PASSWORD).manifests("a", "main")
    return error.value


HELM = "failed to execute helm template command: failed to get command args to log: "


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (2, f"{HELM}`helm template . --name-template a` failed exit status 1: Error: nothing comes of it"),
        (2, "`kustomize build /tmp/_cmp/apps/a` failed exit status 1: Error: error in remove for path"),
        (2, "Manifest generation error (cached): `kustomize build /tmp/a` failed exit status 1: Error: it"),
        (9, 'Failed to unmarshal "manifest.yaml": yaml: line 6: found character that cannot start any token'),
        (9, 'Found multiple objects in "manifest.json". Only single objects are allowed in JSON files.'),
        (2, "failed to set app instance tracking info on manifest: failed to get annotations from target object"),
        (2, "apps/a: app path does not exist"),
    ],
)
def test_what_the_renderer_says_is_a_verdict(code: int, message: str) -> None:
    error = said(code, message)
    assert isinstance(error, NotRendered)
    assert str(error) == message


@pytest.mark.parametrize(
    ("code", "message"),
    [
        # The API server, before it asks the repo-server.
        (2, "error getting query: failed to receive header: EOF"),
        (2, "error getting server version: the server is currently unable to handle the request"),
        (2, "error getting repository: dial tcp: lookup redis: no such host"),
        (2, "error sending repo stream: error sending chunk: EOF"),
        (2, "error getting Kubernetes' API: Failed to unmarshal"),
        # The repo-server, before it renders; or what it renders with did not come to an end.
        (2, "error receiving manifest file stream: error extracting files: no space left on device"),
        (2, "failed to initialize repository resources: `git fetch origin --tags` failed exit status 128: fatal"),
        (2, "`git fetch origin --tags` failed exit status 128: fatal: unable to access the repository"),
        (2, f"{HELM}`helm template .` failed timeout after 1m30s"),
        (2, "`kustomize build /tmp/a` failed signal: killed"),
        (2, "failed to acquire lock for referenced source"),
        (2, ""),
        # gRPC itself, whatever is said.
        (14, "`kustomize build /tmp/a` failed exit status 1: Error: connection refused"),
        (4, "context deadline exceeded"),
        (13, "Failed to unmarshal"),
    ],
)
def test_what_another_part_says_is_none(code: int, message: str) -> None:
    error = said(code, message)
    assert not isinstance(error, NotRendered)
    assert f"but said {code}: {message}" in str(error)
