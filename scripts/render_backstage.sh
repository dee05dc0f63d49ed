#!/usr/bin/env bash
# What Argo CD makes of the portal's chart, with the Helm that the gate uses: render_backstage.sh [values|values-prod]
set -euo pipefail
self=$(readlink -f -- "${BASH_SOURCE[0]}")
cd -- "${self%/*}/.."
. scripts/environment.sh

values="infrastructure/backstage/${1:-values}.yaml"
[[ -f $values ]] || end_with 2 "$values should be there, but is not. There are: values values-prod"
provide_environment
helm=$(.venv/bin/python -c 'from neuroscale.gate.tools import provide_helm; print(provide_helm())' | tail -n 1)
exec "$helm" template backstage infrastructure/backstage/chart --namespace backstage --values "$values"
