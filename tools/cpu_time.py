"""CPU seconds of a command and of everything it starts: `python -m tools.cpu_time COMMAND...`, with the command's exit code.

A subreaper (prctl) adopts each descendant whose parent ended first, so the kernel adds the time of every process that
ended to RUSAGE_CHILDREN here: servers, workers and services included, killed ones too. Descendants that still live at
the end are read from /proc. Containers of an engine that somebody else started are no descendants, and are not counted.
"""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tools.servers.run import family

PR_SET_CHILD_SUBREAPER = 36
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def living_s(pids: Sequence[int]) -> float:
    """What processes that live used until now, with the children that they waited for."""
    return sum(_living_s(pid) for pid in pids)


def _living_s(pid: int) -> float:
    with suppress(OSError):
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, after_name[11:15])) * TICK_S
    return 0.0


def ended_s() -> float:
    """What descendants used that have ended, and whose parents waited for them or ended too."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(command: Sequence[str]) -> int:
    """The command's exit code; adopted descendants are waited for as they end."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with subprocess.Popen(command) as child:
        # the terminal sends Ctrl-C to the whole group: the command ends itself, and its time is still told
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda number, _: child.send_signal(number))
        while True:
            pid, status = os.wait()
            if pid == child.pid:
                child.returncode = os.waitstatus_to_exitcode(status)
                break
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return child.returncode


def main(command: Sequence[str]) -> int:
    began = time.monotonic()
    code = run(command)
    left = family(os.getpid())[1:]
    spent = ended_s() + living_s(left)
    still = f"; {len(left)} processes still live" if left else ""
    wall = time.monotonic() - began
    print(
        f"== {spent:,.0f} CPU seconds in {wall:,.0f} s, every process counted that `{' '.join(command)}` started{still}"
    )
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
