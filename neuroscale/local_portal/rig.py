"""The portal with all that it needs, as processes that end with the block."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from neuroscale.backstage_client import Backstage
from neuroscale.bootstrap.render import gitops_tree
from neuroscale.git_server import GitServer
from neuroscale.local_portal.backstage import Deployment, Running, backstage, config_of, moved_here
from neuroscale.local_portal.certificate import self_signed
from neuroscale.local_portal.gitea import gitea
from neuroscale.local_portal.parts import Parts
from neuroscale.local_portal.postgresql import Database, postgresql
from neuroscale.local_portal.process import free_port
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
    with TemporaryDirectory(prefix="neuroscale-portal-") as name:
        folder, password = Path(name), secrets.token_urlsafe(24)
        folder.chmod(0o711)  # the database has a user of its own
        certificate = self_signed(folder)
        with (
            postgresql(parts.postgresql, folder / "postgresql", password, certificate) as database,
            gitea(parts.gitea, parts.gitea_files, folder / "gitea") as git_server,
        ):
            git_server.ensure_repository()
            with gitops_tree({}, MILESTONES, root) as tree:
                git_server.fill(tree, "The platform")
            token = git_server.issue_token(PORTAL_USER, ("write:repository",))
            secret = {"GITEA_TOKEN": token, "POSTGRES_PASSWORD": password}
            port = free_port()
            config = moved_here(
                config_of(parts.rendered("values.yaml", root)),
                git_server=git_server.url,
                database=database.port,
                port=port,
            )
            with backstage(parts, Deployment("values.yaml", config, secret, port), folder / "backstage") as running:
                yield LocalPortal(
                    git_server, Backstage(running.url), running, parts, folder, secret, database, certificate[0]
                )
