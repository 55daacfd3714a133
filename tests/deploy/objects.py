"""Looking things up in rendered objects."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Object = dict[str, Any]
WORKLOADS = ("Deployment", "StatefulSet", "Job")
PLATFORM = ("DANDELION_SERVICE", "DANDELION_KAFKA_USER")
"""Variables that only manifests use, to build others."""


def of(objects: Iterable[Object], *kinds: str) -> Iterator[Object]:
    return (found for found in objects if found["kind"] in kinds)


def named(objects: Iterable[Object], kind: str, name: str) -> Object:
    """The one of that kind and name; StopIteration (an error in a test) when there is none."""
    return next(found for found in of(objects, kind) if name_of(found) == name)


def name_of(found: Object) -> str:
    return str(found["metadata"]["name"])


def title(found: Object) -> str:
    return f"{found['kind']} {name_of(found)}"


def template(workload: Object) -> Object:
    """The pod template."""
    found: Object = workload["spec"]["template"]
    return found


def pod(workload: Object) -> Object:
    found: Object = template(workload)["spec"]
    return found


def labels(workload: Object) -> dict[str, str]:
    """The labels its pods carry."""
    return dict(template(workload)["metadata"].get("labels", {}))


def containers(workload: Object) -> list[Object]:
    return [*pod(workload).get("initContainers", []), *pod(workload)["containers"]]


def matches(selector: Mapping[str, Any], found: Mapping[str, str]) -> bool:
    """A label selector as Kubernetes reads it: an empty one matches all."""
    wanted = selector.get("matchLabels", {})
    return all(found.get(key) == value for key, value in wanted.items()) and all(
        _expression(expression, found) for expression in selector.get("matchExpressions", ())
    )


def _expression(expression: Mapping[str, Any], found: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values", ())
    match expression["operator"]:
        case "In":
            return found.get(key) in values
        case "NotIn":
            return found.get(key) not in values
        case "Exists":
            return key in found
        case _:
            return key not in found


def ours(objects: Iterable[Object]) -> list[Object]:
    """Deployments and Jobs of the five services."""
    return [
        found
        for found in of(objects, "Deployment", "Job")
        if labels(found).get("app.kubernetes.io/part-of") == "dandelion"
    ]


def environment(objects: list[Object], workload: Object, container: Object) -> dict[str, str]:
    """What the container's process sees: ConfigMaps, then variables, `$(NAME)` expanded."""
    values: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        values |= named(objects, "ConfigMap", source["configMapRef"]["name"])["data"]
    for variable in container.get("env", ()):
        values[variable["name"]] = expanded(str(variable.get("value", "")), values)
    return values


def expanded(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"$({name})", value)
    return text
