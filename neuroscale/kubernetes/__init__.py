"""Facts about Kubernetes objects, without I/O."""
