"""Executes a command that the kernel ends when the starter's thread is gone: `leash.py PARENT SIGNAL USER COMMAND...`.

A program of its own, because between fork and exec of a threaded Python nothing else is safe to run. USER is `-` or the
name to become first (becoming another user clears the death signal). On systems without prctl only the exit handlers
of `run` remain.
"""

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1


def become(name: str) -> None:
    entry = pwd.getpwnam(name)
    os.initgroups(name, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ["HOME"] = entry.pw_dir


def main(parent: str, signal: str, user: str, *command: str) -> None:
    """Becomes the user, asks for the signal on the starter's death, checks that it still lives, and executes."""
    if user != "-":
        become(user)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal), 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit("the starter is gone")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
