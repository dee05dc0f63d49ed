"""Evidence: without secrets."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from fake_cluster import CANARY, CONTROLLER, DEPLOYMENT, SINCE, FakeCluster, deployment, event, gather, secret
from hypothesis import given
from hypothesis import strategies as st

from neuroscale.evidence.redaction import REDACTED, Redactor, without_secrets
from neuroscale.kubernetes.refs import Ref
from neuroscale.polling import Timeline, met

# --- secrets


def disguises(value: str) -> list[str]:
    raw = value.encode()
    return [
        value,
        base64.b64encode(raw).decode(),
        base64.b64encode(b"user:" + raw).decode(),
        quote(value, safe=""),
        value.replace("'", "''"),
        value.replace('"', '\\"'),
    ]


def test_a_planted_secret_appears_nowhere(cluster: FakeCluster, tmp_path: Path) -> None:
    text = f"it said {' and '.join(disguises(CANARY))} and left"
    planted = deployment(replicas=3)
    planted["metadata"]["annotations"] = {"note": text, f"with {CANARY}": "key"}
    planted["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = CANARY
    cluster.objects = {DEPLOYMENT: planted, Ref("Secret", "s", "default"): secret()}
    cluster.lists["Secret", "default"] = [secret()]
    cluster.lists["Event", "default"] = [event(text, SINCE + timedelta(seconds=1))]
    cluster.texts[CONTROLLER + "-0/main"] = text * 10
    timeline = Timeline(text)
    timeline.note(1, met(text))
    written = gather(
        cluster,
        tmp_path,
        error=text,
        command=text,
        versions={"x": text},
        timelines=[timeline],
        refs=[DEPLOYMENT, Ref("Secret", "s", "default")],
        snapshots={Ref("Secret", "s", "default"): secret("An-older-canary"), DEPLOYMENT: planted},
    )
    assert written.count(REDACTED) > 30
    assert "C4n4ry" not in written
    for disguise in disguises(CANARY) + disguises("An-older-canary"):
        assert disguise not in written
    assert base64.b64encode(CANARY.encode()).decode()[3:-3] not in written
    assert base64.b64encode(b"user:" + CANARY.encode()).decode()[8:-4] not in written


@pytest.mark.parametrize(
    "line",
    [
        "password: hunter2hunter2",
        'level=info Password="hunter2hunter2"',
        '{"token":"hunter2hunter2"}',
        "client_secret=hunter2hunter2",
        "Authorization: Basic hunter2hunter2",
        '"authorization": "Bearer hunter2hunter2"',
        "git clone http://bot:hunter2hunter2@gitea/x",
        "GET /?api_key=hunter2hunter2&x=1",
        "-----BEGIN RSA PRIVATE KEY-----\nhunter2hunter2\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\\nhunter2hunter2",
        'escaped {\\"password\\":\\"hunter2hunter2\\"}',
        "eyJhbGciOiJSUzI1NiJ9.eyJodW50ZXIyaHVudGVyMiJ9.hunter2hunter2",
    ],
)
def test_without_secrets_patterns_are_scrubbed(cluster: FakeCluster, tmp_path: Path, line: str) -> None:
    cluster.refused = {"Secret"}
    cluster.texts[CONTROLLER + "-0/main"] = f"before\n{line}\n"
    written = gather(cluster, tmp_path, error=line)
    assert "hunter2" not in written
    assert "before" in written
    assert "Secrets of argocd, default, forge are not known" in written


def test_ordinary_words_stay() -> None:
    redact = Redactor([secret("admin"), secret("true")])
    for text in (
        "automountServiceAccountToken: false",
        "secretName: web-tls",
        "the admin is true",
        "http://gitea:3000/x",
    ):
        assert redact(text) == text


def test_values_under_or_beside_telling_names_are_blanked() -> None:
    obj = {
        "kind": "Pod",
        "env": [{"name": "DB_PASSWORD", "value": "x1"}, {"name": "MODE", "value": "x2"}],
        "adminPassword": "x3",
    }
    assert without_secrets(obj) == {
        "kind": "Pod",
        "env": [{"name": "DB_PASSWORD", "value": REDACTED}, {"name": "MODE", "value": "x2"}],
        "adminPassword": REDACTED,
    }


def test_last_applied_configuration_does_not_betray_a_secret() -> None:
    obj = secret()
    obj["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "other": "kept"}
    obj["stringData"] = {"x": "y"}
    blanked = without_secrets(obj)
    assert blanked["data"] == {"password": REDACTED}
    assert blanked["stringData"] == {"x": REDACTED}
    assert blanked["metadata"]["annotations"] == {
        "kubectl.kubernetes.io/last-applied-configuration": REDACTED,
        "other": "kept",
    }
    assert obj["stringData"] == {"x": "y"}


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=12, max_size=40).filter(
        lambda s: s == s.strip()
    )
)
def test_any_value_is_found_in_each_of_its_forms(value: str) -> None:
    redact = Redactor([secret(value)])
    for form in (value, base64.b64encode(value.encode()).decode(), quote(value, safe="")):
        assert form not in redact(f"<{form}>")
