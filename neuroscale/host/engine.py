"""The Docker engine, through its command-line client."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from neuroscale.errors import HostError


@dataclass(frozen=True)
class Engine:
    """The engine that ``docker`` on PATH talks to.

    Args:
        client: The client to call.
    """

    client: str = "docker"

    def installed(self) -> bool:
        """Is there a client at all?"""
        return shutil.which(self.client) is not None

    def answers(self) -> bool:
        """Does the engine answer within five seconds?"""
        try:
            return self._run("version", "--format", "{{.Server.Version}}", within=5).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False

    def call(self, *arguments: str, within: float = 60) -> str:
        """Run a client command and return what it printed.

        Args:
            arguments: What stands behind ``docker``.
            within: Seconds it may take.

        Raises:
            HostError: There is no client, the engine does not answer, or it refused.
        """
        try:
            done = self._run(*arguments, within=within)
        except FileNotFoundError as error:
            raise HostError(
                "A container engine is needed, but there is no `docker` on PATH. Next: neuroscale up"
            ) from error
        except subprocess.TimeoutExpired as error:
            raise HostError(
                f"`docker {arguments[0]}` should answer within {within:.0f} s, but did not. Is the engine overloaded? "
                f"Next: docker info"
            ) from error
        if done.returncode != 0:
            raise HostError(f"`docker {' '.join(arguments)}` failed: {done.stderr.strip()}. Next: docker info")
        return done.stdout

    def has_image(self, reference: str) -> bool:
        """Is an image of that reference in the engine?

        Raises:
            HostError: The engine does not answer.
        """
        # `image ls` would be simpler, but it does not find a Docker Hub image by its full reference.
        try:
            self.call("image", "inspect", "--format", "{{.Id}}", reference)
        except HostError as error:
            if "no such image" in str(error).lower():
                return False
            raise
        return True

    def images(self, repository: str) -> list[str]:
        """References of all images of a repository: its name with each tag."""
        return self.call("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", repository).split()

    def remove_image(self, reference: str) -> bool:
        """Remove an image unless something still uses it; returns whether it is gone."""
        try:
            self.call("image", "rm", reference)
        except HostError:
            return False
        return True

    def load(self, archive: Path) -> None:
        """Load the images of an archive.

        Raises:
            HostError: The engine refused it.
        """
        self.call("load", "--quiet", "--input", str(archive), within=300)

    def _run(self, *arguments: str, within: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.client, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=within,
            stdin=subprocess.DEVNULL,
        )
