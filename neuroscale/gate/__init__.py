"""What a change of the manifests must pass before it is merged; ``result`` is the way through, the rest its stages."""
