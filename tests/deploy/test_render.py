"""Everything renders: overlays, and each component on its own; and what comes out fits Kubernetes' and the operators' schemas."""

import copy
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.deploy.conftest import ROOT, fetched
from tests.deploy.objects import Object, name_of, of, title
from tools.deploy.kinds import errors
from tools.deploy.kubectl import parsed, render
from tools.deploy.scan import checkov

COMPONENTS = sorted(one.name for one in (ROOT / "deploy/k8s/components").iterdir() if one.is_dir())
UNCHECKED_IN_DEV = ("CKV_K8S_43", "CKV_K8S_15")
"""The dev overlay runs an image that no registry has: it has no digest, and pulling it always would fail."""


def test_objects_fit_their_schemas(overlay: list[Object]) -> None:
    with fetched():
        assert [error for found in overlay for error in errors(found)] == []


def test_an_unknown_field_is_an_error_in_every_kind(prod: list[Object]) -> None:
    with fetched():
        for kind in {found["kind"] for found in prod}:
            broken = copy.deepcopy(next(of(prod, kind)))
            (broken.get("spec") or broken)["notAField"] = 1
            assert list(errors(broken)), kind
        assert list(errors({"apiVersion": "example.com/v1", "kind": "Unknown", "metadata": {"name": "x"}}))


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_renders_over_the_base(component: str, tree: Path) -> None:
    folder = tree / "overlays" / f"only-{component}"
    folder.mkdir()
    made = {"resources": ["../../base"], "components": [f"../../components/{component}"], "namespace": "dandelion"}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(made))
    with fetched():
        objects = parsed(render(folder))
    titles = [title(found) for found in objects]
    assert len(titles) == len(set(titles))
    assert "SERVICE-" not in json.dumps(objects, default=str).replace("$(DANDELION_SERVICE)-", "")


def test_no_placeholder_is_left(overlay: list[Object]) -> None:
    text = json.dumps(overlay, default=str).replace("DANDELION_SERVICE", "")
    assert "SERVICE" not in text


def test_staging_has_every_object_that_prod_has(rendered: Callable[[str], list[Object]]) -> None:
    assert {title(one) for one in rendered("overlays/staging")} == {title(one) for one in rendered("overlays/prod")}


def test_markers_of_the_templates_do_not_reach_a_cluster(operated: list[Object]) -> None:
    maps = {name_of(found) for found in of(operated, "ConfigMap") if "-settings-" not in name_of(found)}
    assert {name.partition("-")[0] for name in maps} == {"platform", "dandelion"}


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_checkov_finds_nothing(name: str, rendered: Callable[[str], list[Object]], tmp_path: Path) -> None:
    (tmp_path / "objects.yaml").write_text(yaml.dump_all(rendered(f"overlays/{name}"), Dumper=yaml.CSafeDumper))
    with fetched():
        assert checkov(tmp_path, UNCHECKED_IN_DEV if name == "dev" else ()) == []


def test_checkov_looks(rendered: Callable[[str], list[Object]], tmp_path: Path) -> None:
    broken = copy.deepcopy(next(of(rendered("overlays/prod"), "Deployment")))
    broken["spec"]["template"]["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    (tmp_path / "objects.yaml").write_text(yaml.safe_dump(broken))
    with fetched():
        assert any("CKV_K8S_16" in found for found in checkov(tmp_path))


def test_the_dev_databases_script_is_bash() -> None:
    script = ROOT / "deploy/k8s/overlays/dev/databases.sh"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)
