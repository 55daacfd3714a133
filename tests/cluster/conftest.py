"""One platform for all tests of this folder. `make cluster-test` runs them; others do not collect them."""

import os
from collections.abc import Iterator

import pytest

from tests.cluster.images import TAG, prepared
from tests.cluster.platform import NAMESPACE, Platform, copied, storyteller
from tools.cluster.use import Failed, Kubectl, chosen
from tools.cluster.volumes import renew

WANTED = "DANDELION_CLUSTER_TEST"
collect_ignore_glob = [] if os.environ.get(WANTED) else ["test_*.py"]


@pytest.fixture(scope="session")
def kubectl() -> Kubectl:
    """The cluster, with no namespace chosen."""
    return chosen()


@pytest.fixture(scope="session")
def platform(kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Everything ready, on empty volumes; gone afterwards."""
    made = Platform(chosen(NAMESPACE), copied(tmp_path_factory.mktemp("deploy"), TAG), TAG)
    prepared(kubectl.own)
    made.remove()
    if kubectl.own:
        renew(kubectl)
    try:
        made.apply()
        made.kubectl.apply(*storyteller(made.tree / "overlays" / "dev" / "keys", TAG))
        made.wait()
    except Failed as failed:
        pytest.fail(f"{failed}\n{_events(made)}", pytrace=False)
    yield made
    made.remove()


def _events(platform: Platform) -> str:
    """What the cluster says about pods that do not come."""
    pods = platform.kubectl.run("get", "pods", "-o", "wide")
    return pods + platform.kubectl.run("get", "events", "--sort-by=.lastTimestamp")[-6_000:]
