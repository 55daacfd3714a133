"""`python -m soak [--minutes 10] [--seed N]`: 0 when it ends green, 1 with the name of what is broken."""

import argparse
import asyncio
import logging
import os
import random
import shutil
import sys
import time
from pathlib import Path

from cli.distributed import Servers
from soak.plan import plan
from soak.run import soak
from tools.servers import NoServer

FOLDER = Path(".data/soak")
"""Keys and logs of the newest run."""
CHATTY = ("aiokafka", "dandelion_contracts", "kernel")
"""Loggers of the soak's own readers, which say at length that a broker is away."""


def main() -> int:
    """Prints the seed first, so that the same faults can be had again. Files that it makes are its own user's (umask)."""
    os.umask(0o077)
    made = argparse.ArgumentParser(prog="make soak", description=__doc__)
    made.add_argument("--minutes", type=float, default=10.0)
    made.add_argument("--seed", type=int, default=None)
    given = made.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if given.seed is None else given.seed
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    say(f"soak of {given.minutes:g} minutes; SEED={seed} gives the same faults again")
    try:
        servers = Servers.bring("kafka", "postgres", say)
    except NoServer as missing:
        say(str(missing))
        return 1
    try:
        started = time.monotonic()
        shutil.rmtree(FOLDER, ignore_errors=True)
        soaked = asyncio.run(soak(servers, seed, plan(seed, 60 * given.minutes), say, FOLDER))
    finally:
        servers.close()
    say(
        f"{'RED' if soaked.broken else 'green'}                after {(time.monotonic() - started) / 60:.1f} minutes, SEED={seed}"
    )
    if soaked.broken:
        say(f"logs of the processes are in {FOLDER / 'logs'}")
    return 1 if soaked.broken else 0


def say(line: str) -> None:
    """One line, at once, also into a file."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
