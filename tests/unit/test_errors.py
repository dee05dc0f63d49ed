"""The tree of errors and its exit codes are what the documentation says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from neuroscale import errors
from neuroscale.errors import ApiError, ConditionTimeout, ExitCode, NeuroscaleError, Unrecoverable
from neuroscale.settings import ROOT


def _below(kind: type[NeuroscaleError]) -> Iterator[type[NeuroscaleError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


TREE = [NeuroscaleError, *(kind for kind in _below(NeuroscaleError) if kind.__module__ == errors.__name__)]


@pytest.mark.parametrize("kind", TREE)
def test_the_module_says_which_exit_code_each_error_leads_to(kind: type[NeuroscaleError]) -> None:
    assert errors.__doc__ is not None
    documented = [line for line in errors.__doc__.splitlines() if f" {kind.__name__} " in f" {line.strip('│├└─ ')} "]
    assert len(documented) == 1
    assert f"exit {kind.exit_code.value}:" in documented[0]


def test_only_a_broken_promise_of_the_platform_is_a_failure() -> None:
    assert {kind for kind in TREE if issubclass(kind, AssertionError)} == {ConditionTimeout, Unrecoverable}
    assert {kind for kind in TREE if kind.exit_code == ExitCode.FAILED} == {ConditionTimeout, Unrecoverable}


def test_no_error_passes_for_success() -> None:
    assert all(kind.exit_code != ExitCode.PASSED for kind in TREE)


def test_exit_codes_are_those_of_the_documentation() -> None:
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Exit codes")[2].partition("\n## ")[0]
    meanings = {int(code): said for code, said in re.findall(r"^\| (\d+) \| (.+) \|$", table, flags=re.MULTILINE)}
    assert sorted(meanings) == sorted(ExitCode)
    words = {"USAGE": "usage", "NOT_RUN": "not run", "REFUSED": "forbidden", "INTERNAL": "an error inside"}
    for name, begins in words.items():
        assert meanings[ExitCode[name]].startswith(begins)


def test_exit_codes_are_distinct_and_pytest_agrees_on_its_own() -> None:
    assert len({code.value for code in ExitCode}) == len(ExitCode)
    assert ExitCode.PASSED == pytest.ExitCode.OK
    assert ExitCode.FAILED == pytest.ExitCode.TESTS_FAILED
    assert ExitCode.NOTHING_COLLECTED == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_refusal_carries_status_and_reason() -> None:
    error = ApiError("no", status=409, reason="AlreadyExists")
    assert (str(error), error.status, error.reason) == ("no", 409, "AlreadyExists")
