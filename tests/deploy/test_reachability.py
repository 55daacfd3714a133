"""The network as declared: this list, and nobody else speaks to anybody."""

import copy

import pytest

from tests.deploy.objects import Object, named, of
from tests.deploy.reach import SERVICES, pods, reachable

Pair = tuple[str, str, int]
ROLES = ("rest", "rpc", "work", "project")
RUNNING = [f"{service}-{role}" for service in SERVICES for role in ROLES] + ["metrics-stream"]
API_SERVER = (443, 6443)
OUTSIDE = ("discovery", "ledger", "compliance", "metrics")
"""Whose effects reach out."""
ANYWHERE = ("internet", "metadata", "neighbour", "gateway", "monitoring", "operators", "autoscaling", "dns", "stranger")


def everywhere(names: list[str]) -> set[Pair]:
    """Edges, probes, traces, DNS, the world outside: the same in every overlay."""
    ours = [*RUNNING, *[f"{service}-migrate" for service in SERVICES]]
    pairs = {(name, "dns", 53) for name in names}
    pairs |= {("gateway", f"{service}-rest", 8100) for service in SERVICES}
    pairs |= {("gateway", f"{service}-rpc", 9100) for service in SERVICES}
    pairs |= {("monitoring", name, 8190) for name in ours}
    pairs |= {(name, "monitoring", 4318) for name in ours}
    pairs |= {(f"{service}-{role}", "internet", 443) for service in SERVICES for role in ("rest", "rpc")}
    pairs |= {("gateway", "console", 8100), ("monitoring", "console", 8190), ("console", "internet", 443)}
    pairs |= {
        ("console", f"{service}-{role}", port) for service in SERVICES for role, port in (("rest", 8100), ("rpc", 9100))
    }
    pairs |= {("discovery-work", "internet", port) for port in (465, 587)}
    return pairs | {(f"{service}-work", "internet", 443) for service in OUTSIDE}


def with_operators() -> set[Pair]:
    kafka, databases = ("kafka-broker", "kafka-controller"), [f"{service}-db" for service in SERVICES]
    pairs = {(name, one, 9093) for name in RUNNING for one in kafka}
    pairs |= {("autoscaling", one, 9093) for one in kafka}
    pairs |= {(one, other, port) for one in kafka for other in kafka if one != other for port in (8443, 9090, 9091)}
    pairs |= {("operators", one, port) for one in kafka for port in (8443, 9090, 9091)}
    pairs |= {("monitoring", one, 9404) for one in kafka}
    for service in SERVICES:
        mine = [name for name in (*RUNNING, f"{service}-migrate") if name.startswith(f"{service}-")]
        pairs |= {(name, f"{service}-db", 5432) for name in mine}
    pairs |= {(one, other, port) for one in databases for other in databases if one != other for port in (5432, 8000)}
    pairs |= {("operators", one, port) for one in databases for port in (5432, 8000)}
    pairs |= {("monitoring", one, 9187) for one in databases}
    return pairs | {(one, to, port) for one in (*kafka, *databases) for to in ANYWHERE for port in API_SERVER}


def in_dev() -> set[Pair]:
    pairs = {(name, "kafka", 9093) for name in RUNNING}
    pairs |= {(name, "postgres", 5432) for name in (*RUNNING, *[f"{service}-migrate" for service in SERVICES])}
    pairs |= {(f"{service}-work", "sandbox", 8110) for service in OUTSIDE}
    return pairs | {("sandbox", "ledger-rest", 8100), ("console", "identity", 8111)}


def test_who_reaches_whom(overlay: list[Object]) -> None:
    declared = with_operators() if any(of(overlay, "Kafka")) else in_dev()
    declared |= everywhere([one.name for one in pods(overlay)])
    computed = reachable(overlay)
    assert sorted(computed - declared) == []
    assert sorted(declared - computed) == []


@pytest.mark.parametrize(
    "policy", ["kafka", "ledger-database", "gateway-to-rest", "effects", "console", "console-to-rest", "console-to-rpc"]
)
def test_without_a_policy_somebody_reaches_more_or_less(policy: str, prod: list[Object]) -> None:
    objects = copy.deepcopy(prod)
    objects.remove(named(objects, "NetworkPolicy", policy))
    assert reachable(objects) != reachable(prod)


def test_a_pod_that_nobody_thought_of_reaches_nobody(prod: list[Object]) -> None:
    stray = {"kind": "Deployment", "metadata": {"name": "stray"}, "spec": {"template": {"metadata": {}, "spec": {}}}}
    objects = [*prod, stray]
    assert {pair for pair in reachable(objects) if "stray" in pair} == {("stray", "dns", 53)}
    objects.remove(named(objects, "NetworkPolicy", "deny-all"))
    assert ("stranger", "stray", -1) in reachable(objects)


def test_services_never_call_each_other(prod: list[Object]) -> None:
    among = {(one, other) for one, other, _ in reachable(prod) if {one, other} <= {*RUNNING}}
    assert among == set()
