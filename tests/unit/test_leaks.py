"""Secrets are found in whatever a run has written down, however they got there."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from neuroscale.evidence.leaks import leaks
from neuroscale.kubernetes.refs import Object

WORD, BODY = "C4n4ry-in-the-mine-0123456789", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
PEM = f"-----BEGIN PRIVATE KEY-----\n{BODY}\n-----END PRIVATE KEY-----\n"


def secret(key: str, value: str) -> Object:
    encoded = base64.b64encode(value.encode()).decode()
    return {"metadata": {"name": "s", "namespace": "n"}, "data": {key: encoded}}


@pytest.mark.parametrize(
    ("key", "value", "written"),
    [
        ("password", WORD, f"it was set up with {WORD}."),
        ("TOKEN", WORD, base64.b64encode(WORD.encode()).decode()),
        ("webhook.gitea.secret", WORD, f"\x00\xff{WORD}"),
        ("tls.key", PEM, f"key: {BODY[:50]}"),
        ("admin.password", f"{WORD}\n", f"a: {WORD}"),
    ],
)
def test_a_secret_is_found(key: str, value: str, written: str, tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "log").write_text(written, encoding="latin-1")
    (tmp_path / "run.json").write_text("{}", encoding="utf-8")
    assert leaks(tmp_path, [secret(key, value)]) == [f"evidence/log has {key} of Secret n/s"]


@pytest.mark.parametrize(
    ("key", "value"), [("url", WORD), ("username", WORD), ("password", "short"), ("tls.key", PEM.splitlines()[0])]
)
def test_what_is_no_secret_is_none(key: str, value: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(f"{value} {PEM.splitlines()[0]}", encoding="utf-8")
    assert leaks(tmp_path, [secret(key, value)]) == []
