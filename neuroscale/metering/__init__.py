"""What was used and what it costs, as OpenCost and its Prometheus know it; asked through the API server."""
