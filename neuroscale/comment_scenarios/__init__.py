"""The life of the gate's comment on a pull request, at a Git server of this machine."""
