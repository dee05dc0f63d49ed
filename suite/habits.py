"""Habits that people bring along: what would be ignored here, or would go wrong, is answered with what to type."""

from __future__ import annotations

import shlex

import pytest

from neuroscale.errors import UsageError
from suite.markers import markers
from suite.session import LEFT_OUT, needs_cluster

#: pytest takes these options even where nothing remembers an earlier run.
_REMEMBERING = {
    "lf": "--lf",
    "failedfirst": "--ff",
    "newfirst": "--nf",
    "stepwise": "--sw",
    "stepwise_skip": "--sw-skip",
}


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Before the session has a folder."""
    if asked := [option for name, option in _REMEMBERING.items() if getattr(config.option, name, False)]:
        raise UsageError(
            f"Which tests failed last is not remembered, so {' and '.join(asked)} would select nothing. "
            "Next: pytest with the node IDs that the report names"
        )
    if config.option.mutant and config.option.shuffle is not None:
        raise UsageError(
            "A mutant is tried after its control, so --shuffle is for scenarios alone. Next: without --shuffle"
        )
    if needs_cluster(config) and getattr(config.option, "dist", "no") != "no":
        raise UsageError(
            "Scenarios break one cluster, one after the other, so -n is for the fast tier alone. "
            f"Next: {_typed(config, without_workers=True)}"
        )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Scenarios that were asked for by name, and by nothing that says that the cluster is meant."""
    left_out = config.stash.get(LEFT_OUT, [])
    if left_out and (config.option.keyword or config.args_source is pytest.Config.ArgsSource.ARGS):
        terminalreporter.write_line(_needs_marker(config, left_out))


def _needs_marker(config: pytest.Config, left_out: list[pytest.Item]) -> str:
    ours = [name for name in markers() if any(left_out[0].iter_markers(name))]
    return (
        f"{len(left_out)} scenario{'s' if len(left_out) > 1 else ''} on the real cluster fit what was typed, and run "
        f"only where a marker says that it is meant. Next: {_typed(config, '-m', ours[0])}"
    )


def _typed(config: pytest.Config, *more: str, without_workers: bool = False) -> str:
    """What was typed, with or without a part of it."""
    typed = list(config.invocation_params.args)
    if without_workers:
        for option in ("-n", "--numprocesses", "--dist", "--tx"):
            while option in typed:
                del typed[typed.index(option) : typed.index(option) + 2]
        typed = [word for word in typed if not word.startswith(("-n", "--numprocesses=", "--dist=", "--tx=", "-d"))]
    return shlex.join(["pytest", *more, *typed])
