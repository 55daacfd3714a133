"""How slow this machine is: one factor for every deadline of the tests, so that a slow machine is slow and not red.

`python -m tools.speed` measures and prints it. A run of pytest measures once and hands the factor to its workers and to
all they start in DANDELION_SLOWNESS; where the variable is missing, as in production, deadlines are what they say.
"""

import os
import subprocess
import sys
import time
from statistics import median

VARIABLE = "DANDELION_SLOWNESS"
ROUNDS = 3
AT_ONCE = 2
"""As many as the workers of `make test`: on a machine with one core the two share it."""
WORK = "import asyncio, email.message, http.client, json, sqlite3\nfor i in range(1_500_000): i * i % 7\n"
USUAL_S = 0.25
"""How long a round takes, in seconds, on the machine on which the deadlines were chosen (two cores, idle)."""


MOST = 10.0
"""Slower than this is a burst of other work while the factor was measured, not the machine."""


def measured() -> float:
    """1.0 on the usual machine or a faster one, 3.0 where processes start and compute three times slower."""
    found = median(_round_s() for _ in range(ROUNDS)) / USUAL_S
    return round(min(max(found, 1.0), MOST), 1)


def _round_s() -> float:
    began = time.perf_counter()
    working = [subprocess.Popen([sys.executable, "-I", "-c", WORK]) for _ in range(AT_ONCE)]
    for one in working:
        one.wait()
    return time.perf_counter() - began


def slowness() -> float:
    """The factor of this run."""
    return float(os.environ.get(VARIABLE, "1"))


def patience(limit_s: float) -> float:
    """A deadline, in seconds, as long as this machine needs."""
    return limit_s * slowness()


if __name__ == "__main__":
    sys.stdout.write(f"{measured()}\n")
