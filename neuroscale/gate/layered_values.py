"""Values of production laid over those of development, as incident F4 had them: Helm merges, and a guest stays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from neuroscale.errors import ConditionTimeout, Inconclusive
from neuroscale.gate.production import rules
from neuroscale.gate.production.verdicts import Judged, Verdict
from neuroscale.gate.tools import Tools
from neuroscale.kubernetes.refs import Object

_CHART = Path("infrastructure/backstage/chart")
#: The portal's Application here, and in production.
_HERE, _PRODUCTION = Path("infrastructure/apps/backstage.yaml"), Path("production/apps/backstage.yaml")
_ALONE, _BOTH = "valueFiles: [../values.yaml]", "valueFiles: [../values.yaml, ../values-prod.yaml]"
_FLAG, _RULE = "dangerouslyAllowOutsideDevelopment", "portal-without-guest"
_NEXT = "Next: pytest -m production"


def lay_over(copy: Path) -> Path:
    """Let the portal's Application name production's file as well, behind development's: the last one decides.

    Returns:
        The copy of the checkout.

    Raises:
        Inconclusive: It does not name one file.
    """
    application = copy / _HERE
    text = application.read_text(encoding="utf-8")
    if _ALONE not in text:
        raise Inconclusive(f"{_HERE} should have {_ALONE}, but has not. Next: git checkout {_HERE}")
    application.write_text(text.replace(_ALONE, _BOTH), encoding="utf-8")
    return copy


def _rendered(tools: Tools, application: Path, root: Path) -> list[Object]:
    """The portal with the files that an Application of it names."""
    files = yaml.safe_load((root / application).read_text(encoding="utf-8"))["spec"]["source"]["helm"]["valueFiles"]
    return tools.chart(root / _CHART, [root / _CHART / one for one in files])


def assert_guest_admitted(tools: Tools, root: Path) -> None:
    """F4's symptom: beside the sign-in of production there is a guest, and from anywhere.

    Raises:
        ConditionTimeout: There is not.
    """
    (settings,) = filter(rules.configures_portal, _rendered(tools, _HERE, root))
    _, providers = rules.portal_providers(settings)
    guest = providers.get("guest") or {}
    if "oidc" not in providers or guest.get(_FLAG) is not True:
        raise ConditionTimeout(
            f"Of both files there should come a guest beside oidc, let in from anywhere, but there come {providers}. "
            f"{_NEXT}"
        )


def assert_rejected(tools: Tools, root: Path) -> None:
    """The rules of production see the guest.

    Raises:
        ConditionTimeout: They do not.
    """
    said = _about_guests(_rendered(tools, _HERE, root))
    if [one.good for one in said] != [False] or _FLAG not in said[0].said:
        raise ConditionTimeout(f"{_RULE} should reject the guest of development, but says {_told(said)}. {_NEXT}")


def assert_alone_accepted(tools: Tools, root: Path) -> None:
    """Production's file alone, as it is meant to be used, lets no guest in.

    Raises:
        ConditionTimeout: It does.
    """
    said = _about_guests(_rendered(tools, _PRODUCTION, root))
    if [one.good for one in said] != [True]:
        raise ConditionTimeout(f"{_RULE} should accept values-prod.yaml alone, but says {_told(said)}. {_NEXT}")


def _about_guests(objects: Sequence[Object]) -> list[Verdict]:
    subjects = [Judged(f"{one['kind']} {one['metadata']['name']}", one) for one in objects]
    return [one for one in rules.judge(subjects) if one.rule == _RULE]


def _told(said: Sequence[Verdict]) -> str:
    return "; ".join(one.said or "that it is well" for one in said) or "nothing"
