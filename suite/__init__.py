"""The runner: what pytest needs to drive the library. Judgements and faults live in ``neuroscale``, words in ``steps``."""
