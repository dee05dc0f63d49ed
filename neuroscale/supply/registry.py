"""The supply from image registries: upstream's own images by pinned tag, directly or through one mirror."""

from __future__ import annotations

import ipaddress
import os
import re
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import httpx
import yaml

from neuroscale.errors import HostError, UsageError
from neuroscale.host import capability, direct
from neuroscale.host.engine import Engine
from neuroscale.settings import cache_dir
from neuroscale.supply.artifacts import NODE_IMAGES, PARTS, ImageArchive
from neuroscale.supply.builder import Builder
from neuroscale.supply.contract import Demand, Plan, Provisions
from neuroscale.supply.pins import pins
from neuroscale.supply.source import NODE_ARGS, UPSTREAM_NODE_ARGS, manifests, tarballs

_DOCKER_HUB = "docker.io"
#: Where Docker Hub's API is, which its own name does not lead to.
_HUB_API = "registry-1.docker.io"
_PULL_WITHIN = 600.0


@dataclass(frozen=True)
class Mirror:
    """A registry that has everything, set by ``NEUROSCALE_MIRROR``.

    Attributes:
        url: ``http[s]://HOST[:PORT][/PREFIX]``; ``{registry}`` in the prefix stands for the upstream registry's name.
    """

    url: str

    @classmethod
    def from_environment(cls) -> Mirror | None:
        """The mirror that the user set, if any.

        Raises:
            UsageError: It is no URL.
        """
        url = os.environ.get("NEUROSCALE_MIRROR", "").rstrip("/")
        if not url:
            return None
        if not _may_be_a_mirror(url):
            raise UsageError(
                f"NEUROSCALE_MIRROR should be http[s]://HOST[:PORT][/PREFIX], but is {url!r}. "
                f"Next: NEUROSCALE_MIRROR=http://127.0.0.1:5000"
            )
        return cls(url)

    @property
    def host(self) -> str:
        """Host and port."""
        return urlsplit(self.url).netloc

    def reference(self, upstream: str) -> str:
        """What an upstream reference is called in the mirror."""
        registry, _, rest = upstream.partition("/")
        prefix = urlsplit(self.url).path.strip("/").replace("{registry}", registry)
        return "/".join(filter(None, (self.host, prefix, rest)))

    def registries_file(self, upstreams: Iterable[str], gateway: str) -> dict[str, Any]:
        """The content of k3s' ``registries.yaml``.

        Args:
            upstreams: Names of registries to be found in the mirror.
            gateway: This machine's address as containers see it; takes the place of a loopback address.
        """
        parts = urlsplit(self.url)
        netloc = self.host
        if direct.is_on_this_machine(parts.hostname):
            netloc = f"{gateway}:{parts.port}" if parts.port else gateway
        prefix = parts.path.strip("/")
        mirrors: dict[str, Any] = {}
        for name in sorted(upstreams):
            mirrors[name] = {"endpoint": [f"{parts.scheme}://{netloc}"]}
            if prefix:
                mirrors[name]["rewrite"] = {"^(.*)$": f"{prefix.replace('{registry}', name)}/$1"}
        return {"mirrors": mirrors}


def _may_be_a_mirror(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port  # looked at only when it is asked for
    except ValueError:  # half an IPv6 address, a port that is no number
        return False
    rest = parts.query or parts.fragment or re.search(r"\s", url)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0 and not rest


@dataclass
class RegistrySupply:
    """Pulls the node image, and lets the cluster pull the rest.

    Attributes:
        reason: Why this supply.
        mirror: Where to pull from instead of upstream.
        builder: Where what registries do not have is built.
        engine: Where the node image is pulled to.
    """

    reason: str
    mirror: Mirror | None = None
    builder: Builder = field(default_factory=Builder)
    engine: Engine = field(default_factory=Engine)
    name: str = "registry"

    def plan(self, demands: Collection[Demand]) -> Plan:
        """What is there and what is to be done. Needs no Docker and changes nothing."""
        return self.builder.plan(self.name, self.reason, _not_in_registries(demands))

    def build(self, demands: Collection[Demand]) -> None:
        """Make what is missing, without Docker.

        Raises:
            SupplyError: A build failed.
            HostError: The disk is too small, or a build tool is missing.
            Locked: Another process is building.
        """
        self.builder.provide(_not_in_registries(demands))

    def provide(self, demands: Collection[Demand]) -> Provisions:
        """Pull the node image and make what no registry has.

        Raises:
            SupplyError: A build failed.
            HostError: The engine cannot pull the node image, or could not run it.
            Locked: Another process is building.
        """
        parts = self.builder.provide(_not_in_registries(demands))
        images = pins().images
        built_here = self._pull(images["node"])
        if not built_here and not capability.has_sys_resource():
            raise HostError(
                f"Upstream's node image {images['node']} cannot start pods on this machine, which withholds "
                f"CAP_SYS_RESOURCE; the image that is built from source can. Next: --supply source"
            )
        self._pull(images["pause"])
        versions = {name: reference.rpartition(":")[2] for name, reference in images.items()}
        return Provisions(
            supply=self.name,
            binaries={"k3d": parts["k3d"].path / "k3d"},
            node_image=images["node"],
            node_args=NODE_ARGS if built_here else UPSTREAM_NODE_ARGS,
            k3d_args=("--no-lb", *self._registry_config()),
            # k3d's own helper image does nothing here but sleep, and so does pause.
            k3d_env={"K3D_IMAGE_TOOLS": images["pause"]},
            image_tarballs=tarballs(parts, demands),
            images=dict(images),
            manifests=manifests(parts, demands),
            versions=versions,
            flannel=not built_here,
        )

    def _pull(self, upstream: str) -> bool:
        """Bring an image into the engine under its upstream name; returns whether the source supply made it."""
        if not self.engine.has_image(upstream):
            reference = self.mirror.reference(upstream) if self.mirror else upstream
            self.engine.call("pull", "--quiet", reference, within=_PULL_WITHIN)
            if reference != upstream:
                self.engine.call("tag", reference, upstream)
        label = '{{index .Config.Labels "io.neuroscale.supply"}}'
        return self.engine.call("image", "inspect", "--format", label, upstream).strip() == "source"

    def _registry_config(self) -> tuple[str, ...]:
        if self.mirror is None:
            return ()
        gateway = self._this_machine()
        file = cache_dir() / "registries.yaml"
        # Of all images: a cluster made for one milestone may be given another later.
        upstreams = {reference.partition("/")[0] for reference in pins().images.values()}
        content = self.mirror.registries_file(upstreams, gateway)
        file.write_text(yaml.safe_dump(content), encoding="utf-8")
        return ("--registry-config", str(file))

    def _this_machine(self) -> str:
        """Where containers find it: behind the bridge, unless the engine has a machine of its own around it."""
        if "Docker Desktop" in self.engine.call("info", "--format", "{{.OperatingSystem}}"):
            return "host.docker.internal"
        subnet = self.engine.call("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}")
        return str(next(ipaddress.ip_network(subnet.strip()).hosts()))


def _not_in_registries(demands: Collection[Demand]) -> list[str]:
    """What no image registry has: k3d itself, the manifests that upstream publishes with its source, our own images."""
    return list(dict.fromkeys(["k3d", *(part for demand in demands for part in demand.not_in_registries)]))


def upstream_registries(demands: Collection[Demand]) -> set[str]:
    """Names of the registries that the node's images and those asked for are pulled from."""
    archives = [PARTS[part] for demand in demands for part in demand.archives]
    images = {image for part in archives if isinstance(part, ImageArchive) for image in part.images}
    images.update(NODE_IMAGES, *(demand.pulled for demand in demands))
    return {pins().images[image].partition("/")[0] for image in images}


def answering(mirror: Mirror | None, demands: Collection[Demand], within: float) -> str:
    """Ask each registry that the milestones need, all at once, whether it speaks the registry protocol.

    Args:
        mirror: To be asked instead of upstream.
        demands: What is wanted.
        within: Seconds until a registry counts as silent.

    Returns:
        Empty if all do, otherwise which does not and why.
    """
    urls = [mirror.url] if mirror else [f"https://{_api(name)}" for name in sorted(upstream_registries(demands))]
    complaints = {url: f"{urlsplit(url).netloc} does not answer within {within:.0f} s" for url in urls}

    def ask(url: str) -> None:
        complaints[url] = _complaint(url, within)

    # Threads that nobody need wait for: looking up a name may hang far longer than any timeout given to the request.
    threads = [Thread(target=ask, args=(url,), daemon=True) for url in urls]
    limit = time.monotonic() + within
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(limit - time.monotonic(), 0.0))
    return "; ".join(filter(None, complaints.copy().values()))


def _complaint(url: str, within: float) -> str:
    parts = urlsplit(url)
    try:
        answer = httpx.get(
            f"{parts.scheme}://{parts.netloc}/v2/",
            timeout=within,
            trust_env=not direct.is_on_this_machine(parts.hostname),
        )
    # The last two: a proxy whose kind httpx does not know, or cannot speak without another package.
    except (httpx.HTTPError, OSError, ValueError, ImportError) as error:
        return f"{parts.netloc} cannot be reached ({type(error).__name__})"
    # A captive portal or a proxy answers too; only a registry says so in this header.
    if answer.status_code in {200, 401} and "docker-distribution-api-version" in answer.headers:
        return ""
    return f"{parts.netloc} answers, but not as a registry does (HTTP {answer.status_code})"


def _api(registry: str) -> str:
    return _HUB_API if registry == _DOCKER_HUB else registry
