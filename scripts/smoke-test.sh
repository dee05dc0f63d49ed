#!/bin/sh
# The shortest run that cannot go green on a broken platform: `pytest -m smoke`.
#   --skip-drift         leave out the scenarios that break something
#   --skip-policy-block  accepted for compatibility, and leaves nothing out: the scenarios of policies only ask, and break nothing
# What is left out is not counted as passed: pytest prints it as deselected.
set -eu
cd "$(dirname "$0")/.."
markers=smoke
for option in "$@"; do
    case $option in
        --skip-drift) markers="$markers and not drift" ;;
        --skip-policy-block) ;;
        *) echo "smoke-test.sh: unknown option $option. There are: --skip-drift --skip-policy-block" >&2; exit 2 ;;
    esac
done
make --no-print-directory install
exec .venv/bin/python -m pytest -m "$markers"
