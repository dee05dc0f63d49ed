"""Names of what a scenario makes, which nothing has had before: what remains of an earlier one must not answer."""

from __future__ import annotations

import secrets

#: A session makes hundreds of names, and a long-lived cluster keeps the branches of all. With 2 bytes, 40 forms of one
#: session met a name a second time once in 150 sessions.
_BYTES = 5


def fresh_name(stem: str) -> str:
    """The stem, a hyphen and 10 hexadecimal digits; a DNS label if the stem is one of at most 52 characters."""
    return f"{stem}-{secrets.token_hex(_BYTES)}"
