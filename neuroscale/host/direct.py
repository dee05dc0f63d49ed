"""Who is asked directly, whatever proxy the environment names: this machine and the cluster, which no proxy can reach.

The one place where HTTP clients for them are made, and environments for the programs that speak to them.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Mapping
from functools import cache

import httpx

from neuroscale.errors import HostError

_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy"})
#: As programs want them in ``no_proxy``: some know networks, others only addresses.
LOOPBACK = ("localhost", "127.0.0.1", "127.0.0.0/8", "::1", "::1/128")


def client(
    *, base_url: str = "", seconds: float, transport: httpx.HTTPTransport | None = None, certificate: str = ""
) -> httpx.Client:
    """A client for the Git server, a model, a port of this machine: no proxy, no ``.netrc``.

    Args:
        base_url: Put in front of each path.
        seconds: Any part of a request may take.
        transport: How connections are made; the usual way if not given.
        certificate: In PEM; whoever is asked must have this one, which says enough about who they are.
    """
    transport = transport or httpx.HTTPTransport(verify=_only(certificate) if certificate else _authorities())
    return httpx.Client(base_url=base_url, timeout=seconds, trust_env=False, transport=transport)


def forge_client(*, base_url: str, seconds: float, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """A client for a forge of the internet, which the environment's proxy may lead to; one of this machine is direct.

    Args:
        base_url: Put in front of each path.
        seconds: Any part of a request may take.
        transport: How connections are made; the usual way if not given.
    """
    proxied = not is_on_this_machine(httpx.URL(base_url).host)
    return httpx.Client(base_url=base_url, timeout=seconds, trust_env=proxied, transport=transport)


@cache
def _authorities() -> ssl.SSLContext:
    """The certificate authorities, for all clients: to read them takes longer than most requests."""
    return httpx.create_ssl_context(trust_env=False)


def _only(certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # It was made for names in the cluster, and is nobody's who could sign it.
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=certificate)
    return context


def without(secret: str, words: str) -> str:
    """Words without a secret: as it is, and as the representation of an error has it."""
    for form in {secret, repr(secret)[1:-1]} - {""}:
        words = words.replace(form, "***")
    return words


def ask(url: str, method: str = "GET", *, seconds: float, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """What a request without a body is answered with; redirects are not followed.

    Raises:
        HostError: There is no answer.
    """
    try:
        with client(seconds=seconds) as http:
            return http.request(method, url, headers=headers)
    except httpx.HTTPError as error:
        raise HostError(
            f"{url} should answer {method}, but: {type(error).__name__}: {error}. Next: curl -X {method} {url}"
        ) from error


def is_on_this_machine(host: str | None) -> bool:
    """Whether a host's name or address is this machine's own. Names are not resolved."""
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


def cluster_environment() -> dict[str, str]:
    """For programs that speak to the cluster and to nobody else."""
    return {name: value for name, value in os.environ.items() if name.lower() not in _PROXIES}


def internet_environment() -> dict[str, str]:
    """For programs that download: the environment's proxy, but not for a mirror on this machine."""
    environment = dict(os.environ)
    for name in ("no_proxy", "NO_PROXY"):  # curl reads the first, others the second
        environment[name] = ",".join(filter(None, (os.environ.get(name), *LOOPBACK)))
    return environment
