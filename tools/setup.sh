#!/usr/bin/env bash
# Makes .venv from requirements.lock: every package pinned and checked by hash. Needs Python 3.11 or later and nothing else.
# The lock pins uv as well; pip puts it into the new .venv, and uv installs the rest (pip alone takes minutes).
set -euo pipefail
cd "$(dirname "$0")/.."

python=""
for name in "${PYTHON:-python3.11}" python3.12 python3.13 python3.14 python3; do
  if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$name; break; fi
done
[ -n "$python" ] || { echo "setup: Python 3.11 or later is needed; none was found on the PATH" >&2; exit 1; }

if [ ! -x .venv/bin/python ]; then
  echo "setup: making .venv with $("$python" --version)"
  "$python" -m venv .venv || { echo "setup: 'python -m venv' failed (Debian: apt-get install python3-venv)" >&2; exit 1; }
fi

if [ ! -x .venv/bin/uv ]; then
  echo "setup: installing uv, as pinned in requirements.lock"
  pinned=$(mktemp)
  trap 'rm -f "$pinned"' EXIT
  awk '/^uv==/ {found = 1} found {print} found && !/\\$/ {exit}' requirements.lock > "$pinned"
  .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip
  .venv/bin/python -m pip install --quiet --require-hashes --no-deps -r "$pinned"
fi

echo "setup: installing the locked packages"
# compiled once here: every process of a platform would compile all of it anew where nothing may be written at its start
.venv/bin/uv pip sync --python .venv/bin/python --require-hashes --compile-bytecode requirements.lock
# pip has done its work; without it the environment holds exactly what the lock names
.venv/bin/uv pip uninstall --quiet --python .venv/bin/python pip

# the command `dandelion`, and this project's packages for every Python program of the environment, in any folder
install -m 755 tools/dandelion.sh .venv/bin/dandelion
packages=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
printf '%s\n' "$PWD" "$PWD/contracts" > "$packages/dandelion.pth"
