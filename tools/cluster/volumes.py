"""Volumes of the node's own disk: a few, bound to whoever asks first, and made anew when they were used."""

import shutil
from typing import Any

from tools.cluster.place import FOLDER, NODE
from tools.cluster.use import Kubectl

COUNT = 4
SIZE = "10Gi"


def renew(kubectl: Kubectl) -> None:
    """Gives back what nobody claims any more, empty."""
    found = {one["metadata"]["name"]: one["status"].get("phase") for one in kubectl.json("persistentvolumes")["items"]}
    for number in range(COUNT):
        name = f"local-{number}"
        if found.get(name) in ("Bound", "Available"):
            continue
        if name in found:
            kubectl.run("delete", "persistentvolume", name)
        shutil.rmtree(FOLDER / "volumes" / name, ignore_errors=True)
        (FOLDER / "volumes" / name).mkdir(parents=True)
        kubectl.apply(_volume(name))


def _volume(name: str) -> dict[str, Any]:
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE]}
    return {
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": SIZE}, "accessModes": ["ReadWriteOnce"], "storageClassName": "local",
            "persistentVolumeReclaimPolicy": "Retain", "local": {"path": str(FOLDER / "volumes" / name)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }  # fmt: skip
