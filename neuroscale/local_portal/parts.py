"""What the processes are made of: the very parts that the images are, from the supply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from neuroscale.gate import tools
from neuroscale.gate.tools import Tools
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import ROOT
from neuroscale.supply import node
from neuroscale.supply.builder import Builder, all_versions

_PARTS = ("gitea", "gitea-files", "backstage", "debian-postgresql")
_SPEAKING = ("backstage", "gitea", "postgresql-15")
_PORTAL = Path("infrastructure", "backstage")


@dataclass(frozen=True)
class Parts:
    """Programs and files.

    Attributes:
        gitea: Its binary.
        gitea_files: What it calls its static root.
        node: The Node of the portal's image.
        app: The portal, as it lies in its image.
        postgresql: Layer of the image of PostgreSQL.
        tools: Of the gate; its Helm renders the portal's chart.
        versions: Of the programs.
    """

    gitea: Path
    gitea_files: Path
    node: Path
    app: Path
    postgresql: Path
    tools: Tools
    versions: Mapping[str, str]

    def rendered(self, values: str, root: Path = ROOT) -> list[Object]:
        """The objects of the portal's chart.

        Args:
            values: Name of the file beside the chart.
            root: The checkout.

        Raises:
            SupplyError: It does not render.
        """
        return self.tools.chart(root / _PORTAL / "chart", [root / _PORTAL / values])


def provide() -> Parts:
    """Build what is missing, without Docker; some minutes the first time, and nothing afterwards.

    Raises:
        SupplyError: A part cannot be had.
        HostError: The disk does not suffice, or a build tool is missing.
        Locked: Another process is building.
    """
    provided = Builder().provide(_PARTS)
    parts = {name: part.path for name, part in provided.items()}
    portal = parts["backstage"]
    return Parts(
        gitea=parts["gitea"] / "gitea",
        gitea_files=parts["gitea-files"],
        node=portal / "node",
        app=portal / node.FOLDER,
        postgresql=parts["debian-postgresql"] / "layer.tar",
        tools=tools.provide(),
        versions={name: all_versions(provided)[name] for name in _SPEAKING},
    )
