"""A fork server with all imports done: `python -m services.ledger rest` starts from it in tests without importing anew.

A service's imports cost more than a second of CPU, and the suites start hundreds of processes. Each is a real process all
the same: a session, an environment, a log and a death signal of its own, ended by pid. Only what is `python -m` of this
repository is forked; servers, other programs and processes under faketime are executed as always.
"""

import atexit
import ctypes
import os
import runpy
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from multiprocessing import connection, get_context
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from tools.servers.run import Process

PRELOADED = ("tests.kit.preloaded",)
PR_SET_PDEATHSIG = 1
OURS = ("services", "sandbox", "cli", "kernel", "tests")


def context() -> ForkServerContext:
    """multiprocessing's fork server of this process; one preload for all who fork from it."""
    made = get_context("forkserver")
    made.set_forkserver_preload(list(PRELOADED))
    return made


class Child(subprocess.Popen[bytes]):
    """A forked process with the face of Popen that `Process` knows: `pid`, `poll`, `wait`, `send_signal`."""

    def __init__(self, forked: ForkServerProcess, command: Sequence[str]) -> None:
        assert forked.pid is not None
        self.pid, self.args, self._forked = forked.pid, command, forked
        self.returncode: int | None = None
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """The exit code is read once: whoever reads it a second time finds the pipe empty."""
        with self._lock:
            if self.returncode is None:
                self.returncode = self._forked.exitcode
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if not connection.wait([self._forked.sentinel], timeout):
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def __del__(self, *_: Any) -> None:
        """Popen's would look at what this has not."""


def start(command: Sequence[str], env: Mapping[str, str], cwd: Path, out: Path, err: Path, death_signal: int) -> Child:
    """`command` is [python, "-m", module, ...]."""
    told = (tuple(command[2:]), dict(env), str(cwd), str(out), str(err), death_signal)
    forked = context().Process(target=become, args=told, daemon=True)
    forked.start()
    return Child(forked, command)


def become(words: Sequence[str], env: Mapping[str, str], cwd: str, out: str, err: str, death_signal: int) -> None:
    """In the process itself: what exec would have made of it, with the modules that are there already."""
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    appending = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for number, path, flags in ((0, os.devnull, os.O_RDONLY), (1, out, appending), (2, err, appending)):
        opened = os.open(path, flags, 0o644)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = list(words)
    try:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()


def is_ours(command: Sequence[str]) -> bool:
    return list(command[:2]) == [sys.executable, "-m"] and command[2].partition(".")[0] in OURS


def run(command: Sequence[str], folder: Path, cwd: Path, timeout: float) -> "subprocess.CompletedProcess[str]":
    """As subprocess.run with captured text; what it says goes through files in the folder."""
    out, err = folder / "stdout", folder / "stderr"
    out.unlink(missing_ok=True)
    err.unlink(missing_ok=True)
    child = start(command, os.environ, cwd, out, err, 9)
    try:
        code = child.wait(timeout)
    except subprocess.TimeoutExpired:
        os.kill(child.pid, 9)
        raise
    return subprocess.CompletedProcess(command, code, out.read_text(), err.read_text())


@pytest.fixture(scope="session", autouse=True)
def forked_services() -> Any:
    """Every `Process` that is ours comes from the fork server."""
    execute = Process._fork

    def fork(self: Process) -> subprocess.Popen[bytes]:
        if not is_ours(self.command) or self.user:
            return execute(self)
        env = {**os.environ, **self.env}
        return start(self.command, env, self.log.parent, self.log, self.log, self.death_signal)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Process, "_fork", fork)
        yield
