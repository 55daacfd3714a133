"""`down`: ends the process that `up` is, by the pid it left. The data stays."""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from cli.layout import running
from cli.local.processes import alive, known

DOWN_S = 90.0
SAY_EVERY_S = 1.0
LOOK_EVERY_S = 0.1


def down(given: argparse.Namespace) -> int:
    """SIGTERM, then waits until it has ended and says for whom; 1 when it does not end in time."""
    pid = running(given.data)
    if pid is None:
        sys.stderr.write(f"nothing runs in {given.data}\n")
        return 0
    os.kill(pid, signal.SIGTERM)
    began, said = time.monotonic(), 0.0
    while running(given.data) is not None:
        waited_s = time.monotonic() - began
        if waited_s > DOWN_S:
            sys.stderr.write(f"pid {pid} has not ended after {DOWN_S:.0f} s\n")
            return 1
        if waited_s - said >= SAY_EVERY_S:
            said = waited_s
            sys.stderr.write(f"{waited_s:.0f} s: waiting for {_waited_for(given.data, pid)}\n")
        time.sleep(LOOK_EVERY_S)
    sys.stderr.write(f"ended; the data stays in {given.data}\n")
    return 0


def _waited_for(folder: Path, pid: int) -> str:
    """Processes that live, by name; when they have all ended, the process that started them."""
    return ", ".join(row["name"] for row in known(folder) if alive(row)) or f"pid {pid} to end its work"
