"""The pinned versions, read from ``pins.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

PINS_FILE = Path(__file__).with_name("pins.toml")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GoPin(_Strict):
    """The Go toolchain: what a Go on PATH must have at least, and the PyPI package that stands in for it."""

    minimum: str
    package: str


class DebianPin(_Strict):
    """The Debian release that roots are made of."""

    suite: str


class ModulePin(_Strict):
    """A Go module. ``release`` is the name people know it by, where the module's version is not that."""

    path: str
    version: str
    release: str | None = None

    @property
    def known_as(self) -> str:
        """The version to print and to compile in."""
        return self.release or self.version


class Expected(_Strict):
    """What building a part costs the first time: seconds, and megabytes of caches and of results."""

    seconds: float
    scratch: int
    stored: int


class Pins(_Strict):
    """All of ``pins.toml``."""

    go: GoPin
    debian: DebianPin
    modules: dict[str, ModulePin]
    images: dict[str, str]
    tools: dict[str, str]
    expected: dict[str, Expected]


@cache
def pins() -> Pins:
    """The pins of this checkout."""
    return Pins.model_validate(tomllib.loads(PINS_FILE.read_text(encoding="utf-8")))
