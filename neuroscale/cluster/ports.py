"""Ports on this machine that lead into the node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Port:
    """A port on 127.0.0.1 that is mapped for the cluster's life.

    Attributes:
        name: The state file's key.
        title: What people call what answers there.
        host: The port wanted on this machine; a free one takes its place where it is taken.
        node: What it leads to in the node.
    """

    name: str
    title: str
    host: int
    node: int
    scheme: Literal["http", "https"] = "http"
