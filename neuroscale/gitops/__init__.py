"""GitOps: drift and commits, and what Argo CD makes of them."""
