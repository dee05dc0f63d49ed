"""Git for the fast tier: the Git server's repository on disk instead of behind HTTP."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from neuroscale.git_server_api import BRANCH


def new_repository(bare: Path) -> Path:
    """A bare repository whose ``main`` has one commit."""
    git("init", "--quiet", "--bare", "--template", "", "--initial-branch", BRANCH, str(bare))
    blob = git("-C", str(bare), "hash-object", "-w", "--stdin", feed="one\n")
    tree = git("-C", str(bare), "mktree", feed=f"100644 blob {blob}\tfirst.txt\n")
    commit = git("-C", str(bare), "commit-tree", tree, "-m", "First")
    git("-C", str(bare), "update-ref", f"refs/heads/{BRANCH}", commit)
    git("-C", str(bare), "config", "receive.autogc", "false")
    return bare


def git(*arguments: str, feed: str | None = None, environment: Mapping[str, str] | None = None) -> str:
    """Run git with an identity of its own. It never tidies up: that starts two more processes each time."""
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "maintenance.auto=false")
    done = subprocess.run(
        ["git", *identity, *arguments],
        input=feed,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment} if environment else None,
    )
    return done.stdout.strip()
