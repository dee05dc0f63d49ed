"""The Docker engine, through its command-line client."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from neuroscale.errors import HostError, ProgramFailed, ProgramLate
from neuroscale.host.programs import output

_ANSWER_SECONDS = 5.0


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

    def ask(self) -> Literal["answers", "is silent", "hangs"]:
        """Whether the engine answers, there is none to answer, or there is one that did not within five seconds."""
        try:
            output([self.client, "version", "--format", "{{.Server.Version}}"], within=_ANSWER_SECONDS)
        except ProgramLate:
            return "hangs"
        except ProgramFailed:
            return "is silent"
        return "answers"

    def answers(self) -> bool:
        """Does the engine answer within five seconds?"""
        return self.ask() == "answers"

    def call(self, *arguments: str, within: float = 60) -> str:
        """Run a client command and return what it printed.

        Args:
            arguments: What stands behind ``docker``.
            within: Seconds it may take.

        Raises:
            HostError: There is no client, the engine does not answer, or it refused.
        """
        if not self.installed():
            raise HostError("A container engine is needed, but there is no `docker` on PATH. Next: neuroscale up")
        try:
            return output([self.client, *arguments], within=within)
        except ProgramFailed as error:
            raise HostError(f"`docker {' '.join(arguments)}` should succeed, but {error}. Next: docker info") from error

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
