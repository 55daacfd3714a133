"""Rules over rendered objects: each yields what is wrong. test_rules.py runs them over every overlay and breaks each once."""

import re
from collections.abc import Callable, Iterator, Sequence

from kernel.adapters.database import POOL_SIZE
from kernel.runtime.roles import DRAIN_LIMIT_S
from tests.deploy.objects import (
    WORKLOADS,
    Object,
    containers,
    labels,
    matches,
    name_of,
    of,
    pod,
    title,
)
from tests.deploy.secret_rules import encrypted_bus, encrypted_edges, keys

Rule = Callable[[Sequence[Object]], Iterator[str]]
OPERATORS = re.compile(r"^(strimzi\.io|cnpg\.io|dandelion\.dev)/")
"""Labels that operators put on pods which no manifest of ours shows."""
SECRET_WORDS = re.compile(r"PASSWORD|SECRET|PRIVATE|CREDENTIAL|(?<!MASTER_)(?<!FINGERPRINT_)KEY|TOKEN")
NO_SECRETS = {"DANDELION_TOKEN_ISSUER", "DANDELION_TOKEN_AUDIENCE"}


def selectors(objects: Sequence[Object]) -> Iterator[str]:
    """Whatever selects pods selects some."""
    pods = [labels(found) for found in of(objects, *WORKLOADS)]
    for found in of(objects, "Service", "PodDisruptionBudget", "NetworkPolicy", "PodMonitor"):
        spec = found["spec"]
        selector = spec.get("podSelector", spec.get("selector", {}))
        if found["kind"] == "Service":
            selector = {"matchLabels": selector}
        if not any(OPERATORS.match(key) for key in _keys(selector)) and not any(matches(selector, one) for one in pods):
            yield f"{title(found)} selects no pod"


def _keys(selector: Object) -> list[str]:
    return [*selector.get("matchLabels", {}), *[one["key"] for one in selector.get("matchExpressions", ())]]


def targets(objects: Sequence[Object]) -> Iterator[str]:
    """Scalers scale what exists, and only one scales it; a scaled Deployment names no number, any other does."""
    scaled = []
    for scaler in of(objects, "HorizontalPodAutoscaler", "ScaledObject"):
        target = scaler["spec"]["scaleTargetRef"]["name"]
        if target not in [name_of(found) for found in of(objects, "Deployment")]:
            yield f"{title(scaler)} scales {target}, which is not there"
        scaled.append(target)
    for found in of(objects, "Deployment"):
        count = scaled.count(name_of(found))
        if count > 1 or (count == 1) == ("replicas" in found["spec"]):
            yield f"{title(found)}: {count} scalers and replicas {found['spec'].get('replicas')}"


def ports(objects: Sequence[Object]) -> Iterator[str]:
    """A Service's or monitor's port is one of every pod it selects; a probe's is one of its container."""
    for found in of(objects, "Service"):
        for workload in of(objects, *WORKLOADS):
            if matches({"matchLabels": found["spec"]["selector"]}, labels(workload)):
                known = {port["name"] for one in containers(workload) for port in one.get("ports", ())}
                wanted = {port["targetPort"] for port in found["spec"]["ports"]}
                if not wanted <= known:
                    yield f"{title(found)} sends to {wanted - known}, which {title(workload)} has not"
    for workload in of(objects, *WORKLOADS):
        for container in containers(workload):
            known = {value for port in container.get("ports", ()) for value in (port["name"], port["containerPort"])}
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                for port in _probe_ports(container.get(probe, {})):
                    if port not in known:
                        yield f"{title(workload)}: {probe} asks port {port}"


def _probe_ports(probe: Object) -> list[object]:
    return [probe[way]["port"] for way in ("httpGet", "tcpSocket", "grpc") if way in probe]


def probes(objects: Sequence[Object]) -> Iterator[str]:
    """All three, and being alive is not asked like being ready: a slow database must not restart everything."""
    for workload in of(objects, "Deployment", "StatefulSet"):
        for container in containers(workload):
            if container["name"] == "kafka":
                continue  # a broker's readiness is that it listens
            missing = [one for one in ("startupProbe", "livenessProbe", "readinessProbe") if one not in container]
            if missing:
                yield f"{title(workload)} lacks {missing}"
            elif _asked(container["livenessProbe"]) == _asked(container["readinessProbe"]):
                yield f"{title(workload)} asks the same for alive and ready"


def _asked(probe: Object) -> Object:
    return {way: probe[way] for way in ("httpGet", "tcpSocket", "grpc", "exec") if way in probe}


def disruption(objects: Sequence[Object]) -> Iterator[str]:
    """One budget per Deployment of ours; it lets a node be drained, and never takes the last pod of a scaled one."""
    budgets = list(of(objects, "PodDisruptionBudget"))
    for workload in of(objects, "Deployment"):
        if "app.kubernetes.io/part-of" not in labels(workload):
            continue
        mine = [one for one in budgets if matches(one["spec"]["selector"], labels(workload))]
        if len(mine) != 1:
            yield f"{title(workload)} has {len(mine)} budgets"
        elif mine[0]["spec"].get("maxUnavailable") != 1:
            yield f"{title(mine[0])} could block a drain or take too many"
    for scaler in of(objects, "HorizontalPodAutoscaler", "ScaledObject"):
        least = scaler["spec"].get("minReplicas", scaler["spec"].get("minReplicaCount", 0))
        if least < 2:
            yield f"{title(scaler)} goes down to {least}: a drain would leave nobody"


def restricted(objects: Sequence[Object]) -> Iterator[str]:
    """Pod Security "restricted", and stricter: high uid, read-only root, no token, no links, requests and limits."""
    for workload in of(objects, *WORKLOADS):
        spec, name = pod(workload), title(workload)
        if any(spec.get(host) for host in ("hostNetwork", "hostPID", "hostIPC")):
            yield f"{name} joins the host"
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{name} gets a token"
        if spec.get("enableServiceLinks") is not False:
            yield f"{name} gets variables of every Service"
        context = spec.get("securityContext", {})
        if not context.get("runAsNonRoot") or context.get("runAsUser", 0) < 10_000:
            yield f"{name} may run as a user of the host"
        if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{name} has no seccomp profile"
        for volume in spec.get("volumes", ()):
            if "hostPath" in volume:
                yield f"{name} mounts the host's {volume['hostPath']}"
        for container in containers(workload):
            yield from _contained(name, container)


def _contained(name: str, container: Object) -> Iterator[str]:
    context = container.get("securityContext", {})
    if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
        yield f"{name} may escalate"
    if context.get("capabilities", {}).get("drop") != ["ALL"] or context.get("capabilities", {}).get("add"):
        yield f"{name} keeps capabilities"
    if not context.get("readOnlyRootFilesystem"):
        yield f"{name} may write its root"
    for kind in ("requests", "limits"):
        if {"cpu", "memory"} - set(container.get("resources", {}).get(kind, {})):
            yield f"{name} has no {kind}"


def grace(objects: Sequence[Object]) -> Iterator[str]:
    """The pause before SIGTERM and the whole drain fit into the grace period."""
    for workload in of(objects, "Deployment"):
        if "app.kubernetes.io/part-of" not in labels(workload):
            continue
        pause = containers(workload)[0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        if not pause:
            yield f"{title(workload)} does not wait for endpoints to forget it"
        if pod(workload).get("terminationGracePeriodSeconds", 30) <= pause + DRAIN_LIMIT_S:
            yield f"{title(workload)} is killed while it drains"


def pinned(objects: Sequence[Object]) -> Iterator[str]:
    """Images by digest (not in dev, whose image no registry has)."""
    for workload in of(objects, *WORKLOADS):
        for container in containers(workload):
            if not re.search(r"@sha256:[0-9a-f]{64}$", container["image"]):
                yield f"{title(workload)} runs {container['image']}"


def secrets(objects: Sequence[Object]) -> Iterator[str]:
    """No secret in an environment variable or a ConfigMap: files only."""
    for found in of(objects, "ConfigMap"):
        yield from (f"{title(found)}: {name}" for name in found.get("data", {}) if _secret(name))
    for workload in of(objects, *WORKLOADS):
        for container in containers(workload):
            for source in container.get("envFrom", ()):
                if "secretRef" in source:
                    yield f"{title(workload)} takes all of {source['secretRef']['name']} as variables"
            for variable in container.get("env", ()):
                if "secretKeyRef" in variable.get("valueFrom", {}) or _secret(variable["name"]):
                    yield f"{title(workload)}: {variable['name']}"


def _secret(name: str) -> bool:
    told = bool(SECRET_WORDS.search(name)) and name.isupper()
    return told and not name.endswith(("_FILE", "_DIR")) and name not in NO_SECRETS


def references(objects: Sequence[Object]) -> Iterator[str]:
    """Every ConfigMap, Secret and ServiceAccount that a pod names is here, or made by an operator from what is here."""
    have = {(kind, name_of(found)) for kind in ("ConfigMap", "Secret", "ServiceAccount") for found in of(objects, kind)}
    have |= {("Secret", found["spec"]["target"]["name"]) for found in of(objects, "ExternalSecret")}
    have |= {("Secret", name_of(found)) for found in of(objects, "KafkaUser")}
    have |= {("Secret", found["spec"]["secretName"]) for found in of(objects, "Certificate")}
    have |= {("Secret", f"{name_of(found)}-cluster-ca-cert") for found in of(objects, "Kafka")}
    have |= {("Secret", f"{name_of(found)}-ca") for found in of(objects, "Cluster")}
    for workload in of(objects, *WORKLOADS):
        for wanted in _wanted(workload):
            if wanted not in have:
                yield f"{title(workload)} wants {wanted[0]} {wanted[1]}, which nobody makes"


def _wanted(workload: Object) -> Iterator[tuple[str, str]]:
    spec = pod(workload)
    if "serviceAccountName" in spec:
        yield "ServiceAccount", spec["serviceAccountName"]
    for volume in spec.get("volumes", ()):
        if "secret" in volume:
            yield "Secret", volume["secret"].get("secretName", "")
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"].get("name", "")
    for container in containers(workload):
        for source in container.get("envFrom", ()):
            yield "ConfigMap", source.get("configMapRef", {}).get("name", "")


def mounts(objects: Sequence[Object]) -> Iterator[str]:
    """Every mount has its volume and every volume is mounted; secrets are mounted read-only and not for all to read."""
    for workload in of(objects, *WORKLOADS):
        claims = [one["metadata"]["name"] for one in workload["spec"].get("volumeClaimTemplates", ())]
        volumes = {one["name"]: one for one in pod(workload).get("volumes", ())} | {key: {} for key in claims}
        used = [one for container in containers(workload) for one in container.get("volumeMounts", ())]
        if {one["name"] for one in used} != set(volumes):
            yield f"{title(workload)} mounts {sorted(one['name'] for one in used)} and has {sorted(volumes)}"
            continue
        for one in used:
            secret = volumes[one["name"]].get("secret")
            if secret and (not one.get("readOnly") or secret.get("defaultMode") != 0o440):
                yield f"{title(workload)}: {one['name']} is not kept"


def rights(objects: Sequence[Object]) -> Iterator[str]:
    """The services need nothing of the Kubernetes API, so nothing is granted."""
    for found in of(objects, "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"):
        yield f"{title(found)} grants something"
    for found in of(objects, "ServiceAccount"):
        if found.get("automountServiceAccountToken") is not False:
            yield f"{title(found)} hands out tokens"


def connections(objects: Sequence[Object]) -> Iterator[str]:
    """All pods that may run at once, a surge included, fit the database user's limit, and that the server's."""
    for cluster in of(objects, "Cluster"):
        service = name_of(cluster).removesuffix("-db")
        users = {role["name"]: role for role in cluster["spec"]["managed"]["roles"]}
        limit = users[f"{service}_app"].get("connectionLimit", 0)
        most = sum(_most(objects, one) + 1 for one in of(objects, "Deployment") if _service(one) == service)
        if most * 2 * POOL_SIZE > limit or limit > int(cluster["spec"]["postgresql"]["parameters"]["max_connections"]):
            yield f"{title(cluster)}: {most} pods may want {most * 2 * POOL_SIZE} connections of {limit}"


def _service(workload: Object) -> str:
    return labels(workload).get("app.kubernetes.io/name", "")


def _most(objects: Sequence[Object], workload: Object) -> int:
    for scaler in of(objects, "HorizontalPodAutoscaler", "ScaledObject"):
        if scaler["spec"]["scaleTargetRef"]["name"] == name_of(workload):
            return int(scaler["spec"].get("maxReplicas", scaler["spec"].get("maxReplicaCount")))
    return int(workload["spec"]["replicas"])


def spread(objects: Sequence[Object]) -> Iterator[str]:
    """A Deployment of ours spreads over zones and hosts, and counts its own pods in doing so."""
    for workload in of(objects, "Deployment"):
        if "app.kubernetes.io/part-of" not in labels(workload):
            continue
        constraints = pod(workload).get("topologySpreadConstraints", [])
        mine = [one["topologyKey"] for one in constraints if matches(one["labelSelector"], labels(workload))]
        if name_of(workload) != "metrics-stream" and len(mine) != 2:
            yield f"{title(workload)} spreads over {mine}"


def one_home(objects: Sequence[Object]) -> Iterator[str]:
    """All in one namespace, which enforces Pod Security."""
    homes = list(of(objects, "Namespace"))
    if [home["metadata"]["labels"].get("pod-security.kubernetes.io/enforce") for home in homes] != ["restricted"]:
        yield "there is not one namespace that enforces Pod Security"
        return
    for found in objects:
        if found["kind"] != "Namespace" and found["metadata"].get("namespace") != name_of(homes[0]):
            yield f"{title(found)} is in {found['metadata'].get('namespace')}"


EVERYWHERE: tuple[Rule, ...] = (
    selectors, targets, ports, probes, disruption, restricted, grace, secrets, references, mounts, rights, connections,
    spread, one_home, keys, encrypted_bus,
)  # fmt: skip
IN_OPERATED: tuple[Rule, ...] = (pinned, encrypted_edges)
