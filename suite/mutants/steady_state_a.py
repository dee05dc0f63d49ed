"""Mutants of what GitOps relies on: the platform looks well, and something below it is not."""

from __future__ import annotations

from neuroscale.chaos.faults import FieldsEdited, ObjectCreated, PushHookSwitchedOff, ScaledTo, SecretEdited
from neuroscale.kubernetes.refs import Ref
from neuroscale.probes.git_server import GITEA
from neuroscale.probes.nodes import COREDNS
from neuroscale.probes.workloads import ImageNotPulled
from neuroscale.settings import ARGOCD, CLUSTER_NAME, GIT_SERVER
from suite.mutants.mutant import Mutant
from suite.mutants.strangers import ROUTED, stranger
from suite.mutants.webhooks import secret_about_to_expire

_WELL = "Argo CD is well, and so is everything that it relies on"
_HOLDS = "it holds in every respect"
_NODE = Ref("Node", f"k3d-{CLUSTER_NAME}-server-0")
#: What k3s lets people add to its CoreDNS; there is none before.
_ADDED_TO_DNS = Ref("ConfigMap", "coredns-custom", COREDNS.namespace)
#: An address of nobody's (RFC 5737) for the Service that the Git server tells of pushes, and that nobody else asks for.
_WRONG_ADDRESS = f"""template IN A argocd-server.{ARGOCD}.svc.cluster.local {{
    answer "{{{{ .Name }}}} 5 IN A 192.0.2.1"
}}
"""
#: Keeps new pods away, and leaves those that run alone.
_TAINT = {"key": "mutant.neuroscale.io/taint", "value": "yes", "effect": "NoSchedule"}

MILESTONE = "a"
MUTANTS = (
    *(
        Mutant(
            f"{slug}-scaled-away",
            f"{title} is scaled to 0: what has an answer already works on, for a while",
            scenario=_WELL,
            before=_HOLDS,
            faults=(ScaledTo(target=workload, replicas=0),),
            red_step=_HOLDS,
            reason=rf"{workload.namespace}/{workload.name}\W+it is scaled to 0",
        )
        for slug, title, workload in (
            ("dns", "The cluster's DNS", COREDNS),
            ("redis", "Argo CD's cache", Ref("Deployment", "argocd-redis", ARGOCD)),
            ("git-server", "The Git server", GITEA),
        )
    ),
    Mutant(
        "dns-answers-wrongly",
        "The cluster's DNS is Ready in all its pods, and has a wrong address for one of Argo CD's Services",
        scenario=_WELL,
        before=_HOLDS,
        faults=(
            ObjectCreated(
                manifest={
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {"name": _ADDED_TO_DNS.name, "namespace": _ADDED_TO_DNS.namespace},
                }
            ),
            # Its pods read it when they start; without a restart they would within two minutes.
            SecretEdited(
                target=_ADDED_TO_DNS, patch={"data": {"wrong-address.override": _WRONG_ADDRESS}}, reader=COREDNS
            ),
        ),
        red_step=_HOLDS,
        reason=rf'answers 192\.0\.2\.1 when it is asked for Service "{ARGOCD}/argocd-server", not \d[\d.]+, 5 of 5',
    ),
    Mutant(
        "image-not-pulled",
        "A pod that no workload counts waits for an image that there is nowhere",
        scenario=_WELL,
        before=_HOLDS,
        faults=(
            ObjectCreated(
                manifest={
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "metadata": {"name": "cleans-up", "namespace": ARGOCD},
                    "spec": {"containers": [{"name": "main", "image": "registry.invalid/kubectl:1.28.5"}]},
                }
            ),
        ),
        red_step=_HOLDS,
        reason=r"no pod waits for an image that cannot be pulled\W+argocd: pod cleans-up: \w+Pull",
        in_place=lambda _: ImageNotPulled(ARGOCD, "cleans-up"),
    ),
    Mutant(
        "git-server-selects-nothing",
        "The Git server runs, and its Service selects no pod",
        scenario=_WELL,
        before=_HOLDS,
        faults=(
            FieldsEdited(target=Ref("Service", "gitea", GIT_SERVER), patch={"spec": {"selector": {"app": "nobody"}}}),
        ),
        red_step=_HOLDS,
        reason=r"the Git server answers at \S+ \w+(Error|Timeout)",
        hold=3,
    ),
    Mutant(
        "stranger-behind-the-git-server",
        "A stranger is behind the Git server's Service: it has a page for every other request, with status 200",
        scenario=_WELL,
        before=_HOLDS,
        faults=(stranger("gitea", GIT_SERVER, pages=("api/healthz", "api/v1/version")),),
        red_step=_HOLDS,
        reason=r"the Git server answers at \S+ \d+ of 20 answers in a row are wrong, first no\. \d+: HTTP 200 and '<p>",
        hold=ROUTED,
    ),
    Mutant(
        "node-tainted",
        "The node has a taint: all that runs goes on, and no new pod is placed",
        scenario=_WELL,
        before=_HOLDS,
        faults=(FieldsEdited(target=_NODE, patch={"spec": {"taints": [_TAINT]}}),),
        red_step=_HOLDS,
        reason=r"is tainted mutant\.neuroscale\.io/taint=yes:NoSchedule",
    ),
    Mutant(
        "certificate-about-to-expire",
        "A certificate of Argo CD's is valid for one more day, and nobody has renewed it",
        scenario=_WELL,
        before=_HOLDS,
        faults=(secret_about_to_expire(ARGOCD),),
        red_step=_HOLDS,
        reason=rf"{ARGOCD}/about-to-expire\W+its certificate expires in (1\d|2[0-4])\.\d h",
    ),
    Mutant(
        "push-hook-forgotten",
        "The Git server tells nobody of pushes: all is polled for, and nothing looks amiss",
        scenario=_WELL,
        before=_HOLDS,
        faults=(PushHookSwitchedOff(),),
        red_step=_HOLDS,
        reason=r"the Git server tells Argo CD of each push.*is switched off",
    ),
)
