"""The journal survives what it is there for: a process that is killed anywhere between two of its entries."""

from __future__ import annotations

import json
import os
import resource
import signal
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from apiserver import NONCE, ApiServer
from fake_portal import QuickGitServer
from fakes import CONFIG_MAPS, FAULTS, NGINX, PAGE, kinds_of_fault, picture, populate
from warm import PROCESSES

from neuroscale import backstage_client, polling
from neuroscale.chaos import journal as journal_module
from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import Fault, FieldsEdited, ObjectDeleted, Snapshot
from neuroscale.chaos.journal import Journal
from neuroscale.cluster.client import Cluster
from neuroscale.cluster.state import ClusterState
from neuroscale.errors import ClusterUnreachable, ExitCode, NeuroscaleError, RevertFailed
from neuroscale.platform import Platform
from neuroscale.settings import BUDGETS, CLUSTER_NAME, Budgets, state_dir


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.jsonl"


@pytest.fixture
def world(api: ApiServer) -> ApiServer:
    populate(api)
    return api


# --- what is on disk, and when


def test_the_undo_is_on_disk_before_the_deed(
    world: ApiServer, toy_platform: Platform, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        sync(descriptor)
        order.append(f"synced {len(path.read_bytes().splitlines())} lines")

    monkeypatch.setattr(journal_module.os, "fsync", fsync)
    world.before = lambda method, where: order.append(method) if method != "GET" else None
    with Breakage(toy_platform, Journal(path, NONCE)) as breakage:
        breakage.inject(FAULTS["object-deleted"])
    assert order == ["synced 1 lines", "DELETE", "POST", "synced 2 lines"]


def test_a_disk_that_gets_full_within_a_line_is_an_error_and_leaves_no_entry(path: Path) -> None:
    """Otherwise the fault would be injected, and nobody would know how to undo it."""
    journal = Journal(path, NONCE)
    kept = journal.open(FAULTS["scaled-to"], {"before": None})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100, hard))
    try:
        with pytest.raises(OSError, match="too large") as caught:
            journal.open(FAULTS["object-deleted"], {"before": {"data": "x" * 5000}})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.filename == str(path)
    assert journal.unfinished() == [kept]
    journal.close(kept)
    assert journal.unfinished() == []


def test_a_journal_belongs_to_its_owner_alone(path: Path) -> None:
    Journal(path, NONCE).open(FAULTS["scaled-to"], {"before": None})
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_read_back_as_it_was_written(kind: str, path: Path) -> None:
    snapshot: Snapshot = {"before": {"metadata": {"name": "ä \n \u2028"}}}
    entry = Journal(path, NONCE).open(FAULTS[kind], snapshot)
    assert Journal(path, NONCE).unfinished() == [entry]


def test_there_is_an_example_of_every_kind_of_fault() -> None:
    assert kinds_of_fault() == set(FAULTS)


def test_unfinished_is_latest_first_and_without_what_was_closed(path: Path) -> None:
    journal = Journal(path, NONCE)
    entries = [journal.open(fault, {}) for fault in FAULTS.values()]
    journal.close(entries[1])
    journal.close(entries[4])
    left = [number for number in range(len(entries)) if number not in (1, 4)]
    assert [entry.id for entry in journal.unfinished()] == [entries[number].id for number in left[::-1]]


def test_it_is_among_what_this_machine_remembers_of_its_cluster() -> None:
    """In a folder that need not be there, and without keeping a file open each time."""
    journal, before = Journal.of(NONCE, "another"), len(os.listdir("/dev/fd"))  # noqa: PTH208 - open files, no paths
    entries = [journal.open(_numbered(number), {}) for number in range(3)]
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208
    assert (state_dir("another") / "journal.jsonl").is_file()
    assert Journal.of(NONCE, "another").unfinished() == entries[::-1]
    assert Journal.of(NONCE).unfinished() == []


def test_no_journal_is_an_empty_one(path: Path) -> None:
    assert Journal(path, NONCE).unfinished() == []
    Journal(path, NONCE).forget()
    assert not path.exists()


def test_what_is_undone_is_forgotten_and_what_is_open_keeps_all(path: Path) -> None:
    journal = Journal(path, NONCE)
    first, second = (journal.open(FAULTS[kind], {}) for kind in ("object-deleted", "scaled-to"))
    journal.close(first)
    before = path.read_bytes()
    journal.forget()
    assert path.read_bytes() == before
    journal.close(second)
    journal.forget()
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"", 0o600)
    third = journal.open(FAULTS["cpu-taken"], {})
    assert journal.unfinished() == [third]


def test_entries_of_another_cluster_are_not_undone(path: Path) -> None:
    Journal(path, "f" * 32).open(FAULTS["scaled-to"], {})
    mine = Journal(path, NONCE).open(FAULTS["cpu-taken"], {})
    path.write_bytes(path.read_bytes() + b'{"event": "open", "id": "x", "nonce": "e", "fault": {"kind": "of old"}}\n')
    assert Journal(path, NONCE).unfinished() == [mine]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('"fault": {"kind": "of old"}, "receipt": {}', "of old"),
        ('"fault": {"kind": "scaled-to"}, "receipt": {}', "Field required"),
        ('"receipt": {}', "it has no 'fault'"),
        ('"fault": {"kind": "committed", "message": "m", "files": {}}', "it has no 'receipt'"),
    ],
)
def test_an_open_fault_that_this_version_does_not_know_is_told_and_kept(line: str, why: str, path: Path) -> None:
    Journal(path, NONCE).open(FAULTS["scaled-to"], {})
    head = f'"event": "open", "id": "x", "at": "yesterday", "nonce": "{NONCE}"'
    path.write_bytes(path.read_bytes() + f"{{{head}, {line}}}\n".encode())
    whole = path.read_bytes()
    with pytest.raises(
        NeuroscaleError, match=rf"open fault x of yesterday .*{why}.*Nothing was undone.*Next: "
    ) as caught:
        Journal(path, NONCE).unfinished()
    assert "ValidationError" not in str(caught.value)
    assert path.read_bytes() == whole
    path.write_bytes(whole + b'{"event": "closed", "id": "x"}\n')
    assert len(Journal(path, NONCE).unfinished()) == 1


@pytest.mark.parametrize("cut", [1, 2, 10, 50, -2])
def test_a_torn_last_line_is_no_entry_and_swallows_none(cut: int, path: Path) -> None:
    journal = Journal(path, NONCE)
    first = journal.open(FAULTS["object-deleted"], {})
    whole = path.read_bytes()
    journal.open(FAULTS["scaled-to"], {"before": "ü" * 20})
    path.write_bytes(whole + path.read_bytes()[len(whole) :][:cut])
    assert journal.unfinished() == [first]
    third = journal.open(FAULTS["cpu-taken"], {})
    assert Journal(path, NONCE).unfinished() == [third, first]


def test_a_whole_last_line_counts_also_without_its_end(path: Path) -> None:
    """As an editor leaves it."""
    journal = Journal(path, NONCE)
    first = journal.open(FAULTS["object-deleted"], {})
    path.write_bytes(path.read_bytes().rstrip())
    assert journal.unfinished() == [first]
    second = journal.open(FAULTS["scaled-to"], {})
    assert journal.unfinished() == [second, first]


@pytest.mark.parametrize("blank", [b"", b"\n\n", b" \n"])
def test_blank_lines_are_passed_over(blank: bytes, path: Path) -> None:
    journal = Journal(path, NONCE)
    first = journal.open(FAULTS["object-deleted"], {})
    path.write_bytes(path.read_bytes() + blank)
    second = journal.open(FAULTS["scaled-to"], {})
    assert journal.unfinished() == [second, first]


@pytest.mark.parametrize(
    "damaged",
    [
        b"7\n", b"null\n", b"{}\n", b'"event"\n', b"\xff\xfe\n", b"[]\n", b"{\n", b'{"event": "open"}\n',
        b'{"event": "opened", "id": "x"}\n', b'{"event": "open", "id": "x"}\n', b'{"event": "closed", "id": ["x"]}\n',
        b'{"event": "open", "id": "x", "nonce": 7}\n', b"[" * 100_000 + b"\n",
    ],
)  # fmt: skip
def test_a_whole_line_that_cannot_be_read_stops_everything_and_changes_nothing(damaged: bytes, path: Path) -> None:
    journal = Journal(path, NONCE)
    journal.close(journal.open(FAULTS["object-deleted"], {}))
    path.write_bytes(path.read_bytes() + damaged)
    whole = path.read_bytes()
    for ask in (journal.unfinished, journal.forget):
        with pytest.raises(NeuroscaleError, match=rf"Line 3 of {path} .*cannot be read.*Nothing was undone") as caught:
            ask()
        assert caught.value.exit_code == ExitCode.NOT_RUN
    assert path.read_bytes() == whole


# --- undoing


def _numbered(number: int) -> Fault:
    return FieldsEdited(target=NGINX, patch={"number": number})


@pytest.mark.parametrize(
    "error", [ClusterUnreachable("gone"), KeyError("spec"), OSError("disk full"), RecursionError()]
)
def test_a_revert_that_fails_stays_open_and_stops_no_other(
    error: Exception, path: Path, toy_platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []

    def revert(fault: FieldsEdited, platform: Platform, snapshot: Snapshot) -> None:
        if fault.patch["number"] == 2:
            raise error
        done.append(fault.patch["number"])

    monkeypatch.setattr(FieldsEdited, "revert", revert)
    journal = Journal(path, NONCE)
    entries = [journal.open(_numbered(number), {}) for number in range(4)]
    with pytest.raises(RevertFailed, match=r"number=2.*Next: neuroscale rollback") as caught:
        journal.roll_back_all(toy_platform, journal.unfinished())
    assert type(error).__name__ in str(caught.value)
    assert str(path) not in str(caught.value)  # it goes into reports
    assert done == [3, 1, 0]
    assert journal.unfinished() == [entries[2]]


def test_every_failure_is_in_the_text(path: Path, toy_platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    def revert(fault: FieldsEdited, platform: Platform, snapshot: Snapshot) -> None:
        raise ClusterUnreachable("no answer")

    monkeypatch.setattr(FieldsEdited, "revert", revert)
    journal = Journal(path, NONCE)
    for number in range(3):
        journal.open(_numbered(number), {})
    with pytest.raises(RevertFailed) as caught:
        journal.roll_back_all(toy_platform, journal.unfinished())
    assert [f"number={number}" in str(caught.value) for number in range(3)] == [True] * 3


def test_a_fault_is_open_until_nothing_of_it_is_left(
    world: ApiServer, toy_platform: Platform, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deleted object with a finalizer stays until its controller has tidied up, and that comes back only later."""
    monkeypatch.setattr(journal_module, "eventually", partial(polling.eventually, every=0.02))
    journal, target = Journal(path, NONCE), f"{CONFIG_MAPS}/stray"
    with Breakage(toy_platform, journal) as breakage:
        breakage.inject(FAULTS["scaled-to"])
        breakage.inject(FAULTS["object-created"])
        remove, looks = world.remove, iter([True, True])
        monkeypatch.setattr(world, "remove", lambda where: world.objects[where])
        order: list[str] = []

        def finalize(method: str, where: str) -> None:
            if method != "GET":
                order.append(method)
            elif where == target and order[-1:] == ["PATCH"] and not next(looks, False):
                order.append(f"gone, {len(journal.unfinished())} open")
                remove(target)

        world.before = finalize
    assert order == ["DELETE", "PATCH", "gone, 2 open"]
    assert journal.unfinished() == []


def test_what_never_goes_stays_open(
    world: ApiServer, toy_platform: Platform, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "BUDGETS", Budgets(roll_back=0.1))
    journal = Journal(path, NONCE)
    breakage = Breakage(toy_platform, journal)
    breakage.inject(FAULTS["object-created"])
    breakage.inject(FAULTS["scaled-to"])
    world.objects[f"{CONFIG_MAPS}/stray"]["metadata"]["finalizers"] = ["example.org/slow"]
    monkeypatch.setattr(world, "remove", lambda where: world.objects[where])
    with pytest.raises(RevertFailed, match=r"still there, held by finalizers \['example.org/slow'\]"):
        breakage.__exit__(None, None, None)
    assert [entry.fault for entry in journal.unfinished()] == [FAULTS["object-created"]]


def test_a_revert_that_failed_succeeds_later(
    world: ApiServer, toy_platform: Platform, repository: Path, path: Path
) -> None:
    before = picture(world, repository)
    refuse = (500, b'{"reason": "InternalError", "message": "etcd"}', {})
    journal = Journal(path, NONCE)
    breakage = Breakage(toy_platform, journal)
    breakage.inject(ObjectDeleted(target=PAGE))
    world.answers["POST /api/v1/namespaces/default/configmaps"] = refuse
    with pytest.raises(RevertFailed, match="etcd"):
        breakage.__exit__(None, None, None)
    assert picture(world, repository) != before
    world.answers.clear()
    journal.roll_back_all(toy_platform, journal.unfinished())
    assert picture(world, repository) == before
    assert journal.unfinished() == []


def test_what_one_revert_waits_for_may_be_another_one(
    path: Path, toy_platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A webhook that rejects what has to be created again, for instance."""
    done: list[int] = []

    def revert(fault: FieldsEdited, platform: Platform, snapshot: Snapshot) -> None:
        if fault.patch["number"] == 2 and 0 not in done:
            raise ClusterUnreachable("not yet")
        done.append(fault.patch["number"])

    monkeypatch.setattr(FieldsEdited, "revert", revert)
    journal = Journal(path, NONCE)
    for number in range(3):
        journal.open(_numbered(number), {})
    journal.roll_back_all(toy_platform, journal.unfinished())
    assert (done, journal.unfinished()) == ([1, 0, 2], [])


def test_a_revert_alone_tells_what_failed_and_closes_nothing(
    path: Path, toy_platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def revert(fault: FieldsEdited, platform: Platform, snapshot: Snapshot) -> None:
        if fault.patch["number"] == 1:
            raise ClusterUnreachable("no answer")

    monkeypatch.setattr(FieldsEdited, "revert", revert)
    journal = Journal(path, NONCE)
    entries = [journal.open(_numbered(number), {}) for number in range(2)]
    journal.revert_all(toy_platform, entries[:1])
    with pytest.raises(RevertFailed, match=r"number=1.*no answer"):
        journal.revert_all(toy_platform, entries)
    assert journal.unfinished() == entries[::-1]


def test_a_rollback_is_gone_on_with_until_it_is_complete(
    path: Path, toy_platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "eventually", partial(polling.eventually, every=0.01))
    verdicts = iter([polling.pending("a sync goes on"), polling.pending("a sync goes on"), polling.met("ended")])
    went_on: list[Fault] = []
    monkeypatch.setattr(FieldsEdited, "revert", lambda *_: None)
    monkeypatch.setattr(FieldsEdited, "rollback_complete", lambda *_: next(verdicts))
    monkeypatch.setattr(FieldsEdited, "continue_rollback", lambda fault, *_: went_on.append(fault))
    journal = Journal(path, NONCE)
    journal.open(_numbered(1), {})
    journal.roll_back_all(toy_platform, journal.unfinished())
    assert went_on == [_numbered(1)] * 2


def test_what_one_rollback_waits_for_may_be_another_one(
    path: Path, toy_platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A form whose task nobody works on, until the portal has its old values again."""
    monkeypatch.setattr(journal_module, "BUDGETS", replace(BUDGETS, roll_back=0))
    complete: list[int] = []

    def rollback_complete(fault: FieldsEdited, *_: object) -> polling.Verdict:
        if fault.patch["number"] == 1 and 0 not in complete:
            return polling.pending("nobody works on it")
        complete.append(fault.patch["number"])
        return polling.met("nothing is left")

    monkeypatch.setattr(FieldsEdited, "revert", lambda *_: None)
    monkeypatch.setattr(FieldsEdited, "rollback_complete", rollback_complete)
    journal = Journal(path, NONCE)
    for number in range(2):
        journal.open(_numbered(number), {})
    journal.roll_back_all(toy_platform, journal.unfinished())
    assert (complete, journal.unfinished()) == ([0, 1], [])


# --- kill -9


@dataclass(frozen=True)
class Death:
    """When the process dies: before, in the middle of or after writing entry ``number``; or after the last deed."""

    moment: str
    number: int = 0

    def __str__(self) -> str:
        return f"{self.moment} {self.number}" if self.number else self.moment


class MortalJournal(Journal):
    """A journal that kills its own process, as the OOM killer does: no handler, no finally."""

    def __init__(self, path: Path, death: Death) -> None:
        super().__init__(path, NONCE)
        self._death, self._file, self._count = death, path, 0

    def _append(self, line: dict[str, Any]) -> None:
        self._count += 1
        due = self._count == self._death.number
        if due and self._death.moment == "before":
            die()
        if due and self._death.moment == "within":
            raw = json.dumps(line).encode()
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("ab") as file:
                file.write(raw[: len(raw) // 2])
                file.flush()
                os.fsync(file.fileno())
            die()
        super()._append(line)
        if due and self._death.moment == "after":
            die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def scenario(state: ClusterState, repository: Path, path: Path, faults: list[str], death: Death) -> None:
    """What runs in the process that dies."""
    home = path.parent
    os.environ["NEUROSCALE_STATE"] = str(home)
    os.environ["PATH"] = f"{home / 'docker'}{os.pathsep}{os.environ['PATH']}"
    backstage_client.backstage_url = lambda: state.forge_url
    cluster = Cluster.from_kubeconfig(home / "kubeconfig", state)
    platform = Platform(cluster, QuickGitServer(cluster, state.forge_url, repository))
    with Breakage(platform, MortalJournal(path, death)) as breakage:
        for fault in faults:
            breakage.inject(FAULTS[fault])
        if death.moment == "deed":
            die()


def state_of(world: ApiServer, git_server: str) -> ClusterState:
    return ClusterState(
        name=CLUSTER_NAME, nonce=NONCE, server=world.url, created_at=datetime.now(UTC), forge_url=git_server
    )


_DEATHS = [Death("deed"), *(Death(moment, number) for number in (1, 2) for moment in ("before", "within", "after"))]
_ONE_FAULT = [([kind], death) for kind in FAULTS for death in _DEATHS]
_ALL_FAULTS = [(list(FAULTS), Death("after", number)) for number in (3, 6, 8, 11)]


@pytest.mark.parametrize(
    ("faults", "death"),
    _ONE_FAULT + _ALL_FAULTS,
    ids=lambda value: "+".join(value) if isinstance(value, list) else str(value),
)
def test_what_a_killed_process_left_is_healed(
    faults: list[str], death: Death, world: ApiServer, toy_platform: Platform, repository: Path
) -> None:
    home = repository.parents[2]
    path = home / "journal.jsonl"
    before = picture(world, repository)
    reached = state_of(world, toy_platform.git_server.url)
    process = PROCESSES.Process(target=scenario, args=(reached, repository, path, faults, death))
    process.start()
    process.join(timeout=60)
    assert process.exitcode == -signal.SIGKILL
    # What a process did to itself has ended with it.
    if death.moment == "deed" and faults != ["rewired"]:
        assert picture(world, repository) != before, "the fault did nothing, so healing it proves nothing"

    journal = Journal(path, NONCE)
    journal.roll_back_all(toy_platform, journal.unfinished())
    assert picture(world, repository) == before
    assert journal.unfinished() == []

    written = len(world.writes)
    journal.roll_back_all(toy_platform, journal.unfinished())
    assert len(world.writes) == written
