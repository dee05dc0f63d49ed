"""From nothing, or from wherever a crash left it, to a healthy platform."""
