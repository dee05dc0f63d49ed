"""The port to the world: which cluster, whether it may be written to, and the one client that does it."""
