"""The scripts at the front door, with stand-ins for make, the command line and kubectl."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import typer
from typer.main import get_command

from neuroscale.cli import app
from neuroscale.components import PORTS
from neuroscale.settings import ROOT

SCRIPTS = ("bootstrap.sh", "smoke-test.sh", "port-forward-all.sh")
#: Writes down what it was called with and ends as it is told to.
STAND_IN = """#!/bin/sh
echo "${0##*/} $*" >>"$CALLS"
[ -z "$HTTP_PROXY$https_proxy" ] || echo "${0##*/} with a proxy" >>"$CALLS"
"""
#: Out of date, unless it is told otherwise.
MAKE = f"""{STAND_IN}case $1 in --question) exit "${{STALE-1}}" ;; esac
echo "made"
exit "${{MAKE_ENDS:-0}}"
"""
NEUROSCALE = f'{STAND_IN}printf "%s\\n" "$MAPPED"; exit "${{ENDS:-0}}"\n'
PYTHON = f"""{STAND_IN}[ "$1" = -m ] || echo "/a kubeconfig"
exit "${{ENDS:-0}}"
"""
#: Knows the Services in $SERVICES; forwards until it is told to end; $UNFORWARDED not, $SHORT for a moment.
KUBECTL = f"""{STAND_IN}case "$*" in
    *" get service "*)
        [ -z "$UNREACHABLE" ] || {{ echo "connection refused" >&2; exit 1; }}
        for one in $SERVICES; do case "$*" in *" service $one "*) echo "service/$one" ;; esac; done ;;
    *"service/$UNFORWARDED "*) echo "address already in use"; exit 1 ;;
    *"service/$SHORT "*) echo "Forwarding from 127.0.0.1:1 -> 2"; sleep 0.5; kill -KILL $$ ;;
    *) [ -z "$SHORT" ] || sleep 2; echo "Forwarding from 127.0.0.1:1 -> 2"; exec tail -f /dev/null ;;
esac
"""
ALL_MAPPED = "\n".join(
    f"{title:18} http://127.0.0.1:1  answers" for title in ("Argo CD", "inference gateway", "portal")
)


@dataclass(frozen=True)
class Checkout:
    """A folder with the scripts and the stand-ins.

    Attributes:
        path: With a space in it.
        environment: Of the scripts.
    """

    path: Path
    environment: Mapping[str, str]

    def run(self, *command: str | Path, folder: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        """A script by its name, or a path to one."""
        script, *options = command
        return subprocess.run(
            [str(self.path / "scripts" / script), *map(str, options)],
            cwd=folder or self.path,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def calls(self, program: str = "") -> list[str]:
        """What the stand-ins were called with."""
        file = Path(self.environment["CALLS"])
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [line for line in lines if line.startswith(program)]

    def forwards(self) -> list[psutil.Process]:
        """What still forwards, by the variable that only this checkout's programs have."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.name() == "tail" and process.environ().get("CALLS") == self.environment["CALLS"]:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Everything there and well."""
    path = tmp_path / "a path" / "checkout"
    shutil.copytree(ROOT / "scripts", path / "scripts")
    programs = {
        path / ".venv" / "bin" / "neuroscale": NEUROSCALE,
        path / ".venv" / "bin" / "python": PYTHON,
        path / ".venv" / "bin" / "kubectl": KUBECTL,
        tmp_path / "bin" / "make": MAKE,
    }
    for program, text in programs.items():
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
    environment = {
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
        "MAPPED": ALL_MAPPED,
    }
    return Checkout(path, environment)


# --- all of them


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("option", ["--no-such-option", "-x", "word", ""])
def test_an_unknown_option_is_answered_before_anything_is_done(script: str, option: str, checkout: Checkout) -> None:
    ended = checkout.run(script, option)
    assert ended.returncode == 2
    assert ended.stderr == f"{script}: There is no option {option}. Next: scripts/{script} --help\n"
    assert ended.stdout == ""
    assert checkout.calls() == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_names_each_option_and_does_nothing(script: str, checkout: Checkout) -> None:
    ended = checkout.run(script, "--help")
    assert ended.returncode == 0
    assert len(ended.stdout.splitlines()) > 2
    assert not ended.stdout.startswith("#")
    assert "set -euo" not in ended.stdout
    assert checkout.calls() == []


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 6, 130])
@pytest.mark.parametrize("script", SCRIPTS)
def test_the_exit_code_is_the_command_lines(script: str, code: int, checkout: Checkout) -> None:
    ended = checkout.run(script, ENDS=str(code))
    assert ended.returncode == code
    assert checkout.calls()[:2] == ["make --question install", "make --no-print-directory install"]
    # What make says is no output of the script.
    assert "made" not in ended.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_environment_that_cannot_be_made_is_no_usage_error(script: str, checkout: Checkout) -> None:
    ended = checkout.run(script, MAKE_ENDS="2")
    assert ended.returncode == 3
    assert "made" in ended.stderr
    assert ended.stderr.endswith("but was not; the reason is above. Next: make install\n")
    assert {call.split()[0] for call in checkout.calls()} == {"make"}


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_environment_that_is_up_to_date_is_not_made(script: str, checkout: Checkout) -> None:
    assert checkout.run(script, STALE="0", MAKE_ENDS="2").stderr == ""
    assert checkout.calls("make") == ["make --question install"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_without_make_a_sentence_says_so(script: str, checkout: Checkout, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for program in ("bash", "readlink", "env"):
        (bare / program).symlink_to(shutil.which(program) or program)
    ended = checkout.run(script, PATH=str(bare))
    assert ended.returncode == 3
    assert "make should be on PATH, but is not. Next: apt-get install make" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("script", SCRIPTS)
def test_they_work_from_anywhere(script: str, checkout: Checkout, tmp_path: Path) -> None:
    """By a link, in another folder, with a CDPATH that knows a folder of that name, a proxy and another locale."""
    (tmp_path / "elsewhere" / "scripts").mkdir(parents=True)
    link = tmp_path / "a link"
    link.symlink_to(checkout.path / "scripts" / script)
    foreign = {"CDPATH": str(tmp_path / "elsewhere"), "HTTP_PROXY": "http://127.0.0.1:9", "LC_ALL": "C"}
    assert checkout.run(link, folder=tmp_path, **foreign).returncode == 0
    relative = os.path.relpath(checkout.path / "scripts" / script, tmp_path)
    surroundings = {**checkout.environment, **foreign}
    ended = subprocess.run([relative], cwd=tmp_path, env=surroundings, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == "made\n"
    # Downloads go through the proxy.
    assert checkout.calls("make with a proxy") == ["make with a proxy"] * 4


# --- each of them


def test_bootstrap_has_the_options_of_up(checkout: Checkout) -> None:
    group = get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    options = [name for one in group.commands["up"].params for name in (*one.opts, *one.secondary_opts)]
    assert "--milestones" in options
    described = checkout.run("bootstrap.sh", "--help").stdout
    for option in options:
        value = [] if option in {"--install", "--no-install", "--record"} else ["a b"]
        assert checkout.run("bootstrap.sh", option, *value).returncode == 0, option
        assert option in described
    assert checkout.run("bootstrap.sh", "--supply=source", "-ma").returncode == 0
    assert checkout.calls("neuroscale")[-1] == "neuroscale up --supply=source -ma"
    assert "neuroscale up --milestones a b" in checkout.calls("neuroscale")


@pytest.mark.parametrize("options", [[], ["--skip-drift"], ["--skip-policy-block", "--skip-drift"]])
def test_the_smoke_tests_options_are_passed_on(options: list[str], checkout: Checkout) -> None:
    assert checkout.run("smoke-test.sh", *options).returncode == 0
    assert checkout.calls("python") == [" ".join(["python -m suite.smoke", *options])]


# --- forwards


def test_what_is_mapped_is_shown_and_not_forwarded(checkout: Checkout) -> None:
    ended = checkout.run("port-forward-all.sh")
    assert ended.returncode == 0
    assert ended.stdout.startswith(ALL_MAPPED)
    assert "OpenCost           is not there: no Service opencost in namespace opencost" in ended.stdout
    assert [call for call in checkout.calls("kubectl") if "port-forward" in call] == []
    assert "neuroscale endpoints" in checkout.calls()


def test_what_is_mapped_is_known_by_the_title_that_the_command_line_shows() -> None:
    script = (ROOT / "scripts" / "port-forward-all.sh").read_text(encoding="utf-8")
    for port in PORTS:
        # The Git server of an adopted cluster is where its owner says.
        assert (f'forward "{port.title}" {port.scheme} {port.host} ' in script) == (port.name != "forge"), port


def begun(checkout: Checkout, *options: str, **more: str) -> subprocess.Popen[str]:
    """The script, as far as its last line: it says how to end what it has begun."""
    environment = {
        **checkout.environment,
        "MAPPED": "Git server   http://x",
        "HTTP_PROXY": "http://127.0.0.1:9",
        **more,
    }
    script = subprocess.Popen(
        [str(checkout.path / "scripts" / "port-forward-all.sh"), *options],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert script.stdout is not None
    for line in script.stdout:
        if line.endswith("the forwards\n"):
            break
    return script


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_forwards_end_with_the_script(how: signal.Signals, checkout: Checkout) -> None:
    script = begun(checkout, SERVICES="argocd-server kourier")
    assert len(checkout.forwards()) == 2
    script.send_signal(how)
    script.communicate(timeout=60)
    assert script.returncode == 130
    assert checkout.forwards() == []
    asked = [call for call in checkout.calls("kubectl --kubeconfig /a kubeconfig ") if "port-forward" in call]
    assert [call.partition("--namespace ")[2] for call in asked] == [
        "argocd port-forward --address 127.0.0.1 service/argocd-server 8081:443",
        "kourier-system port-forward --address 127.0.0.1 service/kourier 8082:80",
    ]
    assert checkout.calls("kubectl with a proxy") == []


def test_forwards_outlive_the_script_where_that_is_asked(checkout: Checkout) -> None:
    script = begun(checkout, "--no-wait", SERVICES="argocd-server")
    said = script.communicate(timeout=60)
    forwards = checkout.forwards()
    try:
        assert script.returncode == 0, said
        assert len(forwards) == 1
    finally:
        for forward in forwards:
            forward.kill()


def test_a_forward_that_ends_by_itself_ends_all(checkout: Checkout) -> None:
    script = begun(checkout, SERVICES="argocd-server kourier")
    one, _ = checkout.forwards()
    one.kill()
    _, said = script.communicate(timeout=60)
    assert script.returncode == 1
    assert "has ended by itself" in said
    assert checkout.forwards() == []


def test_a_forward_that_was_killed_before_the_others_began_ends_all(checkout: Checkout) -> None:
    ended = checkout.run("port-forward-all.sh", MAPPED="", SERVICES="argocd-server kourier", SHORT="argocd-server")
    assert ended.returncode == 1
    assert "has ended by itself" in ended.stderr
    assert checkout.forwards() == []


@pytest.mark.parametrize("options", [[], ["--no-wait"]])
@pytest.mark.parametrize(
    ("trouble", "words"),
    [({"UNFORWARDED": "kourier"}, "address already in use"), ({"UNREACHABLE": "yes"}, "connection refused")],
)
def test_what_cannot_be_forwarded_is_no_success(
    trouble: dict[str, str], words: str, options: list[str], checkout: Checkout
) -> None:
    ended = checkout.run("port-forward-all.sh", *options, MAPPED="", SERVICES="argocd-server kourier", **trouble)
    assert ended.returncode == 1
    assert f"inference gateway  is not forwarded: {words}" in ended.stderr
    assert "Not everything could be forwarded, so nothing is" in ended.stderr
    assert checkout.forwards() == []
