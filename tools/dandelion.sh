#!/bin/sh
# The command `dandelion`: set-up puts it into .venv/bin. From any folder, with this project's packages before all others.
set -eu
self=$0
if [ -L "$self" ]; then self=$(readlink -f "$self"); fi
root=$(cd "$(dirname "$self")/../.." && pwd)
PYTHONPATH=$root:$root/contracts${PYTHONPATH:+:$PYTHONPATH}
PYTHONSAFEPATH=1
export PYTHONPATH PYTHONSAFEPATH
exec "$root/.venv/bin/python" -m cli "$@"
