"""`down`: ends the process that `up` is, by the pid it left."""

import argparse
import os
import signal
import sys
import time

from cli.layout import running

DOWN_S = 40.0


def down(given: argparse.Namespace) -> int:
    """SIGTERM, then waits until it has ended; 1 when it does not in time."""
    pid = running(given.data)
    if pid is None:
        sys.stderr.write(f"nothing runs in {given.data}\n")
        return 0
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + DOWN_S
    while running(given.data) is not None:
        if time.monotonic() > until:
            sys.stderr.write(f"pid {pid} has not ended after {DOWN_S:.0f} s\n")
            return 1
        time.sleep(0.1)
    return 0
