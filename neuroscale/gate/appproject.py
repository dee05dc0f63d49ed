"""Third stage: each folder's objects stay within the AppProject of the Application that deploys them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase
from typing import Any

from neuroscale.gate.findings import Finding, Places, named
from neuroscale.gate.scopes import cluster_scoped
from neuroscale.kubernetes.refs import Object

#: What no Application deploys.
_BY_HAND = "bootstrap"


def applications(places: Places) -> list[Object]:
    """Every Application of a tree, and those that its ApplicationSets will make."""
    objects = [obj for several in places.values() for obj in several]
    made = [app for obj in objects if obj["kind"] == "ApplicationSet" for app in _generated(obj, places)]
    return [*(obj for obj in objects if obj["kind"] == "Application"), *made]


def check(places: Places) -> list[Finding]:
    """All folders but those that are applied by hand, at set-up."""
    objects = [obj for several in places.values() for obj in several]
    projects = {obj["metadata"]["name"]: obj for obj in objects if obj["kind"] == "AppProject"}
    scoped, found = cluster_scoped(places), []
    names, deploying = dict[str, str](), dict[str, str]()
    for app in applications(places):
        name, folder = app["metadata"]["name"], app["spec"].get("source", {}).get("path", "")
        first = deploying.setdefault(folder, name)
        if name in names:
            said = f"its Application should have a name of its own, but {names[name]} has one named {name}, too"
            found.append(Finding("appproject", "collision", folder, said))
        elif first != name:
            said = f"one Application should deploy it, but both {first} and {name} do, and each undoes the other's work"
            found.append(Finding("appproject", "collision", folder, said))
        names[name] = folder
        if folder not in places:
            said = f"Application {name} should deploy a folder of this tree, but deploys {folder or 'something else'}"
            found.append(Finding("appproject", "source", folder or name, said))
            continue
        found += violations(app, folder, places[folder], projects.get(app["spec"]["project"]), scoped)
    return [*found, *_undeployed(places, names.values())]


def _undeployed(places: Places, deployed: Collection[str]) -> list[Finding]:
    """Folders that nobody looks at, as it is with names that are kept for the platform."""
    said = "an Application should deploy it, but none does"
    return [
        Finding("appproject", "not-deployed", place, said)
        for place in places
        if place not in deployed and place.partition("/")[0] != _BY_HAND
    ]


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
    if project is None:
        said = f"its Application's project should be in this tree, but {app['spec']['project']} is not"
        return [Finding("appproject", "not-permitted", folder, said)]
    name, rules, where = app["spec"]["project"], project["spec"], app["spec"]["destination"]
    found = []
    if not any(fnmatchcase(app["spec"]["source"]["repoURL"], pattern) for pattern in rules["sourceRepos"]):
        found.append((folder, f"repository {app['spec']['source']['repoURL']} is no source of project {name}"))
    if not _reaches(where["server"], where["namespace"], rules):
        found.append((folder, f"project {name} does not reach namespace {where['namespace']} on {where['server']}"))
    found += [(named(folder, obj), said) for obj in objects for said in _complaints(obj, name, rules, where, scoped)]
    return [Finding("appproject", "not-permitted", subject, said) for subject, said in found]


def _complaints(obj: Object, name: str, rules: Object, where: Object, scoped: frozenset[str]) -> Iterator[str]:
    if obj["kind"] in scoped:
        if not _listed(obj, rules.get("clusterResourceWhitelist", [])):
            yield f"it belongs to the whole cluster, and project {name} does not allow that kind"
        return
    namespace = obj["metadata"].get("namespace", where["namespace"])
    if not _reaches(where["server"], namespace, rules):
        yield f"project {name} does not reach namespace {namespace}"
    allowed, denied = rules.get("namespaceResourceWhitelist"), rules.get("namespaceResourceBlacklist", [])
    if (allowed is not None and not _listed(obj, allowed)) or _listed(obj, denied):
        yield f"project {name} does not allow its kind"


def _listed(obj: Object, rules: list[Object]) -> bool:
    group = obj["apiVersion"].rpartition("/")[0]
    return any(fnmatchcase(group, rule["group"]) and fnmatchcase(obj["kind"], rule["kind"]) for rule in rules)


def _reaches(server: str, namespace: str, rules: Object) -> bool:
    return any(
        fnmatchcase(server, to["server"]) and fnmatchcase(namespace, to["namespace"]) for to in rules["destinations"]
    )


def _generated(application_set: Object, places: Places) -> Iterator[Object]:
    """The Applications for the folders that its Git generators find, without those excluded; one for pull requests."""
    for generator in application_set["spec"]["generators"]:
        if "pullRequest" in generator:  # which of them are open decides about names alone
            yield application_set["spec"]["template"]
        patterns = (generator.get("git") or {}).get("directories", [])
        for folder in places:
            hits = [bool(one.get("exclude")) for one in patterns if _matches(folder, one["path"])]
            if hits and not any(hits):
                yield _filled(application_set["spec"]["template"], folder)


def _matches(folder: str, pattern: str) -> bool:
    """As Go's ``path.Match``: a star does not cross a slash."""
    parts, wanted = folder.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def _filled(template: Any, folder: str) -> Any:
    if isinstance(template, dict):
        return {key: _filled(value, folder) for key, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, folder) for value in template]
    if isinstance(template, str):
        return template.replace("{{ .path.basename }}", folder.rpartition("/")[2]).replace("{{ .path.path }}", folder)
    return template
