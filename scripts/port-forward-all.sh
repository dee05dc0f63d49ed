#!/bin/sh
# The user interfaces on this machine. The ports are mapped into the node for as long as the cluster lives, so nothing
# has to be forwarded or kept running; --no-wait is accepted for compatibility.
set -eu
cd "$(dirname "$0")/.."
for option in "$@"; do
    [ "$option" = --no-wait ] || { echo "port-forward-all.sh: unknown option $option. There is: --no-wait" >&2; exit 2; }
done
make --no-print-directory install
exec .venv/bin/neuroscale endpoints
