"""What must have come of a form in a browser is judged without one, the same with and without a cluster."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from neuroscale.backstage_client import Backstage, Refusal
from neuroscale.browser.portal_form import Walk
from neuroscale.browser.visit import Visit
from neuroscale.chaos import commit_faults
from neuroscale.chaos.faults import FormSubmitted
from neuroscale.errors import ConditionTimeout
from neuroscale.git_server import GitServer, PullRequest
from neuroscale.golden_path import browsing
from neuroscale.golden_path.browsing import Followed, evaluate_landed, evaluate_same
from neuroscale.golden_path.form import expected_objects, filled_in
from neuroscale.local_portal import browsing as local_browsing
from neuroscale.local_portal.browsing import Refused, Timed

VALUES = {**filled_in(), "name": "golden-1"}
HERE = "http://127.0.0.1:3300"
PULL = PullRequest(12, "model-golden-1", "c0ffee", "Serve the model golden-1", "", mergeable=True)
FILES = {path: yaml.safe_dump(obj).encode() for path, obj in expected_objects(VALUES).items()}
(ENTITY, SERVICE) = sorted(FILES)


def walk(landed: str = f"{HERE}{PULL.path}", title: str = "#12 - Serve the model golden-1 - platform") -> Walk:
    return Walk(Visit({}), "task-1", 2.5, landed, title)


class Server:
    """A Git server with one branch."""

    def __init__(self, proposed: dict[str, bytes], pull: PullRequest | None = PULL) -> None:
        self.contents, self.pull = proposed, pull

    def pull_request(self, branch: str) -> PullRequest | None:
        assert branch == PULL.branch
        return self.pull

    def branch_head(self, branch: str) -> str | None:
        assert branch == PULL.branch
        return "c0ffee" if self.contents else None

    def proposed(self, branch: str) -> dict[str, str]:
        return {path: content.decode() for path, content in self.contents.items()}

    def check_out(self, branch: str, folder: Path) -> None:
        for path, content in self.contents.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)

    def files(self, folder: str) -> dict[str, str]:
        return {f"{folder}/template.yaml": "kind: Template", f"{folder}/skeleton/a.yaml": "kind: A"}


class Portal:
    """What the API makes of a form."""

    def __init__(self, made: dict[str, str] | Refusal) -> None:
        self.made = made

    def dry_run(self, template: Any, values: Any, files: Any) -> Any:
        assert (template, values, files) == ({"kind": "Template"}, VALUES, {"skeleton/a.yaml": b"kind: A"})
        return self.made


def followed(proposed: dict[str, bytes], made: dict[str, bytes] | Refusal | None = None, **how: Any) -> Followed:
    api = made if isinstance(made, Refusal) else {path: text.decode() for path, text in (made or FILES).items()}
    server, portal = cast("GitServer", Server(proposed, **how)), cast("Backstage", Portal(api))
    return Followed(VALUES, Visit({}), server, walk(), HERE, portal)


# --- the link


def test_a_link_to_the_page_of_the_pull_request_is_right() -> None:
    browsing.assert_landed(followed(FILES))


@pytest.mark.parametrize(
    ("went", "pull", "said"),
    [
        (walk(), None, "there is none"),
        (walk(landed=f"{HERE}/neuroscale/platform/pulls/1"), PULL, "/pulls/1 and not to http://127.0.0.1:3300/neuro"),
        (walk(landed=f"{HERE}{PULL.path}/files"), PULL, "it leads to"),
        (walk(landed=f"http://127.0.0.1:3000{PULL.path}"), PULL, "it leads to"),
        (walk(title="Page Not Found"), PULL, "its page is called 'Page Not Found'"),
        (walk(title="#1 - Serve the model golden-1"), PULL, "its page is called"),
        (walk(title="#12 - Serve the model golden-2"), PULL, "its page is called"),
    ],
)
def test_any_other_page_is_not(went: Walk, pull: PullRequest | None, said: str) -> None:
    verdict = evaluate_landed(went, pull, HERE)
    assert verdict.state == "unrecoverable"
    assert said in verdict.observed


def test_a_link_without_a_pull_request_is_told_by_the_branch() -> None:
    with pytest.raises(ConditionTimeout, match="lead to the pull request of model-golden-1, but there is none"):
        browsing.assert_landed(followed(FILES, pull=None))


# --- the bytes


def test_the_bytes_that_the_api_makes_are_right() -> None:
    browsing.assert_as_by_api(followed(FILES))


def test_a_byte_more_or_less_is_seen() -> None:
    """To the oracle, which reads YAML, it is the same."""
    with pytest.raises(ConditionTimeout, match=r"line \d+ of \S+/inference-service\.yaml is b'\\n' and not b''\. Next"):
        browsing.assert_as_by_api(followed({**FILES, SERVICE: FILES[SERVICE] + b"\n"}))
    assert (
        evaluate_same({SERVICE: FILES[SERVICE]}, FILES).observed
        == f"its files are ['{SERVICE}'] and not {sorted(FILES)}"
    )
    assert evaluate_same({**FILES, "x": b""}, FILES).observed.endswith(f"'x'] and not {sorted(FILES)}")


def test_what_the_oracle_does_not_expect_is_wrong_also_when_the_api_makes_the_same() -> None:
    other = {**FILES, SERVICE: FILES[SERVICE].replace(b"owner: ml-platform", b"owner: platform-team")}
    with pytest.raises(ConditionTimeout, match=r"'owner': 'platform-team'.* and not .*'owner': 'ml-platform'"):
        browsing.assert_as_by_api(followed(other, other))


def test_a_file_that_is_removed_is_seen() -> None:
    with pytest.raises(ConditionTimeout, match=r"it changes README\.md as well"):
        browsing.assert_as_by_api(followed({**FILES, "README.md": b""}))


def test_a_form_that_the_api_refuses_is_told() -> None:
    with pytest.raises(ConditionTimeout, match="take the form for golden-1 as the page did, but says no such owner"):
        browsing.assert_as_by_api(followed(FILES, Refusal(frozenset({"owner"}), "no such owner")))


# --- errors and other machines

LACKING = "console: Failed to load resource: the server responded with a status of 404 (Not Found)"


def browsed(*errors: str) -> Followed:
    seen = Visit({"127.0.0.1:3300": "127.0.0.1:3300"}, requests=[f"GET {HERE}/"], errors=list(errors))
    return Followed(VALUES, seen, cast("GitServer", Server(FILES)), walk(), HERE, cast("Backstage", Portal({})))


def test_assets_that_the_git_server_lacks_do_not_count() -> None:
    assets = ("css/index.css", "css/theme-gitea-auto.css", "js/index.js")
    browsing.assert_quiet_but_for_assets(browsed(*(f"{LACKING} ({HERE}/assets/{name}?v=1.25.4)" for name in assets)))


@pytest.mark.parametrize(
    "error",
    [
        f"{LACKING} (http://127.0.0.1:7007/assets/css/index.css?v=1.25.4)",
        f"{LACKING} ({HERE}/api/v1/version)",
        f"{LACKING} ({HERE}/assets/css/index.css?v=1.25.4) and more",
        f"{LACKING.replace('404', '500')} ({HERE}/assets/css/index.css?v=1.25.4)",
        f"console: TypeError ({HERE}/assets/js/index.js?v=1.25.4)",
        "page: it is undefined",
    ],
)
def test_every_other_error_does(error: str) -> None:
    with pytest.raises(ConditionTimeout, match="the pages had 1 errors: "):
        browsing.assert_quiet_but_for_assets(browsed(error))


# --- the deed on the cluster


def test_a_form_by_browser_is_a_form_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    names: dict[str, str] = {}
    monkeypatch.setattr(commit_faults, "portal", lambda: SimpleNamespace(url="http://127.0.0.1:7007"))
    monkeypatch.setattr(commit_faults, "opened", lambda asked: names.update(asked) or nullcontext("the tab"))
    monkeypatch.setattr(
        commit_faults, "walk", lambda *asked: asked == ("the tab", VALUES, "http://127.0.0.1:7007") and walk()
    )
    written: list[str] = []
    cluster = SimpleNamespace(assert_writable=written.append)
    platform: Any = SimpleNamespace(cluster=cluster, git_server=SimpleNamespace(url=HERE))
    snapshot: dict[str, Any] = {}
    FormSubmitted(values=VALUES, in_browser=True).inject(platform, snapshot)
    assert written == ["a form to http://127.0.0.1:7007"]
    assert (snapshot["task"], snapshot["walk"].seconds) == ("task-1", 2.5)
    assert names == {"127.0.0.1:7007": "127.0.0.1:7007", "gitea.forge.svc.cluster.local:3000": "127.0.0.1:3300"}


# --- without a cluster


def refused(complaints: dict[str, str], *requests: str, branch: bool = False) -> Refused:
    server = cast("GitServer", Server(FILES if branch else {}))
    return Refused(VALUES, Visit({}, requests=list(requests)), server, complaints)


def test_a_complaint_of_the_field_that_is_wrong_is_right() -> None:
    local_browsing.assert_says(refused({"Name": 'must match pattern "^a$"'}), "Name", "must match pattern")


@pytest.mark.parametrize(
    "complaints",
    [
        {},
        {"Owner": "must match pattern"},
        {"Name": "must be there"},
        {"Name": "must match pattern", "Owner": "must match pattern"},
    ],
)
def test_another_complaint_and_none_are_seen(complaints: dict[str, str]) -> None:
    said = "says nothing and goes on" if not complaints else "says {'"
    with pytest.raises(ConditionTimeout, match=f"should say of Name: must match pattern, .* but {said}"):
        local_browsing.assert_says(refused(complaints), "Name", "must match pattern")


def test_what_was_handed_in_all_the_same_is_seen() -> None:
    asked = ("GET http://p/api/scaffolder/v2/tasks/1", "POST http://p/api/permission/authorize")
    local_browsing.assert_not_handed_in(refused({}, *asked))
    with pytest.raises(ConditionTimeout, match=r"the page asked \['POST http://p/api/scaffolder/v2/tasks'\]"):
        local_browsing.assert_not_handed_in(refused({}, "POST http://p/api/scaffolder/v2/tasks"))
    with pytest.raises(ConditionTimeout, match="there is a branch model-golden-1"):
        local_browsing.assert_not_handed_in(refused({}, branch=True))


def timed(*seconds: float) -> Timed:
    return Timed((), frozenset(), seconds)


def test_nine_of_ten_within_the_limit_are_enough() -> None:
    local_browsing.assert_nine_of_ten(timed(*[5.0] * 18, 60, 60), 5)
    with pytest.raises(
        ConditionTimeout, match=r"Nine of ten of 20 forms .* within 5 s, but took 5 s, .*, 5\.10 s, 1 min"
    ):
        local_browsing.assert_nine_of_ten(timed(*[5.0] * 17, 5.1, 60, 60), 5)
    with pytest.raises(ConditionTimeout, match="Nine of ten of 0 forms"):
        local_browsing.assert_nine_of_ten(timed(), 5)
