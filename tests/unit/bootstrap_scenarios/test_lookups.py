"""A name server that knows no name and hears each: what it hears, and what is said of it."""

from __future__ import annotations

import socket
from pathlib import Path
from types import SimpleNamespace

import dns.message
import dns.query
import dns.rcode
import pytest

from neuroscale.bootstrap_scenarios import lookups
from neuroscale.bootstrap_scenarios.lookups import NameServer, assert_stayed_here
from neuroscale.errors import ConditionTimeout, HostError, PreconditionFailed
from neuroscale.host.programs import Ended

AT_WORK = ["pid 1", "program k3d kubeconfig get neuroscale-own"]


@pytest.fixture
def server(tmp_path: Path) -> NameServer:
    return NameServer(tmp_path)


def test_a_question_is_heard_and_answered_with_no(server: NameServer) -> None:
    asked = dns.message.make_query("ghcr.io", "A")
    said = dns.message.from_wire(server.answer(asked.to_wire()))
    assert (said.rcode(), said.id, said.answer) == (dns.rcode.NXDOMAIN, asked.id, [])
    assert server.heard == ["ghcr.io"]
    server.answer(dns.message.make_query("ghcr.io", "AAAA").to_wire())
    assert server.heard == ["ghcr.io", "ghcr.io"]


def test_it_listens_as_long_as_the_block_lasts_and_can_be_followed_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
    monkeypatch.setattr(lookups, "_ADDRESS", address)
    asked = dns.message.make_query("ghcr.io", "A")
    for _ in range(2):
        with NameServer(tmp_path) as server:
            assert dns.query.udp(asked, address[0], timeout=5, port=address[1]).rcode() == dns.rcode.NXDOMAIN
            assert server.heard == ["ghcr.io"]
            with pytest.raises(HostError, match="should listen at"), NameServer(tmp_path):
                pass


def test_what_is_no_question_gets_no_answer(server: NameServer) -> None:
    assert server.answer(b"no question") == b""
    assert server.heard == []


def test_it_is_the_only_one_that_a_program_behind_it_knows(server: NameServer, tmp_path: Path) -> None:
    servers = [line for line in (tmp_path / "resolv.conf").read_text().splitlines() if line.startswith("nameserver")]
    assert servers == [f"nameserver {lookups._ADDRESS[0]}"]
    assert server.behind[:2] == ("unshare", "--mount")
    assert server.behind[-1] == str(tmp_path / "resolv.conf")


@pytest.mark.parametrize(
    ("heard", "code"),
    [([], 2), (["another.example"], 2), (["control.invalid"], 0)],
    ids=["nothing is heard", "something else is heard", "the name is found"],
)
def test_one_that_does_not_hear_is_not_used(
    heard: list[str], code: int, server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_up(command: list[str], *, within: float) -> Ended:
        assert command[-3:] == ["getent", "hosts", "control.invalid"]
        server.heard += heard
        return Ended(command, code, "", "")

    monkeypatch.setattr(lookups, "run", look_up)
    with pytest.raises(PreconditionFailed, match="should be heard and find nothing"):
        server.assert_hears()


def test_the_control_is_no_look_up_of_the_program(server: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(command: list[str], *, within: float) -> SimpleNamespace:
        server.heard.append("control.invalid")
        return SimpleNamespace(returncode=2)

    monkeypatch.setattr(lookups, "run", look_up)
    server.assert_hears()
    assert server.heard == []


def test_who_stays_here_is_well() -> None:
    assert_stayed_here([], [*AT_WORK, "api PATCH /api/v1/namespaces/argocd", "file state.json"])


@pytest.mark.parametrize(
    ("heard", "deeds", "said"),
    [
        (["ghcr.io", "ghcr.io"], [], r"2 look-ups were heard: \['ghcr.io'\], and Python had 0: \[\]"),
        ([], ["look up ghcr.io"], r"0 look-ups were heard: \[\], and Python had 1: \['look up ghcr.io'\]"),
        ([], ["reach 192.0.2.1"], r"Python had 1: \['reach 192.0.2.1'\]"),
    ],
)
def test_who_looks_up_or_reaches_out_does_not(heard: list[str], deeds: list[str], said: str) -> None:
    with pytest.raises(ConditionTimeout, match=said):
        assert_stayed_here(heard, [*AT_WORK, *deeds])


def test_who_was_not_seen_at_work_says_nothing() -> None:
    with pytest.raises(PreconditionFailed, match="should be seen at work"):
        assert_stayed_here([], ["pid 1"])
