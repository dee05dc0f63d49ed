"""What "good" means, component by component. A probe fetches and judges; judgements are pure functions."""
