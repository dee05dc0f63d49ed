"""CRDs without their descriptions, which nothing in a cluster reads and everything carries along."""

from __future__ import annotations

from pathlib import Path

import yaml

from neuroscale.kubernetes.refs import Object


def shorten_definitions(manifest: Path) -> None:
    """Rewrite a file of manifests: the schemas of its CustomResourceDefinitions lose each ``description``."""
    documents = [one for one in yaml.load_all(manifest.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) if one]
    for document in documents:
        if document["kind"] == "CustomResourceDefinition":
            for version in document["spec"]["versions"]:
                _shorten(version.get("schema", {}).get("openAPIV3Schema", {}))
    manifest.write_text(yaml.dump_all(documents, Dumper=yaml.CSafeDumper, sort_keys=False), encoding="utf-8")


def _shorten(schema: Object) -> None:
    """Of this schema and those in it. A property may be called "description" as well, and stays."""
    schema.pop("description", None)
    inner = [*schema.get("properties", {}).values(), *schema.get("patternProperties", {}).values()]
    inner += [one for key in ("allOf", "anyOf", "oneOf") for one in schema.get(key, [])]
    inner += [one for key in ("items", "additionalProperties", "not") if isinstance(one := schema.get(key), dict)]
    for one in inner:
        _shorten(one)
