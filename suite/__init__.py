"""The runner: what pytest needs to drive the library. Judgements live in ``neuroscale``, words in ``steps``."""
