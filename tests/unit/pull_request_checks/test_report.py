"""What is said of a judged commit: the comment, then the status; nothing is green without the comment."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest
from fake_forge import TOKEN, FakeForge, Time, forge
from typer.testing import CliRunner

from neuroscale.commit_statuses import CommitStatus, Statuses
from neuroscale.errors import NeuroscaleError
from neuroscale.pull_request_checks import __main__ as program
from neuroscale.pull_request_checks.report import BUDGET, report
from neuroscale.settings import GATE_REPORTER
from neuroscale.sticky_comments import BUDGET as COMMENT_BUDGET
from neuroscale.sticky_comments import MARKER, SETTLED, WITHIN, Proposal, StickyComment, body_of

SHA, OTHER = "a" * 40, "b" * 40
GOOD, BAD = CommitStatus("success", "nothing found"), CommitStatus("failure", "a rule")


def say(
    server: FakeForge, status: CommitStatus = GOOD, text: str | None = "text", time: Time | None = None
) -> list[str]:
    clock, proposal = (time or Time()).clock, Proposal(7, SHA)
    comment = None if text is None else partial(
        StickyComment, forge("Gitea"), TOKEN, proposal, text, transport=server.transport, clock=clock
    )  # fmt: skip
    statuses = Statuses("http://git", TOKEN, server.transport)  # type: ignore[arg-type]
    return report(statuses, proposal, status, comment, clock)


@pytest.mark.parametrize("status", [GOOD, BAD, CommitStatus("error", "no verdict")])
def test_the_comment_comes_before_the_status(status: CommitStatus) -> None:
    server = FakeForge("Gitea", SHA)
    said = say(server, status)
    assert said == ["the comment is there and up to date"] * 2
    assert (server.bodies(), server.statuses) == ([body_of("text", SHA)], [(SHA, status.state, status.description)])
    assert server.approved == [SHA] * (status is GOOD)
    assert server.written[0] == "POST /issues/7/comments"


@pytest.mark.parametrize("status", [BAD, CommitStatus("error", "no verdict")])
def test_what_could_not_be_priced_is_rejected_without_a_comment(status: CommitStatus) -> None:
    server = FakeForge("Gitea", SHA)
    assert say(server, status, text=None) == []
    assert (server.bodies(), server.statuses) == ([], [(SHA, status.state, status.description)])


@pytest.mark.parametrize("text", [None, "", " \n", f"{MARKER}\n<!-- head: {OTHER} -->\n\n"])
def test_a_good_verdict_without_a_text_is_an_error_and_nothing_is_green(text: str | None) -> None:
    server = FakeForge("Gitea", SHA)
    with pytest.raises(NeuroscaleError, match="comment"):
        say(server, text=text)
    ((_, state, description),) = server.statuses
    assert (state, server.approved, server.bodies()) == ("error", [], [])
    assert description.startswith("not reported: ")


def test_a_comment_that_fails_in_a_way_nobody_foresaw_is_an_error() -> None:
    def made() -> StickyComment:
        raise RecursionError("too deep")

    server, time = FakeForge("Gitea", SHA), Time()
    with pytest.raises(NeuroscaleError, match="RecursionError: too deep"):
        report(Statuses("http://git", TOKEN, server.transport), Proposal(7, SHA), GOOD, made, time.clock)  # type: ignore[arg-type]
    assert ([state for _, state, _ in server.statuses], server.approved) == (["error"], [])


def test_an_older_run_comments_on_nothing_and_has_its_status() -> None:
    server = FakeForge("Gitea", OTHER)
    (said,) = say(server)
    assert "proposes bbbbbbbb now" in said
    assert (server.bodies(), server.statuses[-1][:2]) == ([], (SHA, "success"))


def answers(status: int, *, of: str = "comments") -> Callable[[httpx.Request], httpx.Response | None]:
    return lambda request: httpx.Response(status, text=f"no {TOKEN}") if of in str(request.url) else None


def hangs(request: httpx.Request) -> None:
    if "comments" in str(request.url):
        raise httpx.ReadTimeout("no answer", request=request)


@pytest.mark.parametrize("status", [GOOD, BAD])
@pytest.mark.parametrize(
    ("before", "why"),
    [
        (answers(500), "was answered 500: no ***"),
        (answers(429), "was answered 429: no ***"),
        (answers(401), "was answered 401: no ***"),
        (answers(403), "was answered 403: no ***"),
        (answers(404), "was answered 404: no ***"),
        (hangs, "was not answered: ReadTimeout"),
    ],
    ids=["500", "429", "revoked", "forbidden", "switched off", "hangs"],
)
def test_a_comment_that_fails_is_an_error_and_nothing_is_green(
    before: Callable[[httpx.Request], httpx.Response | None], why: str, status: CommitStatus
) -> None:
    server, time = FakeForge("Gitea", SHA, before=before), Time()
    with pytest.raises(NeuroscaleError, match="was "):
        say(server, status, time=time)
    ((_, state, description),) = server.statuses
    assert (state, server.approved) == ("error", [])
    assert description.startswith(f"not reported: GET /issues/7/comments {why}")
    assert len(description) <= 255


def test_there_is_a_word_within_60_seconds() -> None:
    """The last check of each wait begins within its budget; one question of it may hang, for a status ten seconds."""
    assert COMMENT_BUDGET + 3 * WITHIN + BUDGET + 10 <= 60


def test_a_text_that_is_too_long_is_an_error() -> None:
    server = FakeForge("Gitea", SHA)
    with pytest.raises(NeuroscaleError, match="at most 65,536 characters"):
        say(server, text="x" * 70_000)
    assert [(state, "at most" in why) for _, state, why in server.statuses] == [("error", True)]


def test_a_status_that_cannot_be_set_is_said_in_the_log() -> None:
    server, time = FakeForge("Gitea", SHA, before=answers(401, of="/")), Time()
    with pytest.raises(NeuroscaleError, match=r"401.*The status could not be set either: .*401") as error:
        say(server, time=time)
    assert time.now <= BUDGET
    assert (server.statuses, server.approved) == ([], [])
    assert TOKEN not in str(error.value)


def test_a_status_is_tried_again() -> None:
    server, times = FakeForge("Gitea", SHA), iter(range(3))
    server.before = lambda request: (
        httpx.Response(500) if "statuses" in str(request.url) and next(times, None) is not None else None
    )
    time = Time()
    say(server, text=None, status=BAD, time=time)
    assert server.statuses == [(SHA, "failure", "a rule")]
    assert time.now == 3.0, "once a second"


def test_what_cannot_be_looked_at_again_takes_the_green_back() -> None:
    server, time = FakeForge("Gitea", SHA), Time()
    server.before = lambda request: answers(503)(request) if time.now >= SETTLED else None
    with pytest.raises(NeuroscaleError, match="503"):
        say(server, time=time)
    assert [state for _, state, _ in server.statuses] == ["success", "error"]


# --- as the container is started


def container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: FakeForge, text: str | None) -> tuple[int, str]:
    """Exit code and output of ``report``."""
    GOOD.write(tmp_path / "status.json")
    if text is not None:
        (tmp_path / "comment.md").write_text(text, encoding="utf-8")
    monkeypatch.setattr(program, "_VERDICT", tmp_path / "status.json")
    monkeypatch.setattr(program, "_COMMENT", tmp_path / "comment.md")
    time, made = Time(), StickyComment
    monkeypatch.setattr(program, "gitea", lambda: forge("Gitea"))
    monkeypatch.setattr(program, "StickyComment", partial(made, transport=server.transport, clock=time.clock))
    monkeypatch.setattr(program, "Statuses", lambda _, token: Statuses("http://git", token, server.transport))  # type: ignore[arg-type]
    monkeypatch.setattr(program.reporting, "report", partial(report, clock=time.clock))
    ended = CliRunner().invoke(program.app, ["report"], env={"NUMBER": "7", "SHA": SHA, "TOKEN": f"{TOKEN}\n"})
    return ended.exit_code, ended.output + str(ended.exception or "")


def test_the_container_comments_and_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = FakeForge("Gitea", SHA)
    code, output = container(monkeypatch, tmp_path, server, "text")
    assert (code, server.statuses[0][1], server.bodies(GATE_REPORTER)) == (0, "success", [body_of("text", SHA)])
    assert f"{SHA}: the comment is there" in output


@pytest.mark.parametrize("before", [answers(401, of="/"), answers(500), answers(404)])
def test_a_container_that_fails_ends_so_and_tells_no_token(
    before: Callable[[httpx.Request], httpx.Response | None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = FakeForge("Gitea", SHA, before=before)
    code, output = container(monkeypatch, tmp_path, server, "text")
    assert (code, [state for _, state, _ in server.statuses if state != "error"]) == (1, [])
    assert TOKEN not in output
    assert "was answered" in output


def test_a_container_without_a_file_for_the_comment_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = FakeForge("Gitea", SHA)
    code, output = container(monkeypatch, tmp_path, server, None)
    assert (code, [state for _, state, _ in server.statuses], server.approved) == (1, ["error"], [])
    assert "left no comment" in output


def test_a_container_that_cannot_read_the_comment_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "comment.md").mkdir()
    server = FakeForge("Gitea", SHA)
    code, output = container(monkeypatch, tmp_path, server, None)
    assert (code, [state for _, state, _ in server.statuses], server.approved) == (1, ["error"], [])
    assert "comment.md" in output
