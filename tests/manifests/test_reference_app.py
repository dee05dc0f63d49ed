"""The test application is what the suite takes it for."""

from __future__ import annotations

import yaml

from neuroscale.probes.reference_app import IMAGE, MANIFEST, NGINX
from neuroscale.settings import ROOT


def test_what_scenarios_bring_has_its_image() -> None:
    found = [
        one for one in yaml.safe_load_all((ROOT / MANIFEST).read_text(encoding="utf-8")) if one["kind"] == NGINX.kind
    ]
    assert [one["metadata"]["name"] for one in found] == [NGINX.name]
    assert [one["image"] for one in found[0]["spec"]["template"]["spec"]["containers"]] == [IMAGE]
