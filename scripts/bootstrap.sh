#!/usr/bin/env bash
# From nothing to a healthy platform; safe to repeat. Options are those of `neuroscale up`, which does the work:
#   -m, --milestones LETTERS         which milestones, for example "a b"; all of them if not given
#   --supply auto|registry|source    where images come from
#   --shape one-node|three-nodes     nodes and networks of the cluster; as it is if not given
#   --install, --no-install          whether missing Debian packages may be installed
#   --record                         leave a run that says why nothing was run, where it fails
# `neuroscale down` deletes it all again.
set -euo pipefail
self=$(readlink -f -- "${BASH_SOURCE[0]}")
cd -- "${self%/*}/.."
. scripts/environment.sh

# Before anything is installed. Values are the CLI's to judge.
value_follows=
for word in "$@"; do
    if [[ $value_follows ]]; then
        value_follows=
        continue
    fi
    case $word in
        -m | --milestones | --supply | --shape) value_follows=yes ;;
        -m?* | --milestones=* | --supply=* | --shape=* | --install | --no-install | --record) ;;
        -h | --help)
            describe "$self"
            exit
            ;;
        *) end_with 2 "There is no option $word. Next: scripts/bootstrap.sh --help" ;;
    esac
done
provide_environment
exec .venv/bin/neuroscale up "$@"
