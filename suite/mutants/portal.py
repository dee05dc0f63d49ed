"""Mutants of the portal without a cluster. What a replacement changes at the Git server it puts back itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from neuroscale.backstage_client import Backstage, Refusal
from neuroscale.chaos.faults import FunctionPatched
from neuroscale.kubernetes.refs import Object
from neuroscale.local_portal.backstage import Deployment
from neuroscale.local_portal.generated_forms import Form
from neuroscale.local_portal.inputs import Tried, template_files, try_hostile
from neuroscale.local_portal.process import HERE
from neuroscale.local_portal.production import production
from neuroscale.local_portal.rig import LocalPortal
from neuroscale.local_portal.submissions import Handed, overlook, submit, submit_one
from neuroscale.settings import PORTAL_USER, ROOT
from suite.mutants.mutant import Mutant

_SKELETON = "backstage/templates/model-endpoint/skeleton"
_SERVICE = f"{_SKELETON}/inference-service.yaml"
#: More would only take longer to be wrong.
_ENOUGH = 4


@contextmanager
def _committed(portal: LocalPortal, path: str, content: str) -> Iterator[None]:
    commit = portal.git_server.commit({path: content}, "Change the template")
    try:
        yield
    finally:
        if commit:
            portal.git_server.revert(commit)


def with_second_file(portal: LocalPortal, forms: Sequence[Form]) -> Handed:
    """The skeleton brings a file that nobody asked for."""
    with _committed(portal, f"{_SKELETON}/README.md", "A model.\n"):
        return submit(portal, forms)


def with_unquoted_name(portal: LocalPortal, forms: Sequence[Form]) -> Handed:
    """The skeleton leaves it to YAML what a name is."""
    text = (ROOT / _SERVICE).read_text(encoding="utf-8")
    for form in forms[:_ENOUGH]:  # the control has taken their names
        portal.git_server.discard_branch(f"model-{form['name']}")
    with _committed(portal, _SERVICE, text.replace('"${{ values.name }}"', "${{ values.name }}")):
        return submit(portal, forms[:_ENOUGH])


def without_rights(portal: LocalPortal, forms: Sequence[Form]) -> Handed:
    """The portal's token may read and not write."""
    portal.git_server.grant(PORTAL_USER, "read")
    try:
        return submit(portal, forms)
    finally:
        portal.git_server.grant(PORTAL_USER, "write")


def first_form_for_all(portal: LocalPortal, forms: Sequence[Form]) -> Handed:
    """Whoever comes second is told that all went well."""
    return submit(portal, [forms[0]] * len(forms))


def overlook_for_an_hour(portal: LocalPortal, task: str) -> str:
    """Nobody looks for tasks that have waited too long."""
    return overlook(portal, task, "now() + interval '1 hour'")


def template_with_loose_pattern() -> tuple[Object, dict[str, bytes]]:
    """The form takes letters, digits and hyphens in any order."""
    template, files = template_files()
    (page,) = template["spec"]["parameters"]
    page["properties"]["name"]["pattern"] = "^[A-Za-z0-9-]+$"
    return template, files


def template_that_names_no_field() -> tuple[Object, dict[str, bytes]]:
    """The form refuses the same names, by a rule for the whole of it."""
    template, files = template_files()
    (page,) = template["spec"]["parameters"]
    page["anyOf"] = [{"properties": {"name": {"pattern": page["properties"]["name"].pop("pattern")}}}]
    return template, files


def skeleton_without_cost_center() -> tuple[Object, dict[str, bytes]]:
    """What is rendered leaves a label out."""
    template, files = template_files()
    return template, {
        path: text.replace(b", cost-center: ${{ values.costCenter }}", b"") for path, text in files.items()
    }


class _Stub(BaseHTTPRequestHandler):
    """Takes everything, and does nothing."""

    def do_POST(self) -> None:
        body = b'{"id": "1", "backstageIdentity": {"token": "of a guest"}}'
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


def refusal_of_a_stub(backstage: Backstage, form: Form) -> Refusal | None:
    """Something of the same name is in Backstage's place."""
    server = ThreadingHTTPServer((HERE, 0), _Stub)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        return Backstage(f"http://{HERE}:{server.server_port}").refusal(form)
    finally:
        server.shutdown()
        server.server_close()


def hostile_with_one_proposal(portal: LocalPortal) -> Tried:
    """The portal refuses each form, and proposes something all the same."""
    tried = try_hostile(portal)
    submit_one(portal)
    return tried


def production_as_another_client(portal: LocalPortal) -> Deployment:
    """At the identity provider the portal says that it is somebody else."""
    deployment = production(portal)
    deployment.config["auth"]["providers"]["oidc"]["production"]["clientId"] = "somebody-else"
    return deployment


def production_with_written_password(portal: LocalPortal) -> Deployment:
    """The password of the database stands in the settings."""
    deployment = production(portal)
    deployment.config["backend"]["database"]["connection"]["password"] = deployment.secret["POSTGRES_PASSWORD"]
    return deployment


def production_with_guests(portal: LocalPortal) -> Deployment:
    """A guest may come in, since this passes for a developer's machine."""
    deployment = production(portal)
    deployment.config["auth"]["providers"]["guest"] = {"userEntityRef": "user:default/guest"}
    more = {**deployment.more, "NODE_ENV": "development"}
    return Deployment(deployment.name, deployment.config, deployment.secret, deployment.port, more)


def production_without_policy(portal: LocalPortal) -> Deployment:
    """Who has no token may do everything."""
    deployment = production(portal)
    deployment.config["backend"]["auth"] = {"dangerouslyDisableDefaultAuthPolicy": True}
    return deployment


def _patched(wire: str, replacement: str) -> tuple[FunctionPatched]:
    return (FunctionPatched(wire=f"neuroscale.{wire}", replacement=f"suite.mutants.{replacement}"),)


_GATE = "A form becomes a pull request that the gate passes"
_SAME = "The same form, handed in three times at once, is one pull request"
_RIVALS = "Two forms for one name, handed in at once: one wins, the other learns to whom it lost"
_RULES = "Generated forms are taken or refused as the rules say"
_MANY = "Generated forms become pull requests"
_HOSTILE = "No hostile value gets past the form"
_OVERLOOKED = "A form of which the portal's worker is told nothing becomes a pull request all the same"
_ROUTES = "Who is not signed in gets nowhere"
_PRODUCTION = "In production nobody gets in without an account"
_BECOMES = "each form has become a pull request with its files and its text"
_PASSES = "the gate passes what is proposed"
_TRIED = "1000 generated forms are tried"
_HOSTILE_FORMS = "hostile values are handed in, for each field"
_RUNS = "the portal runs as in production"
_SUBMIT = "local_portal.submissions:submit"

MILESTONE = "c"
MUTANTS = (
    Mutant(
        "portal-second-file",
        "The template brings a file that nobody asked for",
        scenario=_GATE,
        before="a form is handed in",
        faults=_patched(_SUBMIT, "portal:with_second_file"),
        red_step=_BECOMES,
        reason=r"it changes apps/golden-\w+/README\.md as well",
    ),
    Mutant(
        "portal-gate-judges-nothing",
        "The gate's policy engine is not asked about what is proposed",
        scenario=_GATE,
        before=_PASSES,
        faults=_patched("gate.policy:simulate", "gate:evaluate_nothing"),
        red_step=_PASSES,
        reason=r"should find nothing to reject, but ended with exit code 1 and policy: .* passed it over",
    ),
    Mutant(
        "portal-may-not-write",
        "The portal's token may read and not write: it is well, and can do nothing at the Git server",
        scenario=_SAME,
        before="one form is handed in 3 times at once",
        faults=_patched(_SUBMIT, "portal:without_rights"),
        red_step=_BECOMES,
        reason=r"These branches should be there and are not: \['model-golden-",
    ),
    Mutant(
        "portal-tells-the-loser-that-it-won",
        "Whoever comes second for a name is told that all went well",
        scenario=_RIVALS,
        before="two forms that differ are handed in for one name",
        faults=_patched(_SUBMIT, "portal:first_form_for_all"),
        red_step="one of them has become a pull request, and the other is told which",
        reason=r"One of the forms should win the name, but they ended \[\('completed', ''\), \('completed', ''\)\]",
    ),
    Mutant(
        "form-takes-loose-names",
        "The form takes letters, digits and hyphens in any order for a name",
        scenario=_RULES,
        before=_TRIED,
        faults=_patched("local_portal.inputs:template_files", "portal:template_with_loose_pattern"),
        red_step="each is taken or refused as the rules say",
        reason=r"should be refused for \['name'\], but is taken",
    ),
    Mutant(
        "form-names-no-field",
        "The form refuses a name by a rule for the whole of it, and does not say that it is the name",
        scenario=_RULES,
        before=_TRIED,
        faults=_patched("local_portal.inputs:template_files", "portal:template_that_names_no_field"),
        red_step="each refusal names the fields that are wrong",
        reason=r"should be refused for \[[^]]*'name'[^]]*\], but is for \[.*subschema 0",
    ),
    Mutant(
        "form-renders-no-cost-center",
        "What a form becomes has no cost center",
        scenario=_RULES,
        before=_TRIED,
        faults=_patched("local_portal.inputs:template_files", "portal:skeleton_without_cost_center"),
        red_step="each that is taken would become the files that were asked for",
        reason=r"inference-service\.yaml holds .* and not .*cost-center",
    ),
    Mutant(
        "portal-name-unquoted",
        "The template leaves it to YAML what a name is, and to YAML some names are no text",
        scenario=_MANY,
        before="50 generated forms are handed in",
        faults=_patched("local_portal.inputs:submit", "portal:with_unquoted_name"),
        red_step=_BECOMES,
        reason=r"holds .*'metadata': \{'name': (None|True|False)",
    ),
    Mutant(
        "portal-a-stub",
        "Something of the same name stands in the portal's place, and takes everything",
        scenario=_HOSTILE,
        before=_HOSTILE_FORMS,
        faults=_patched("local_portal.inputs:refusal", "portal:refusal_of_a_stub"),
        red_step="each is refused",
        reason=r"should be refused, but was taken",
    ),
    Mutant(
        "portal-refuses-and-proposes",
        "The portal refuses each hostile form, and opens a pull request all the same",
        scenario=_HOSTILE,
        before=_HOSTILE_FORMS,
        faults=_patched("local_portal.inputs:try_hostile", "portal:hostile_with_one_proposal"),
        red_step="nothing of them is at the Git server",
        reason=r"but the branches \['model-golden-\w+'\] and the pull requests of \['model-golden-\w+'\] are new",
    ),
    Mutant(
        "portal-forgets-tasks",
        "Nobody looks for tasks that the worker has overlooked",
        scenario=_OVERLOOKED,
        before="a form is handed in, and the worker is told nothing",
        faults=_patched("local_portal.submissions:overlook", "portal:overlook_for_an_hour"),
        red_step="a form is handed in, and the worker is told nothing",
        reason=r"waiting for: 2 tasks end .* is open, 1 have ended",
    ),
    Mutant(
        "portal-without-auth-policy",
        "Production lets everybody do everything",
        scenario=_ROUTES,
        example="as in production",
        before=_RUNS,
        faults=_patched("local_portal.production:production", "portal:production_without_policy"),
        red_step="each answers 401 but those that are public",
        reason=r"routes should answer 401 to who is not signed in, but \d+ do not",
    ),
    Mutant(
        "portal-takes-production-for-development",
        "Production is started as a developer's machine, and has guests",
        scenario=_PRODUCTION,
        before=_RUNS,
        faults=_patched("local_portal.production:production", "portal:production_with_guests"),
        red_step="the guest is refused",
        reason=r"should answer 404 in production, but answers \(200",
    ),
    Mutant(
        "portal-signs-in-as-another",
        "At the identity provider the portal of production says that it is somebody else",
        scenario=_PRODUCTION,
        before=_RUNS,
        faults=_patched("local_portal.production:production", "portal:production_as_another_client"),
        red_step="whoever signs in is sent to the identity provider",
        reason=r"answers 302 and leads to \S+ as \['somebody-else'\]",
    ),
    Mutant(
        "portal-password-in-its-settings",
        "The password of the database stands in the settings of production",
        scenario=_PRODUCTION,
        before=_RUNS,
        faults=_patched("local_portal.production:production", "portal:production_with_written_password"),
        red_step="no setting lets anybody in without an account",
        reason=r"no secret in its settings, but has \['POSTGRES_PASSWORD'\], NODE_ENV=production",
    ),
)
