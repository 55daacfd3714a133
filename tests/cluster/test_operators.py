"""Staging and prod at a real API server with the operators' CRDs: accepted as they are, CEL rules on, and stable.

No operator runs, so nothing of theirs comes up; a quota of no pods keeps the services' own from trying.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster.images import say
from tests.cluster.platform import NAMESPACE, Platform
from tools.cluster.use import Failed, Kubectl, chosen
from tools.deploy.crds import files
from tools.deploy.kubectl import K8S, parsed, render

LONG_S = 300.0
QUOTA = {
    "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "no-pods", "namespace": NAMESPACE},
    "spec": {"hard": {"pods": "0"}},
}  # fmt: skip


@pytest.fixture(scope="module")
def crds(kubectl: Kubectl) -> Iterator[list[str]]:
    """The kinds of the operators, known to the API server; gone afterwards."""
    texts = [path.read_text() for path in files()]
    names = [found["metadata"]["name"] for text in texts for found in parsed(text)]
    for text in texts:
        kubectl.run("apply", "--server-side", "-f", "-", text=text, timeout_s=LONG_S)
    waited = [f"customresourcedefinition/{name}" for name in names]
    kubectl.run("wait", "--for=condition=Established", *waited, "--timeout=60s", timeout_s=90)
    yield names
    kubectl.run("delete", *waited, timeout_s=LONG_S)


@pytest.fixture
def empty(kubectl: Kubectl, tmp_path: Path) -> Iterator[Kubectl]:
    """A new namespace of the overlay's own making, with no room for pods."""
    platform = Platform(chosen(NAMESPACE), tmp_path, "")
    platform.remove()
    namespace = next(found for found in parsed(render(K8S / "overlays" / "prod")) if found["kind"] == "Namespace")
    kubectl.apply(namespace)
    kubectl.apply(QUOTA)
    yield kubectl
    platform.remove()


@pytest.mark.parametrize("overlay", ["staging", "prod"])
def test_an_overlay_is_accepted_and_does_not_differ_afterwards(overlay: str, empty: Kubectl, crds: list[str]) -> None:
    folder = str(K8S / "overlays" / overlay)
    told = empty.run("apply", "--server-side", "-k", folder, timeout_s=LONG_S)
    assert len(told.splitlines()) == len(parsed(render(Path(folder))))
    assert empty.run("diff", "--server-side", "-k", folder, timeout_s=LONG_S) == ""
    say(
        f"{overlay}: {len(told.splitlines())} objects accepted, {len(crds)} kinds of operators; no difference afterwards"
    )


def test_a_rule_over_several_fields_is_enforced(empty: Kubectl, crds: list[str]) -> None:
    """What no schema alone says: the API server evaluates the CRDs' own expressions."""
    gateway = next(one for one in parsed(render(K8S / "overlays" / "prod")) if one["kind"] == "Gateway")
    gateway["spec"]["listeners"].append({**gateway["spec"]["listeners"][0], "name": "again"})
    with pytest.raises(Failed, match="port, protocol and hostname must be unique"):
        empty.run("apply", "--server-side", "-f", "-", text=yaml.safe_dump(gateway))
    listener = gateway["spec"]["listeners"][0]
    gateway["spec"]["listeners"] = [{"name": "plain", "port": 443, "protocol": "TCP", "hostname": listener["hostname"]}]
    with pytest.raises(Failed, match="hostname must not be specified"):
        empty.run("apply", "--server-side", "-f", "-", text=yaml.safe_dump(gateway))
