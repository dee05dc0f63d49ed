"""The comment that says what a pull request costs: one, the newest, and nobody else's."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from random import Random

import pytest

from neuroscale.commit_statuses import Comment
from neuroscale.delta.written import MARKER
from neuroscale.errors import NeuroscaleError
from neuroscale.pull_request_checks.sticky_comment import is_ours, keep
from neuroscale.settings import GATE_REPORTER

SHAS = [f"{number:040x}" for number in range(20)]


def body(sha: str) -> str:
    return f"{MARKER}\n<!-- head: {sha} -->\nIt costs something.\n"


@dataclass
class Server:
    """A pull request's comments, and how often something was written.

    Attributes:
        proposed: Its head.
        refuses: What is answered by an error.
    """

    proposed: str = SHAS[-1]
    written: list[Comment] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    refuses: str = ""
    next_id: int = 100
    lock: threading.Lock = field(default_factory=threading.Lock)

    def head(self, number: int) -> str:
        self._asked("head")
        return self.proposed

    def comments(self, number: int) -> list[Comment]:
        self._asked("comments")
        with self.lock:
            return sorted(self.written, key=lambda one: one.id)

    def comment(self, number: int, body: str) -> None:
        self._asked("comment")
        with self.lock:
            self.next_id += 1
            self.written.append(Comment(self.next_id, GATE_REPORTER, body))

    def edit_comment(self, comment: int, body: str) -> None:
        self._asked("edit")
        with self.lock:
            self.written = [Comment(one.id, one.author, body) if one.id == comment else one for one in self.written]

    def delete_comment(self, comment: int) -> None:
        self._asked("delete")
        with self.lock:
            self.written = [one for one in self.written if one.id != comment]

    def _asked(self, what: str) -> None:
        if what == self.refuses:
            raise NeuroscaleError(f"The Git server should take {what}, but answered 500")
        if what not in {"head", "comments"}:
            self.told.append(what)


def said(server: Server, sha: str = SHAS[-1]) -> bool:
    return keep(server, 7, sha, body(sha), wait=lambda _: None)


def test_the_first_is_written_and_the_same_again_is_not() -> None:
    server = Server()
    assert said(server)
    assert (server.told, [one.body for one in server.written]) == (["comment"], [body(SHAS[-1])])
    assert said(server)
    assert server.told == ["comment"]


def test_a_newer_commit_rewrites_it() -> None:
    server = Server(written=[Comment(1, GATE_REPORTER, body(SHAS[3]))])
    assert said(server)
    assert (server.told, server.written) == (["edit"], [Comment(1, GATE_REPORTER, body(SHAS[-1]))])


def test_a_forge_that_trims_is_no_reason_to_write_again() -> None:
    server = Server(written=[Comment(1, GATE_REPORTER, body(SHAS[-1]).strip())])
    assert said(server)
    assert server.told == []


def test_an_older_run_leaves_the_newer_ones_words() -> None:
    server = Server(written=[Comment(1, GATE_REPORTER, body(SHAS[-1]))])
    assert not said(server, SHAS[3])
    assert server.told == []


def test_one_that_was_deleted_by_hand_is_written_again() -> None:
    server = Server()
    assert said(server)
    server.written.clear()
    assert said(server)
    assert [one.body for one in server.written] == [body(SHAS[-1])]


@pytest.mark.parametrize(
    ("author", "text", "ours"),
    [(GATE_REPORTER, body("a"), True), ("mallory", body("a"), False), ("", body("a"), False),
     (GATE_REPORTER, "It costs something.", False), (GATE_REPORTER, f"> {body('a')}", False)],
)  # fmt: skip
def test_ours_has_the_marker_and_the_author(author: str, text: str, ours: bool) -> None:
    comment = Comment(1, author, text)
    assert is_ours(comment) == ours
    server = Server(written=[comment])
    assert said(server)
    assert (comment in server.written) is not ours
    assert server.told == (["edit"] if ours else ["comment"])


def test_several_become_one_the_oldest() -> None:
    theirs = Comment(2, "mallory", body("a"))
    server = Server(written=[Comment(3, GATE_REPORTER, body("b")), Comment(1, GATE_REPORTER, body("c")), theirs])
    assert said(server)
    assert sorted(server.written, key=lambda one: one.id) == [Comment(1, GATE_REPORTER, body(SHAS[-1])), theirs]
    assert sorted(server.told) == ["delete", "edit"]


def test_an_older_run_that_is_late_is_written_over() -> None:
    """It looked before the newer commit was pushed, and writes after the newer run has."""
    server, looks = Server(), []

    def late(_: float) -> None:
        looks.append(1)
        if len(looks) == 2:
            server.written[0] = Comment(server.written[0].id, GATE_REPORTER, body(SHAS[3]))

    assert keep(server, 7, SHAS[-1], body(SHAS[-1]), wait=late)
    assert [one.body for one in server.written] == [body(SHAS[-1])]


def test_who_writes_without_end_is_an_error() -> None:
    server = Server()
    with pytest.raises(NeuroscaleError, match="should stay as it is written"):
        keep(server, 7, SHAS[-1], body(SHAS[-1]), wait=lambda _: server.written.clear())


@pytest.mark.parametrize("what", ["head", "comments", "comment"])
def test_a_forge_that_fails_is_no_comment(what: str) -> None:
    with pytest.raises(NeuroscaleError, match="answered 500"):
        said(Server(refuses=what))


@pytest.mark.parametrize("seed", range(5))
def test_twenty_runs_out_of_order_and_at_once_leave_the_newest(seed: int) -> None:
    """Each push has its run, which looks and writes some time after it; many are at work together."""
    chance = Random(seed)  # noqa: S311 - test data
    server = Server(written=[Comment(1, "mallory", body("a"))])
    waits = {sha: (chance.random() / 50, chance.random() / 200) for sha in SHAS}
    ticks, kept = threading.Event(), dict[str, bool]()

    def run(sha: str) -> None:
        late, between = waits[sha]
        ticks.wait(late)
        kept[sha] = keep(server, 7, sha, body(sha), wait=lambda _: bool(ticks.wait(between)) or None)

    threads = [threading.Thread(target=run, args=(sha,)) for sha in SHAS]
    for sha, thread in zip(SHAS, threads, strict=True):
        server.proposed = sha
        thread.start()
        ticks.wait(0.001)
    for thread in threads:
        thread.join()
    assert len(kept) == len(SHAS)
    assert kept[SHAS[-1]]
    assert min(server.written, key=lambda one: one.id) == Comment(1, "mallory", body("a"))
    assert [one.body for one in server.written if is_ours(one)] == [body(SHAS[-1])]
