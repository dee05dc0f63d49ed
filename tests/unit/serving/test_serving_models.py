"""The golden predictions, the versions in the store, and that a release of scikit-learn is the same everywhere."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from apiserver import ApiServer

from neuroscale import model_store as models
from neuroscale.cluster.client import Cluster
from neuroscale.errors import NeuroscaleError, SupplyError, WriteForbidden
from neuroscale.git_server import GitServer
from neuroscale.model_store import (
    ABSENT,
    DAMAGED,
    NEXT,
    SERVED,
    STORED,
    SWAPPED,
    TELLING,
    ensure_models,
    expected_predictions,
    storage_uri,
    store_path,
    version_of,
)
from neuroscale.settings import ROOT

# --- golden predictions


def test_the_reference_rows_are_answered_as_the_reference_platform_says() -> None:
    for version in (SERVED, NEXT):
        assert expected_predictions().outputs[version]["the reference rows"] == [1, 1]
        assert expected_predictions().outputs[version]["the other pair"] == [0, 2]


def test_every_input_has_an_answer_of_every_version_that_can_be_loaded() -> None:
    assert set(expected_predictions().outputs) == {SERVED, NEXT, SWAPPED}
    for answers in expected_predictions().outputs.values():
        assert {name: len(classes) for name, classes in answers.items()} == {
            name: len(rows) for name, rows in expected_predictions().inputs.items()
        }


def test_the_telling_rows_tell_each_version_from_every_other() -> None:
    for version, answers in expected_predictions().outputs.items():
        assert expected_predictions().versions_answering(TELLING, answers[TELLING]) == [version]
    assert expected_predictions().versions_answering(TELLING, None) == []
    assert expected_predictions().versions_answering(TELLING, [0, 0, 0, 0]) == []


def test_the_swapped_model_is_wrong_everywhere() -> None:
    right, wrong = expected_predictions().outputs[SERVED], expected_predictions().outputs[SWAPPED]
    assert all(a != b for a, b in zip(right["every flower"], wrong["every flower"], strict=True))


def test_the_suite_and_the_server_have_the_same_libraries() -> None:
    """A pickle is for the release that wrote it."""
    pinned = dict(re.findall(r"(?m)^([\w-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8")))
    server = ROOT / "infrastructure" / "images" / "sklearnserver" / "requirements.txt"
    served = dict(re.findall(r"(?m)^([\w-]+)==(\S+)$", server.read_text(encoding="utf-8")))
    for library in ("scikit-learn", "joblib", "numpy", "scipy"):
        assert pinned[library] == served[library], library
    written = (ROOT / "models" / "iris" / "golden.json").read_text(encoding="utf-8")
    assert f'"scikit-learn": "{pinned["scikit-learn"]}"' in written


# --- names


@pytest.mark.parametrize("version", [*STORED, ABSENT])
def test_a_version_is_read_from_its_uri(version: str) -> None:
    assert version_of(storage_uri(version)) == version


@pytest.mark.parametrize(
    "uri", ["", "gs://bucket/model", storage_uri(""), storage_uri(SERVED) + "x", "x" + storage_uri(SERVED)]
)
def test_another_uri_is_of_no_version(uri: str) -> None:
    assert version_of(uri) is None


# --- the store


class Store:
    """The Git server's package registry: what was put there, and under which credentials."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.status = 0
        self.requests: list[str] = []
        self.credentials = ""

    def answer(self, method: str, path: str, body: bytes, credentials: str) -> int:
        self.requests.append(method)
        if self.status:
            return self.status
        if method == "GET":
            return 200 if path in self.files else 404
        self.credentials = credentials
        if path in self.files:
            return 409
        self.files[path] = body
        return 201


@pytest.fixture
def store() -> Iterator[tuple[Store, str]]:
    kept = Store()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status = kept.answer(self.command, self.path, body, self.headers.get("Authorization", ""))
            self.send_response(status)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"said")

        do_GET = do_PUT = _serve  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield kept, f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()


@pytest.fixture
def git_server(api: ApiServer, cluster: Cluster, store: tuple[Store, str]) -> GitServer:
    password = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "gitea-bot", "namespace": "forge"}}
    api.put("/api/v1/namespaces/forge/secrets/gitea-bot", {**password, "data": {"password": "cGFzc3dvcmQ="}})
    return GitServer(cluster, store[1])


def test_the_versions_are_trained_once_and_uploaded_by_the_bot(git_server: GitServer, store: tuple[Store, str]) -> None:
    kept, _ = store
    assert ensure_models(git_server) == list(STORED)
    assert set(kept.files) == {store_path(version) for version in STORED}
    assert base64.b64decode(kept.credentials.removeprefix("Basic ")).decode() == "neuroscale-bot:password"
    whole = kept.files[store_path(SERVED)]
    assert kept.files[store_path(DAMAGED)] == whole[: len(whole) // 2]
    kept.requests.clear()
    assert ensure_models(git_server) == []
    assert set(kept.requests) == {"GET"}


def test_only_what_is_missing_is_uploaded(
    git_server: GitServer, store: tuple[Store, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, _ = store
    kept.files = {store_path(version): b"there" for version in STORED if version != NEXT}

    def train(folder: object) -> None:
        raise SupplyError("trained")

    monkeypatch.setattr(models, "_train", train)
    with pytest.raises(SupplyError, match="trained"):
        ensure_models(git_server)
    git_server.upload_package(store_path(NEXT), b"new")
    git_server.upload_package(store_path(SERVED), b"other")
    assert (kept.files[store_path(NEXT)], kept.files[store_path(SERVED)]) == (b"new", b"there")
    assert ensure_models(git_server) == []


def test_a_store_that_answers_neither_yes_nor_no(git_server: GitServer, store: tuple[Store, str]) -> None:
    store[0].status = 500
    with pytest.raises(NeuroscaleError, match=r"should say whether it has .*answered 500: said.*Next: "):
        ensure_models(git_server)
    with pytest.raises(NeuroscaleError, match=r"should take .*answered 500: said.*Next: ") as caught:
        git_server.upload_package(store_path(SERVED), b"")
    assert "password" not in str(caught.value)


def test_nothing_is_uploaded_to_a_cluster_that_is_not_ours(
    git_server: GitServer, store: tuple[Store, str], api: ApiServer
) -> None:
    api.remove("/api/v1/namespaces/kube-system/configmaps/neuroscale-marker")
    with pytest.raises(WriteForbidden):
        git_server.upload_package(store_path(SERVED), b"")
    assert store[0].files == {}


def test_a_training_that_fails_says_so(monkeypatch: pytest.MonkeyPatch, git_server: GitServer) -> None:
    monkeypatch.setattr(models, "_TRAINING", ROOT / "models" / "iris" / "absent.py")
    with pytest.raises(SupplyError, match=r"should be trained, but python\S* exited with 2.*absent.py.*Next: "):
        ensure_models(git_server)


def test_a_training_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch, git_server: GitServer) -> None:
    monkeypatch.setattr(models, "_TRAIN_SECONDS", 0.001)
    with pytest.raises(
        SupplyError, match=r"should be trained, but python\S* did not end within 0\.001 s\. Next: make install"
    ):
        ensure_models(git_server)
