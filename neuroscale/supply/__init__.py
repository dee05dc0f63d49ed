"""Where binaries, images and upstream manifests come from: an image registry, or source code and Debian."""

from __future__ import annotations

from neuroscale.supply.choice import Mode, assert_usable, choose
from neuroscale.supply.contract import Demand, Plan, PlannedPart, Provisions, Supply

__all__ = [
    "ONE_NODE",
    "Demand",
    "Mode",
    "Plan",
    "PlannedPart",
    "Provisions",
    "ShapeName",
    "Supply",
    "assert_usable",
    "choose",
]
