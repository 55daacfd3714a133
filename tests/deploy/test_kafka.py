"""Topics and rights at the broker against the code: every topic with its partitions, and each user what its service does."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.embedded import WIRED
from kernel.adapters.bus import COMMAND_RETENTION_MS, MAX_MESSAGE_BYTES, PARTITIONS
from services.metrics.settings import MetricsSettings
from services.metrics.subscribe import ENGAGEMENT
from tests.deploy.conftest import ROOT
from tests.deploy.objects import Object, environment, name_of, named, of, ours

Right = tuple[str, str, str]
"""(service, operation, topic)"""


def topics() -> dict[str, int]:
    return {topic: count for service in WIRED.values() for topic, count in service.topics().items()}


def requests(service: str) -> set[str]:
    """Targets of the commands a service sends, itself included, as its publish code names them: `_request("ledger", ...)`."""
    folder = ROOT / "services" / service
    text = "".join(one.read_text() for one in _sources(folder))
    return set(re.findall(r"\b_?[rR]equest\(\s*\"(\w+)\"", text)) & set(WIRED)


def _sources(folder: Path) -> Iterator[Path]:
    yield from folder.glob("publish*.py")
    yield from folder.glob("publish/*.py")


def needed() -> set[Right]:
    """What the code does: own events and requests out, own commands and others' events in."""
    rights = set()
    for name, service in WIRED.items():
        sources = [*[one.topics for one in service.projections], *[one.topics for one in service.processes]]
        reads = {topic.name for topics in sources for topic in topics}
        rights |= {(name, "Read", topic) for topic in {*reads, f"{name}.commands.v1"}}
        rights |= {(name, "Write", f"{name}.events.v1")}
        rights |= {(name, "Write", f"{target}.commands.v1") for target in requests(name)}
    return rights | {("metrics", "Write", ENGAGEMENT.name)}  # beside the relay: the edge sends engagement


def granted(objects: list[Object]) -> set[Right]:
    found = set()
    for user in of(objects, "KafkaUser"):
        for rule in user["spec"]["authorization"]["acls"]:
            assert rule.get("host", "*") == "*"
            if rule["resource"]["type"] == "topic":
                assert rule["resource"].get("patternType", "literal") == "literal"
                name = name_of(user).removesuffix("-kafka")
                found |= {(name, operation, rule["resource"]["name"]) for operation in rule["operations"]}
    return found


def test_there_is_a_topic_object_for_every_topic(operated: list[Object]) -> None:
    found = {name_of(one): one["spec"] for one in of(operated, "KafkaTopic")}
    assert {name: spec["partitions"] for name, spec in found.items()} == topics()
    for name, spec in found.items():
        keeps = COMMAND_RETENTION_MS if ".commands." in name else -1
        assert spec["config"]["retention.ms"] == keeps
        assert spec["config"]["max.message.bytes"] > MAX_MESSAGE_BYTES
        assert (spec["replicas"], spec["config"]["min.insync.replicas"]) == (3, 2)


def test_each_user_may_do_what_its_service_does_and_nothing_else(operated: list[Object]) -> None:
    assert granted(operated) == needed()


def test_the_requests_found_in_the_code_are_the_known_ones() -> None:
    assert {name: requests(name) for name in WIRED if requests(name)} == {
        "campaigns": {"campaigns", "compliance", "discovery", "ledger"},
        "discovery": {"discovery"},
        "metrics": {"metrics"},
    }


def test_each_user_tells_offsets_under_its_own_name_only(operated: list[Object]) -> None:
    for user in of(operated, "KafkaUser"):
        service = name_of(user).removesuffix("-kafka")
        groups = [one for one in user["spec"]["authorization"]["acls"] if one["resource"]["type"] != "topic"]
        wanted = {"type": "group", "name": f"{service}.", "patternType": "prefix"}
        assert groups == [{"resource": wanted, "operations": ["Read"]}]
        assert user["spec"]["authentication"] == {"type": "scram-sha-512"}


def test_the_windows_group_is_metrics_own(overlay: list[Object], monkeypatch: pytest.MonkeyPatch) -> None:
    workload = next(one for one in ours(overlay) if name_of(one) == "metrics-stream")
    container = workload["spec"]["template"]["spec"]["containers"][0]
    for name, value in environment(overlay, workload, container).items():
        monkeypatch.setenv(name, value)
    assert MetricsSettings().stream_group.startswith("metrics.")


def test_the_broker_refuses_what_is_not_granted_and_loses_nothing(operated: list[Object]) -> None:
    config = named(operated, "Kafka", "dandelion")["spec"]["kafka"]["config"]
    assert config["allow.everyone.if.no.acl.found"] == "false"
    assert config["auto.create.topics.enable"] == "false"
    assert config["unclean.leader.election.enable"] == "false"
    assert (config["default.replication.factor"], config["min.insync.replicas"]) == (3, 2)
    listeners = named(operated, "Kafka", "dandelion")["spec"]["kafka"]["listeners"]
    assert [(one["tls"], one["authentication"]["type"]) for one in listeners] == [(True, "scram-sha-512")]


def test_scalers_look_at_lag_that_a_read_model_tells(operated: list[Object]) -> None:
    wanted = {
        (name, f"{name}.{one.name}", topic.name)
        for name, service in WIRED.items()
        for one in service.projections
        for topic in one.topics
    }
    found = set()
    for scaler in of(operated, "ScaledObject"):
        assert scaler["spec"]["maxReplicaCount"] <= PARTITIONS
        service = name_of(scaler).removesuffix("-project")
        for trigger in scaler["spec"]["triggers"]:
            found.add((service, trigger["metadata"]["consumerGroup"], trigger["metadata"]["topic"]))
    assert found == wanted
