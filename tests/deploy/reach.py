"""Who reaches whom by the NetworkPolicies: a pair may speak on a port when one side may send and the other may receive."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from tests.deploy.objects import Object, labels, matches, name_of, of


@dataclass(frozen=True)
class Peer:
    """A pod, or somebody outside the namespace: by its labels and its namespace's, or by its address."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace: Mapping[str, str] | None = None
    """None: the namespace of the policies."""
    address: str = ""


OUTSIDERS = [
    Peer("gateway", {}, {"dandelion.dev/gateway": "true"}),
    Peer("monitoring", {}, {"dandelion.dev/monitoring": "true"}),
    Peer("operators", {}, {"dandelion.dev/operators": "true"}),
    Peer("autoscaling", {}, {"dandelion.dev/autoscaling": "true"}),
    Peer("dns", {"k8s-app": "kube-dns"}, {"kubernetes.io/metadata.name": "kube-system"}),
    Peer("stranger", {}, {"kubernetes.io/metadata.name": "default"}),
    Peer("internet", address="203.0.113.7"),
    Peer("metadata", address="169.254.169.254"),
    Peer("neighbour", address="10.1.2.3"),
]
SERVICES = ("discovery", "campaigns", "ledger", "compliance", "metrics")


def pods(objects: Sequence[Object]) -> list[Peer]:
    """Our workloads' pods, and those that operators will make from what is here."""
    found = [Peer(name_of(one), labels(one)) for one in of(objects, "Deployment", "StatefulSet", "Job")]
    for cluster in of(objects, "Cluster"):
        more = cluster["spec"]["inheritedMetadata"]["labels"]
        found.append(Peer(name_of(cluster), {"cnpg.io/cluster": name_of(cluster), **more}))
    for pool in of(objects, "KafkaNodePool"):
        made = pool["spec"]["template"]["pod"]["metadata"]["labels"]
        found.append(Peer(f"kafka-{name_of(pool)}", {"strimzi.io/cluster": "dandelion", **made}))
    return found


def reachable(objects: Sequence[Object]) -> set[tuple[str, str, int]]:
    """`(from, to, port)` of every pair that may speak; outsiders' own policies are taken to allow everything."""
    inside = pods(objects)
    policies = list(of(objects, "NetworkPolicy"))
    found = set()
    for source in [*inside, *OUTSIDERS]:
        for target in [*inside, *OUTSIDERS]:
            if source != target and (source in inside or target in inside):
                sends = _allowed(policies, source, target, "Egress") if source in inside else EVERY
                takes = _allowed(policies, target, source, "Ingress") if target in inside else EVERY
                found |= {(source.name, target.name, port) for port in _both(sends, takes)}
    return found


EVERY = frozenset({-1})


def _both(sends: frozenset[int], takes: frozenset[int]) -> frozenset[int]:
    if sends == EVERY or takes == EVERY:
        return sends if takes == EVERY else takes
    return sends & takes


def _allowed(policies: Sequence[Object], owner: Peer, other: Peer, direction: str) -> frozenset[int]:
    """The ports on which `owner`'s policies let it speak with `other`; EVERY when no policy selects it."""
    mine = [
        one["spec"]
        for one in policies
        if direction in one["spec"]["policyTypes"] and matches(one["spec"]["podSelector"], owner.labels)
    ]
    if not mine:
        return EVERY
    word, side = ("to", "egress") if direction == "Egress" else ("from", "ingress")
    return frozenset(port for spec in mine for rule in spec.get(side, ()) for port in _ports(rule, word, other))


def _ports(rule: Mapping[str, Any], word: str, other: Peer) -> Iterator[int]:
    if word not in rule or any(_is(peer, other) for peer in rule[word]):
        yield from (port["port"] for port in rule["ports"])


def _is(peer: Mapping[str, Any], other: Peer) -> bool:
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        address = ip_address(other.address) if other.address else None
        return address is not None and (
            address in ip_network(block["cidr"]) and not any(address in ip_network(one) for one in block["except"])
        )
    if other.address:
        return False
    if "namespaceSelector" in peer:
        if other.namespace is None or not matches(peer["namespaceSelector"], other.namespace):
            return False
    elif other.namespace is not None:
        return False
    return matches(peer.get("podSelector", {}), other.labels)
