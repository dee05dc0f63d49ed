"""Commands about the cluster and the platform on it."""

from __future__ import annotations

import secrets
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import httpx
import typer
from rich.markup import escape

from neuroscale.bootstrap import up as bootstrap
from neuroscale.bootstrap.up import roll_back
from neuroscale.chaos.journal import Journal
from neuroscale.cli.options import Milestones
from neuroscale.cluster import k3d
from neuroscale.cluster.adopt import mark
from neuroscale.cluster.state import ClusterState, exclusive, load_state
from neuroscale.components import endpoints as component_endpoints
from neuroscale.errors import ClusterUnreachable, ExitCode, NeuroscaleError, ending_of
from neuroscale.evidence.redaction import Redactor
from neuroscale.host import direct
from neuroscale.milestones import parse_milestones, probes_of
from neuroscale.platform import connect
from neuroscale.polling import duration
from neuroscale.results import RunFolder
from neuroscale.screen import say, say_verbatim, table
from neuroscale.settings import CLUSTER_NAME, ShapeName, assert_checkout


def up(
    milestones: Milestones = "all",
    supply: Annotated[Literal["auto", "registry", "source"], typer.Option(help="Where images come from.")] = "auto",
    shape: Annotated[
        ShapeName | None, typer.Option(help="Nodes and networks of the cluster; as it is, or one-node.")
    ] = None,
    install: Annotated[
        bool,
        typer.Option("--install/--no-install", help="Whether missing programs may be installed (Debian packages)."),
    ] = True,
    record: Annotated[
        bool, typer.Option("--record", help="Leave a run that says why nothing was run, where it fails.")
    ] = False,
) -> None:
    """Create or resume the cluster and bring the platform up. Safe to repeat at any time."""
    assert_checkout()
    start = time.monotonic()
    with _on_record() if record else nullcontext(), exclusive():
        wanted = parse_milestones(milestones)
        done = bootstrap.up(wanted, supply=supply, shape=shape, install=install, say=say_verbatim)
    say(f"[green]platform healthy[/] after {duration(time.monotonic() - start)} (cluster {done.how})")


@contextmanager
def _on_record() -> Iterator[None]:
    """A run in which nothing was run: the latest one from now on, until what it was for has a run of its own."""
    folder, run = RunFolder.begin("conformance", shlex.join(["neuroscale", *sys.argv[1:]]))
    try:
        yield
    except BaseException as error:  # whatever it is, it goes on
        run.exit_code, sentence = ending_of(error)
        run.why = Redactor(())(f"{bootstrap.NOTHING_WAS_RUN}{sentence}".strip())
        run.seconds = (datetime.now(UTC) - run.started_at).total_seconds()
        folder.save_run(run)
        raise
    shutil.rmtree(folder.path)


def down() -> None:
    """Delete the cluster that this suite made. An adopted one is rolled back, unmarked and otherwise left alone."""
    with exclusive():
        state = load_state()
        if state is not None and state.adopted:
            roll_back(connect(), state.nonce, say_verbatim)
            k3d.delete()
            say(f"{state.server} is no longer marked, and forgotten; what was installed there stays")
        else:
            say("cluster deleted" if k3d.delete() else "there was no cluster; leftovers of it are gone")


def status() -> None:
    """What exists: cluster, ports, versions, open faults, and whether the platform is healthy."""
    state = load_state()
    if state is None:
        say(f"cluster {CLUSTER_NAME}: none on this machine. Next: neuroscale up")
        raise typer.Exit(ExitCode.NOT_RUN)
    made = f"made {state.created_at:%Y-%m-%d %H:%M} UTC, supply {state.supply}, {state.shape}"
    say(f"cluster {state.name} at {state.server}, {made}")
    say("   ".join(f"{title} {url}" for title, url in _urls(state).items()))
    for name, version in sorted(state.versions.items()):
        say(f"  {name} {version}")
    for entry in Journal.of(state.nonce).unfinished():
        say(f"[yellow]open fault[/]: {entry.fault.description} (since {entry.at}). Next: neuroscale rollback")
    check()


def endpoints() -> None:
    """The user interfaces on this machine, and whether each answers. The ports are mapped for the cluster's life."""
    state = load_state()
    if state is None:
        raise ClusterUnreachable(
            f"A cluster {CLUSTER_NAME} should exist, but this machine made none. Next: neuroscale up"
        )
    urls = _urls(state)
    silent = 0
    for name, url in urls.items():
        answers = _answers(url)
        silent += not answers
        say(f"{name:18} {url}  {'[green]answers[/]' if answers else '[yellow]does not answer[/]'}")
    say("all answer" if not silent else f"{silent} of {len(urls)} do not answer; what is not installed cannot")


def _urls(state: ClusterState) -> dict[str, str]:
    # An adopted cluster has no mapped ports: only its owner knows what leads into it.
    return {"Git server": state.forge_url} | component_endpoints(state.ports or {})


def _answers(url: str) -> bool:
    try:
        # Argo CD's certificate is its own; nothing is sent to it.
        with direct.client(seconds=2, transport=httpx.HTTPTransport(verify=False)) as http:
            http.get(url)
    except httpx.HTTPError:
        return False
    return True


def check(
    milestone: Annotated[str, typer.Argument(help="A milestone's letter or name; all that the cluster has.")] = "",
) -> None:
    """Ask the steady-state probes once, without touching anything."""
    platform, state = connect(), load_state()
    answers = table("milestone", "expectation", "answer", "seen")
    bad = 0
    for letter in parse_milestones(milestone or " ".join(state.milestones if state else [])):
        for probe in probes_of(letter, platform):
            verdict = probe.check(platform.cluster)
            bad += not verdict
            colour = "green" if verdict else "red"
            answers.add_row(
                letter.upper(), escape(probe.description), f"[{colour}]{verdict.state}[/]", escape(verdict.observed)
            )
    say(answers)
    if bad:
        raise typer.Exit(ExitCode.FAILED)


def rollback() -> None:
    """Undo whatever a killed run left broken, from the journal."""
    state = load_state()
    if state is None:
        raise NeuroscaleError(f"A cluster {CLUSTER_NAME} should exist, but this machine made none. Next: neuroscale up")
    with exclusive():
        count = roll_back(connect(), state.nonce, say_verbatim)
    say(f"{count} fault{'s' if count != 1 else ''} rolled back" if count else "nothing was left open")


def adopt(
    kubeconfig: Annotated[Path, typer.Option(help="Of the existing cluster.", exists=True, dir_okay=False)],
    context: Annotated[str | None, typer.Option(help="A context in it; the current one if not given.")] = None,
    allow_destructive: Annotated[
        str | None, typer.Option(help="The nonce that the first call of this command printed.")
    ] = None,
) -> None:
    """Allow the suite to break an existing cluster: the first call prints a nonce, the second writes the marker."""
    nonce = secrets.token_hex(16)
    chosen = ["--kubeconfig", str(kubeconfig), *(["--context", context] if context else [])]
    if allow_destructive is None:
        say(
            "The suite deletes and breaks things on the cluster it runs against. If that is what you want, run:\n"
            f"  {shlex.join(['neuroscale', 'adopt', *chosen, f'--allow-destructive={nonce}'])}",
            markup=False,
        )
        raise typer.Exit(ExitCode.REFUSED)
    server = mark(kubeconfig, context, allow_destructive, datetime.now(UTC))
    say(f"{server} is marked; this machine may now write to it")
