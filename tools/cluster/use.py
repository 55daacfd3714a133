"""kubectl on the cluster of `make cluster`, or on the one that kubectl knows already (`CONTEXT=current`)."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.cluster.place import NoCluster, kubeconfig
from tools.deploy.kubectl import kubectl

VARIABLE = "CONTEXT"
CURRENT = "current"
RUN_S = 60.0
LAST_CHARS = 4_000


class Failed(Exception):
    """A kubectl command failed; the text is its last words."""


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl on one cluster and, with `namespace`, in one namespace."""

    env: Mapping[str, str]
    namespace: str = ""
    own: bool = False
    """Whether it is the cluster of `make cluster`, whose node is this machine."""
    command: Sequence[str] = field(default_factory=lambda: [str(kubectl())])

    def words(self, *arguments: str) -> list[str]:
        """The command with its arguments."""
        return [*self.command, *(["-n", self.namespace] if self.namespace else []), *arguments]

    def run(self, *arguments: str, text: str | None = None, timeout_s: float = RUN_S) -> str:
        """What `kubectl ...` says; raises Failed."""
        try:
            done = subprocess.run(
                self.words(*arguments), capture_output=True, text=True, input=text, timeout=timeout_s, check=False,
                env={**os.environ, **self.env},
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Failed(f"kubectl {' '.join(arguments)[:200]}: {error}") from error
        if done.returncode:
            raise Failed(f"kubectl {' '.join(arguments)[:200]}: {(done.stdout + done.stderr)[-LAST_CHARS:]}")
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """What `kubectl get ...` knows."""
        return json.loads(self.run("get", *arguments, "-o", "json"))

    def apply(self, *objects: Mapping[str, Any], timeout_s: float = RUN_S) -> str:
        """Server-side, so that the API server itself says what it does not understand."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        return self.run("apply", "--server-side", "--force-conflicts", "-f", "-", text=text, timeout_s=timeout_s)

    def answers(self) -> bool:
        with suppress(Failed):
            self.run("get", "--raw", "/readyz", timeout_s=10)
            return True
        return False


def ours(namespace: str = "") -> Kubectl:
    """The cluster of `make cluster`."""
    return Kubectl({"KUBECONFIG": str(kubeconfig())}, namespace, own=True)


def chosen(namespace: str = "") -> Kubectl:
    """The current context where CONTEXT=current says so, else ours; NoCluster when it does not answer."""
    current = os.environ.get(VARIABLE) == CURRENT
    if not current and not Path(kubeconfig()).exists():
        raise NoCluster("no cluster here: `make cluster` first, or CONTEXT=current")
    found = Kubectl({}, namespace) if current else ours(namespace)
    if not found.answers():
        raise NoCluster(
            "the cluster does not answer: " + ("kubectl's current context" if current else "`make cluster`")
        )
    return found
