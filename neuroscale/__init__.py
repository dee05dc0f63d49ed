"""NeuroScale: drive a real cluster, break it on purpose, time how it heals, prove that each check can fail."""
