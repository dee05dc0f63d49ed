"""Forms that nobody wrote: good ones up to the limits, and ones with something wrong, hostile values included."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from string import ascii_letters, ascii_lowercase, digits

from neuroscale.guardrails.oracle import COST_CENTERS, OWNERS
from neuroscale.local_portal.form_rules import CPU, FIELDS, LONGEST_NAME, LONGEST_URI, MEMORY

Form = dict[str, object]

#: What YAML, Jinja, Git, the shell, paths, Markdown, HTML and JavaScript take for something else than text.
HOSTILE: tuple[object, ...] = (
    "a: b", "a\nkind: Secret", "a\n---\napiVersion: v1", "- a", "*alias", "&anchor a", "!!python/object:os.system a",
    "{a: b}", "[a]", "a # b", "'", '"', "|", ">", "%YAML 1.1", "\ta", "a\r\nb", "a\x00b", "\ufeffa", "\u2028",
    "${{ secrets.token }}", "${{ user.entity | dump }}", "{{ 7*7 }}", "{% raw %}", "${HOME}", "$(id)", "`id`", "; id",
    "../../main", "..", ".", "/etc/passwd", "a/../../b", "..\\..\\a", "%2e%2e%2f", "a.lock", "@{-1}", "@", "a..b",
    "refs/heads/main", "HEAD", "a~1", "a^", "a:b", "a?b", "a*", "-a", "--upload-pack=id", "a-", ".a", "a.",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))", "a | b | c", "@neuroscale",
    "#1", "fixes #1", "ä", "аdmin", "Å", "\u202eabc", "a\u200bb", "💥", "A", "a b", " a", "a ", "", "a" * 10_000,
    "__proto__", "constructor.prototype", "javascript:alert(1)", "file:///etc/passwd", "http://u:p@host/model",
    "http://host/model?token=x", "http://host/model#x", "http://host/a b", "http://host/a\nb: c",
    "http://host/${{ 1 }}", "http://host/`id`", "http://host//a", "http://host/", "http://-host/a", "http://host:/a", "http://host:123456/a",
    "gs://bucket/model", "HTTP://host/a", None, True, False, 0, -1, 1.5, 10**12, [], ["a"], {}, {"a": "b"},
)  # fmt: skip
#: Names that a form has no use for, those that every object of JavaScript has included.
_STRANGERS = (
    "namespace",
    "labels",
    "Name",
    "name ",
    "replicas",
    "constructor",
    "toString",
    "hasOwnProperty",
    "valueOf",
)
#: Names that YAML takes for something else than text, unless they are quoted.
_TRAPS = ("null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", "e5", "x0", "xn--a", "constructor")


def good(seed: random.Random, name: str = "") -> Form:
    """A form without a mistake, in which nothing is left out that may not be.

    Args:
        seed: Where chance comes from.
        name: The model's, if it must be this one.
    """
    form: Form = {
        "name": name or seed.choice((_name, lambda _: seed.choice(_TRAPS)))(seed),
        "owner": seed.choice(sorted(OWNERS)),
        "costCenter": seed.choice(sorted(COST_CENTERS)),
        "modelFormat": "sklearn",
        "storageUri": _uri(seed),
    }
    for field, bounds in (("cpu", CPU), ("memory", MEMORY)):
        if seed.random() < 0.8:
            form[field] = seed.choice((*bounds, seed.randint(*bounds)))
    return form


def any_form(seed: random.Random) -> Form:
    """One in five is good; the others have, most of them, something wrong with a field or two."""
    form = good(seed)
    if seed.random() < 0.2:
        return form
    for _ in range(seed.choice((1, 1, 1, 2))):
        seed.choice((_spoil, _spoil, _spoil, _near_miss, _near_miss, _leave_out, _add))(form, seed)
    return form


def each_hostile() -> Iterator[tuple[str, Form]]:
    """Field -> a form in which it alone holds a hostile value: all of them in free text, each in one of the others."""
    free = ("name", "storageUri")
    closed = [field for field in FIELDS if field not in free]
    for index, value in enumerate(HOSTILE):
        for field in (*free, closed[index % len(closed)]):
            yield field, {**good(random.Random(index), f"hostile-{index}"), field: value}  # noqa: S311 - test data


def trap_names() -> tuple[str, ...]:
    """Good names that YAML takes for something else than text, where nobody quotes them."""
    return _TRAPS


def _name(seed: random.Random) -> str:
    length = seed.choice((1, 2, LONGEST_NAME, seed.randint(3, LONGEST_NAME)))
    middle = "".join(seed.choices(ascii_lowercase + digits + "-", k=max(0, length - 2)))
    return (seed.choice(ascii_lowercase) + middle + seed.choice(ascii_lowercase + digits))[:length]


def _uri(seed: random.Random) -> str:
    host = seed.choice(("models", "models.example.org", "10.0.0.1", "a--b.c", "x"))
    port = seed.choice(("", "", ":80", ":65535"))
    path = "".join("/" + "".join(seed.choices(ascii_letters + digits + "._~+=-", k=seed.randint(1, 12))) for _ in "ab")
    made = f"{seed.choice(('http', 'https'))}://{host}{port}{path}"
    return made if seed.random() < 0.9 else made + "x" * (LONGEST_URI - len(made))


def _spoil(form: Form, seed: random.Random) -> None:
    form[seed.choice(FIELDS)] = seed.choice(HOSTILE)


def _leave_out(form: Form, seed: random.Random) -> None:
    form.pop(seed.choice(sorted(form)))


def _add(form: Form, seed: random.Random) -> None:
    form[seed.choice(_STRANGERS)] = seed.choice(("a", 1, None))


def _near_miss(form: Form, seed: random.Random) -> None:
    """Just beyond a limit, or just within it."""
    field = seed.choice(sorted(_EDGES))
    form[field] = seed.choice(_EDGES[field])(form.get(field))


def _beside(bounds: tuple[int, int]) -> tuple[Callable[[object], object], ...]:
    values = (bounds[0] - 1, bounds[1] + 1, float(bounds[0]), str(bounds[0]), bounds[0] + 0.5)
    return tuple(partial(_instead, value) for value in values)


def _instead(value: object, _: object) -> object:
    return value


_EDGES: Mapping[str, tuple[Callable[[object], object], ...]] = {
    "name": (
        lambda name: f"{name}-",
        lambda name: f"-{name}",
        lambda name: f"neuroscale-{name}"[:LONGEST_NAME],
        lambda name: f"neuroscale{name}"[:LONGEST_NAME].strip("-"),
        lambda name: str(name).upper(),
        lambda name: f"{name}\n",
        lambda _: "a" * (LONGEST_NAME + 1),
        lambda _: "kubernetes",
        lambda _: "kubernetes-a",
    ),
    "owner": (lambda owner: f"{owner} ", lambda owner: str(owner).upper(), lambda owner: f"{owner}\n"),
    "costCenter": (lambda center: f"{center}x", lambda center: [center]),
    "storageUri": (
        lambda uri: f"{uri}/",
        lambda uri: f"{uri}\n",
        lambda uri: f"{uri}?",
        lambda uri: str(uri).replace("http", "ftp", 1),
        lambda _: "http://h/" + "x" * (LONGEST_URI - 8),
        lambda _: "http://h/" + "x" * (LONGEST_URI - 9),
    ),
    "cpu": _beside(CPU),
    "memory": _beside(MEMORY),
}
