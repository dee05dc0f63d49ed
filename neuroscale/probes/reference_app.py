"""The workload of the reference platform that exists to be broken, and who looks after it."""

from __future__ import annotations

from neuroscale.kubernetes.refs import Ref
from neuroscale.settings import APPS_NAMESPACE

#: The workload of the reference platform that exists to be broken.
TEST_APP = "test-app"
MANIFEST = "apps/test-app/deployment.yaml"
#: That of its container: the platform has it, and what scenarios bring runs from it too.
IMAGE = "docker.io/nginxinc/nginx-unprivileged:1.27.5"
NGINX = Ref("Deployment", "nginx-test", APPS_NAMESPACE)
SERVICE = Ref("Service", "nginx-service", APPS_NAMESPACE)
PAGE = Ref("ConfigMap", "nginx-page", APPS_NAMESPACE)
CHILD = "neuroscale-default-namespace-resources"
