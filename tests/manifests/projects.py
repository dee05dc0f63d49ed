"""What an AppProject lets an Application do, as Argo CD decides it."""

from __future__ import annotations

from fnmatch import fnmatchcase

from rendered import CLUSTER_SCOPED

from neuroscale.cluster.refs import Object


def _listed(obj: Object, allowed: list[Object]) -> bool:
    group = obj["apiVersion"].rpartition("/")[0]
    return any(fnmatchcase(group, rule["group"]) and fnmatchcase(obj["kind"], rule["kind"]) for rule in allowed)


def violations(app: Object, objects: list[Object], project: Object) -> list[str]:
    """Complaints about an Application and the objects of its folder, given its project."""
    spec, rules, where = app["spec"], project["spec"], app["spec"]["destination"]
    complaints = []
    if not any(fnmatchcase(spec["source"]["repoURL"], pattern) for pattern in rules["sourceRepos"]):
        complaints.append(f"repository {spec['source']['repoURL']} is not a source of the project")
    if not _reaches(where["server"], where["namespace"], rules):
        complaints.append(f"destination {where['namespace']} is not allowed")
    for obj in objects:
        named = f"{obj['kind']} {obj['metadata']['name']}"
        if obj["kind"] in CLUSTER_SCOPED:
            if not _listed(obj, rules.get("clusterResourceWhitelist", [])):
                complaints.append(f"{named} is cluster-scoped and not allowed")
            continue
        namespace = obj["metadata"].get("namespace", where["namespace"])
        if not _reaches(where["server"], namespace, rules):
            complaints.append(f"{named} goes to namespace {namespace}, which is not allowed")
        allowed, denied = rules.get("namespaceResourceWhitelist"), rules.get("namespaceResourceBlacklist", [])
        if (allowed is not None and not _listed(obj, allowed)) or _listed(obj, denied):
            complaints.append(f"{named} is of a kind that is not allowed")
    return complaints


def _reaches(server: str, namespace: str, rules: Object) -> bool:
    return any(
        fnmatchcase(server, to["server"]) and fnmatchcase(namespace, to["namespace"]) for to in rules["destinations"]
    )
