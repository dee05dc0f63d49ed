"""What every milestone relies on, in the fake API server, and all of it well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pki
from apiserver import ApiServer
from fixtures import captured, having

from neuroscale.kubernetes.refs import Object

NODE = "/api/v1/nodes/node-0"
COREDNS = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"
DNS_POD = "/api/v1/namespaces/kube-system/pods/coredns-1"
#: Namespace and name of each Service that GitOps relies on -> its address.
SERVICES = {"default/kubernetes": "10.43.0.1", "argocd/argocd-server": "10.43.0.2", "forge/gitea": "10.43.0.3"}
API_SERVER = "/api/v1/namespaces/default/services/kubernetes"
DNS = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/kube-dns-1"
GITEA_SERVICE = "/api/v1/namespaces/forge/services/gitea"
GITEA = "/apis/apps/v1/namespaces/forge/deployments/gitea"
GATEWAY_SERVICE = "/api/v1/namespaces/kourier-system/services/kourier"
GATEWAY_ENDPOINTS = "/apis/discovery.k8s.io/v1/namespaces/kourier-system/endpointslices/kourier-1"
BALANCER = "/apis/apps/v1/namespaces/kube-system/daemonsets/svclb-kourier-1"


def node(**spec: object) -> Object:
    """One that is Ready and under no pressure."""
    statuses = {"Ready": "True", "MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False"}
    conditions = [{"type": kind, "status": status, "message": "m"} for kind, status in statuses.items()]
    meta = {"name": "node-0"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": spec, "status": {"conditions": conditions}}


def secret(namespace: str, days: float = 30, name: str = "tls") -> Object:
    """A Secret with a certificate that is valid for so many days more."""
    one, _ = pki.certificate("a.b", datetime.now(UTC), days=days)
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": {"crt": pki.pem(one), "key": "Cg=="}}


def endpoints(service: str, *pods: str) -> Object:
    """A slice of a Service's endpoints, ready."""
    ends = [{"addresses": ["10.0.0.1"], "targetRef": {"kind": "Pod", "name": pod}} for pod in pods]
    meta = {"name": f"{service}-1", "labels": {"kubernetes.io/service-name": service}}
    return {"kind": "EndpointSlice", "metadata": meta, "endpoints": ends}


def owned(kind: str, name: str, by: Object, **meta: object) -> Object:
    """An object that another one controls."""
    owner = {"controller": True, "name": by["metadata"]["name"], "uid": by["metadata"]["uid"]}
    return {"kind": kind, "metadata": {"name": name, "uid": f"uid-{name}", "ownerReferences": [owner], **meta}}


def balancer(wanted: int = 1, ready: int = 1, updated: int = 1, seen: int = 1) -> Object:
    """What k3s runs for a Service of type LoadBalancer."""
    named = {"svcname": "kourier", "svcnamespace": "kourier-system"}
    labels = {f"svccontroller.k3s.cattle.io/{key}": value for key, value in named.items()}
    status = {"observedGeneration": seen, "desiredNumberScheduled": wanted, "numberReady": ready}
    meta = {"name": "svclb-kourier-1", "namespace": "kube-system", "generation": 1, "labels": labels}
    return {"kind": "DaemonSet", "metadata": meta, "status": {**status, "updatedNumberScheduled": updated}}


def resolving(*addresses: str, but: Mapping[str, str] = MappingProxyType({})) -> Callable[[bytes], bytes]:
    """A DNS server that has these addresses for every name, but for some Services their own."""

    def answer(message: bytes) -> bytes:
        question = dns.message.from_wire(message)
        response = dns.message.make_response(question)
        asked = question.question[0].name
        name, namespace = str(asked).split(".")[:2]
        if found := (but[one],) if (one := f"{namespace}/{name}") in but else addresses:
            kind = "AAAA" if ":" in found[0] else "A"
            if kind == dns.rdatatype.to_text(question.question[0].rdtype):
                response.answer.append(dns.rrset.from_text(asked, 5, "IN", kind, *found))
        else:
            response.set_rcode(dns.rcode.SERVFAIL)
        return response.to_wire()

    return answer


def service(namespace: str, name: str, address: str) -> Object:
    """A Service with this address."""
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"clusterIP": address}}


def put_services(api: ApiServer, services: Mapping[str, str]) -> None:
    """Services with these addresses, and a DNS that has them."""
    for path, address in services.items():
        namespace, name = path.split("/")
        api.objects[f"/api/v1/namespaces/{namespace}/services/{name}"] = service(namespace, name, address)
    api.objects[DNS] = endpoints("kube-dns", "coredns-1")
    api.ports[DNS_POD] = resolving(but=services)


def gitea(replicas: int = 1) -> Object:
    """The Git server's Deployment, complete."""
    obj = having(captured("deployment-complete", {"spec": {"replicas": replicas}}), name="gitea")
    obj["spec"]["template"]["spec"]["containers"][0]["image"] = "docker.io/gitea/gitea:1.25.4-rootless"
    return obj


def put_ground(api: ApiServer) -> None:
    """What GitOps relies on."""
    api.objects[NODE] = node()
    api.objects[COREDNS] = having(captured("deployment-complete"), name="coredns")
    api.objects[GITEA] = gitea()
    put_services(api, SERVICES)
    api.objects["/api/v1/namespaces/argocd/secrets/tls"] = secret("argocd")
    api.answers["GET /api/v1/version"] = (200, b'{"version": "1.25.4"}', {})


def put_way_in(api: ApiServer) -> None:
    """The gateway's Service with its load balancer, and the gateway behind it."""
    put_services(api, {"kourier-system/kourier": "10.43.0.4"})
    api.objects[GATEWAY_SERVICE]["spec"]["type"] = "LoadBalancer"
    api.objects[GATEWAY_SERVICE]["status"] = {"loadBalancer": {"ingress": [{"ip": "10.0.0.7"}]}}
    api.objects[BALANCER] = balancer()
    api.objects[GATEWAY_ENDPOINTS] = endpoints("kourier", "gateway-1-a")
    deployment = {"metadata": {"name": "3scale-kourier-gateway", "uid": "uid-deployment"}}
    replicas = owned("ReplicaSet", "gateway-1", deployment)
    api.objects["/apis/apps/v1/namespaces/kourier-system/replicasets/gateway-1"] = replicas
    pod = owned("Pod", "gateway-1-a", replicas, namespace="kourier-system")
    api.objects["/api/v1/namespaces/kourier-system/pods/gateway-1-a"] = pod


def put_webhook(api: ApiServer, namespace: str, days: float = 30) -> None:
    """A webhook that fails closed and can be answered, for so many days more, by a Service of this namespace."""
    now = datetime.now(UTC)
    authority = pki.certificate("an-authority", now, days=3650)
    one, _ = pki.certificate(f"hook.{namespace}.svc", now, authority, days)
    hook = {
        "name": f"a.{namespace}",
        "failurePolicy": "Fail",
        "timeoutSeconds": 10,
        "clientConfig": {"service": {"name": "hook", "namespace": namespace}, "caBundle": pki.pem(authority[0])},
    }
    configuration = {"kind": "ValidatingWebhookConfiguration", "metadata": {"name": namespace}, "webhooks": [hook]}
    kind = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    api.objects[f"{kind}/{namespace}"] = configuration
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    api.objects[f"{slices}/hook-1"] = endpoints("hook", "hook-1")
    meta = {"name": "hook-cert", "namespace": namespace}
    data = {"tls.crt": pki.pem(one)}
    api.objects[f"/api/v1/namespaces/{namespace}/secrets/hook-cert"] = {
        "kind": "Secret",
        "metadata": meta,
        "data": data,
    }
