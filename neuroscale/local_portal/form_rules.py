"""What a form may hold, written down apart from the template: no pattern, no schema, nothing in common with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from string import ascii_letters, ascii_lowercase, digits

from neuroscale.guardrails.oracle import COST_CENTERS, OWNERS

Form = Mapping[str, object]

#: What the portal puts in where a form says nothing.
DEFAULTS: Mapping[str, int] = {"cpu": 100, "memory": 512}
#: Of a DNS label, 63, less what Knative appends to a model's name.
LONGEST_NAME = 39
LONGEST_URI = 500
#: Thousandths of a core, MiB: the LimitRange, and what a model server does not start below.
CPU, MEMORY = (50, 2000), (256, 4096)
_HOST = frozenset(ascii_lowercase + digits + ".-")
_PATH = frozenset(ascii_letters + digits + "._~+=-")
_LABEL = frozenset(ascii_lowercase + digits + "-")


def broken_fields(form: Form) -> set[str]:
    """The names of what is wrong in a form; one that must be there and is not, and one that must not be, included."""
    missing = {name for name, (_, needed) in _FIELDS.items() if needed and name not in form}
    strange = {name for name in form if name not in _FIELDS}
    wrong = {name for name, value in form.items() if name in _FIELDS and not _FIELDS[name][0](value)}
    return missing | strange | wrong


def completed(form: Form) -> dict[str, str | int]:
    """An accepted form with what the portal puts in."""
    values: dict[str, object] = {**DEFAULTS, **form}
    return {
        name: value if isinstance(value, str) else int(str(value).partition(".")[0]) for name, value in values.items()
    }


def _is_name(value: object) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= LONGEST_NAME
        and set(value) <= _LABEL
        and value[0] in ascii_lowercase
        and value[-1] != "-"
        and not value.startswith("neuroscale-")
        and value != "kubernetes"
    )


def _is_uri(value: object) -> bool:
    if not isinstance(value, str) or len(value) > LONGEST_URI:
        return False
    scheme, separator, rest = value.partition("://")
    host, *segments = rest.split("/")
    name, colon, port = host.partition(":")
    return (
        separator != ""
        and scheme in ("http", "https")
        and name != ""
        and set(name) <= _HOST
        and name[0] not in ".-"
        and name[-1] not in ".-"
        and (not colon or (0 < len(port) <= 5 and set(port) <= set(digits)))
        and bool(segments)
        and all(segment and set(segment) <= _PATH for segment in segments)
    )


def _within(bounds: tuple[int, int]) -> Callable[[object], bool]:
    def judge(value: object) -> bool:
        # JSON has one kind of number: 100.0 is an integer there.
        whole = isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
        return whole and bounds[0] <= value <= bounds[1]  # type: ignore[operator]

    return judge


def _among(known: frozenset[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and value in known


#: Field -> what its value must be, and whether it must be there.
_FIELDS: Mapping[str, tuple[Callable[[object], bool], bool]] = {
    "name": (_is_name, True),
    "owner": (_among(OWNERS), True),
    "costCenter": (_among(COST_CENTERS), True),
    "modelFormat": (_among(frozenset({"sklearn"})), True),
    "storageUri": (_is_uri, True),
    "cpu": (_within(CPU), False),
    "memory": (_within(MEMORY), False),
}
FIELDS = tuple(_FIELDS)
