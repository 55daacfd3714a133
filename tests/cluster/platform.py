"""The dev overlay in a namespace of a real cluster, with a storyteller's pod beside it."""

import asyncio
import base64
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.keys import make
from tools.cluster.use import Failed, Kubectl
from tools.deploy.kubectl import K8S
from tools.speed import patience

NAMESPACE = "dandelion"
OURS = "app.kubernetes.io/part-of=dandelion"
STORYTELLER = "storyteller"
OUTSIDE = "dandelion-outside"
ALL_READY_S = 900.0
GONE_S = 180.0
STORY_S = 900.0
AT_ONCE = 3
"""Migrations of one service that are started at the same moment."""


@dataclass(frozen=True, slots=True)
class Platform:
    """`kubectl` speaks in the platform's namespace; `tree` is the copy of deploy/k8s that was applied."""

    kubectl: Kubectl
    tree: Path
    tag: str

    def apply(self) -> None:
        """The overlay as `kubectl apply -k` does it."""
        self.kubectl.run("apply", "--server-side", "-k", str(self.tree / "overlays" / "tried"), timeout_s=ALL_READY_S)

    def remove(self) -> None:
        """The namespace with all that is in it."""
        self.kubectl.run("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait", f"--timeout={GONE_S:.0f}s",
                         timeout_s=GONE_S + 30)  # fmt: skip

    def deployments(self) -> list[str]:
        """Names of all Deployments of ours."""
        return [one["metadata"]["name"] for one in self.kubectl.json("deployments", "-l", OURS)["items"]]

    def pods(self, selector: str) -> list[dict[str, Any]]:
        """Those that are to stay."""
        found: list[dict[str, Any]] = self.kubectl.json("pods", "-l", selector)["items"]
        return [one for one in found if "deletionTimestamp" not in one["metadata"]]

    def wait(self, limit_s: float = ALL_READY_S) -> None:
        """Migrations done, everything else available."""
        for what in ("statefulset/postgres", "statefulset/kafka"):
            self.status(what, limit_s)
        jobs = [one["metadata"]["name"] for one in self.kubectl.json("jobs")["items"]]
        if jobs:
            self._wait("complete", [f"job/{name}" for name in jobs], limit_s)
        self._wait("available", ["deployment", "--all"], limit_s)

    def status(self, what: str, limit_s: float = ALL_READY_S) -> None:
        """Waits for a rollout; Failed when it does not end in time."""
        self.kubectl.run("rollout", "status", what, f"--timeout={limit_s:.0f}s", timeout_s=limit_s + 30)

    def _wait(self, condition: str, what: Sequence[str], limit_s: float) -> None:
        self.kubectl.run("wait", f"--for=condition={condition}", *what, f"--timeout={limit_s:.0f}s",
                         timeout_s=limit_s + 30)  # fmt: skip

    def metrics(self) -> str:
        """What all pods of ours show to Prometheus, fetched as it would be: pod by pod."""
        found = [one["metadata"]["name"] for one in self.pods(f"{OURS},app.kubernetes.io/component!=migrate")]
        path = f"/api/v1/namespaces/{NAMESPACE}/pods"
        return "\n".join(self.kubectl.run("get", "--raw", f"{path}/{name}:8190/proxy/metrics") for name in found)

    async def inside(self, *words: str, limit_s: float = STORY_S) -> str:
        """What a command in the storyteller's pod says; Failed with its last words."""
        running = await self.start(*words)
        try:
            out, error = await asyncio.wait_for(running.communicate(), patience(limit_s))
        finally:
            with suppress(ProcessLookupError):
                running.kill()
        if running.returncode:
            raise Failed(f"{' '.join(words)}: {(out + error).decode()[-6_000:]}")
        return out.decode()

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        """A command in the storyteller's pod, with its streams."""
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            *self.kubectl.words("exec", "-i", STORYTELLER, "--", "python", *words), stdin=pipe, stdout=pipe,
            stderr=pipe, env={**os.environ, **self.kubectl.env}, limit=16 * 1024 * 1024,
        )  # fmt: skip


def copied(folder: Path, tag: str) -> Path:
    """deploy/k8s with the keys and an overlay of one's own: the image of this run, visitors from one address, and every
    migration three times at once."""
    tree = folder / "k8s"
    shutil.copytree(K8S, tree, ignore=shutil.ignore_patterns("keys"))
    make(tree / "overlays" / "dev" / "keys")
    (tree / "overlays" / "tried").mkdir()
    (tree / "overlays" / "tried" / "kustomization.yaml").write_text(yaml.safe_dump(_overlay(tag)))
    return tree


def _overlay(tag: str) -> dict[str, Any]:
    clicks = ["DANDELION_CLICKS_PER_S=200", "DANDELION_CLICKS_BURST=2000"]
    several = [{"op": "add", "path": f"/spec/{name}", "value": AT_ONCE} for name in ("parallelism", "completions")]
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "namespace": NAMESPACE,
        "resources": ["../dev"], "images": [{"name": "dandelion", "newTag": tag}],
        "configMapGenerator": [{"name": "platform", "behavior": "merge", "literals": clicks}],
        "patches": [{"target": {"kind": "Job"}, "patch": json.dumps(several)}],
    }  # fmt: skip


def storyteller(keys: Path, tag: str) -> list[Mapping[str, Any]]:
    """A pod that sleeps until told what to do, with the development keys, and the right to reach what a caller reaches."""
    files = [one for one in sorted(keys.rglob("*")) if one.is_file()]
    names = {str(one.relative_to(keys)).replace("/", "."): one for one in files}
    items = [{"key": name, "path": str(one.relative_to(keys))} for name, one in names.items()]
    labels = {"app.kubernetes.io/name": STORYTELLER}
    metadata = {"name": STORYTELLER, "namespace": NAMESPACE, "labels": labels}
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {n: _encoded(one) for n, one in names.items()}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": _pod(tag, items)},
        _policy("storyteller-asks", labels, "Egress", [{}]),
        _policy("storyteller-is-heard", {}, "Ingress", [{"from": [{"podSelector": {"matchLabels": labels}}]}]),
    ]  # fmt: skip


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _pod(tag: str, items: list[dict[str, str]]) -> dict[str, Any]:
    mounts = [{"name": "tmp", "mountPath": "/tmp"}, {"name": "keys", "mountPath": "/run/outside", "readOnly": True}]
    return {
        "automountServiceAccountToken": False, "enableServiceLinks": False, "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True, "runAsUser": 10001, "fsGroup": 10001, "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [{
            "name": "main", "image": f"{OUTSIDE}:{tag}", "imagePullPolicy": "IfNotPresent",
            "args": ["-c", "import signal; signal.pause()"], "volumeMounts": mounts,
            "securityContext": {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
            },
        }],
        "volumes": [
            {"name": "tmp", "emptyDir": {}},
            {"name": "keys", "secret": {"secretName": STORYTELLER, "items": items, "defaultMode": 0o440}},
        ],
    }  # fmt: skip


def _policy(name: str, selected: Mapping[str, str], way: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    spec = {"podSelector": {"matchLabels": selected}, "policyTypes": [way], way.lower(): rules}
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}
