"""The part of Argo CD's objects that this platform uses, as a strict schema: a misspelt key must not pass.

Written from the reference of Argo CD 3: https://argo-cd.readthedocs.io/en/stable/operator-manual/
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

Duration = Annotated[str, Field(pattern=r"^\d+(s|m|h)$")]
DnsName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class Meta(_Strict):
    """What our manifests say of an object; the API server adds the rest."""

    name: DnsName
    namespace: Literal["argocd"]
    annotations: dict[str, str] = {}
    labels: dict[str, str] = {}
    finalizers: list[Literal["resources-finalizer.argocd.argoproj.io"]] = []


class Helm(_Strict):
    """What a chart is given."""

    value_files: list[str] = Field(min_length=1)


class Kustomize(_Strict):
    """How the objects of a kustomization are named and marked."""

    name_suffix: str
    common_annotations: dict[str, str] = {}


class Source(_Strict):
    """A folder of a repository."""

    repo_url: str = Field(alias="repoURL", pattern=r"^https?://.+\.git$")
    target_revision: str
    path: str
    helm: Helm | None = None
    kustomize: Kustomize | None = None


class Destination(_Strict):
    """Where objects go."""

    server: Literal["https://kubernetes.default.svc"]
    namespace: str


class Automated(_Strict):
    """Sync without anybody asking; both on, or the platform is not what it promises."""

    prune: Literal[True]
    self_heal: Literal[True]


class Backoff(_Strict):
    """How the pause between retries grows."""

    duration: Duration
    factor: int = Field(ge=1)
    max_duration: Duration


class Retry(_Strict):
    """How often a failed sync is tried again (-1: for ever), and whether with the newest commit."""

    limit: Literal[-1] | Annotated[int, Field(ge=1)]
    refresh: bool = False
    backoff: Backoff


class SyncPolicy(_Strict):
    """How a sync is done."""

    automated: Automated
    retry: Retry
    sync_options: list[Literal["CreateNamespace=true", "ServerSideApply=true", "RespectIgnoreDifferences=true"]] = []


class Difference(_Strict):
    """Fields that are not compared."""

    group: str = ""
    kind: str
    name: str = ""
    json_pointers: list[str] = []
    jq_path_expressions: list[str] = []


class ApplicationSpec(_Strict):
    """What an Application deploys, and where."""

    project: str
    source: Source
    destination: Destination
    sync_policy: SyncPolicy
    ignore_differences: list[Difference] = []


class Application(_Strict):
    """An Application."""

    api_version: Literal["argoproj.io/v1alpha1"]
    kind: Literal["Application"]
    metadata: Meta
    spec: ApplicationSpec


class Directory(_Strict):
    """Folders that a Git generator finds."""

    path: str
    exclude: bool = False


class GitGenerator(_Strict):
    """One result for each folder of a repository."""

    repo_url: str = Field(alias="repoURL")
    revision: str
    requeue_after_seconds: int = Field(ge=1)
    directories: list[Directory] = Field(min_length=1)


class Gitea(_Strict):
    """A repository at a Gitea."""

    api: str = Field(pattern=r"^https?://")
    owner: str
    repo: str


class PullRequestFilter(_Strict):
    """Which pull requests are meant."""

    target_branch_match: str


class PullRequestGenerator(_Strict):
    """One result for each open pull request of a repository."""

    gitea: Gitea
    filters: list[PullRequestFilter] = Field(min_length=1)
    requeue_after_seconds: int = Field(ge=1)


class Generator(_Strict):
    """Where an ApplicationSet gets its parameters from."""

    git: GitGenerator | None = None
    pull_request: PullRequestGenerator | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.git is None) == (self.pull_request is None):
            raise ValueError("a generator should be of one kind")
        return self


class TemplateMeta(_Strict):
    """Metadata of a generated Application."""

    name: str
    annotations: dict[str, str] = {}
    labels: dict[str, str] = {}
    finalizers: list[Literal["resources-finalizer.argocd.argoproj.io"]] = Field(min_length=1)


class Template(_Strict):
    """The Application that is generated for each result."""

    metadata: TemplateMeta
    spec: ApplicationSpec


class ApplicationSetSpec(_Strict):
    """What an ApplicationSet generates."""

    go_template: Literal[True]
    go_template_options: list[Literal["missingkey=error"]] = Field(min_length=1)
    generators: list[Generator] = Field(min_length=1)
    template: Template
    ignore_application_differences: list[Difference] = []


class ApplicationSet(_Strict):
    """An ApplicationSet."""

    api_version: Literal["argoproj.io/v1alpha1"]
    kind: Literal["ApplicationSet"]
    metadata: Meta
    spec: ApplicationSetSpec


class GroupKind(_Strict):
    """A kind of objects."""

    group: str
    kind: str


class AppProjectSpec(_Strict):
    """What the Applications of a project may deploy, from where and to where."""

    description: str
    source_repos: list[str] = Field(min_length=1)
    destinations: list[Destination] = Field(min_length=1)
    cluster_resource_whitelist: list[GroupKind]
    namespace_resource_whitelist: list[GroupKind] | None = None
    namespace_resource_blacklist: list[GroupKind] = []


class AppProject(_Strict):
    """An AppProject."""

    api_version: Literal["argoproj.io/v1alpha1"]
    kind: Literal["AppProject"]
    metadata: Meta
    spec: AppProjectSpec


MODELS: dict[str, type[Application | ApplicationSet | AppProject]] = {
    "Application": Application,
    "ApplicationSet": ApplicationSet,
    "AppProject": AppProject,
}
