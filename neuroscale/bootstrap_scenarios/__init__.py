"""A bootstrap of a cluster of its own: killed at a boundary, repeated, watched at its work, and undone."""
