"""Gitea, with the configuration that it has in the cluster, and the one who administers it."""

from __future__ import annotations

import re
from base64 import b64encode
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path

from neuroscale.errors import HostError, WriteForbidden
from neuroscale.git_server import GitServer
from neuroscale.git_server_api import BOT, CREDENTIALS
from neuroscale.host.programs import output
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.local_portal.process import HERE, Program, answers, as_root, environment, free_port
from neuroscale.settings import ROOT

_CONFIGURATION = Path("bootstrap", "forge", "app.ini")
_SETUP_WITHIN = 60.0
_GENERATED = re.compile(r"generated random password is '([^']+)'")


@dataclass(frozen=True)
class OwnProcess:
    """What keeps the Git server, where no cluster does: it is ours as long as it is the one that was started here."""

    url: str
    password: str

    def assert_writable(self, what: str) -> None:
        """Let pass what goes to the process.

        Raises:
            WriteForbidden: It goes elsewhere.
        """
        if self.url not in what:
            raise WriteForbidden(f"{what} was not sent: only {self.url} is this session's own")

    def get(self, ref: Ref) -> Object | None:
        """The Secret that the Git server has in a cluster."""
        if ref != CREDENTIALS:
            return None
        words = {"username": BOT, "password": self.password}
        return {"data": {key: b64encode(value.encode()).decode() for key, value in words.items()}}


def prepared(binary: Path, static: Path, folder: Path) -> tuple[Program, GitServer]:
    """A Git server without repositories, which can be started.

    Args:
        binary: As its image has it.
        static: The files that go with it.
        folder: For all that it keeps; not there yet.

    Raises:
        HostError: It tells no password.
        ProgramFailed: It cannot be set up.
    """
    port = free_port()
    url, configuration, home = f"http://{HERE}:{port}", folder / "app.ini", folder / "home"
    home.mkdir(parents=True)
    _configure(configuration, static, port)
    env = environment({"HOME": str(home), "GITEA_TEMP": str(folder), "TMPDIR": str(folder)})
    command = [str(binary), "--config", str(configuration)]
    output([*command, "migrate"], within=_SETUP_WITHIN, env=env, folder=folder)
    admin = ["--admin", "--username", BOT, "--email", f"{BOT}@forge.local", "--must-change-password=false"]
    made = output(
        [*command, "admin", "user", "create", *admin, "--random-password"], within=_SETUP_WITHIN, env=env, folder=folder
    )
    if not (password := _GENERATED.search(made)):
        raise HostError(
            "Gitea should tell the password of the user that it made, but tells none. Next: gitea --version"
        )
    server = Program("Gitea", [*command, "web"], folder, folder / "log", env, lambda: answers(f"{url}/api/healthz"))
    return server, GitServer(OwnProcess(url, password[1]), url, clone=folder / "clone")


def _configure(file: Path, static: Path, port: int) -> None:
    """As in the cluster, but for places and addresses."""
    said = ConfigParser(interpolation=None, default_section="")
    # Or it would write them in small letters.
    setattr(said, "optionxform", str)  # noqa: B010 - no plain assignment, which type checkers take for a method's
    # What stands before the first section is of the one that Gitea calls so.
    said.read_string(f"[DEFAULT]\n{(ROOT / _CONFIGURATION).read_text(encoding='utf-8')}")
    said["DEFAULT"]["WORK_PATH"] = str(file.parent)
    if as_root():
        said["DEFAULT"]["I_AM_BEING_UNSAFE_RUNNING_AS_ROOT"] = "true"
    here = {"HTTP_ADDR": HERE, "HTTP_PORT": str(port), "ROOT_URL": f"http://{HERE}:{port}/"}
    said["server"].update(here | {"STATIC_ROOT_PATH": str(static)})
    said["database"]["PATH"] = str(file.parent / "gitea.db")
    with file.open("w", encoding="utf-8") as into:
        said.write(into)
    file.chmod(0o600)
