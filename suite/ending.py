"""How a session ends: the one place where pytest's exit codes become ours, for the shell, ``run.json`` and the screen.

pytest loads this module before it knows all options (``pytest.ini``), since it would refuse an unknown one with the
exit code that means "refused" here. Our own codes never go through pytest, where they mean something else.
"""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Collection, Generator, Sequence
from datetime import UTC, datetime
from typing import NoReturn

import pytest

from neuroscale.chaos.journal import Journal
from neuroscale.cluster.state import load_state
from neuroscale.errors import ExitCode, HostError, Locked, NeuroscaleError, ending_of
from neuroscale.evidence.redaction import Redactor
from neuroscale.report import terminal
from neuroscale.results import Run, RunFolder
from neuroscale.screen import say, say_verbatim

FOLDER = pytest.StashKey[RunFolder]()
RUN = pytest.StashKey[Run]()
#: Where each error of a scenario, and each mutant, would lead to alone: by node ID and phase of its test.
CODES = pytest.StashKey[dict[tuple[str, str], ExitCode]]()
#: Where the error leads to that ended the session.
_ENDED_BY = pytest.StashKey[ExitCode]()
_SESSION = pytest.StashKey[pytest.Session]()
_UNREADABLE = pytest.StashKey[bool]()
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}
#: Of several, the one that says most.
_WORST_FIRST = (ExitCode.FAILED, ExitCode.REFUSED, ExitCode.NOT_RUN)


def exit_code(
    status: int,
    run: Run | None = None,
    *,
    codes: Collection[ExitCode] = (),
    unreadable: bool = False,
    stop: bool = False,
) -> int:
    """Our exit code of a session.

    Args:
        status: What pytest says.
        run: What is on record of it; ``None`` for the fast tier.
        codes: See :data:`CODES`.
        unreadable: Whether tests could not be collected, which pytest calls an interruption.
        stop: Whether the suite itself ended the session early, which pytest calls so, too.
    """
    if status == pytest.ExitCode.INTERRUPTED and stop and not unreadable:
        status = pytest.ExitCode.TESTS_FAILED
    if status not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        other = {
            pytest.ExitCode.INTERRUPTED: ExitCode.INTERNAL if unreadable else ExitCode.INTERRUPTED,
            pytest.ExitCode.INTERNAL_ERROR: ExitCode.INTERNAL,
            pytest.ExitCode.USAGE_ERROR: ExitCode.USAGE,
        }
        return other.get(pytest.ExitCode(status), status)
    if run is None:
        return status
    # A skip is green to pytest; what failed outside of every scenario says nothing about the platform.
    verdicts = {result.verdict for result in run.results}
    # Mutants alone were tried where each control was on record already.
    green = verdicts == {"passed"} or (not verdicts and set(codes) == {ExitCode.PASSED})
    if green and status == pytest.ExitCode.OK:
        return ExitCode.PASSED
    found = {*codes, ExitCode.FAILED if "failed" in verdicts else ExitCode.NOT_RUN}
    return next(code for code in _WORST_FIRST if code in found)


def end_session(config: pytest.Config, error: BaseException, before: str = "") -> NoReturn:
    """End the session now, with one sentence and the error's exit code."""
    config.stash[_ENDED_BY], sentence = ending_of(error)
    if RUN in config.stash:
        config.stash[RUN].why = Redactor(())(f"{before}{sentence}")
    raise pytest.exit.Exception(f"{before}{sentence}") from None


def concerns_all(error: BaseException) -> bool:
    """Whether every other scenario would meet the same error: a lock, or this machine, stands in the way."""
    if isinstance(error, OSError):
        return error.filename is not None or error.errno in _DISK_FULL
    return isinstance(error, Locked | HostError)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(args: list[str], parser: pytest.Parser) -> Generator[None, object, object]:
    """Right behind this, pytest would look for unknown options itself."""
    try:
        result = yield
        _, unknown = parser.parse_known_and_unknown_args(args)
        if unknown:
            raise pytest.UsageError(f"There is no such option: {' '.join(unknown)}. Next: pytest --help")
    except pytest.UsageError as error:
        _tell(error.args)
        sys.exit(ExitCode.USAGE)
    except Exception as error:  # noqa: BLE001 - a conftest.py that cannot be imported, whatever is wrong with it
        traceback.print_exception(error)
        sys.exit(ExitCode.INTERNAL)
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, int, int]:
    """Every session ends here."""
    config.pluginmanager.register(_InternalErrors(config))
    try:
        status = yield
    except pytest.UsageError as error:
        _tell(error.args)
        status = pytest.ExitCode.USAGE_ERROR
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - raised by the ending itself: a rollback, a report
        status = config.stash[_ENDED_BY] = _tell_ending(error)
    return _conclude(config, status)


class _InternalErrors:
    """What pytest calls so."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """An error that was foreseen is none, wherever it was raised: it has a sentence, and its own exit code."""
        if ending_of(excinfo.value).sentence:
            end_session(self._config, excinfo.value)


@pytest.hookimpl(tryfirst=True)
def pytest_keyboard_interrupt(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """An ending in one sentence shows no traceback; pytest would format all of it nevertheless, which takes a while."""
    if isinstance(excinfo.value, pytest.exit.Exception):
        excinfo.traceback = excinfo.traceback[-1:]


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Before any test ran, only collecting can have failed."""
    session.config.stash[_SESSION] = session
    session.config.stash[_UNREADABLE] = bool(session.testsfailed)


def _conclude(config: pytest.Config, status: int) -> int:
    """Say what came of the session, and the same exit code everywhere."""
    stash = config.stash
    session, run, codes = stash.get(_SESSION, None), stash.get(RUN, None), stash.get(CODES, {}).values()
    code = stash.get(_ENDED_BY, None) or exit_code(
        status,
        run,
        codes=codes,
        unreadable=stash.get(_UNREADABLE, False),
        stop=bool(session and session.shouldstop),
    )
    if run is None:
        return int(code)
    if code == ExitCode.INTERRUPTED and (left := _left_open()):
        code = ExitCode.NOT_RUN
        _tell([left])
    run.exit_code = int(code)
    run.seconds = (datetime.now(UTC) - run.started_at).total_seconds()
    try:
        stash[FOLDER].save_run(run)
    except OSError as error:
        # A pass that is not on record is none.
        return int(code or _tell_ending(error))
    if run.results:
        say(terminal.summary(stash[FOLDER]))
    else:
        say_verbatim(
            f"No scenario was run, so nothing is known about the platform (exit code {run.exit_code}). "
            f"Selected: -m '{config.option.markexpr}' -k '{config.option.keyword}'"
        )
    return run.exit_code


def _left_open() -> str:
    """What says that an interrupted session did not undo everything."""
    try:
        state = load_state()
        faults = Journal.of(state.nonce).unfinished() if state else []
    except (NeuroscaleError, OSError) as error:
        return ending_of(error).sentence
    what = "; ".join(entry.fault.description for entry in faults)
    return f"Everything should have been rolled back, but open is: {what}. Next: neuroscale rollback" if faults else ""


def _tell_ending(error: BaseException) -> ExitCode:
    code, sentence = ending_of(error)
    if sentence:
        _tell([sentence])
    elif code == ExitCode.INTERNAL:
        traceback.print_exception(error)
    return code


def _tell(lines: Sequence[object]) -> None:
    for line in lines:
        sys.stderr.write(f"ERROR: {line}\n")
