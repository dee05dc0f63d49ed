"""One proposed commit: merged with ``main``, and judged by the rules of both."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import yaml
from fake_engine import LOOSENED, TAG
from fake_forge import Time
from fake_portal import FakePortal
from repository import git
from small_tree import commit, policy, write
from typer.testing import CliRunner

from neuroscale.chaos.faults import Committed
from neuroscale.commit_statuses import CommitStatus
from neuroscale.gate.tools import Tools
from neuroscale.guardrails.oracle import POLICIES as ALL
from neuroscale.pull_request_checks import __main__ as program
from neuroscale.pull_request_checks import judge as module
from neuroscale.pull_request_checks import report as reporting
from suite.mutants import by_slug

Judge = Callable[..., CommitStatus]
DEPLOYMENT, PROJECTS = "apps/test-app/deployment.yaml", "bootstrap/projects.yaml"
POLICIES = "bootstrap/policies/policies.yaml"
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "stolen", "labels": {"a": "b"}}}


@contextmanager
def proposal(checkout: Path) -> Iterator[Path]:
    """Change the tree in here: it becomes the head of pull request 1."""
    git("-C", str(checkout), "switch", "--quiet", "--create", "proposal")
    yield checkout
    commit(checkout)
    git("-C", str(checkout), "update-ref", "refs/pull/1/head", "HEAD")
    git("-C", str(checkout), "switch", "--quiet", "main")


@pytest.fixture
def judge(checkout: Path, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Judge pull request 1, or another commit in its place."""
    monkeypatch.setattr(module, "_ENGINE", tools.judge)

    def judge(sha: str = "") -> CommitStatus:
        folder = tmp_path / "work"
        folder.mkdir()
        head = sha or git("-C", str(checkout), "rev-parse", "refs/pull/1/head")
        status, _ = module.judge(f"file://{checkout}", 1, head, folder)
        return status

    return judge


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_what_complies_is_good(checkout: Path, judge: Judge) -> None:
    with proposal(checkout):
        replace(checkout / DEPLOYMENT, "replicas: 1", "replicas: 2")
    assert judge() == CommitStatus("success", "25 objects rendered, nothing found")


def comment_on(checkout: Path, tools: Tools, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str | None:
    monkeypatch.setattr(module, "_ENGINE", tools.judge)
    folder.mkdir()
    return module.judge(f"file://{checkout}", 1, git("-C", str(checkout), "rev-parse", "refs/pull/1/head"), folder)[1]


def test_what_it_costs_is_for_the_comment(
    checkout: Path, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proposal(checkout):
        replace(checkout / DEPLOYMENT, "replicas: 1", "replicas: 3")
    text = comment_on(checkout, tools, tmp_path / "work", monkeypatch)
    assert text is not None
    assert re.search(r"Deployment [^|]*nginx-test .*\+200m .*1 → 3", text), text


def test_what_main_did_meanwhile_costs_the_change_nothing(
    checkout: Path, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proposal(checkout):
        (checkout / "apps/test-app/other.yaml").write_text(
            yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}}), encoding="utf-8"
        )
    replace(checkout / DEPLOYMENT, "replicas: 1", "replicas: 3")
    commit(checkout)
    text = comment_on(checkout, tools, tmp_path / "work", monkeypatch)
    assert text is not None
    assert "nginx-test" not in text


@pytest.mark.parametrize(("block", "state"), [("false", "success"), ("true", "failure")])
def test_what_is_above_a_threshold_is_rejected_where_main_says_so(
    block: str, state: str, checkout: Path, judge: Judge
) -> None:
    prices = checkout / "infrastructure/prices.toml"
    replace(prices, 'cpu = "2"', 'cpu = "200m"')
    replace(prices, "block = false", f"block = {block}")
    commit(checkout)
    with proposal(checkout):
        replace(checkout / DEPLOYMENT, "replicas: 1", "replicas: 9")
        replace(prices, 'cpu = "200m"', 'cpu = "200"')
    status = judge()
    assert status.state == state, status
    assert ("[threshold]" in status.description) is (state == "failure")


@pytest.mark.parametrize("wrong", ["{", "kind: Nothing\napiVersion: v1\nmetadata: {name: a}\n"])
def test_what_cannot_be_read_has_no_price(
    wrong: str, checkout: Path, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proposal(checkout):
        (checkout / "apps/test-app/other.yaml").write_text(wrong, encoding="utf-8")
    assert comment_on(checkout, tools, tmp_path / "work", monkeypatch) is None


def test_the_first_finding_is_said_and_how_many_more(checkout: Path, judge: Judge) -> None:
    with proposal(checkout):
        text = (checkout / DEPLOYMENT).read_text(encoding="utf-8")
        (checkout / DEPLOYMENT).write_text(re.sub(r"image: \S+", "image: nginx", text), encoding="utf-8")
        (checkout / "apps" / "other").mkdir()
        (checkout / "apps" / "other" / "broken.yaml").write_text("{", encoding="utf-8")
    status = judge()
    assert status.state == "failure"
    assert re.fullmatch(r"apps/.*\[\S+\] \(and 1 more\)", status.description), status


def test_what_main_has_meanwhile_is_judged_as_well(checkout: Path, judge: Judge) -> None:
    """Alone each of the two is good."""
    with proposal(checkout):
        (checkout / "apps" / "other").mkdir()
        text = (checkout / DEPLOYMENT).read_text(encoding="utf-8").replace("name: nginx-test", "name: later")
        (checkout / "apps" / "other" / "deployment.yaml").write_text(text, encoding="utf-8")
    (checkout / "apps" / "third").mkdir()
    (checkout / "apps" / "third" / "deployment.yaml").write_text(text, encoding="utf-8")
    commit(checkout)
    status = judge()
    assert (status.state, "[twice]" in status.description) == ("failure", True)


def test_a_conflict_is_named(checkout: Path, judge: Judge) -> None:
    with proposal(checkout):
        replace(checkout / DEPLOYMENT, "replicas: 1", "replicas: 2")
    replace(checkout / DEPLOYMENT, "replicas: 1", "replicas: 3")
    commit(checkout)
    assert judge() == CommitStatus("failure", f"it should merge with main, but both change {DEPLOYMENT}")


def loosened(checkout: Path) -> None:
    """A Secret, and a project that allows it."""
    (checkout / "apps/test-app/secret.yaml").write_text(yaml.safe_dump(SECRET), encoding="utf-8")
    kind = '    - {group: "", kind: ConfigMap}\n'
    replace(checkout / PROJECTS, kind, f'{kind}    - {{group: "", kind: Secret}}\n')


def test_a_change_of_the_rules_does_not_judge_itself(checkout: Path, judge: Judge) -> None:
    with proposal(checkout):
        loosened(checkout)
    assert judge() == CommitStatus(
        "failure", "apps/test-app: Secret stolen: project neuroscale-models does not allow its kind [not-permitted]"
    )


def test_without_the_rules_of_main_it_would(checkout: Path, judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RULES", ("nowhere",))
    with proposal(checkout):
        loosened(checkout)
    assert judge().state == "success"


def test_what_main_alone_has_is_no_fault_of_a_change(checkout: Path, judge: Judge) -> None:
    """A platform without the guardrails' milestone has no policies, and takes pull requests."""
    (checkout / POLICIES).unlink()
    commit(checkout)
    with proposal(checkout):
        replace(checkout / DEPLOYMENT, "replicas: 1", "replicas: 2")
    assert judge() == CommitStatus("success", "20 objects rendered, nothing found")


@pytest.mark.parametrize("elsewhere", ["docs/page.md", "infrastructure/page.md"])
def test_projects_judge_without_policies_whatever_else_changes(elsewhere: str, checkout: Path, judge: Judge) -> None:
    (checkout / POLICIES).unlink()
    commit(checkout)
    with proposal(checkout):
        (checkout / "apps/test-app/secret.yaml").write_text(yaml.safe_dump(SECRET), encoding="utf-8")
        (checkout / elsewhere).parent.mkdir(exist_ok=True)
        (checkout / elsewhere).write_text("Hello\n", encoding="utf-8")
    status = judge()
    assert (status.state, status.description.rpartition(" ")[2]) == ("failure", "[not-permitted]")


def test_a_change_cannot_remove_the_policies(checkout: Path, judge: Judge) -> None:
    with proposal(checkout):
        (checkout / POLICIES).unlink()
    status = judge()
    assert status.state == "failure"
    assert status.description.startswith("the tree: the policy should be in this tree, but is not [")


def test_a_policy_that_is_loosened_does_not_judge_alone(checkout: Path, judge: Judge) -> None:
    with proposal(checkout):
        text = (checkout / DEPLOYMENT).read_text(encoding="utf-8")
        (checkout / DEPLOYMENT).write_text(re.sub(r"image: \S+", "image: nginx", text), encoding="utf-8")
        loosened = {"name": TAG, "annotations": {LOOSENED: "true"}}
        write(
            checkout / POLICIES, *({**policy(name), **({"metadata": loosened} if name == TAG else {})} for name in ALL)
        )
    assert judge() == CommitStatus(
        "failure", f"apps/test-app: Deployment default/nginx-test: image 'nginx' has no version [{TAG}]"
    )


def test_what_an_archive_would_leave_out_is_judged(checkout: Path, judge: Judge) -> None:
    """Attributes of the commit keep files out of archives, and out of no checkout."""
    with proposal(checkout):
        (checkout / "apps/test-app/secret.yaml").write_text(yaml.safe_dump(SECRET), encoding="utf-8")
        (checkout / "apps/test-app/.gitattributes").write_text("secret.yaml export-ignore\n", encoding="utf-8")
    status = judge()
    assert (status.state, status.description.rpartition(" ")[2]) == ("failure", "[not-permitted]")


def test_a_submodule_is_judged_by_nobody_and_passes_nobody(checkout: Path, judge: Judge) -> None:
    """Argo CD would fetch it, from wherever it is."""
    with proposal(checkout):
        head = git("-C", str(checkout), "rev-parse", "HEAD")
        git("-C", str(checkout), "update-index", "--add", "--cacheinfo", f"160000,{head},apps/elsewhere")
        (checkout / "apps/elsewhere").mkdir()
    status = judge()
    assert (status.state, "apps/elsewhere is a submodule" in status.description) == ("error", True)


WITHOUT_VERDICT = (
    "an unknown commit", "nothing in common", "no folder", "no clone", "a tool that crashes", "no tool", "a bug",
)  # fmt: skip


@pytest.mark.parametrize("what", WITHOUT_VERDICT)
def test_without_a_verdict_nothing_is_good(
    what: str,
    checkout: Path,
    judge: Judge,
    tools: Tools,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with proposal(checkout):
        replace(checkout / DEPLOYMENT, "replicas: 1", "replicas: 2")
    match what:
        case "nothing in common":
            tree = git("-C", str(checkout), "rev-parse", "main^{tree}")
            orphan = git("-C", str(checkout), "commit-tree", tree, "-m", "Begin anew")
            git("-C", str(checkout), "update-ref", "refs/pull/1/head", orphan)
        case "no folder":
            tree = git("-C", str(checkout), "mktree", feed="")
            bare = git("-C", str(checkout), "commit-tree", tree, "-p", "main", "-m", "Remove all")
            git("-C", str(checkout), "update-ref", "refs/pull/1/head", bare)
        case "no clone":
            monkeypatch.setattr(module, "_clone", lambda url, number, folder: folder / "nothing")
        case "a tool that crashes":
            tools.judge.program.with_name("mode").write_text("crash", encoding="utf-8")
        case "no tool":
            tools.judge.program.unlink()
        case "a bug":
            monkeypatch.setattr(module, "render_several", lambda *_: None)
    status = judge("0" * 40 if what == "an unknown commit" else "")
    assert status.state == "error"
    assert status.description.startswith("no verdict: ")


# --- the containers

GIT_SERVER = "http://gitea.forge.svc.cluster.local:3000"
API = "/api/v1/repos/neuroscale/platform"


class Refusing:
    """A Git server's statuses, as the program asks for them."""

    done: list[str]
    refuses = False

    def __init__(self, url: str, token: str) -> None:
        assert (url, token) == (GIT_SERVER, "secret")

    def approve(self, number: int, sha: str) -> None:
        self.done.append(f"approve {number} {sha}")
        if self.refuses:
            raise program.NeuroscaleError("it answered 401")

    def set(self, sha: str, status: CommitStatus) -> None:
        self.done.append(f"{status.state} {sha}")


class Commented:
    """A comment that is there."""

    def publish(self) -> str:
        return "it is there"

    def settle(self) -> str:
        return ""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[Refusing]:
    monkeypatch.setattr(program, "_VERDICT", tmp_path / "status.json")
    monkeypatch.setattr(program, "_COMMENT", tmp_path / "comment.md")
    monkeypatch.setattr(program, "Statuses", Refusing)
    monkeypatch.setattr(program, "StickyComment", lambda *_: Commented())
    program._COMMENT.write_text("text", encoding="utf-8")
    monkeypatch.setattr(Refusing, "done", [], raising=False)
    monkeypatch.setattr(Refusing, "refuses", False)
    return Refusing


def report() -> tuple[int, str]:
    environment = {"NUMBER": "7", "SHA": "abc", "TOKEN": "secret"}
    done = CliRunner().invoke(program.app, ["report"], env=environment)
    return done.exit_code, done.output


def test_a_good_commit_is_approved_before_its_status_is_set(server: type[Refusing]) -> None:
    CommitStatus("success", "all good").write(program._VERDICT)
    assert report()[0] == 0
    assert server.done == ["approve 7 abc", "success abc"]


@pytest.mark.parametrize("state", ["failure", "error"])
def test_what_is_not_good_is_never_approved(state: str, server: type[Refusing]) -> None:
    CommitStatus(state, "no").write(program._VERDICT)  # type: ignore[arg-type]
    assert report()[0] == 0
    assert server.done == [f"{state} abc"]


def test_a_refusal_ends_the_report_and_shows_no_token(server: type[Refusing], monkeypatch: pytest.MonkeyPatch) -> None:
    CommitStatus("success", "all good").write(program._VERDICT)
    monkeypatch.setattr(Refusing, "refuses", True)
    code, said = report()
    assert code == 1
    assert "secret" not in said
    assert server.done == ["approve 7 abc", "error abc"], "a green status would have nothing behind it"


@pytest.mark.parametrize("deeds", [["pulls/7/reviews"], ["pulls/7/reviews", "statuses/abc"]])
@pytest.mark.parametrize("status", [401, 404, 422, 500])
def test_what_the_git_server_does_not_take_fails_the_report(
    status: int, deeds: list[str], tmp_path: Path, portal: FakePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Job is tried again then. Without an approval the status is an error: it would be green for nothing."""
    monkeypatch.setattr(program.reporting, "report", partial(reporting.report, clock=Time().clock))
    monkeypatch.setattr(program, "_VERDICT", tmp_path / "status.json")
    monkeypatch.setattr(program, "_COMMENT", tmp_path / "comment.md")
    program._COMMENT.write_text("text", encoding="utf-8")
    monkeypatch.setattr(program, "StickyComment", lambda *_: Commented())
    monkeypatch.setattr(program, "SERVICE_URL", portal.url)
    CommitStatus("success", "all good").write(program._VERDICT)
    portal.answers[f"POST {API}/{deeds[-1]}"] = (status, {"message": "no"})
    code, said = report()
    assert code == 1
    assert f"answered {status}" in said
    assert "secret" not in said
    asked = [path for _, path, _ in portal.requests]
    assert list(dict.fromkeys(asked)) == [f"{API}/pulls/7/reviews", f"{API}/statuses/abc"]
    assert "success" not in str(portal.statuses)
    assert bool(portal.statuses) is (deeds == ["pulls/7/reviews"])


@pytest.mark.parametrize("verdict", [None, "{", '{"state": "success"}', "[]"])
def test_a_verdict_that_cannot_be_read_is_no_verdict(verdict: str | None, server: type[Refusing]) -> None:
    if verdict is not None:
        program._VERDICT.write_text(verdict, encoding="utf-8")
    assert report()[0] == 1
    assert server.done == []


def test_a_verdict_is_left_where_the_report_finds_it(server: type[Refusing], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int, str]] = []

    def judge(url: str, number: int, sha: str, folder: Path) -> tuple[CommitStatus, None]:
        asked.append((url, number, sha))
        return CommitStatus("failure", "apps/x: no owner [labels]"), None

    monkeypatch.setattr(module, "judge", judge)
    done = CliRunner().invoke(program.app, ["judge"], env={"NUMBER": "7", "SHA": "abc"})
    assert (done.exit_code, done.output) == (0, "abc: failure: apps/x: no owner [labels]\n")
    assert asked == [(f"{GIT_SERVER}/neuroscale/platform.git", 7, "abc")]
    assert report()[0] == 0
    assert server.done == ["failure abc"]


@pytest.mark.parametrize("slug", ["only-the-proposed-rules-judge", "no-symptom-c10"])
def test_what_a_mutant_runs_in_place_of_the_gate_is_the_gate_but_for_a_change(
    slug: str, server: type[Refusing], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is no more would be set without a word, and the mutant survive."""
    (commit,) = by_slug(slug).faults
    assert isinstance(commit, Committed)
    ((_, command),) = next(iter(commit.replaced.values()))
    python, option, source = yaml.safe_load(command)["command"]
    (name, _, _), *_ = re.findall(r"judge\.(\w+) = (.*?)(;|$)", source)
    assert (python, option, hasattr(module, name)) == ("python3.11", "-c", True)
    monkeypatch.setattr(module, name, getattr(module, name))  # put back afterwards
    monkeypatch.setattr(module, "judge", lambda url, number, sha, folder: (CommitStatus("success", f"{sha}"), "text"))
    monkeypatch.setattr(sys, "argv", sys.argv)
    before = getattr(module, name)
    for variable, value in {"NUMBER": "7", "SHA": "abc"}.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit) as ended:
        exec(source, {})  # noqa: S102 - it is ours
    assert ended.value.code == 0
    assert CommitStatus.read(program._VERDICT) == CommitStatus("success", "abc")
    assert program._COMMENT.read_text(encoding="utf-8") == "text"
    assert getattr(module, name) is not before


def test_a_job_that_judges_nothing_leaves_all_that_a_good_verdict_needs(tmp_path: Path) -> None:
    """Otherwise the mutant would be rejected for its missing comment, whatever the scenario."""
    (commit,) = by_slug("gate-always-green").faults
    assert isinstance(commit, Committed)
    ((_, command),) = next(iter(commit.replaced.values()))
    shell, option, source = yaml.safe_load(command)["command"]
    here = source.replace("/verdict/", f"{tmp_path}/")
    subprocess.run([shell, option, here], check=True, cwd=tmp_path)
    assert CommitStatus.read(tmp_path / program._VERDICT.name).state == "success"
    assert reporting.text_of(tmp_path / program._COMMENT.name).strip()


def test_who_watches_looks_again_and_again_and_says_what_was_said(
    server: type[Refusing], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, datetime]] = []

    def look(statuses: Refusing, first_seen: dict[str, datetime], answered: Path) -> list[str]:
        seen.append(dict(first_seen))
        first_seen[f"commit {len(seen)}"] = datetime.now(UTC)
        return [f"look {len(seen)}"]

    def pause(seconds: float) -> None:
        assert seconds > 0
        if len(seen) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(program.watching, "look", look)
    monkeypatch.setattr(program, "pause", pause)
    done = CliRunner().invoke(program.app, ["watch"], env={"TOKEN": "secret"})
    assert done.output.splitlines()[:3] == ["look 1", "look 2", "look 3"]
    assert list(seen[-1]) == ["commit 1", "commit 2"], "it remembers since when"
    assert "secret" not in done.output


@pytest.mark.parametrize("command", ["report", "watch"])
def test_without_a_token_nothing_is_said(command: str, server: type[Refusing]) -> None:
    CommitStatus("success", "all good").write(program._VERDICT)
    done = CliRunner().invoke(program.app, [command], env={"NUMBER": "7", "SHA": "abc"})
    assert done.exit_code != 0
    assert server.done == []
