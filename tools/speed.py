"""How slow this machine is: one factor for every deadline of the tests, so that a slow machine is slow and not red.

`python -m tools.speed` measures and prints it. A run of pytest measures once and hands the factor to its workers and to
all they start in DANDELION_SLOWNESS; where the variable is missing, as in production, deadlines are what they say.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
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


def fits(left_s: float, usually_s: float) -> bool:
    """Whether what usually takes so long ends in the time that is left; the machine may have been busy at the start."""
    factor = min(slowness(), measured())
    needed_s = usually_s * factor
    sys.stdout.write(f"{needed_s / 60:.0f} minutes needed at {factor:g} times the usual, {left_s / 60:.0f} left\n")
    return needed_s <= left_s


def main(words: Sequence[str]) -> int:
    """`fits LEFT_S USUALLY_S` answers by exit code; without words the factor is measured and printed."""
    if words:
        return 0 if fits(float(words[1]), float(words[2])) else 1
    sys.stdout.write(f"{measured()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
