"""``neuroscale comment``: at a GitHub that is a server of this machine."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from fake_forge import TOKEN, FakeForge
from typer.testing import CliRunner

from neuroscale.cli import app
from neuroscale.errors import NeuroscaleError, Unrecoverable, UsageError
from neuroscale.host import direct
from neuroscale.settings import GATE_REPORTER
from neuroscale.sticky_comments import body_of

SHA = "a" * 40
ENV = {"GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": "owner/name", "GITHUB_API_URL": "https://hub"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeForge:
    fake = FakeForge("GitHub", SHA)
    made = direct.forge_client
    monkeypatch.setattr(direct, "forge_client", lambda **how: made(**{**how, "transport": fake.transport}))
    return fake


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "delta.md").write_text("text", encoding="utf-8")
    return tmp_path / "delta.md"


def invoke(file: Path, sha: str = SHA) -> tuple[str, BaseException | None]:
    asked = ["comment", str(file), "--pull-request", "7", "--head", sha, "--author", GATE_REPORTER]
    ended = CliRunner().invoke(app, asked, env=ENV)
    return ended.output, ended.exception


def test_it_comments_in_the_repository_that_the_environment_names(server: FakeForge, file: Path) -> None:
    server.say(GATE_REPORTER, body_of("text", SHA))  # or it would look again
    assert invoke(file) == ("the comment is there and up to date\n", None)
    assert server.asked == ["GET /issues/7/comments", "GET /pulls/7"]


def test_a_run_that_is_overtaken_is_no_failure(server: FakeForge, file: Path) -> None:
    output, error = invoke(file, "b" * 40)
    assert (error, server.written) == (None, [])
    assert "pull request 7 proposes aaaaaaaa now" in output


def test_what_github_refuses_is_an_error_without_the_token(server: FakeForge, file: Path) -> None:
    server.before = lambda _: httpx.Response(403, text=f"Resource not accessible by integration {TOKEN}")
    output, error = invoke(file)
    assert isinstance(error, Unrecoverable)
    assert "403: Resource not accessible" in str(error)
    assert TOKEN not in output + str(error)


def test_without_a_file_nothing_is_asked(server: FakeForge, tmp_path: Path) -> None:
    _, error = invoke(tmp_path / "none.md")
    assert isinstance(error, UsageError)
    assert isinstance(error, NeuroscaleError)
    assert server.asked == []


def test_a_forge_of_the_internet_is_reached_as_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    there, here = (direct.forge_client(base_url=url, seconds=1) for url in ("https://hub", "http://127.0.0.1:1"))
    assert (there.trust_env, here.trust_env) == (True, False)
