"""What a workload must keep to, whoever enforces it."""
