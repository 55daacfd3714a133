"""Every rule holds for every overlay, and every rule bites when what it guards is broken."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.deploy import rules
from tests.deploy.objects import Object, containers, named, pod
from tests.deploy.secret_rules import encrypted_bus, encrypted_edges, keys

Break = Callable[[list[Object]], Any]


@pytest.mark.parametrize("rule", rules.EVERYWHERE, ids=lambda rule: rule.__name__)
def test_rule_holds(rule: rules.Rule, overlay: list[Object]) -> None:
    assert list(rule(overlay)) == []


@pytest.mark.parametrize("rule", rules.IN_OPERATED, ids=lambda rule: rule.__name__)
def test_rule_holds_with_operators(rule: rules.Rule, operated: list[Object]) -> None:
    assert list(rule(operated)) == []


def deployment(objects: list[Object], name: str = "ledger-rest") -> Object:
    return named(objects, "Deployment", name)


def main(objects: list[Object], name: str = "ledger-rest") -> Object:
    return containers(deployment(objects, name))[0]


def key_files(objects: list[Object], name: str = "ledger-rest", volume: str = "keys") -> Object:
    found: Object = next(one for one in pod(deployment(objects, name))["volumes"] if one["name"] == volume)["secret"]
    return found


def bus_url(objects: list[Object], name: str = "ledger-rest") -> Object:
    found: Object = next(one for one in main(objects, name)["env"] if one["name"] == "DANDELION_BUS_URL")
    return found


BREAKS: list[tuple[rules.Rule, str, Break]] = [
    (encrypted_bus, "plaintext", lambda o: bus_url(o).update(value="kafka://dandelion-kafka-bootstrap:9093")),
    (encrypted_bus, "development", lambda o: main(o)["env"].append({"name": "DANDELION_DEVELOPMENT", "value": "true"})),
    (encrypted_edges, "no certificate", lambda o: main(o)["env"].remove(
        next(one for one in main(o)["env"] if one["name"] == "DANDELION_TLS_CERTIFICATE_FILE"))),
    (encrypted_edges, "plaintext", lambda o: main(o)["env"].append({"name": "DANDELION_PLAINTEXT_EDGES", "value": "true"})),
    (encrypted_edges, "another name", lambda o: named(o, "Certificate", "ledger-tls")["spec"].update(dnsNames=["ledger"])),
    (encrypted_edges, "unchecked", lambda o: o.remove(named(o, "BackendTLSPolicy", "ledger-rest"))),
    (encrypted_edges, "checked by another name", 
     lambda o: named(o, "BackendTLSPolicy", "ledger-rest")["spec"]["validation"].update(hostname="metrics-rest")),
    (encrypted_edges, "said to be plain", 
     lambda o: named(o, "Service", "ledger-rpc")["spec"]["ports"][0].update(appProtocol="kubernetes.io/h2c")),
    (encrypted_edges, "anybody", lambda o: named(o, "Gateway", "dandelion")["spec"].pop("tls")),
    (keys, "callers' key", lambda o: key_files(o, volume="callers")["items"].append({"key": "tls.key", "path": "tls.key"})),
    (keys, "whole secret", lambda o: key_files(o).pop("items")),
    (keys, "master keys", lambda o: key_files(o)["items"].append({"key": "master.keys", "path": "master.keys"})),
    (keys, "master keys told", lambda o: (
        key_files(o)["items"].append({"key": "master.keys", "path": "master.keys"}),
        main(o)["env"].append({"name": "DANDELION_MASTER_KEYS_FILE", "value": "/run/dandelion/keys/master.keys"}))),
    (keys, "no master keys", lambda o: key_files(o, "discovery-rpc")["items"].pop()),
    (keys, "of another role", lambda o: key_files(o, volume="psp")["items"].append({"key": "api.key", "path": "api.key"})),
    (rules.selectors, "service", lambda o: named(o, "Service", "ledger-rest")["spec"]["selector"].update(x="y")),
    (rules.selectors, "policy", 
     lambda o: named(o, "NetworkPolicy", "effects")["spec"]["podSelector"]["matchLabels"].update(x="y")),
    (rules.targets, "both", lambda o: deployment(o)["spec"].update(replicas=3)),
    (rules.targets, "neither", lambda o: deployment(o, "ledger-work")["spec"].pop("replicas")),
    (rules.targets, "gone", lambda o: o.remove(deployment(o))),
    (rules.ports, "service", lambda o: named(o, "Service", "ledger-rest")["spec"]["ports"][0].update(targetPort="web")),
    (rules.ports, "probe", lambda o: main(o)["livenessProbe"]["httpGet"].update(port=1)),
    (rules.probes, "same", lambda o: main(o).update(livenessProbe=main(o)["readinessProbe"])),
    (rules.probes, "none", lambda o: main(o).pop("startupProbe")),
    (rules.disruption, "none", lambda o: o.remove(named(o, "PodDisruptionBudget", "ledger-rest"))),
    (rules.disruption, "blocks", lambda o: named(o, "PodDisruptionBudget", "ledger-rest").update(
        spec={"minAvailable": 2, "selector": named(o, "PodDisruptionBudget", "ledger-rest")["spec"]["selector"]})),
    (rules.disruption, "last pod", lambda o: named(o, "HorizontalPodAutoscaler", "ledger-rest")["spec"].update(minReplicas=1)),
    (rules.restricted, "root", lambda o: pod(deployment(o))["securityContext"].update(runAsUser=0)),
    (rules.restricted, "low uid", lambda o: pod(deployment(o))["securityContext"].update(runAsUser=1000)),
    (rules.restricted, "seccomp", lambda o: pod(deployment(o))["securityContext"].pop("seccompProfile")),
    (rules.restricted, "token", lambda o: pod(deployment(o)).pop("automountServiceAccountToken")),
    (rules.restricted, "links", lambda o: pod(deployment(o)).pop("enableServiceLinks")),
    (rules.restricted, "host", lambda o: pod(deployment(o)).update(hostNetwork=True)),
    (rules.restricted, "host path", lambda o: pod(deployment(o))["volumes"].append({"hostPath": {"path": "/"}})),
    (rules.restricted, "escalation", lambda o: main(o)["securityContext"].update(allowPrivilegeEscalation=True)),
    (rules.restricted, "capability", lambda o: main(o)["securityContext"]["capabilities"].update(add=["NET_ADMIN"])),
    (rules.restricted, "root files", lambda o: main(o)["securityContext"].update(readOnlyRootFilesystem=False)),
    (rules.restricted, "limits", lambda o: main(o)["resources"]["limits"].pop("memory")),
    (rules.grace, "short", lambda o: pod(deployment(o)).update(terminationGracePeriodSeconds=20)),
    (rules.grace, "no pause", lambda o: main(o).pop("lifecycle")),
    (rules.pinned, "tag", lambda o: main(o).update(image="registry.example.com/dandelion:1")),
    (rules.secrets, "variable", lambda o: main(o)["env"].append({"name": "DATABASE_PASSWORD", "value": "x"})),
    (rules.secrets, "reference", lambda o: main(o)["env"].append({"name": "X", "valueFrom": {"secretKeyRef": {}}})),
    (rules.secrets, "all", lambda o: main(o)["envFrom"].append({"secretRef": {"name": "ledger-psp"}})),
    (rules.secrets, "config", lambda o: o.append({"kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"API_KEY": "x"}})),
    (rules.references, "secret", lambda o: o.remove(named(o, "ExternalSecret", "ledger-keys"))),
    (rules.references, "user", lambda o: o.remove(named(o, "KafkaUser", "ledger-kafka"))),
    (rules.references, "account", lambda o: o.remove(named(o, "ServiceAccount", "ledger-runtime"))),
    (rules.mounts, "volume", lambda o: pod(deployment(o))["volumes"].pop()),
    (rules.mounts, "writable", lambda o: main(o)["volumeMounts"][-1].update(readOnly=False)),
    (rules.rights, "role", lambda o: o.append({"kind": "Role", "metadata": {"name": "x"}})),
    (rules.rights, "token", lambda o: named(o, "ServiceAccount", "ledger-runtime").pop("automountServiceAccountToken")),
    (rules.connections, "many", lambda o: named(o, "HorizontalPodAutoscaler", "metrics-rest")["spec"].update(maxReplicas=60)),
    (rules.spread, "others", 
     lambda o: pod(deployment(o))["topologySpreadConstraints"][0]["labelSelector"].update(matchLabels={"x": "y"})),
    (rules.one_home, "elsewhere", lambda o: deployment(o)["metadata"].update(namespace="default")),
    (rules.one_home, "unguarded", lambda o: named(o, "Namespace", "dandelion")["metadata"]["labels"].clear()),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "what", "broken"), BREAKS, ids=lambda one: getattr(one, "__name__", one))
def test_rule_bites(rule: rules.Rule, what: str, broken: Break, prod: list[Object]) -> None:
    objects = copy.deepcopy(prod)
    broken(objects)
    assert list(rule(objects)), f"{rule.__name__} does not see: {what}"


def test_every_rule_is_broken_once() -> None:
    assert {rule for rule, _, _ in BREAKS} == {*rules.EVERYWHERE, *rules.IN_OPERATED}
