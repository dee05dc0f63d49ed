"""From nothing, or from wherever a crash left it, to a healthy platform."""

from neuroscale.bootstrap.up import UpReport, up

__all__ = ["UpReport", "up"]
