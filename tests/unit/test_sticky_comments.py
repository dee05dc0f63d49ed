"""The one comment on a pull request: whose it is, when it is written, and what becomes of a forge that will not."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Thread

import httpx
import pytest
from fake_forge import TOKEN, FakeForge, forge

from neuroscale.errors import ConditionTimeout, NeuroscaleError, Unrecoverable
from neuroscale.polling import Clock
from neuroscale.settings import GATE_REPORTER
from neuroscale.sticky_comments import BUDGET, LONGEST, MARKER, SETTLED, WITHIN, Proposal, StickyComment, body_of

OLD, NEW = "a" * 40, "b" * 40
KINDS = pytest.mark.parametrize("kind", ["Gitea", "GitHub"])


class Time:
    """Passes only where somebody sleeps, or a test says so.

    Attributes:
        slept: Every pause.
    """

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.now, self.slept, self._meanwhile = 0.0, list[float](), meanwhile

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self._meanwhile()


def comment(server: FakeForge, sha: str = NEW, text: str = "text", time: Time | None = None) -> StickyComment:
    return StickyComment(
        forge(server.kind), TOKEN, Proposal(7, sha), text, transport=server.transport, clock=(time or Time()).clock
    )


def run(server: FakeForge, sha: str = NEW, text: str = "text") -> str:
    sticky = comment(server, sha, text)
    said = sticky.publish()
    return sticky.settle() or said


@KINDS
def test_the_first_run_posts_and_the_next_ones_edit(kind: str) -> None:
    server = FakeForge(kind, OLD)
    run(server, OLD, "one")
    assert server.bodies() == [body_of("one", OLD)]
    server.head = NEW
    run(server, NEW, "two")
    run(server, NEW, "three")
    assert server.bodies() == [body_of("three", NEW)]
    assert server.written == ["POST /issues/7/comments", "PATCH /issues/comments/1", "PATCH /issues/comments/1"]


@KINDS
def test_the_same_content_is_not_sent_again(kind: str) -> None:
    server = FakeForge(kind, NEW)
    server.say(GATE_REPORTER, body_of("line\nline", NEW).replace("\n", "\r\n") + "\r\n")
    assert run(server, NEW, "line\nline\n") == "the comment is there and up to date"
    assert server.written == []


@KINDS
@pytest.mark.parametrize("author", ["mallory", "Gate", None])
def test_a_strangers_comment_with_our_marker_is_left_alone(kind: str, author: str | None) -> None:
    server = FakeForge(kind, NEW)
    number = server.say(author, body_of("mine", OLD))
    run(server)
    assert server.comments[number]["body"] == body_of("mine", OLD)
    assert server.bodies() == [body_of("text", NEW)]


@KINDS
def test_another_comment_of_our_user_is_left_alone(kind: str) -> None:
    """A user at GitHub speaks for many workflows; one of them may quote us."""
    server = FakeForge(kind, NEW)
    others = ["something else", f"> quoted\n{MARKER}", "", f"{MARKER} and more"]
    for body in others:
        server.say(GATE_REPORTER, body)
    run(server)
    assert server.bodies() == [*others, body_of("text", NEW)]


@KINDS
def test_of_several_the_oldest_is_kept(kind: str) -> None:
    """On whatever page they are."""
    server = FakeForge(kind, NEW)
    for number in range(9):
        server.say("mallory" if number % 2 else GATE_REPORTER, body_of(str(number), OLD))
    run(server)
    assert server.bodies() == [server.comments[1]["body"]] == [body_of("text", NEW)]
    assert len(server.bodies("mallory")) == 4


@KINDS
def test_that_the_others_are_gone_is_looked_at(kind: str) -> None:
    """A forge may say that it has removed one, and have it still; and another run may have been faster."""
    server, answers = FakeForge(kind, NEW), iter([httpx.Response(204), httpx.Response(404)])
    for _ in range(2):
        server.say(GATE_REPORTER, body_of("text", NEW))
    server.before = lambda request: next(answers, None) if request.method == "DELETE" else None
    comment(server).publish()
    assert (server.bodies(), server.written) == ([body_of("text", NEW)], ["DELETE /issues/comments/2"] * 3)


@KINDS
@pytest.mark.parametrize(("state", "head"), [("closed", OLD), ("open", NEW)], ids=["closed", "moved on"])
def test_an_older_run_says_nothing(kind: str, state: str, head: str) -> None:
    server = FakeForge(kind, head, state)
    server.say(GATE_REPORTER, body_of("new", NEW))
    assert "nothing is said of aaaaaaaa" in run(server, OLD, "old")
    assert (server.bodies(), server.written) == ([body_of("new", NEW)], [])


@KINDS
def test_it_is_the_forge_that_says_what_is_newest(kind: str) -> None:
    """A comment that names a commit of the year 2099, or one with a thousand before it, is updated all the same."""
    server = FakeForge(kind, NEW)
    server.say(GATE_REPORTER, f"{MARKER}\n<!-- head: {'f' * 40} 4070908800 1000 -->\n")
    run(server)
    assert server.bodies() == [body_of("text", NEW)]


@KINDS
def test_a_comment_that_was_deleted_by_hand_is_made_again(kind: str) -> None:
    server = FakeForge(kind, NEW)
    run(server)
    server.comments.clear()
    run(server)
    assert server.bodies() == [body_of("text", NEW)]


@KINDS
def test_one_that_is_deleted_under_the_run_is_made_again(kind: str) -> None:
    server = FakeForge(kind, NEW)
    server.say(GATE_REPORTER, body_of("old", OLD))

    def delete(request: httpx.Request) -> None:
        if request.method == "PATCH":
            server.comments.clear()

    server.before = delete
    run(server)
    assert server.bodies() == [body_of("text", NEW)]


@KINDS
def test_a_list_that_lags_behind_makes_no_second_comment(kind: str) -> None:
    server, seen = FakeForge(kind, NEW), list[str]()

    def lag(request: httpx.Request) -> httpx.Response | None:
        if "comments?" in str(request.url) and len(seen) < 4:
            seen.append(request.method)
            return httpx.Response(200, json=[])
        return None

    server.before = lag
    run(server)
    assert server.written == ["POST /issues/7/comments"]


@KINDS
def test_an_older_run_that_was_held_up_in_its_write_is_overwritten(kind: str) -> None:
    """It had asked whose turn it is before the push, and its write came in after that of the newer run."""
    server = FakeForge(kind, NEW)
    server.say(GATE_REPORTER, body_of("older", OLD))
    late = iter([True])

    def arrive() -> None:
        if time.slept[-1] == SETTLED and next(late, False):
            server.comments[1]["body"] = body_of("old", OLD)

    time = Time(arrive)
    sticky = comment(server, time=time)
    sticky.publish()
    sticky.settle()
    assert server.bodies() == [body_of("text", NEW)]
    assert SETTLED > 5.0, "or the write may still be on its way"


@KINDS
def test_who_wrote_nothing_does_not_look_again(kind: str) -> None:
    server = FakeForge(kind, NEW)
    server.say(GATE_REPORTER, body_of("text", NEW))
    time = Time()
    sticky = comment(server, time=time)
    sticky.publish()
    assert (sticky.settle(), time.slept) == ("", [])


@KINDS
@pytest.mark.parametrize("seed", range(5))
def test_twenty_runs_at_once_and_out_of_order_leave_one_comment(kind: str, seed: int) -> None:
    shas = [f"{number:040x}" for number in range(20)]
    server = FakeForge(kind, shas[-1])
    order = random.Random(seed).sample(shas, 20)  # noqa: S311 - an order, no secret
    failed = list[BaseException]()
    pushed = iter(shas)

    def push(request: httpx.Request) -> None:
        """The branch moves on while runs are at work; it stays where it is in the end."""
        if request.url.path.endswith("/pulls/7"):
            server.head = next(pushed, shas[-1])

    def one(sha: str) -> None:
        try:
            run(server, sha, f"of {sha}")
        except BaseException as error:  # noqa: BLE001 - told by the test
            failed.append(error)

    server.before = push
    threads = [Thread(target=one, args=(sha,)) for sha in [*order, shas[-1]]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.before = lambda _: None
    run(server, shas[-1], f"of {shas[-1]}")
    run(server, shas[0], f"of {shas[0]}")
    assert failed == []
    assert server.bodies() == [body_of(f"of {shas[-1]}", shas[-1])]


# --- what is said


def test_the_marker_and_the_commit_are_ours() -> None:
    """The text may bring both, as the delta's does: of a merge that nobody has pushed."""
    brought = f"{MARKER}\n<!-- head: 1234 -->\n## Title\n\nrow"
    assert body_of(brought, NEW) == f"{MARKER}\n<!-- head: {NEW} -->\n## Title\n\nrow"
    assert body_of(body_of("text", OLD), NEW) == body_of("text", NEW)
    assert body_of("", NEW) == f"{MARKER}\n<!-- head: {NEW} -->\n"


@KINDS
def test_a_text_that_is_too_long_is_refused(kind: str) -> None:
    server = FakeForge(kind, NEW)
    room = LONGEST - len(body_of("", NEW))
    run(server, NEW, "x" * room)
    with pytest.raises(NeuroscaleError, match=r"at most 65,536 characters, but this one has 65,537.*Next: neuroscale"):
        run(server, NEW, "x" * (room + 1))
    assert server.bodies() == [body_of("x" * room, NEW)]


@KINDS
def test_the_token_is_in_no_comment_and_in_no_error(kind: str) -> None:
    server = FakeForge(kind, NEW)
    run(server, NEW, f"found {TOKEN} in the environment")
    assert server.bodies() == [body_of("found *** in the environment", NEW)]
    server.before = lambda _: httpx.Response(401, text=f"bad credentials: {TOKEN}")
    with pytest.raises(NeuroscaleError) as error:
        run(server)
    assert TOKEN not in str(error.value)


def test_a_token_that_cannot_be_sent_is_not_told() -> None:
    """A Secret that somebody made with an editor ends with a line; and some hold two."""
    server = FakeForge("Gitea", NEW)
    StickyComment(forge("Gitea"), f"{TOKEN}\n", Proposal(7, NEW), "text", transport=server.transport).publish()
    time = Time()
    two = StickyComment(
        forge("Gitea"), "very\nsecret", Proposal(7, NEW), "x", transport=httpx.HTTPTransport(), clock=time.clock
    )
    with pytest.raises(ConditionTimeout) as error:
        two.publish()
    assert "secret" not in str(error.value) + repr(error.value.__context__)


# --- a forge that will not


def always(answer: httpx.Response) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: answer


@KINDS
@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
def test_what_passes_is_tried_again(kind: str, status: int) -> None:
    server, times = FakeForge(kind, NEW), iter(range(3))
    server.before = lambda _: httpx.Response(status, text="oops") if next(times, None) is not None else None
    run(server)
    assert server.bodies() == [body_of("text", NEW)]


@KINDS
@pytest.mark.parametrize("status", [500, 429])
def test_trying_again_has_an_end(kind: str, status: int) -> None:
    server, time = FakeForge(kind, NEW), Time()
    server.before = always(httpx.Response(status, text="oops"))
    with pytest.raises(ConditionTimeout, match=rf"Last seen: GET /issues/7/comments was answered {status}: oops"):
        comment(server, time=time).publish()
    assert BUDGET - 2 < time.now <= BUDGET
    assert len(server.asked) <= BUDGET + 1


@KINDS
@pytest.mark.parametrize("wait", [2, 7])
@pytest.mark.parametrize("status", [429, 403, 503])
def test_a_forge_is_left_alone_for_as_long_as_it_asks(kind: str, status: int, wait: int) -> None:
    server, time, times = FakeForge(kind, NEW), Time(), iter(range(1))
    headers = {"Retry-After": str(wait)}
    server.before = lambda _: httpx.Response(status, headers=headers) if next(times, None) is not None else None
    comment(server, time=time).publish()
    assert time.slept[0] == wait


@KINDS
@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "3600"},
        {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str((datetime.now(UTC) + timedelta(hours=1)).timestamp())},
    ],
    ids=["seconds", "a date", "GitHub's hour"],
)
def test_a_forge_that_asks_for_longer_than_there_is_time_is_not_waited_for(kind: str, headers: dict[str, str]) -> None:
    server, time = FakeForge(kind, NEW), Time()
    server.before = always(httpx.Response(429, text="slow down", headers=headers))
    with pytest.raises(ConditionTimeout, match="429: slow down"):
        comment(server, time=time).publish()
    assert (time.slept, len(server.asked)) == ([], 1)


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "soon"},
        {"Retry-After": "0"},
        {"Retry-After": "-1"},
        {"Retry-After": "Sun, 29 Nov 2020 05:00:00 GMT"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"},
        {"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "4070908800"},
    ],
)
def test_what_a_forge_asks_for_is_no_reason_to_press_it(headers: dict[str, str]) -> None:
    server, time = FakeForge("GitHub", NEW), Time()
    server.before = always(httpx.Response(429, headers=headers))
    with pytest.raises(ConditionTimeout, match="429"):
        comment(server, time=time).publish()
    assert min(time.slept) >= 1


def test_a_token_that_has_used_up_its_hour_is_not_one_that_may_not() -> None:
    """GitHub answers 403 to both, and its figures come with every answer."""
    server, time = FakeForge("GitHub", NEW), Time()
    soon = {
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str((datetime.now(UTC) + timedelta(seconds=5)).timestamp()),
    }
    answers = iter([httpx.Response(403, headers=soon)])
    server.before = lambda _: next(answers, None)
    comment(server, time=time).publish()
    assert 3 < time.slept[0] <= 5
    server.before = always(httpx.Response(422, headers=soon))
    with pytest.raises(Unrecoverable):
        comment(server).publish()
    server.before = always(httpx.Response(403, headers={**soon, "X-RateLimit-Remaining": "1"}))
    with pytest.raises(Unrecoverable):
        comment(server).publish()


@KINDS
@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410, 422])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_will_not_pass_is_not_tried_again(kind: str, status: int, method: str) -> None:
    """A token that was revoked, comments that are switched off."""
    server, time = FakeForge(kind, NEW), Time()
    server.before = lambda request: httpx.Response(status, text="no") if request.method == method else None
    with pytest.raises(Unrecoverable, match=rf"Last seen: {method} /issues/7/comments was answered {status}: no"):
        comment(server, time=time).publish()
    assert (time.slept, server.bodies()) == ([], [])


@KINDS
@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_a_forge_that_does_not_answer_is_asked_again(kind: str, error: type[httpx.TransportError]) -> None:
    server, times = FakeForge(kind, NEW), iter(range(3))

    def hang(request: httpx.Request) -> None:
        if next(times, None) is not None:
            raise error("no answer", request=request)

    server.before = hang
    run(server)
    assert server.bodies() == [body_of("text", NEW)]
    server.before = lambda request: (_ for _ in ()).throw(error("no answer", request=request))
    with pytest.raises(ConditionTimeout, match=f"Last seen: GET /issues/7/comments was not answered: {error.__name__}"):
        run(server)


@KINDS
def test_an_answer_that_was_lost_makes_no_second_comment(kind: str) -> None:
    server, lost = FakeForge(kind, NEW), iter([True])

    def lose(request: httpx.Request) -> None:
        if request.method == "POST" and next(lost, False):
            server.say(GATE_REPORTER, json.loads(request.content)["body"])
            raise httpx.ReadTimeout("no answer", request=request)

    server.before = lose
    time = Time()
    sticky = comment(server, time=time)
    sticky.publish()
    sticky.settle()
    assert server.bodies() == [body_of("text", NEW)]
    assert SETTLED in time.slept, "it may have come in twice"


@KINDS
@pytest.mark.parametrize("content", [b"<html>", b"{}", b"[1]", b'[{"id": 1}]', b"null"])
def test_an_answer_that_means_nothing_is_none(kind: str, content: bytes) -> None:
    server = FakeForge(kind, NEW)
    server.before = always(httpx.Response(200, content=content))
    with pytest.raises(ConditionTimeout, match="cannot be read"):
        run(server)


@KINDS
def test_a_comment_that_is_deleted_before_the_last_look_is_made_again(kind: str) -> None:
    server = FakeForge(kind, NEW)
    sticky = comment(server)
    sticky.publish()
    server.comments.clear()
    assert sticky.settle() == "the comment is there and up to date"
    assert server.bodies() == [body_of("text", NEW)]
    assert server.written == ["POST /issues/7/comments"] * 2


def test_the_last_look_is_a_second_after_the_longest_write() -> None:
    """Decision 0029: 6 s, since a request may take 5 s."""
    assert (WITHIN, SETTLED) == (5.0, 6.0)
