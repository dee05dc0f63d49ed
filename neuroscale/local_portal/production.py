"""The portal as ``values-prod.yaml`` sets it up, run here: who is let in, and by what."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from neuroscale.backstage_client import SIGN_IN
from neuroscale.errors import ConditionTimeout
from neuroscale.fresh_names import fresh_name
from neuroscale.host import direct
from neuroscale.local_portal.backstage import Deployment, Running, backstage, config_of, moved_here
from neuroscale.local_portal.process import HERE, NEXT, free_port
from neuroscale.local_portal.rig import LocalPortal
from neuroscale.settings import BUDGETS

_OIDC = "/api/auth/oidc/start?env=production&scope=openid"
_PROVIDERS = frozenset({"github", "oidc"})
_SECRET = re.compile("SECRET|PASSWORD|TOKEN")
#: With either of them whoever comes is let in (incident F4).
_FLAGS = ("dangerouslyAllowOutsideDevelopment", "dangerouslyDisableDefaultAuthPolicy")


@contextmanager
def in_production(portal: LocalPortal) -> Iterator[Running]:
    """The portal in production, beside the other one, with the same database server and the same Git server.

    Raises:
        HostError: It does not become ready.
    """
    with backstage(portal.parts, production(portal), portal.folder / fresh_name("production")) as running:
        yield running


def production(portal: LocalPortal) -> Deployment:
    """How it runs: all of its secrets come from the environment, and people sign in with their account of Gitea."""
    port, git_server = free_port(), portal.git_server
    url = f"http://{HERE}:{port}"
    config = moved_here(
        config_of(portal.parts.rendered("values-prod.yaml")),
        git_server=git_server.url,
        database=portal.database.port,
        port=port,
    )
    config["backend"]["database"]["prefix"] = "production_plugin_"
    client, client_secret = git_server.register_client("portal", f"{url}/api/auth/oidc/handler/frame")
    secret = {
        **portal.secret,
        "POSTGRES_HOST": HERE,
        "OIDC_METADATA_URL": f"{git_server.url}/.well-known/openid-configuration",
        "OIDC_CLIENT_ID": client,
        "OIDC_CLIENT_SECRET": client_secret,
        "SESSION_SECRET": secrets.token_urlsafe(24),
        "PORTAL_URL": url,
        "ARGOCD_URL": "https://argocd.example.org",
    }
    return Deployment("values-prod.yaml", config, secret, port, {"NODE_EXTRA_CA_CERTS": str(portal.certificate)})


def ask_as_guest(running: Running) -> tuple[int, str]:
    """Want in without an account; status and text of the answer."""
    answer = direct.ask(f"{running.url}{SIGN_IN}", "POST", seconds=BUDGETS.request)
    return answer.status_code, answer.text[:300]


def assert_refused(answer: tuple[int, str]) -> None:
    """There is no such way in.

    Raises:
        ConditionTimeout: There is.
    """
    if answer[0] != 404:
        raise ConditionTimeout(f"{SIGN_IN} should answer 404 in production, but answers {answer}. Next: {NEXT}")


def assert_signs_in_elsewhere(running: Running) -> None:
    """Whoever signs in is sent to the identity provider that the environment names, as the client that it names.

    Raises:
        ConditionTimeout: Somewhere else, as somebody else, or nowhere.
    """
    answer = direct.ask(f"{running.url}{_OIDC}", seconds=BUDGETS.request)
    sent = urlsplit(answer.headers.get("location", ""))
    secret = running.deployment.secret
    provider = urlsplit(secret["OIDC_METADATA_URL"]).netloc
    client = parse_qs(sent.query).get("client_id")
    if (answer.status_code, sent.netloc, client) != (302, provider, [secret["OIDC_CLIENT_ID"]]):
        raise ConditionTimeout(
            f"Signing in should lead to {provider} as {secret['OIDC_CLIENT_ID']}, but {_OIDC} answers "
            f"{answer.status_code} and leads to {sent.netloc or 'nowhere'} as {client}. Next: {NEXT}"
        )


def assert_no_back_door(running: Running) -> None:
    """Nothing that it read lets people in without an account, holds a secret, or takes this for a developer's machine.

    Raises:
        ConditionTimeout: Something does.
    """
    deployment = running.deployment
    providers, environment = set(deployment.config["auth"]["providers"]), deployment.environment["NODE_ENV"]
    found = [flag for flag in _FLAGS if flag in running.settings]
    found += [name for name, value in deployment.secret.items() if _SECRET.search(name) and value in running.settings]
    if found or environment != "production" or not providers or providers - _PROVIDERS:
        raise ConditionTimeout(
            f"Production should have no back door and no secret in its settings, but has {found or 'none'}, "
            f"NODE_ENV={environment}, and lets in by {sorted(providers)}. Next: {NEXT}"
        )
