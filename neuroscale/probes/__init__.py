"""What "good" means, component by component. A probe fetches and judges; the judgements are pure functions on objects."""
