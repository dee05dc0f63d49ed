"""One commit that a pull request proposes: merged with ``main``, rendered, and judged by the rules of both."""

from __future__ import annotations

from pathlib import Path

from neuroscale.commit_statuses import CommitStatus
from neuroscale.delta.written import Format, written
from neuroscale.errors import NeuroscaleError
from neuroscale.gate import base
from neuroscale.gate.engine import Engine
from neuroscale.gate.findings import Finding
from neuroscale.gate.judgement import GateResult
from neuroscale.gate.judgement import judge as judge_objects
from neuroscale.gate.render import Checkout, render_several
from neuroscale.gate.sides import Sides
from neuroscale.host.programs import output, run

_WITHIN = 60
#: Where rules are, and what they are about beside workloads.
_RULES = ("bootstrap", "infrastructure")
#: Stages whose findings are about what cannot be priced.
_UNREADABLE = ("render", "schema")
#: Git wants to know who merges.
_IDENTITY = ("-c", "user.name=gate", "-c", "user.email=gate@forge.local")
_ENGINE = Engine(Path("/usr/local/bin/gate-engine"), (Path("/usr/local/bin"),))


class Conflict(Exception):
    """The commit cannot be merged; its text says why."""


def judge(url: str, number: int, sha: str, folder: Path) -> tuple[CommitStatus, str | None]:
    """What is to be said of a proposed commit, in a line and in a comment. Nothing in it keeps this from an answer.

    Args:
        url: Of the repository.
        number: Of the pull request.
        sha: The commit.
        folder: Empty, for the clone.

    Returns:
        The status, and in Markdown what the change costs; ``None`` where there is no verdict.
    """
    try:
        repository = _clone(url, number, folder)
        main = _git(repository, "rev-parse", "--verify", "main^{commit}")
        proposed = _git(repository, "rev-parse", "--verify", f"{sha}^{{commit}}")
        result = judge_merge(repository, main, _merge(repository, main, proposed), _ENGINE)
        return verdict(result), written(result.delta, Format.MARKDOWN) if result.delta else None
    except Conflict as error:
        return CommitStatus("failure", str(error)), None
    except (NeuroscaleError, OSError) as error:
        return CommitStatus("error", f"no verdict: {' '.join(str(error).split())}"), None
    except Exception as error:  # noqa: BLE001 - what nobody foresaw is no pass either
        return CommitStatus("error", f"no verdict: {type(error).__name__}: {error}"), None


def judge_merge(repository: Path, main: str, merged: str, engine: Engine) -> GateResult:
    """Judge a commit as ``main`` would be with it.

    Args:
        repository: A clone with both.
        main: The commit whose rules hold.
        merged: What ``main`` would be.
        engine: Renders and judges.

    Raises:
        Inconclusive: The engine failed, or there is nothing to judge or to price by.
    """
    result, standards = GateResult(), None
    with base.checkout(main, repository) as before, base.checkout(merged, repository) as after:
        with result.timed("render"):
            checkouts = [Checkout.whole(before), Checkout.whole(after)]
            (was, _), (result.tree, result.findings) = render_several(engine, checkouts)
        if _git(repository, "diff", "--name-only", main, merged, "--", *_RULES):
            standards = was
        both = Sides.of(main, merged, (before, after), was, repository)
        # Rules that the change leaves alone are main's; whether there are policies among them is up to main.
        places = judge_objects(engine, result, standards, like=both.schemas, policies_expected=False)
        # What cannot be read is not free: what does not render, or is no object, leaves the change without a price.
        if not any(one.stage in _UNREADABLE for one in result.findings):
            result.compare(both, places)
    return result


def verdict(result: GateResult) -> CommitStatus:
    """What the gate found, in a line."""
    if not result.findings:
        return CommitStatus("success", f"{result.rendered} objects rendered, nothing found")
    first, more = _short(result.findings[0]), len(result.findings) - 1
    return CommitStatus("failure", f"{first}{f' (and {more} more)' if more else ''}")


def _short(finding: Finding) -> str:
    return f"{finding.where}: {finding.description:.120} [{finding.rule}]"


def _clone(url: str, number: int, folder: Path) -> Path:
    repository = folder / "repository"
    output(
        ["git", "clone", "--quiet", "--bare", "--single-branch", "--branch", "main", url, str(repository)],
        within=_WITHIN,
    )
    _git(repository, "fetch", "--quiet", "origin", f"refs/pull/{number}/head")
    return repository


def _merge(repository: Path, main: str, sha: str) -> str:
    """The commit that a merge would make.

    Raises:
        Conflict: There is none.
    """
    merged = run(
        ["git", "-C", str(repository), "merge-tree", "--write-tree", "--name-only", "--no-messages", main, sha],
        within=_WITHIN,
    )
    tree, *conflicts = merged.stdout.splitlines() or [""]
    if merged.returncode == 1:
        raise Conflict(f"it should merge with main, but both change {', '.join(filter(None, conflicts[:3]))}")
    if merged.returncode:
        raise NeuroscaleError(f"git merge-tree ended with {merged.returncode}: {merged.stderr:.200}")
    return _git(repository, *_IDENTITY, "commit-tree", tree, "-p", main, "-p", sha, "-m", "Merge")


def _git(repository: Path, *arguments: str) -> str:
    return output(["git", "-C", str(repository), *arguments], within=_WITHIN).strip()
