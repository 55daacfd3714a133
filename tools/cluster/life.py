"""Brings the node up and takes it down, by the process that its namespaces hang on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tools.cluster import binaries, config, pki
from tools.cluster.node import OWN
from tools.cluster.pause import pause
from tools.cluster.place import (
    FOLDER,
    LINK,
    MACHINE_ADDRESS,
    NODE,
    NODE_ADDRESS,
    PODS,
    PREFIX,
    SERVICES,
    NoCluster,
    socket,
)
from tools.cluster.use import Failed, Kubectl, ours
from tools.cluster.volumes import renew

Say = Callable[[str], None]

ROOT = Path(__file__).resolve().parents[2]
PID = FOLDER / "pid"
BEFORE = FOLDER / "before.json"
"""What the machine was like: settings of its kernel, and which folders it had not."""
CHANGED = [
    Path("/proc/sys", name)
    for name in ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
                 "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes", "net/netfilter/nf_conntrack_max")
]  # fmt: skip
"""Of the whole machine's kernel, and set by kubelet or kube-proxy; put back at the end."""
CGROUPS = Path("/sys/fs/cgroup")
READY_S = 180.0
END_S = 180.0


def up(say: Say) -> None:
    """A node that is ready; one that runs already is left as it is. Raises NoCluster, NoServer or NotToBeHad."""
    if os.geteuid() != 0 or sys.platform != "linux":
        raise NoCluster("a cluster of our own needs Linux and root (CONTEXT=current uses the one that kubectl knows)")
    if running() is None:
        down(say)
        if found := _cgroups():
            raise NoCluster(f"another kubelet runs on this machine: {found[0]}")
        folders = binaries.ready(say)
        _prepare()
        _start(folders, say)
    _await_node(ours(), say)


def running() -> int | None:
    """The process that everything hangs on, while it lives; known by when it started, as others may get its number."""
    with suppress(FileNotFoundError, ValueError):
        pid, started = PID.read_text().split()
        if _started(int(pid)) == started:
            return int(pid)
    return None


def _started(pid: int) -> str:
    """When a process started, in ticks since the machine did; FileNotFoundError when it ended, waited for or not."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    if fields[0] in "ZX":
        raise FileNotFoundError(pid)
    return fields[19]


def _prepare() -> None:
    FOLDER.mkdir(mode=0o711, parents=True)
    for name in ("logs", "run", "volumes"):
        (FOLDER / name).mkdir()
    kernel = {str(one): one.read_text().strip() for one in CHANGED if one.exists()}
    BEFORE.write_text(json.dumps({"kernel": kernel, "missing": [one for one in OWN if not Path(one).exists()]}))
    pki.make()
    config.write()


def _start(folders: list[Path], say: Say) -> None:
    say("starting the node")
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    environment = {**os.environ, "PATH": binaries.path(folders), "PYTHONPATH": str(ROOT)}
    with (FOLDER / "logs" / "node.log").open("ab") as log:
        node = subprocess.Popen(
            [*command, sys.executable, "-m", "tools.cluster.node"], stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT, start_new_session=True, cwd=FOLDER, env=environment,
        )  # fmt: skip
    PID.write_text(f"{node.pid} {_started(node.pid)}")
    _until("the node's namespaces", lambda: os.readlink(f"/proc/{node.pid}/ns/net") != os.readlink("/proc/self/ns/net"))
    _cable(node.pid)
    _until("containerd", socket().exists)
    pause(folders, say)


def _cable(pid: int) -> None:
    """From the machine to the node, with routes to pods and Services, so that both answer from here."""
    inside = ["nsenter", f"--net=/proc/{pid}/ns/net"]
    for command in (
        ["ip", "link", "add", LINK, "type", "veth", "peer", "name", "eth0", "netns", str(pid)],
        ["ip", "address", "add", f"{MACHINE_ADDRESS}/{PREFIX}", "dev", LINK],
        ["ip", "link", "set", LINK, "up"],
        [*inside, "ip", "link", "set", "eth0", "up"],
        [*inside, "ip", "address", "add", f"{NODE_ADDRESS}/{PREFIX}", "dev", "eth0"],
        [*inside, "ip", "route", "add", "default", "via", MACHINE_ADDRESS],
        ["ip", "route", "add", PODS, "via", NODE_ADDRESS],
        ["ip", "route", "add", SERVICES, "via", NODE_ADDRESS],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode:
            raise NoCluster(f"{' '.join(command)}: {done.stderr.strip()}")


def _await_node(kubectl: Kubectl, say: Say) -> None:
    started = time.monotonic()
    _until("the API server", kubectl.answers)
    for found in config.objects():
        kubectl.apply(found)
    renew(kubectl)
    _until("the node", lambda: bool(kubectl.run("get", "nodes", "-o", "name").strip()))
    kubectl.run("wait", "--for=condition=Ready", "node", NODE, f"--timeout={READY_S:.0f}s", timeout_s=READY_S + 10)
    say(f"node {NODE} is ready ({time.monotonic() - started:.0f} s)")


def _until(what: str, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_S
    while not _is(ready):
        if running() is None:
            raise NoCluster(f"the node ended while it started\n{_tail()}")
        if time.monotonic() > deadline:
            raise NoCluster(f"{what} did not come within {READY_S:.0f} s\n{_tail()}")
        time.sleep(0.2)


def _is(ready: Callable[[], bool]) -> bool:
    try:
        return ready()
    except (Failed, OSError):
        return False


def _tail() -> str:
    """The last lines of every log."""
    logs = sorted((FOLDER / "logs").glob("*.log"))
    return "\n".join(
        f"{log.name}: {line}" for log in logs for line in log.read_text(errors="replace").splitlines()[-4:]
    )


def down(say: Say) -> None:
    """Nothing is left: processes, mounts, network, firewall chains go with the namespaces, the rest is removed."""
    pid = running()
    if pid is not None:
        say("ending the node")
        os.kill(pid, signal.SIGKILL)
        _gone(lambda: running() is None, "the node's first process")
    if FOLDER.exists():
        _gone(lambda: not any(_members()), "the containers")
        _put_back()
        for folder in _cgroups():
            for one in sorted([folder, *(found for found in folder.rglob("*") if found.is_dir())], reverse=True):
                one.rmdir()
        shutil.rmtree(FOLDER)
    subprocess.run(["ip", "link", "delete", LINK], capture_output=True, timeout=30, check=False)


def _put_back() -> None:
    if not BEFORE.exists():
        return
    before = json.loads(BEFORE.read_text())
    for path, value in before["kernel"].items():
        if Path(path).read_text().strip() != value:
            Path(path).write_text(value)
    for folder in before["missing"]:
        Path(folder).rmdir()


def _cgroups() -> list[Path]:
    """kubelet's, in every hierarchy."""
    return sorted({*CGROUPS.glob("kubepods"), *CGROUPS.glob("*/kubepods")})


def _members() -> list[str]:
    return [pid for folder in _cgroups() for one in folder.rglob("cgroup.procs") for pid in one.read_text().split()]


def _gone(gone: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + END_S
    while not gone():
        if time.monotonic() > deadline:
            raise NoCluster(f"{what} did not end within {END_S:.0f} s")
        time.sleep(0.1)
