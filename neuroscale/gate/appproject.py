"""Third stage: each folder's objects stay within the AppProject of the Application that deploys them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from neuroscale.gate.findings import Finding, Tree, named
from neuroscale.gate.placement import namespace_of, path_of
from neuroscale.gate.scopes import cluster_scoped
from neuroscale.kubernetes.refs import Object

#: What Kubernetes takes for a name of an Application; longer ones are no value of a label, which objects have for it.
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST = 63
#: Bytes of all annotations of an object.
_LARGEST = 262_144
_SERVER_SIDE = frozenset({"Replace=true", "ServerSideApply=true"})


def check(tree: Tree) -> list[Finding]:
    """All folders but those that are applied by hand, at set-up."""
    objects = [obj for several in tree.places.values() for obj in several]
    projects: dict[str, Object] = {}
    for obj in objects:
        if obj["kind"] == "AppProject":
            # What is applied by hand comes first, and no app replaces it.
            projects.setdefault(obj["metadata"]["name"], obj)
    scoped, found = cluster_scoped(tree.places), []
    folders, deploying = dict[str, str](), dict[str, str]()
    for app in tree.applications:
        name, folder = str(app["metadata"].get("name")), path_of(app)
        first = deploying.setdefault(folder, name)
        found += [*_misnamed(name, folder), *_colliding(name, folder, folders, first)]
        folders[name] = folder
        if folder not in tree.places:
            said = f"Application {name} should deploy a folder of this tree, but deploys {folder or 'something else'}"
            found.append(Finding("appproject", "source", folder or name, said))
            continue
        project = projects.get(app["spec"].get("project", "default"))
        found += violations(app, folder, tree.places[folder], project, scoped)
        found += _too_large(app, folder, tree.places[folder])
    said = "an Application should deploy it, but none does"
    return [*found, *(Finding("appproject", "not-deployed", place, said) for place in tree.idle)]


def _misnamed(name: str, folder: str) -> Iterator[Finding]:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        said = (
            f"its Application should have a name of at most {_LONGEST} lower-case letters, digits, hyphens and dots, "
            f"but would be called {name}, and is never made"
        )
        yield Finding("appproject", "name", folder, said)


def _colliding(name: str, folder: str, others: Mapping[str, str], first: str) -> Iterator[Finding]:
    if name in others:
        said = f"its Application should have a name of its own, but {others[name]} has one named {name}, too"
        yield Finding("appproject", "collision", folder, said)
    elif first != name:
        said = f"one Application should deploy it, but both {first} and {name} do, and each undoes the other's work"
        yield Finding("appproject", "collision", folder, said)


def _too_large(app: Object, folder: str, objects: list[Object]) -> Iterator[Finding]:
    """A client-side apply keeps each object in an annotation of itself, which has a limit (incident B2)."""
    options = (app["spec"].get("syncPolicy") or {}).get("syncOptions") or []
    for obj in objects:
        own = str((obj["metadata"].get("annotations") or {}).get("argocd.argoproj.io/sync-options", "")).split(",")
        size = len(json.dumps(obj, separators=(",", ":"), ensure_ascii=False).encode())
        if size > _LARGEST and not _SERVER_SIDE & {option.strip() for option in (*options, *own)}:
            said = f"it should have {_LARGEST} bytes at most, without ServerSideApply=true, but has {size}"
            yield Finding("appproject", "too-large", named(folder, obj), said)


def violations(
    app: Object, folder: str, objects: list[Object], project: Object | None, scoped: frozenset[str]
) -> list[Finding]:
    """What Argo CD would reject of an Application and the objects of its folder, given its project.

    Args:
        app: The Application.
        folder: Where its objects are from.
        objects: What it deploys.
        project: Its AppProject; ``None`` if there is none by that name.
        scoped: Kinds without a namespace.
    """
    name = app["spec"].get("project", "default")
    if project is None:
        said = f"its Application's project should be in this tree, but {name} is not"
        return [Finding("appproject", "not-permitted", folder, said)]
    rules, repository = project["spec"], (app["spec"].get("source") or {}).get("repoURL", "")
    server, namespace = (app["spec"].get("destination") or {}).get("server", ""), namespace_of(app)
    found = []
    if not any(fnmatchcase(repository, pattern) for pattern in rules.get("sourceRepos", [])):
        found.append((folder, f"repository {repository} is no source of project {name}"))
    if not _reaches(server, namespace, rules):
        found.append((folder, f"project {name} does not reach namespace {namespace} on {server or 'no server'}"))
    for obj in objects:
        found += [(named(folder, obj), said) for said in _complaints(obj, name, rules, (server, namespace), scoped)]
    return [Finding("appproject", "not-permitted", subject, said) for subject, said in found]


def _complaints(obj: Object, name: str, rules: Object, where: tuple[str, str], scoped: frozenset[str]) -> Iterator[str]:
    if obj["kind"] in scoped:
        if not _listed(obj, rules.get("clusterResourceWhitelist", [])):
            yield f"it belongs to the whole cluster, and project {name} does not allow that kind"
        return
    server, namespace = where[0], obj["metadata"].get("namespace") or where[1]
    if not _reaches(server, namespace, rules):
        yield f"project {name} does not reach namespace {namespace}"
    allowed, denied = rules.get("namespaceResourceWhitelist"), rules.get("namespaceResourceBlacklist", [])
    if (allowed is not None and not _listed(obj, allowed)) or _listed(obj, denied):
        yield f"project {name} does not allow its kind"


def _listed(obj: Object, rules: list[Object]) -> bool:
    group = obj["apiVersion"].rpartition("/")[0]
    return any(fnmatchcase(group, rule["group"]) and fnmatchcase(obj["kind"], rule["kind"]) for rule in rules)


def _reaches(server: str, namespace: str, rules: Object) -> bool:
    return any(
        fnmatchcase(server, to.get("server", "")) and fnmatchcase(namespace, to.get("namespace", ""))
        for to in rules.get("destinations", [])
    )
