"""Where the cluster is: its folder, its addresses, and the error that says why there is none."""

from pathlib import Path

FOLDER = Path("/var/lib/dandelion-cluster")
NODE = "dandelion"
LINK = "dandelion0"
"""The machine's end of the cable to the node; the other end is eth0 of the node's namespace."""
MACHINE_ADDRESS, NODE_ADDRESS, PREFIX = "172.31.255.1", "172.31.255.2", 30
PODS, NODE_PODS, SERVICES = "10.244.0.0/16", "10.244.0.0/24", "10.96.0.0/16"
API_SERVICE, DNS_SERVICE = "10.96.0.1", "10.96.0.10"
API = f"https://{NODE_ADDRESS}:6443"
DNS_PORT = 10_053
PAUSE = "local/pause:1"


class NoCluster(Exception):
    """There can be no cluster here; the text says why, for people."""


def kubeconfig(who: str = "admin") -> Path:
    """How `who` of the cluster's own parts reaches its API; people are `admin`."""
    return FOLDER / f"{who}.kubeconfig"


def socket() -> Path:
    """containerd's."""
    return FOLDER / "containerd.sock"
