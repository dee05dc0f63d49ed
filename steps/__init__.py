"""Glue: words to one library verb to a noun. One file per domain, not per feature."""
