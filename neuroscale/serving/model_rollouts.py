"""Commits that change a model on purpose: another version, a bad one, leave to sleep."""

from __future__ import annotations

from collections.abc import Callable

import yaml

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.commits import PushedCommit, push
from neuroscale.errors import PreconditionFailed
from neuroscale.inference_client import gateway_url
from neuroscale.kubernetes.refs import Object
from neuroscale.model_store import ABSENT, DAMAGED, storage_uri, version_of
from neuroscale.platform import Platform
from neuroscale.polling import Probe
from neuroscale.probes.knative_resources import model_uri
from neuroscale.probes.serving import Asleep, SaysWhyNotLoaded, Serves

#: The model that is changed and asked; the other one is left alone.
MODEL = "demo-iris-2"
#: What a bad version is like -> the version.
DEFECTS = {"does not exist": ABSENT, "is damaged": DAMAGED}
#: Shortest that Knative accepts, in seconds: how long nobody must ask before it looks whether pods can go.
_WINDOW = "6s"
#: When a bad version has failed, in place of the platform's five minutes, which are there for a slow node: Knative
#: looks at a model's pods when its Deployment changes, and one that crashes may do so after the last change but this.
_DEADLINE = "30s"


def manifest_of(name: str, platform: Platform) -> tuple[str, Object]:
    """The file on ``main`` that describes an InferenceService, and what it says.

    Raises:
        PreconditionFailed: There is none.
    """
    for path, text in platform.git_server.files("apps").items():
        if path.endswith(".yaml"):
            for obj in yaml.load_all(text, Loader=yaml.CSafeLoader):
                if obj and obj["kind"] == "InferenceService" and obj["metadata"]["name"] == name:
                    return path, obj
    raise PreconditionFailed(
        f'main should describe the InferenceService "{name}" below apps/, but does not. Next: neuroscale up'
    )


def commit_version(breakage: Breakage, version: str, name: str = MODEL) -> PushedCommit:
    """Commit a good version; the model serves it once the cluster followed."""
    expects = Serves(name, gateway_url(breakage.platform.cluster), version)
    return _change(breakage, f"Give {name} version {version}", _uri(version), expects, name)


def commit_bad_version(breakage: Breakage, defect: str, name: str = MODEL) -> PushedCommit:
    """Commit a version that cannot be loaded; the model says so once the cluster followed."""
    version = DEFECTS[defect]

    def edit(isvc: Object) -> None:
        _uri(version)(isvc)
        _annotate(isvc, "serving.knative.dev/progress-deadline", _DEADLINE)

    return _change(breakage, f"Give {name} a version that {defect}", edit, SaysWhyNotLoaded(name, version), name)


def enable_scale_to_zero(breakage: Breakage, name: str = MODEL) -> PushedCommit:
    """Commit that the model needs no pod when nobody asks; it is asleep once the cluster followed."""

    def edit(isvc: Object) -> None:
        isvc["spec"]["predictor"]["minReplicas"] = 0
        _annotate(isvc, "autoscaling.knative.dev/window", _WINDOW)

    return _change(breakage, f"Let {name} sleep when nobody asks", edit, Asleep(name), name)


def _annotate(isvc: Object, key: str, value: str) -> None:
    isvc["metadata"].setdefault("annotations", {})[key] = value


def _uri(version: str) -> Callable[[Object], None]:
    def edit(isvc: Object) -> None:
        isvc["spec"]["predictor"]["model"]["storageUri"] = storage_uri(version)

    return edit


def _change(
    breakage: Breakage, message: str, edit: Callable[[Object], None], expects: Probe, name: str
) -> PushedCommit:
    """Edit the manifest and push; before and after a revert the model serves the version that is there now."""
    platform = breakage.platform
    path, isvc = manifest_of(name, platform)
    served = version_of(model_uri(isvc)) or model_uri(isvc)
    edit(isvc)
    files = {path: yaml.safe_dump(isvc)}
    return push(breakage, message, files, expects, Serves(name, gateway_url(platform.cluster), served))
