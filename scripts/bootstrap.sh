#!/bin/sh
# From nothing to a healthy platform; safe to repeat. Options are those of `neuroscale up`.
set -eu
cd "$(dirname "$0")/.."
make --no-print-directory install
exec .venv/bin/neuroscale up "$@"
