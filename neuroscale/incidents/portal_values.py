"""The portal's values with a change: what incidents of the portal commit."""

from __future__ import annotations

from neuroscale.errors import UsageError
from neuroscale.settings import ROOT

VALUES = "infrastructure/backstage/values.yaml"
#: As they are in this checkout.
TEXT = (ROOT / VALUES).read_text(encoding="utf-8")


def changed(old: str, new: str) -> dict[str, str | None]:
    """Path -> the whole file, with ``new`` where it has ``old``.

    Raises:
        UsageError: It has it nowhere, or more than once: the incident would be another one.
    """
    if TEXT.count(old) != 1:
        raise UsageError(f"{VALUES} should hold {old!r} once, but holds it {TEXT.count(old)} times")
    return {VALUES: TEXT.replace(old, new)}
