"""The gate as it runs in the cluster: a Job judges each commit that a pull request proposes, a Deployment watches."""
