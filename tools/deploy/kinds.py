"""Holds Kubernetes objects to their schemas, strictly: an unknown field is an error, and so is an unknown kind.

Kubernetes' own kinds come from the kubernetes-validate wheel, CRDs' from deploy/schemas (made by tools.deploy.crds).
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from tools.deploy.kubectl import ROOT
from tools.deploy.wheels import unpacked

VERSION = "1.37.0"
CRDS = ROOT / "deploy" / "schemas"


def errors(found: dict[str, Any]) -> Iterator[str]:
    """What is wrong with one object, by its schema."""
    name = f"{found.get('kind')} {found.get('metadata', {}).get('name')}"
    path = schema_of(str(found.get("apiVersion")), str(found.get("kind")))
    if path is None:
        yield f"{name}: no schema for {found.get('apiVersion')}"
        return
    for error in _validator(path).iter_errors(found):
        where = "/".join(str(part) for part in error.instance_path)
        yield f"{name}: {where}: {error.message[:300]}"


def schema_of(version: str, kind: str) -> Path | None:
    """The file that describes a kind; None when there is none."""
    group, _, number = version.rpartition("/")
    if ("." in group and not group.endswith(".k8s.io")) or group.startswith("gateway."):
        path = CRDS / f"{group}_{kind.lower()}_{number}.json"
    else:
        short = "-".join(part for part in (kind.lower(), group.split(".")[0], number) if part)
        path = _own() / f"{short}.json"
    return path if path.is_file() else None


def _own() -> Path:
    return unpacked("kubernetes-validate") / "kubernetes_validate/kubernetes-json-schema" / f"v{VERSION}-local-strict"


@cache
def _validator(path: Path) -> Any:
    """Never asks the network: what a schema refers to stands in the registry or is an error."""
    schema = json.loads(path.read_text())
    if path.parent == CRDS:
        return jsonschema_rs.Draft7Validator(schema)
    return jsonschema_rs.Draft7Validator(schema, registry=_definitions())


@cache
def _definitions() -> Any:
    shared = json.loads((_own() / "_definitions.json").read_text())
    return jsonschema_rs.Registry([("https://kubernetes.io/api/_definitions.json", shared)])
