"""Kubernetes quantities.

The ``kubernetes`` package has a parser too; it takes ``1K``, ``NaN`` and ``True``, which the API server rejects.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

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
    said = str(text).strip()
    found = _QUANTITY.fullmatch(said)
    if found is None:
        raise Inconclusive(f"{said!r} should be a quantity such as 250m or 1Gi, but is none. Next: correct it")
    plain, number, suffix = found.groups()
    return Decimal(plain) if plain else Decimal(number) * SUFFIXES[suffix]


def millicores(text: object) -> int:
    """A CPU quantity in thousandths of a core, rounded up as the scheduler does: ``"2"`` -> 2000, ``"0.5m"`` -> 1.

    Raises:
        Inconclusive: It is no quantity.
    """
    return math.ceil(quantity(text) * 1000)
