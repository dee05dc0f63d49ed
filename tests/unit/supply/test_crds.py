"""What a CRD loses, and what it keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from neuroscale.supply.crds import shorten_definitions

LEAF = {"type": "string", "description": "prose"}
BARE = {"type": "string"}


def definition(leaf: dict[str, Any], **prose: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        **prose,
        "properties": {
            "description": leaf,
            "list": {"type": "array", "items": leaf},
            "map": {"type": "object", "additionalProperties": leaf, "default": {"description": "a value"}},
            "any": {"anyOf": [leaf, BARE], "x-kubernetes-preserve-unknown-fields": True},
            "open": {"type": "object", "additionalProperties": True},
        },
    }
    versions = [{"name": "v1", "schema": {"openAPIV3Schema": schema}}, {"name": "v0"}]
    return {"kind": "CustomResourceDefinition", "metadata": {"name": "a"}, "spec": {"versions": versions}}


def test_schemas_lose_their_prose_and_nothing_else(tmp_path: Path) -> None:
    other = {"kind": "Role", "metadata": {"annotations": {"description": "stays", "on": "0644"}}}
    file = tmp_path / "install.yaml"
    file.write_text("---\n" + yaml.safe_dump_all([definition(LEAF, description="prose"), other]) + "---\n# nothing\n")
    shorten_definitions(file)
    assert list(yaml.safe_load_all(file.read_text())) == [definition(BARE), other]
