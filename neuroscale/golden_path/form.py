"""What a developer asks for, and the files that must come of it: written down apart from the template."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from neuroscale.fresh_names import fresh_name
from neuroscale.kubernetes.refs import Object
from neuroscale.model_store import SERVED, storage_uri
from neuroscale.polling import Verdict, met, unrecoverable
from neuroscale.probes.serving import DOMAIN
from neuroscale.settings import APPS_NAMESPACE

#: Which address of Argo CD the catalog links to; as in the portal's values.
_ARGOCD = "https://127.0.0.1:8081"


def filled_in() -> dict[str, str | int]:
    """A form for a model of a new name, so that nothing that is cached or being cleared away can answer for it."""
    return {
        "name": fresh_name("golden"),
        "owner": "ml-platform",
        "costCenter": "cc-ml",
        "modelFormat": "sklearn",
        "storageUri": storage_uri(SERVED),
        "cpu": 100,
        "memory": 512,
    }


def expected_objects(values: Mapping[str, str | int]) -> dict[str, Object]:
    """Path -> the one object in it, for each file that the pull request must add."""
    folder = f"apps/{values['name']}"
    return {f"{folder}/inference-service.yaml": _service(values), f"{folder}/catalog-info.yaml": _entity(values)}


def _service(values: Mapping[str, str | int]) -> Object:
    memory = f"{values['memory']}Mi"
    resources = {
        "requests": {"cpu": f"{values['cpu']}m", "memory": memory},
        "limits": {"cpu": "2" if int(values["cpu"]) > 1000 else "1", "memory": memory},
    }
    model = {
        "modelFormat": {"name": values["modelFormat"]},
        "storageUri": values["storageUri"],
        "resources": resources,
    }
    labels = {"owner": values["owner"], "cost-center": values["costCenter"]}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": values["name"], "labels": labels},
        "spec": {"predictor": {"minReplicas": 1, "model": model}},
    }


def _entity(values: Mapping[str, str | int]) -> Object:
    name = values["name"]
    links = [
        {"title": "Argo CD", "url": f"{_ARGOCD}/applications/argocd/{name}"},
        {"title": "Endpoint", "url": f"http://{name}.{APPS_NAMESPACE}.{DOMAIN}/v1/models/{name}"},
    ]
    return {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": name, "labels": {"cost-center": values["costCenter"]}, "links": links},
        "spec": {
            "type": "model-endpoint",
            "lifecycle": "production",
            "owner": f"group:default/{values['owner']}",
            "system": "model-endpoints",
        },
    }


def evaluate_proposal(proposed: Mapping[str, str | None], values: Mapping[str, str | int]) -> Verdict:
    """A pull request adds exactly the files of a model, with exactly what must be in them."""
    expected = expected_objects(values)
    if missing := sorted(set(expected) - set(proposed)):
        return unrecoverable(f"without {', '.join(missing)}")
    if strange := sorted(set(proposed) - set(expected)):
        return unrecoverable(f"it changes {', '.join(strange)} as well")
    for path, text in proposed.items():
        if text is None:
            return unrecoverable(f"it removes {path}")
        found = list(yaml.safe_load_all(text))
        if found != [expected[path]]:
            return unrecoverable(f"{path} holds {found} and not {expected[path]}")
    return met(f"exactly {', '.join(sorted(proposed))}")
