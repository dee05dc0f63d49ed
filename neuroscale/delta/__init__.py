"""What a change of the manifests asks of the scheduler, and what that costs: per workload, per team, in total."""
