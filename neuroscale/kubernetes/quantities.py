"""Kubernetes quantities.

The ``kubernetes`` package has a parser too; it takes ``1K``, ``NaN`` and ``True``, which the API server rejects.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, localcontext

from neuroscale.errors import Inconclusive

#: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
SUFFIXES = {
    **{suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1)},
    **{
        suffix: Decimal(1000) ** power
        for power, suffix in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), start=-3)
    },
}


_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_QUANTITY = re.compile(rf"({_NUMBER}(?:[eE][+-]?\d+)?)|({_NUMBER})({'|'.join(filter(None, SUFFIXES))})", re.ASCII)


def quantity(text: object) -> Decimal:
    """A Kubernetes quantity as a number: ``"250m"`` -> 0.25, ``"1Gi"`` -> 1073741824, ``"1e3"`` -> 1000.

    Raises:
        Inconclusive: The API server would not take it for one.
    """
    # Blanks at its ends are trimmed as they stand in JSON, where tabs and line ends are written out.
    said = str(text).strip(" ")
    found = _QUANTITY.fullmatch(said)
    if found is None:
        raise Inconclusive(f"{said!r} should be a quantity such as 250m or 1Gi, but is none. Next: correct it")
    plain, number, suffix = found.groups()
    return Decimal(plain) if plain else Decimal(number) * SUFFIXES[suffix]


@contextmanager
def exact() -> Iterator[None]:
    """Arithmetic that loses no digit: a byte has thirty of them in GiB, and Decimal keeps 28. A decorator, too."""
    with localcontext() as context:
        context.prec = 200
        yield


@exact()
def readable(what: str, amount: Decimal) -> str:
    """An amount as manifests write it: ``250m``, ``1Gi``, ``3``. No digit is lost.

    Args:
        what: As quotas call it: ``requests.cpu``, ``limits.memory``, ``pods``.
        amount: In cores, bytes, or pieces.
    """
    if what.endswith("cpu"):
        return f"{_plain(amount * 1000)}m" if amount % 1 else _plain(amount)
    for suffix in ("Gi", "Mi", "Ki") if what.endswith("memory") and amount else ():
        if not amount % SUFFIXES[suffix]:
            return f"{_plain(amount / SUFFIXES[suffix])}{suffix}"
    return _plain(amount)


def _plain(number: Decimal) -> str:
    """Its digits, without an exponent and without zeros at the end."""
    return f"{number.normalize():f}" if number else "0"


def millicores(text: object) -> int:
    """A CPU quantity in thousandths of a core, rounded up as the scheduler does: ``"2"`` -> 2000, ``"0.5m"`` -> 1.

    Raises:
        Inconclusive: It is no quantity.
    """
    return math.ceil(quantity(text) * 1000)
