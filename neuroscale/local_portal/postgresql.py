"""PostgreSQL out of the layer of its image, set up as the portal's chart does."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from neuroscale.errors import HostError, ProgramFailed
from neuroscale.host.programs import Account, output
from neuroscale.local_portal.process import HERE, Program, as_root, environment, free_port
from neuroscale.polling import Verdict, met, pending

_VERSION = "15"
_WANTED = (f"./usr/lib/postgresql/{_VERSION}", f"./usr/share/postgresql/{_VERSION}", "./usr/lib/*-linux-gnu/*.so*")
#: The C library, which is the loader's: this machine's.
_NOT_WANTED = tuple(
    f"./usr/lib/*-linux-gnu/{name}"
    for name in (
        "ld-*",
        "libanl.*",
        "libc.*",
        "libdl.*",
        "libm.*",
        "libnss_*",
        "libpthread.*",
        "libresolv.*",
        "librt.*",
    )
)
_SETUP_WITHIN = 120.0
#: It is gone with the session: nothing has to reach the disk. What was committed outlives a killed server all the same.
_OPTIONS = ("fsync=off", "full_page_writes=off", "jit=off", "unix_socket_directories=")
_NOBODY = "nobody"


@dataclass(frozen=True)
class Database:
    """A server that answers.

    Attributes:
        psql: The client's program, and its environment.
    """

    port: int
    psql: tuple[str, Mapping[str, str]]
    folder: Path

    def execute(self, database: str, statement: str) -> str:
        """Execute a statement as the role of the portal; what the client prints.

        Raises:
            ProgramFailed: It was refused.
        """
        program, env = self.psql
        options = [f"--host={HERE}", f"--port={self.port}", "--username=backstage", f"--dbname={database}"]
        quiet = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
        command = [program, *options, *quiet, f"--command={statement}"]
        return output(command, within=_SETUP_WITHIN, env=env, folder=self.folder).strip()


def prepared(layer: Path, folder: Path, password: str, certificate: tuple[Path, Path]) -> tuple[Program, Database]:
    """A server with the role ``backstage``, which can be started.

    Args:
        layer: Of the image.
        folder: For programs, data and log; not there yet.
        password: Of the role.
        certificate: That it shows to who wants TLS, and its key.

    Raises:
        HostError: This machine has no user for it.
        ProgramFailed: It cannot be set up.
    """
    folder.mkdir(mode=0o755)
    unwanted = [f"--exclude={pattern}" for pattern in _NOT_WANTED]
    output(["tar", "-xf", str(layer), "-C", str(folder), *unwanted, "--wildcards", *_WANTED], within=_SETUP_WITHIN)
    port, account, env = free_port(), _account(), _environment(folder)
    bin_, mine, data = folder / "usr/lib/postgresql" / _VERSION / "bin", folder / "own", folder / "own" / "data"
    _own_files(mine, certificate, account)
    initdb = ("--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=reject", "--no-sync")
    _to_its_end([str(bin_ / "initdb"), f"--pgdata={data}", *initdb], mine, env, account)
    role = f"CREATE ROLE backstage LOGIN CREATEDB PASSWORD '{password}'\n"
    _to_its_end([str(bin_ / "postgres"), "--single", "-D", str(data), "postgres"], mine, env, account, role)
    options = (
        *_OPTIONS,
        f"listen_addresses={HERE}",
        f"port={port}",
        f"hba_file={mine / 'pg_hba.conf'}",
        "ssl=on",
        f"ssl_cert_file={mine / 'tls.crt'}",
        f"ssl_key_file={mine / 'tls.key'}",
    )
    command = [str(bin_ / "postgres"), "-D", str(data), *(word for option in options for word in ("-c", option))]
    database = Database(port, (str(bin_ / "psql"), env | {"PGPASSWORD": password}), folder)
    server = Program(
        "PostgreSQL", command, mine, folder / "log", env, lambda: _takes_orders(database), account, signal.SIGINT
    )
    return server, database


def _own_files(folder: Path, certificate: tuple[Path, Path], account: Account | None) -> None:
    """What it reads and nobody else may."""
    folder.mkdir(mode=0o700)
    (folder / "pg_hba.conf").write_text("host all all all scram-sha-256\n", encoding="utf-8")
    for name, file in zip(("tls.crt", "tls.key"), certificate, strict=True):
        shutil.copyfile(file, folder / name)
        (folder / name).chmod(0o600)
    if account:
        for path in (folder, *folder.iterdir()):
            os.chown(path, account.user, account.group)


def _to_its_end(
    command: list[str], folder: Path, env: Mapping[str, str], account: Account | None, stdin: str = ""
) -> None:
    output(command, within=_SETUP_WITHIN, env=env, folder=folder, stdin=stdin, account=account)


def _takes_orders(database: Database) -> Verdict:
    """One that was killed takes connections before it has recovered, and turns each away."""
    try:
        database.execute("postgres", "SELECT 1")
    except ProgramFailed as error:
        return pending(str(error))
    return met("it takes orders")


def _environment(folder: Path) -> dict[str, str]:
    libraries = ":".join(map(str, folder.glob("usr/lib/*-linux-gnu")))
    return environment({"LD_LIBRARY_PATH": libraries, "LC_ALL": "C.UTF-8", "TZ": "UTC"})


def _account() -> Account | None:
    """It refuses to run as root.

    Raises:
        HostError: This machine has no other user for it.
    """
    if not as_root():
        return None
    try:
        nobody = pwd.getpwnam(_NOBODY)
    except KeyError:
        raise HostError(
            f"PostgreSQL should run as {_NOBODY}, since it refuses to be root, but this machine has no such user. "
            f"Next: useradd {_NOBODY}"
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid)
