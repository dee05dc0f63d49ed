"""B1: KServe counts on an Istio that is not there."""

import json

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import FieldsEdited, ObjectCreated
from neuroscale.incidents.incident import Incident
from neuroscale.incidents.new_model import MANIFEST, NEW_MODEL
from neuroscale.kubernetes.refs import Ref
from neuroscale.probes import serving
from neuroscale.probes.symptom_probes import HasEvent, NotFound, Shows

#: What upstream ships, but for the domain.
ISTIO = FieldsEdited(
    target=Ref("ConfigMap", "inferenceservice-config", "kserve"),
    patch={
        "data": {
            "ingress": json.dumps(
                {
                    "ingressGateway": "knative-serving/knative-ingress-gateway",
                    "localGateway": "knative-serving/knative-local-gateway",
                    "localGatewayService": "knative-local-gateway.istio-system.svc.cluster.local",
                    "ingressDomain": serving.DOMAIN,
                    "ingressClassName": "istio",
                    "domainTemplate": "{{ .Name }}-{{ .Namespace }}.{{ .IngressDomain }}",
                    "urlScheme": "http",
                    "disableIstioVirtualHost": False,
                }
            )
        }
    },
)

INCIDENT = Incident(
    number="b1",
    slug="istio_virtual_host_enabled",
    title="Istio is assumed and Kourier installed: a new model is called Ready, and its URL leads nowhere",
    milestone="b",
    faults=(*disable_automated_sync(serving.APPLICATION), ISTIO, ObjectCreated(manifest=MANIFEST)),
    sees="a new model is Ready and its URL is not found",
    symptom=(
        HasEvent(NEW_MODEL, "VirtualServiceCRDNotFound"),
        Shows(NEW_MODEL, "Ready", ("True",)),
        NotFound(NEW_MODEL.name),
    ),
    shows_within=60,
    remedy="set disableIstioVirtualHost to true in the ConfigMap inferenceservice-config, in Git",
    recovers_within=120,
    slo="serving-recovery",
)
