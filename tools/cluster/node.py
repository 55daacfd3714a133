"""The node's first process, in namespaces of its own: `python -m tools.cluster.node`. Its end is the end of everything.

Starts the programs of `config` in order and reaps what containers leave. When a program ends by itself, so does the node:
half a cluster would only puzzle.
"""

import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tools.cluster.config import commands
from tools.cluster.pki import PKI
from tools.cluster.place import API, FOLDER, NODE_ADDRESS, socket

OWN = {
    "/run": "run", "/var/log": "logs/var", "/var/lib/cni": "cni-state", "/opt": "opt",
}  # fmt: skip
"""Folders of the machine that programs write to whatever they are told; here they see their own."""
WAIT_S = 120.0


def main() -> int:
    """Exit code 1 when the node cannot start or a program ended."""
    _mounts()
    _until("the cable", _cabled)
    running: dict[int, str] = {}
    for name, command in commands().items():
        running[_start(name, command)] = name
        if name == "apiserver":
            _until("the API server", _answers)
        if name == "containerd":
            _until("containerd", socket().exists)
    while True:
        pid, status = os.wait()
        if pid in running:
            sys.stderr.write(
                f"{running[pid]} ended with {os.waitstatus_to_exitcode(status)}; see logs/{running[pid]}.log\n"
            )
            return 1


def _mounts() -> None:
    for there, own in OWN.items():
        Path(there).mkdir(parents=True, exist_ok=True)
        (FOLDER / own).mkdir(parents=True, exist_ok=True)
        _run("mount", "--bind", str(FOLDER / own), there)
    _run("mount", "--bind", str(FOLDER / "hosts"), "/etc/hosts")
    _run("ip", "link", "set", "lo", "up")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=30)


def _cabled() -> bool:
    told = subprocess.run(["ip", "-4", "-brief", "address"], capture_output=True, text=True, check=True, timeout=10)
    return NODE_ADDRESS in told.stdout


def _answers() -> bool:
    trusted = ssl.create_default_context(cafile=PKI / "ca.crt")
    try:
        with urllib.request.urlopen(f"{API}/readyz", timeout=5, context=trusted) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _until(what: str, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} was not there after {WAIT_S:.0f} s")
        time.sleep(0.1)


def _start(name: str, command: list[str]) -> int:
    with (FOLDER / "logs" / f"{name}.log").open("ab") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT).pid


if __name__ == "__main__":
    sys.exit(main())
