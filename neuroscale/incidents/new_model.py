"""A model that somebody brings along while serving is broken; what was there before often goes on unharmed."""

from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.model_store import SERVED, storage_uri
from neuroscale.probes.knative_resources import KNATIVE, inference_service, knative_service
from neuroscale.settings import APPS_NAMESPACE

NEW_MODEL: Ref = inference_service("late-comer")
#: Its first revision, and what Knative makes of that.
REVISION = Ref("Revision", f"{knative_service(NEW_MODEL.name).name}-00001", APPS_NAMESPACE, KNATIVE)
DEPLOYMENT = Ref("Deployment", f"{REVISION.name}-deployment", APPS_NAMESPACE)
MANIFEST: Object = {
    "apiVersion": NEW_MODEL.api_version,
    "kind": NEW_MODEL.kind,
    "metadata": {
        "name": NEW_MODEL.name,
        "namespace": NEW_MODEL.namespace,
        "labels": {"owner": "platform-team", "cost-center": "cc-platform"},
    },
    "spec": {
        "predictor": {
            "minReplicas": 1,
            "model": {
                "modelFormat": {"name": "sklearn"},
                "storageUri": storage_uri(SERVED),
                "resources": {
                    "requests": {"cpu": "100m", "memory": "128Mi"},
                    "limits": {"cpu": "1", "memory": "512Mi"},
                },
            },
        }
    },
}
