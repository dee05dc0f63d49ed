"""Backstage out of its image, with the configuration that its chart renders, but for places and addresses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from neuroscale.backstage_client import answers_ready
from neuroscale.errors import HostError
from neuroscale.git_server import IN_CLUSTER_URL
from neuroscale.kubernetes.refs import Object
from neuroscale.local_portal.parts import Parts
from neuroscale.local_portal.process import HERE, Program, environment, free_port

#: As its image sets it.
_ENVIRONMENT = {"NODE_ENV": "production"}
_ENTRY = ("--no-node-snapshot", "packages/backend/src/index.ts", "--config", "app-config.yaml")
_DATABASE = ("backend", "database", "connection")


@dataclass(frozen=True)
class Deployment:
    """One way to run the portal.

    Attributes:
        name: What it and its log are called; its databases are its own.
        config: What the chart gives it to read.
        secret: What the Secret puts into its environment.
        port: Where it listens.
        more: Further variables of its environment.
    """

    name: str
    config: Object
    secret: Mapping[str, str]
    port: int = field(default_factory=free_port)
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HERE}:{self.port}"


def config_of(objects: Iterable[Object]) -> Object:
    """The configuration among the objects of the chart.

    Raises:
        HostError: There is none.
    """
    for obj in objects:
        if obj["kind"] == "ConfigMap" and "app-config.yaml" in obj["data"]:
            return dict(yaml.safe_load(obj["data"]["app-config.yaml"]))
    raise HostError("The portal's chart should have a ConfigMap with app-config.yaml, but has none. Next: make test")


def moved_here(config: Object, *, git_server: str, database: int, port: int) -> Object:
    """The same configuration with addresses of this machine.

    Args:
        config: As rendered. A variable of the environment stays one.
        git_server: URL of the Git server.
        database: Port of PostgreSQL.
        port: Where the portal listens.
    """
    there, here = urlsplit(IN_CLUSTER_URL).netloc, urlsplit(git_server).netloc
    moved: Any = json.loads(json.dumps(config).replace(there, here))
    for part in ("app", "backend"):
        if not moved[part]["baseUrl"].startswith("${"):
            moved[part]["baseUrl"] = f"http://{HERE}:{port}"
    moved["backend"]["listen"] = f"{HERE}:{port}"
    connection = moved
    for key in _DATABASE:
        connection = connection[key]
    connection["port"] = database
    if not connection["host"].startswith("${"):
        connection["host"] = HERE
    return dict(moved)


@contextmanager
def backstage(parts: Parts, deployment: Deployment, folder: Path) -> Iterator[str]:
    """A portal that is ready.

    Args:
        parts: What it is made of.
        deployment: How it runs.
        folder: For its configuration, home and log; not there yet.

    Yields:
        Its URL.

    Raises:
        HostError: It does not become ready.
        ProgramFailed: It cannot be started.
    """
    folder.mkdir(mode=0o700)
    (folder / "app-config.yaml").write_text(yaml.safe_dump(deployment.config), encoding="utf-8")
    env = environment({**_ENVIRONMENT, "HOME": str(folder), "TMPDIR": str(folder), **deployment.secret, **deployment.more})
    command = [str(parts.node), *_ENTRY, "--config", str(folder / "app-config.yaml")]
    program = Program(f"The portal ({deployment.name})", command, parts.app, folder / "log", env)
    with program.answering(lambda: answers_ready(deployment.url)):
        yield deployment.url
