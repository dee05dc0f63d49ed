"""The portal with all that it needs, as processes that end with the block."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from neuroscale.backstage_client import Backstage
from neuroscale.bootstrap.render import gitops_tree
from neuroscale.git_server import GitServer
from neuroscale.local_portal import backstage, gitea, postgresql
from neuroscale.local_portal.backstage import Deployment, Running, config_of, moved_here
from neuroscale.local_portal.certificate import self_signed
from neuroscale.local_portal.parts import Parts
from neuroscale.local_portal.postgresql import Database
from neuroscale.local_portal.process import HERE, Program, free_port
from neuroscale.milestones import MILESTONES
from neuroscale.settings import PORTAL_USER, ROOT


@dataclass(frozen=True)
class LocalPortal:
    """A portal of this machine, and what stands behind it.

    Attributes:
        git_server: With the repository ``platform``.
        backstage: As a guest of it.
        running: Its process.
        parts: What it is made of.
        folder: Everything that it keeps.
        secret: What the Secret of the cluster would hold.
        database: PostgreSQL.
        certificate: What whoever connects to PostgreSQL by TLS must trust.
    """

    git_server: GitServer
    backstage: Backstage
    running: Running
    parts: Parts
    folder: Path
    secret: dict[str, str]
    database: Database
    certificate: Path

    @property
    def pages(self) -> str:
        """Where the Git server's pages are."""
        return self.git_server.url


@contextmanager
def local_portal(parts: Parts, root: Path = ROOT) -> Iterator[LocalPortal]:
    """The portal as ``values.yaml`` sets it up, with the repository filled from a checkout.

    Args:
        parts: What it is made of.
        root: The checkout.

    Raises:
        HostError: One of the processes does not answer.
        NeuroscaleError: One of them cannot be set up.
    """

    def start(program: Program) -> None:
        stack.enter_context(program.answering())

    with own_folder() as folder, ExitStack() as stack:
        yield assemble(parts, folder, root, start, lambda port: port)


@contextmanager
def local_git_server(parts: Parts, root: Path = ROOT) -> Iterator[GitServer]:
    """The Git server alone, with the repository filled from a checkout.

    Args:
        parts: What it is made of.
        root: The checkout.

    Raises:
        HostError: It does not answer.
        NeuroscaleError: It cannot be set up.
    """
    with own_folder() as folder:
        program, git_server = gitea.prepared(parts.gitea, parts.gitea_files, folder / "gitea")
        with program.answering():
            _fill(git_server, root)
            yield git_server


@contextmanager
def own_folder() -> Iterator[Path]:
    """Where the processes keep what they keep, as long as the block lasts."""
    with TemporaryDirectory(prefix="neuroscale-portal-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # the database has a user of its own
        yield folder


def assemble(
    parts: Parts, folder: Path, root: Path, start: Callable[[Program], None], door: Callable[[int], int]
) -> LocalPortal:
    """Set the processes up and start them, each when what it needs is there.

    Args:
        parts: What they are made of.
        folder: Where they keep what they keep.
        root: The checkout.
        start: Starts one: PostgreSQL, then Gitea, then Backstage.
        door: Port of PostgreSQL, then of Gitea -> the one at which Backstage asks for it.

    Raises:
        NeuroscaleError: One of them cannot be set up, or does not answer.
    """
    password, certificate = secrets.token_urlsafe(24), self_signed(folder)
    program, database = postgresql.prepared(parts.postgresql, folder / "postgresql", password, certificate)
    start(program)
    program, git_server = gitea.prepared(parts.gitea, parts.gitea_files, folder / "gitea")
    start(program)
    _fill(git_server, root)
    secret, port = (
        {"GITEA_TOKEN": git_server.issue_token(PORTAL_USER, ("write:repository",)), "POSTGRES_PASSWORD": password},
        free_port(),
    )
    config = moved_here(
        config_of(parts.rendered("values.yaml", root)),
        database=door(database.port),
        git_server=f"http://{HERE}:{door(urlsplit(git_server.url).port or 0)}",
        port=port,
    )
    deployment = Deployment("values.yaml", config, secret, port)
    program, running = backstage.prepared(parts, deployment, folder / "backstage")
    start(program)
    return LocalPortal(git_server, Backstage(running.url), running, parts, folder, secret, database, certificate[0])


def _fill(git_server: GitServer, root: Path) -> None:
    git_server.ensure_repository()
    with gitops_tree({}, MILESTONES, root) as tree:
        git_server.fill(tree, "The platform")
