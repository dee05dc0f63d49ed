"""Second stage: each object fits the schema of its kind, Kubernetes' own or the CRD that the tree installs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.protocols import Validator
from referencing import Registry, Resource

from neuroscale.errors import SupplyError
from neuroscale.gate import api_rules, webhook_rules
from neuroscale.gate.findings import Finding, Places, Tree, named
from neuroscale.kubernetes.refs import Object
from neuroscale.supply.pins import pins

#: The rule of what does not fit its kind; that of what does, and a webhook of whoever looks after the kind rejects.
INVALID, WEBHOOK = "invalid", "webhook"
_OWN = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
#: Keys of a schema that judge nothing.
_PROSE = frozenset({"default", "description", "example", "externalDocs", "title"})
#: An end in a pattern; what is escaped, or of a class, is none.
_DOLLAR = re.compile(r"(?P<other>\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\$", re.DOTALL)


class Schemas:
    """Kubernetes' schemas for the node's version, and those of some CustomResourceDefinitions.

    Rules that a CRD states in CEL, and lists that are maps, are looked at by ``api_validation``.

    Attributes:
        definitions: The CRDs.
    """

    def __init__(self, definitions: Iterable[Object]) -> None:
        self.definitions = list(definitions)
        self._sound = {id(definition): definition for definition in self.definitions if _is_definition(definition)}
        #: Of each object that was checked: itself, so that its identity stays its own, and what is wrong with it.
        self._checked: dict[int, tuple[Object, str, tuple[str, ...]]] = {}
        self._custom = {
            (definition["spec"]["group"], version["name"], definition["spec"]["names"]["kind"]): version["schema"]
            for definition in self._sound.values()
            for version in definition["spec"]["versions"]
            if version.get("served") and (version.get("schema") or {}).get("openAPIV3Schema")
        }
        self._validators: dict[tuple[str, str, str], Validator] = {}

    @classmethod
    def of(cls, places: Places, like: Schemas | None = None) -> Schemas:
        """With the CRDs that a tree installs.

        Args:
            places: The tree's.
            like: Those of another tree; the answer, if both install the same.
        """
        every = (obj for objects in places.values() for obj in objects)
        found = [obj for obj in every if obj["kind"] == "CustomResourceDefinition"]
        return like if like is not None and like.definitions == found else cls(found)

    def findings(self, place: str, obj: Object) -> list[Finding]:
        """What is wrong with an object, the most telling thing first, at most one thing of each part."""
        rule, complaints = self._complaints(obj)
        return [Finding("schema", rule, named(place, obj), complaint) for complaint in complaints]

    def check(self, place: str, obj: Object) -> list[Finding]:
        """The same, looked at once for each object: nobody may change it in between."""
        if id(obj) not in self._checked:
            self._checked[id(obj)] = (obj, *self._complaints(obj))
        _, rule, complaints = self._checked[id(obj)]
        return [Finding("schema", rule, named(place, obj), complaint) for complaint in complaints]

    def _complaints(self, obj: Object) -> tuple[str, tuple[str, ...]]:
        """A rule, and what breaks it; nothing: the object fits."""
        obj = webhook_rules.rewritten(obj)
        group, _, version = obj["apiVersion"].rpartition("/")
        key = (group, version, obj["kind"])
        if key in self._custom:
            validators, parts = [self._of_custom(key)], [obj]
            # Metadata is the same in every kind.
            if (plain := _builtin("v1", "ConfigMap")) is not None:
                validators.append(plain)
                parts.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": obj["metadata"]})
        elif (validator := _builtin(obj["apiVersion"], obj["kind"])) is not None:
            # A definition that was found to be one is not looked at again.
            validators, parts = ([], []) if id(obj) in self._sound else ([validator], [obj])
        else:
            said = f"{obj['apiVersion']} should have a kind {obj['kind']}, of Kubernetes or defined here, but has none"
            return "unknown-kind", (said,)
        if complaints := list(filter(None, map(_complaint, validators, parts))) or api_rules.complaints(obj):
            return INVALID, tuple(complaints)
        return WEBHOOK, tuple(webhook_rules.complaints(obj))

    def _of_custom(self, key: tuple[str, str, str]) -> Validator:
        if key not in self._validators:
            self._validators[key] = _strict(self._custom[key])
        return self._validators[key]


def fit(tree: Tree, like: Schemas | None = None) -> tuple[Tree, list[Finding]]:
    """A tree without the objects that do not fit their schemas, and what is wrong with those.

    Args:
        tree: All that there is.
        like: The schemas of a tree that this one is much like.
    """
    places, found = check(tree.places, Schemas.of(tree.places, like))
    return replace(tree, places=places), found


def check(places: Places, schemas: Schemas) -> tuple[Places, list[Finding]]:
    """The objects that fit, and what is wrong with the others."""
    fitting: dict[str, list[Object]] = {place: [] for place in places}
    findings: list[Finding] = []
    for place, objects in places.items():
        for obj in objects:
            found = schemas.check(place, obj)
            findings += found
            if not found:
                fitting[place].append(obj)
    return fitting, findings


def _complaint(validator: Validator, part: Object) -> str:
    """What is most telling; empty: nothing is wrong. A definition may hold a schema that is none itself."""
    try:
        error = best_match(validator.iter_errors(part))
    except (jsonschema.SchemaError, re.error, RecursionError, TypeError, AttributeError) as why:
        return f"its definition should hold a schema, but: {' '.join(str(why).split()):.200}"
    return _sentence(error) if error else ""


def _is_definition(obj: Object) -> bool:
    """Whether what calls itself a definition is one that Kubernetes takes."""
    validator = _builtin(obj["apiVersion"], "CustomResourceDefinition")
    return validator is not None and validator.is_valid(obj)


def _sentence(error: ValidationError) -> str:
    return f"{error.json_path.removeprefix('$').removeprefix('.') or 'it'} does not fit: {error.message:.200}"


@cache
def kubernetes() -> str:
    """The minor version whose schemas hold: the node's.

    Raises:
        SupplyError: The pins do not say.
    """
    version = re.search(r"v(\d+\.\d+)", pins().modules["k3s"].known_as)
    if version is None:
        raise SupplyError("pins.toml should say which Kubernetes k3s is, but does not. Next: give k3s a release there")
    return version[1]


#: Kinds that nobody can list, and those that Argo CD is told to pass over: it tells charts of neither.
_NOT_LISTED = re.compile(r".*(Review|List)|Binding|Endpoints|EndpointSlice|Eviction|Lease|Scale|Status|TokenRequest")
#: Versions that are served without being asked for. Of those that are not stable, one is left in 1.31.
_SERVED = re.compile(r"(.+/)?v\d+|flowcontrol\.apiserver\.k8s\.io/v1beta3")


@cache
def api_versions() -> list[str]:
    """Groups, versions and kinds of Kubernetes itself, as Argo CD tells charts of them."""
    found = set[str]()
    for one in _definitions()["$defs"].values():
        fields = one.get("properties", {})
        for version in fields.get("apiVersion", {}).get("enum", []) if "metadata" in fields else []:
            kinds = [kind for kind in fields["kind"].get("enum", []) if not _NOT_LISTED.fullmatch(kind)]
            if kinds and _SERVED.fullmatch(version):
                found |= {version, *(f"{version}/{kind}" for kind in kinds)}
    return sorted(found)


@cache
def _builtin(api_version: str, kind: str) -> Validator | None:
    """Kubernetes' own schema, strict, or ``None``; the package's own ``validate`` reads 2 MB for each object."""
    group, _, version = api_version.rpartition("/")
    # The schemas lie under the group's first word; what they allow as apiVersion tells groups apart that share it.
    name = "-".join(filter(None, (kind.lower(), group.partition(".")[0], version)))
    file = _folder() / f"{name}.json"
    if not re.fullmatch(r"[\w-]+", name) or not file.is_file():
        return None
    schema = json.loads(file.read_text(encoding="utf-8"))
    allowed = schema["properties"]
    if api_version not in allowed["apiVersion"].get("enum", [api_version]):
        return None
    if kind not in allowed["kind"].get("enum", [kind]):
        return None
    return jsonschema.Draft202012Validator(schema, registry=_registry())


@cache
def _registry() -> Registry[Any]:
    definitions: Resource[Any] = Resource.from_contents(_definitions())
    return definitions @ Registry()


@cache
def _definitions() -> Any:
    return json.loads((_folder() / "_definitions.json").read_text(encoding="utf-8"))


@cache
def _folder() -> Any:
    found = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{kubernetes()}.0-local-strict"
    if not found.is_dir():
        raise SupplyError(
            f"kubernetes-validate should have the schemas of Kubernetes {kubernetes()}, but has not. "
            f"Next: another version of it in constraints.txt"
        )
    return found


def _strict(schema: Object) -> Validator:
    """A CRD's schema as the API server takes it when asked to be strict: no field that is not in it."""
    root = _closed(schema["openAPIV3Schema"])
    root["properties"] = _OWN | root.get("properties", {}) | {"metadata": {"type": "object"}}
    return _Custom(root)


def _pattern(_: Validator, pattern: str, instance: object, __: Object) -> Iterator[ValidationError]:
    """As Go takes a pattern: ``$`` is the very end, not also before a last line's; digits are those of ASCII."""
    if isinstance(instance, str) and not re.search(_DOLLAR.sub(_to_the_end, pattern), instance, re.ASCII):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _to_the_end(found: re.Match[str]) -> str:
    return found["other"] or r"\Z"


_Custom: type[Validator] = jsonschema.validators.extend(jsonschema.Draft4Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]


def _closed(schema: Object) -> Object:
    closed = {key: value for key, value in schema.items() if key not in _PROSE} | dict(_parts(schema))
    open_ = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if schema.get("type") == "object" and not open_:
        embedded = _OWN if schema.get("x-kubernetes-embedded-resource") else {}
        closed |= {"properties": {**embedded, **closed.get("properties", {})}, "additionalProperties": False}
    # OpenAPI's way to allow null, which JSON Schema does not know.
    return {"anyOf": [{"enum": [None]}, closed]} if schema.get("nullable") else closed


def _parts(schema: Object) -> Iterator[tuple[str, Any]]:
    """The schemas inside a schema. Those in anyOf and the like add conditions to them, and close nothing."""
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield key, _closed(schema[key])
    if "properties" in schema:
        yield "properties", {name: _closed(part) for name, part in schema["properties"].items()}
