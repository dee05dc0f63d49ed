"""The golden path by a real browser, on the cluster and without one: what must have come of what a guest did there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import yaml

from neuroscale.backstage_client import Backstage, Refusal, portal
from neuroscale.browser.portal_form import Walk
from neuroscale.browser.visit import NEXT, Visit, assert_quiet
from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import FormSubmitted
from neuroscale.errors import ConditionTimeout
from neuroscale.git_server import IN_CLUSTER_URL, GitServer, PullRequest
from neuroscale.golden_path.form import evaluate_proposal, filled_in
from neuroscale.polling import Verdict, met, unrecoverable
from neuroscale.results import Recorder
from neuroscale.settings import BUDGETS

_TEMPLATE = "backstage/templates/model-endpoint"


@dataclass(frozen=True)
class Browsed:
    """What a guest did in a browser.

    Attributes:
        values: What the form held when it was handed in, or would have been.
        visit: What the browser saw.
        git_server: Where the pull request is, or must not be.
    """

    values: Mapping[str, str | int]
    visit: Visit
    git_server: GitServer

    @property
    def branch(self) -> str:
        """Of the pull request."""
        return f"model-{self.values['name']}"


@dataclass(frozen=True)
class Followed(Browsed):
    """A form was handed in, and the link that came of it followed.

    Attributes:
        walk: How that went.
        address: Of the Git server, as pages name it.
        backstage: The same portal, by API.
    """

    walk: Walk
    address: str
    backstage: Backstage


def ask_for_model(breakage: Breakage, recorder: Recorder) -> Followed:
    """Fill in the form in a browser, hand it in, and follow its link; how long that took to appear is kept.

    Raises:
        ConditionTimeout: A page does not get that far.
        FaultHadNoEffect: No pull request came of it.
    """
    platform, values = breakage.platform, filled_in()
    effect = breakage.inject(FormSubmitted(values=values, in_browser=True))
    walk: Walk = effect.snapshot["walk"]
    recorder.recovery(
        claim="form-in-browser", fault=effect.fault.description, subject=f"pull request of model-{values['name']}",
        series="form to link, in a browser", at=effect.clock, phases={"link": walk.seconds}, seconds=walk.seconds,
        within=BUDGETS.heal, facts=facts(walk.visit),
    )  # fmt: skip
    address = f"http://{urlsplit(IN_CLUSTER_URL).netloc}"
    return Followed(values, walk.visit, platform.git_server, walk, address, portal())


def facts(visit: Visit) -> dict[str, str | int | float | None]:
    """What else a figure of a browser says: how many requests there were, and how many of another machine."""
    return {"requests": len(visit.requests), "of another machine": len(visit.elsewhere)}


def assert_landed(followed: Followed) -> None:
    """The link has led to the page of the pull request.

    Raises:
        ConditionTimeout: It has not, or there is no pull request.
    """
    pull = followed.git_server.pull_request(followed.branch)
    verdict = evaluate_landed(followed.walk, pull, followed.address)
    if not verdict:
        raise ConditionTimeout(
            f"The link should lead to the pull request of {followed.branch}, but {verdict.observed}. Next: {NEXT}"
        )


def evaluate_landed(walk: Walk, pull: PullRequest | None, address: str) -> Verdict:
    """Address and title of the page are those of the pull request."""
    if pull is None:
        return unrecoverable("there is none")
    if walk.landed != (wanted := f"{address}{pull.path}"):
        return unrecoverable(f"it leads to {walk.landed} and not to {wanted}")
    named = pull.title in walk.title and f"#{pull.number}" in walk.title
    return (met if named else unrecoverable)(f"its page is called {walk.title!r}")


def assert_quiet_but_for_assets(followed: Followed) -> None:
    """No page had an error or asked another machine; but the Git server's may lack its own style sheets and scripts.

    *Measured* with Gitea 1.25.4 from source: its Go module has none, for they are built from npm packages; it shows its
    pages without them.

    Raises:
        ConditionTimeout: One had, or did.
    """
    lacks = "console: Failed to load resource: the server responded with a status of 404 (Not Found) ("
    assert_quiet(
        followed.visit, but=re.escape(f"{lacks}{followed.address}/assets/") + r"(css|js)/[a-z-]+\.(css|js)\?v=[\d.]+\)$"
    )


def assert_as_by_api(followed: Followed) -> None:
    """The pull request has what the oracle says, and byte by byte what the API makes of the same form.

    Raises:
        ConditionTimeout: It has something else.
    """
    found = proposed(followed.git_server, followed.branch)
    verdict = evaluate_proposal({path: content.decode() for path, content in found.items()}, followed.values)
    if verdict:
        verdict = evaluate_same(found, made_by_api(followed))
    if not verdict:
        raise ConditionTimeout(
            f"What {followed.branch} proposes should be as by API, but {verdict.observed}. Next: {NEXT}"
        )


def evaluate_same(found: Mapping[str, bytes], wanted: Mapping[str, bytes]) -> Verdict:
    """The same files with the same bytes."""
    if set(found) != set(wanted):
        return unrecoverable(f"its files are {sorted(found)} and not {sorted(wanted)}")
    for path, content in sorted(found.items()):
        lines = (one.splitlines(keepends=True) for one in (content, wanted[path]))
        for number, (line, other) in enumerate(zip_longest(*lines, fillvalue=b""), 1):
            if line != other:
                return unrecoverable(f"line {number} of {path} is {line!r} and not {other!r}")
    return met(f"{', '.join(sorted(found))}: {sum(map(len, found.values()))} bytes")


def proposed(git_server: GitServer, branch: str) -> dict[str, bytes]:
    """Path -> content of each file that a branch changes; one that it removes has none."""
    changed = git_server.proposed(branch)
    with TemporaryDirectory(prefix="neuroscale-proposed-") as name:
        tree = Path(name) / "tree"
        git_server.check_out(branch, tree)
        return {path: (tree / path).read_bytes() if (tree / path).is_file() else b"" for path in changed}


def made_by_api(followed: Followed) -> dict[str, bytes]:
    """What the portal makes of the same form by API, without a trace, of the template that is in Git.

    Raises:
        ConditionTimeout: It refuses the form.
    """
    files = followed.git_server.files(_TEMPLATE)
    template = yaml.safe_load(files.pop(f"{_TEMPLATE}/template.yaml"))
    beside = {path.removeprefix(f"{_TEMPLATE}/"): text.encode() for path, text in files.items()}
    made = followed.backstage.dry_run(template, dict(followed.values), beside)
    if isinstance(made, Refusal):
        raise ConditionTimeout(
            f"The API should take the form for {followed.values['name']} as the page did, but says {made.said}. "
            f"Next: {NEXT}"
        )
    return {path: text.encode() for path, text in made.items()}
