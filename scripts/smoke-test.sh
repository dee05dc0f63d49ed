#!/usr/bin/env bash
# Whether the platform that is up is well: the checks of the reference platform's smoke test, by name, each PASS or FAIL.
#   --skip-drift           break nothing: what would delete something to see it restored is left out
#   --skip-policy-block    submit no workload that must be rejected
# What is left out, or does not exist, is named and never counted as passed. Exit code 1: a check failed; 3: one could not be made.
set -euo pipefail
self=$(readlink -f -- "${BASH_SOURCE[0]}")
cd -- "${self%/*}/.."
. scripts/environment.sh

for word in "$@"; do
    case $word in
        --skip-drift | --skip-policy-block) ;;
        -h | --help)
            describe "$self"
            exit
            ;;
        *) end_with 2 "There is no option $word. Next: scripts/smoke-test.sh --help" ;;
    esac
done
provide_environment
exec .venv/bin/python -m suite.smoke "$@"
