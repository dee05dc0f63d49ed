"""Mutants of milestone A."""

from __future__ import annotations

from neuroscale import incidents
from neuroscale.chaos.faults import (
    ApplicationEdited,
    Fault,
    FieldsEdited,
    ObjectCreated,
    ObjectDeleted,
    PushHookSwitchedOff,
    ScaledTo,
)
from neuroscale.chaos.webhooks import unanswered_webhook
from neuroscale.git_server import IN_CLUSTER_URL
from neuroscale.gitops.commit_scenarios import NEWCOMER, NEWCOMER_OBJECT
from neuroscale.incidents.job_image_not_pulled import CLEANUP
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import Verdict, met, pending
from neuroscale.probes import argo
from neuroscale.probes.reference_app import CHILD, NGINX, TEST_APP
from neuroscale.settings import APPS_NAMESPACE, ARGOCD, ROOT_APPLICATION
from suite.mutants.generator import keeping_what_was_deployed
from suite.mutants.mutant import Mutant, injection_step, recovery_step, remedy_step, symptom_step

_GENERATOR = Ref("Deployment", "argocd-applicationset-controller", ARGOCD)
_NOTIFIER = Ref("Deployment", "argocd-notifications-controller", ARGOCD)
_NO_CONTROLLER = ScaledTo(target=argo.CONTROLLER, replicas=0)
_NO_GENERATOR = ScaledTo(target=_GENERATOR, replicas=0)
_NOTHING = r"nothing has happened|it is gone|old values|edited values"


def _test_app(automated: Object | None) -> tuple[Fault, ...]:
    """The test application's automated sync, edited where nobody puts it back."""
    patch = {"spec": {"syncPolicy": {"automated": automated}}}
    return (_NO_GENERATOR, ApplicationEdited(target=argo.application(TEST_APP), patch=patch))


def _handmade_application(name: str, path: str) -> ObjectCreated:
    return ObjectCreated(
        manifest={
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": name, "namespace": ARGOCD},
            "spec": {
                "project": "neuroscale-models",
                "source": {"repoURL": IN_CLUSTER_URL, "targetRevision": "main", "path": path},
                "destination": {"server": "https://kubernetes.default.svc", "namespace": APPS_NAMESPACE},
                "syncPolicy": {"automated": {"prune": True, "selfHeal": True}},
            },
        }
    )


def _without_finalizer(app: Object | None) -> Verdict:
    found = app["metadata"].get("finalizers") if app else "no Application"
    return pending(f"{found}") if found else met("it has none")


_COMPLETE = "Every expected Argo CD workload is ready"
_EXACTLY = "Exactly the Applications that Git describes exist"
_COMES_BACK = "A deleted Deployment is restored"
_DRIFT = "Every type of drift is restored"
_CHILD = "A child Application edited by hand is restored"
_DELETES = "an operator deletes the Deployment of the test application"
_PUTS_BACK, _STAYS = "Argo CD restores it within the self-heal SLO", "it stays that way"
_FOLLOWS = "the cluster matches Git within the pick-up SLO"
_REVERTED = "that commit is reverted in Git"
_A1, _A2, _A3, _F8, _F13 = (incidents.by_slug(number) for number in ("a1", "a2", "a3", "f8", "f13"))
_REPO_SERVER_DOWN = "Nothing corrects drift while the repo-server is down"
_RESOLVED = "An incident of GitOps is seen and resolved"

MILESTONE = "a"
MUTANTS = (
    # --- Argo CD runs
    Mutant(
        "workload-scaled-away",
        "A workload of Argo CD is scaled to 0: no pod is there to be not ready",
        scenario=_COMPLETE,
        before="the workloads of Argo CD",
        faults=(ScaledTo(target=_NOTIFIER, replicas=0),),
        red_step="each of them has all its containers ready",
        reason=r"notifications-controller.*scaled to 0",
    ),
    Mutant(
        "running-but-not-ready",
        "A workload's only pod is Running and 0/1",
        scenario=_COMPLETE,
        before="the workloads of Argo CD",
        faults=(
            # Scaled away first: a rollout would keep the old pod until the new one is ready.
            ScaledTo(target=_NOTIFIER, replicas=0),
            FieldsEdited(
                target=_NOTIFIER,
                patch={
                    "spec": {
                        "replicas": 1,
                        "template": {"spec": {"readinessGates": [{"conditionType": "mutant.neuroscale.io/never"}]}},
                    }
                },
            ),
        ),
        red_step="each of them has all its containers ready",
        reason=r"notifications-controller.*0 of 1 pods ready",
        hold=5,
    ),
    Mutant(
        "application-unexpected",
        "An Application exists that Git does not describe",
        scenario=_EXACTLY,
        before="the Applications that Git describes",
        faults=(_handmade_application("made-by-hand", "infrastructure/namespaces/default"),),
        red_step="exactly these Applications exist",
        reason=r"not described by Git: made-by-hand",
    ),
    Mutant(
        "application-missing",
        "An Application is gone and is not restored",
        scenario=_EXACTLY,
        before="the Applications that Git describes",
        faults=(_NO_CONTROLLER, ObjectDeleted(target=argo.application(CHILD))),
        red_step="exactly these Applications exist",
        reason=rf"missing: {CHILD}",
    ),
    Mutant(
        "out-of-sync",
        "A workload drifts and automated sync is off: OutOfSync is not Unknown, and not good either",
        scenario=_EXACTLY,
        before="the Applications that Git describes",
        faults=(
            # Off, and not self-heal alone: a commit anywhere gives Argo CD a reason of its own to sync.
            *_test_app(None),
            FieldsEdited(target=NGINX, patch={"spec": {"replicas": 2}}),
        ),
        red_step="each is Synced, Healthy, without errors and recently reconciled",
        reason=r"test-app: OutOfSync",
        in_place=lambda _: argo.ApplicationProbe(TEST_APP, "is OutOfSync", argo.evaluate_out_of_sync),
    ),
    Mutant(
        "stale-status",
        "The controller is dead: yesterday's Synced and Healthy still stand there",
        scenario=_EXACTLY,
        before="the Applications that Git describes",
        faults=(_NO_CONTROLLER,),
        red_step="each is Synced, Healthy, without errors and recently reconciled",
        reason=r"last compared \d+ s ago",
        hold=60,
    ),
    # --- drift
    Mutant(
        "delete-without-effect",
        "A finalizer holds the Deployment: the delete is accepted and nothing goes",
        scenario=_COMES_BACK,
        before=_DELETES,
        faults=(FieldsEdited(target=NGINX, patch={"metadata": {"finalizers": ["mutant.neuroscale.io/hold"]}}),),
        red_step=_DELETES,
        reason=r"had no effect.*held by finalizers",
    ),
    Mutant(
        "controller-dead",
        "The application controller is down: nothing is self-healed",
        scenario=_COMES_BACK,
        before=_DELETES,
        faults=(_NO_CONTROLLER,),
        red_step=_PUTS_BACK,
        reason=_NOTHING,
    ),
    Mutant(
        "restored-without-pods",
        "The Deployment comes back, its pods are rejected",
        scenario=_COMES_BACK,
        before=_DELETES,
        faults=(
            ObjectCreated(manifest=unanswered_webhook("mutant-rejects", "rejects.mutant.neuroscale.io", "", "pods")),
        ),
        red_step=_PUTS_BACK,
        reason=r"back with a new UID: 0 of 1 pods ready",
    ),
    Mutant(
        "self-heal-off",
        "Self-heal is off: an edited label stays",
        scenario=_DRIFT,
        example="changes a label",
        before="an operator changes a label of the test application",
        faults=_test_app({"selfHeal": False}),
        red_step=_PUTS_BACK,
        reason=_NOTHING,
    ),
    Mutant(
        "prune-off",
        "Pruning is off: a stray object with Argo CD's tracking ID stays",
        scenario=_DRIFT,
        example="adds an object with Argo CD's tracking ID",
        before="an operator adds an object with Argo CD's tracking ID of the test application",
        faults=_test_app({"prune": False}),
        red_step=_PUTS_BACK,
        reason=r"it is there",
    ),
    Mutant(
        "root-self-heal-off",
        "Self-heal of the root Application is off: an edited child stays edited",
        scenario=_CHILD,
        before="an operator turns off self-heal on a child Application",
        faults=(
            ApplicationEdited(
                target=argo.application(ROOT_APPLICATION),
                patch={"spec": {"syncPolicy": {"automated": {"selfHeal": False}}}},
            ),
        ),
        red_step=_PUTS_BACK,
        reason=_NOTHING,
    ),
    # --- Git rules
    Mutant(
        "commit-not-noticed",
        "The repo-server is down: no commit is noticed",
        scenario="A commit changes the cluster",
        before="a commit gives the test application 2 replicas",
        faults=(ScaledTo(target=argo.REPO_SERVER, replicas=0),),
        red_step=_FOLLOWS,
        reason=r"compared with commit",
    ),
    Mutant(
        "push-hook-off",
        "The Git server tells nobody of pushes: Argo CD polls",
        scenario="Argo CD is told of each push",
        before="5 commits are pushed, each once the one before is synced",
        faults=(PushHookSwitchedOff(),),
        red_step="Argo CD is told of each within the push SLO",
        reason=r"told after never",
    ),
    Mutant(
        "poll-not-followed",
        "Without the push hook, automated sync is off as well",
        scenario="Without its push hook the Git server is polled",
        before="a commit gives the test application 2 replicas",
        faults=(
            _NO_GENERATOR,
            ApplicationEdited(target=argo.application(TEST_APP), patch={"spec": {"syncPolicy": None}}),
        ),
        red_step="the cluster matches Git within the pick-up SLO, by polling",
        reason=r"it wants 1 replicas",
    ),
    Mutant(
        "revert-not-followed",
        "Automated sync is off when the commit is reverted",
        scenario="Reverting a commit restores the old state",
        before=_REVERTED,
        faults=(
            _NO_GENERATOR,
            ApplicationEdited(target=argo.application(TEST_APP), patch={"spec": {"syncPolicy": None}}),
        ),
        red_step=_FOLLOWS,
        reason=r"it wants 2 replicas",
    ),
    Mutant(
        "removed-object-not-pruned",
        "Pruning is off when the manifest is removed",
        scenario="A manifest removed from Git is pruned",
        before=_REVERTED,
        faults=_test_app({"prune": False}),
        red_step="the ConfigMap is pruned within the pick-up SLO",
        reason=r"it exists",
    ),
    Mutant(
        "folder-not-discovered",
        "The ApplicationSet controller is down: a new folder stays a folder",
        scenario="A new folder becomes an Application",
        before="a commit adds a folder with a workload",
        faults=(_NO_GENERATOR,),
        red_step="an Application for it becomes Healthy within the pick-up SLO",
        reason=r"it does not exist",
    ),
    Mutant(
        "application-made-by-hand",
        "The Application for the new folder was created by hand",
        scenario="A new folder becomes an Application",
        before="a commit adds a folder with a workload",
        faults=(_NO_GENERATOR, _handmade_application(NEWCOMER, f"apps/{NEWCOMER}")),
        red_step="that Application is owned by the ApplicationSet",
        reason=r"owned by nobody",
    ),
    Mutant(
        "application-outlives-folder",
        "The ApplicationSet controller is down when the folder goes",
        scenario="The Application and the objects of a removed folder are deleted",
        before=_REVERTED,
        faults=(_NO_GENERATOR,),
        red_step="its Application is deleted within the pick-up SLO",
        reason=r"it exists",
    ),
    Mutant(
        "objects-outlive-application",
        "An object is marked to be kept when its Application goes",
        scenario="The Application and the objects of a removed folder are deleted",
        before=_REVERTED,
        faults=(
            FieldsEdited(
                target=NEWCOMER_OBJECT,
                patch={"metadata": {"annotations": {"argocd.argoproj.io/sync-options": "Delete=false"}}},
            ),
        ),
        red_step="its objects are deleted as well",
        reason=r"it exists",
    ),
    Mutant(
        "error-not-shown",
        "The application controller is dead: the broken manifest shows nowhere",
        scenario="A broken manifest leaves the last good state running",
        example="is not YAML",
        before="a commit breaks the test application with a manifest that is not YAML",
        faults=(_NO_CONTROLLER,),
        red_step="the Application shows the error within the pick-up SLO",
        reason=r"compared with commit|no ComparisonError",
    ),
    Mutant(
        "last-good-state-deleted",
        "The Deployment is lost while its manifest is broken",
        scenario="A broken manifest leaves the last good state running",
        example="is not YAML",
        before="the last good state keeps running",
        faults=(ObjectDeleted(target=NGINX),),
        red_step="the last good state keeps running",
        reason=r"it does not exist",
    ),
    # --- incidents
    Mutant(
        "no-symptom-a1",
        "The controller is dead as well: the old status hides that nothing is compared",
        scenario=_REPO_SERVER_DOWN,
        example=_A1.slug,
        before='the incident "repo_server_down" has happened',
        faults=(_NO_CONTROLLER,),
        red_step=symptom_step(_A1),
        reason=r"Unknown with a ComparisonError.*Synced/Healthy",
    ),
    Mutant(
        "symptom-gone-early",
        "The repo-server is back before anybody said so",
        scenario=_REPO_SERVER_DOWN,
        example=_A1.slug,
        before="an operator deletes the ConfigMap of the test application",
        faults=(ScaledTo(target=argo.REPO_SERVER, replicas=1),),
        red_step="nothing corrects the drift",
        reason=r"it was corrected",
    ),
    Mutant(
        "no-recovery-a1",
        "The controller dies before the repo-server is back",
        scenario=_REPO_SERVER_DOWN,
        example=_A1.slug,
        before=remedy_step(_A1),
        faults=(_NO_CONTROLLER,),
        red_step=recovery_step(_A1),
        reason=r"application-controller.*scaled to 0",
    ),
    Mutant(
        "no-symptom-a2",
        "The stale webhook is ignored when it does not answer",
        scenario=_RESOLVED,
        example=_A2.slug,
        before=symptom_step(_A2),
        faults=(ObjectDeleted(target=Ref("ValidatingWebhookConfiguration", "left-over-experiment")),),
        red_step=symptom_step(_A2),
        reason=r"no SyncError|it exists",
    ),
    Mutant(
        "no-symptom-a3",
        "The filler is gone: the healed pod finds room",
        scenario=_RESOLVED,
        example=_A3.slug,
        before=symptom_step(_A3),
        faults=(ObjectDeleted(target=Ref("Pod", "filler", "incident-node-full")),),
        red_step=symptom_step(_A3),
        reason=r"Pending for lack of cpu.*Running",
    ),
    Mutant(
        "no-symptom-f8",
        "The Applications of app folders have no finalizer: they take nothing along when they go",
        scenario=_RESOLVED,
        example=_F8.slug,
        before=injection_step(_F8),
        faults=keeping_what_was_deployed(),
        in_place=lambda _: argo.ApplicationProbe(TEST_APP, "has no finalizer", _without_finalizer),
        red_step=symptom_step(_F8),
        reason=r'Deployment "default/nginx-test" is gone.*it exists',
    ),
    Mutant(
        "no-symptom-f13",
        "The CronJob is gone before it brings a pod",
        scenario=_RESOLVED,
        example=_F13.slug,
        before=symptom_step(_F13),
        faults=(ObjectDeleted(target=CLEANUP),),
        red_step=symptom_step(_F13),
        reason=r"waits for an image that cannot be pulled.*pods: 0",
    ),
)
