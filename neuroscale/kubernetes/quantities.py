"""Kubernetes quantities."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from neuroscale.errors import Inconclusive

#: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
SUFFIXES = {
    **{suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1)},
    **{
        suffix: Decimal(1000) ** power
        for power, suffix in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), start=-3)
    },
}


def quantity(text: object) -> Decimal:
    """A Kubernetes quantity as a number: ``"250m"`` -> 0.25, ``"1Gi"`` -> 1073741824, ``"1e3"`` -> 1000.

    Raises:
        Inconclusive: It is none.
    """
    said = str(text).strip()
    suffix = next((one for one in sorted(SUFFIXES, key=len, reverse=True) if one and said.endswith(one)), "")
    try:
        return Decimal(said.removesuffix(suffix)) * SUFFIXES[suffix]
    except InvalidOperation as error:
        raise Inconclusive(
            f"{said!r} should be a quantity such as 250m or 1Gi, but is none. Next: correct it"
        ) from error
