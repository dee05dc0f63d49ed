#!/bin/sh
# What Argo CD makes of the portal's chart, with the Helm that the gate uses: render_backstage.sh [values|values-prod]
set -eu
cd "$(dirname "$0")/.."
values="infrastructure/backstage/${1:-values}.yaml"
[ -f "$values" ] || { echo "render_backstage.sh: $values should be there, but is not. There are: values values-prod" >&2; exit 2; }
make --no-print-directory install >&2
helm=$(.venv/bin/python -c 'from neuroscale.gate.tools import provide_helm; print(provide_helm())' | tail -n 1)
exec "$helm" template backstage infrastructure/backstage/chart --namespace backstage --values "$values"
