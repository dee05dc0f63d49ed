"""Backstage out of its image, with the configuration that its chart renders, but for places and addresses."""

from __future__ import annotations

import json
import time
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel

from neuroscale.errors import HostError
from neuroscale.git_server import IN_CLUSTER_URL
from neuroscale.kubernetes.refs import Object
from neuroscale.local_portal.parts import Parts
from neuroscale.local_portal.process import HERE, NEXT, Program, answers, environment, free_port
from neuroscale.polling import Verdict, met, pending, wait_until
from neuroscale.settings import BUDGETS, ROOT

_IMAGE = ROOT / "infrastructure" / "images" / "backstage" / "image.toml"
_LIST_ROUTES = Path(__file__).with_name("list_routes.cjs")
_READY = "/.backstage/health/v1/readiness"
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
    def environment(self) -> dict[str, str]:
        """What it finds there: what its image sets, and its Secret."""
        return {**image().env, **self.secret, **self.more}

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HERE}:{self.port}"


class Image(BaseModel):
    """What the recipe of the portal's image says of its process."""

    entrypoint: list[str]
    command: list[str]
    env: dict[str, str]


def image() -> Image:
    """The recipe."""
    return Image.model_validate(tomllib.loads(_IMAGE.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Running:
    """A portal that is ready.

    Attributes:
        read: The files that it read at its start.
        listed: Where its process writes down which routes it has.
    """

    deployment: Deployment
    read: tuple[Path, ...]
    listed: Path

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.deployment.url

    @property
    def settings(self) -> str:
        """All that it read."""
        return "\n".join(file.read_text(encoding="utf-8") for file in self.read)

    @property
    def routes(self) -> list[str]:
        """Method and path of each that it has from now on.

        Raises:
            ConditionTimeout: Its process does not say.
        """
        asked_at, said = time.time() * 1000, list[str]()

        def ask() -> Verdict:
            said[:] = self.listed.read_text(encoding="utf-8").splitlines() if self.listed.is_file() else []
            return met(f"{len(said)} lines") if said and int(said[0]) > asked_at else pending("it was before")

        wait_until(ask, "the portal's process says which routes it has", NEXT, within=BUDGETS.heal)
        return said[1:]


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
def backstage(parts: Parts, deployment: Deployment, folder: Path) -> Iterator[Running]:
    """A portal that is ready; arguments as for :func:`prepared`.

    Raises:
        HostError: It does not become ready.
        ProgramFailed: It cannot be started.
    """
    program, running = prepared(parts, deployment, folder)
    with program.answering():
        yield running


def prepared(parts: Parts, deployment: Deployment, folder: Path) -> tuple[Program, Running]:
    """A portal that can be started.

    Args:
        parts: What it is made of.
        deployment: How it runs.
        folder: For its configuration, home and log; not there yet.
    """
    folder.mkdir(mode=0o700)
    config, listed = folder / "app-config.yaml", folder / "routes"
    config.write_text(yaml.safe_dump(deployment.config), encoding="utf-8")
    env = environment(deployment.environment)
    env |= {"HOME": str(folder), "TMPDIR": str(folder), "NEUROSCALE_ROUTES": str(listed)}
    said = image()
    # The Node is the image's own, where this machine has it.
    command = [str(parts.node), "--require", str(_LIST_ROUTES), *said.entrypoint[1:], *said.command]
    program = Program(
        f"The portal ({deployment.name})",
        [*command, "--config", str(config)],
        parts.app,
        folder / "log",
        env,
        lambda: answers(f"{deployment.url}{_READY}"),
    )
    return program, Running(deployment, (parts.app / said.command[-1], config), listed)
