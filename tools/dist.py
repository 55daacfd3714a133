"""What a release gives to those who write clients: `make dist` puts it into dist/.

The wheel `dandelion-contracts`, each service's OpenAPI document, the proto files as one descriptor set (for grpcurl, gateways and
generators that read no .proto), and the SHA-256 of each.
"""

import asyncio
import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from kernel.edge.tokens.dev_issuer import Issuer
from kernel.host.app import Service, open_app
from services.campaigns.wiring import SERVICE as CAMPAIGNS
from services.compliance.wiring import SERVICE as COMPLIANCE
from services.discovery.wiring import SERVICE as DISCOVERY
from services.ledger.wiring import SERVICE as LEDGER
from services.metrics.wiring import SERVICE as METRICS
from tools.proto import PROTO, tool, workspace

ROOT = Path(__file__).resolve().parent.parent
SERVICES = (DISCOVERY, CAMPAIGNS, LEDGER, COMPLIANCE, METRICS)
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


def wheel(into: Path) -> None:
    """The wheel of contracts/, built from a copy: a build leaves nothing in the tree."""
    with tempfile.TemporaryDirectory() as name:
        ignored = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")
        source = shutil.copytree(ROOT / "contracts", Path(name, "contracts"), ignore=ignored)
        subprocess.run([sys.executable, "-c", BUILD, str(into.resolve())], cwd=source, check=True, capture_output=True)


async def openapi(service: Service) -> dict[str, Any]:
    """A service's document; its settings are of a folder that is thrown away, and no database is asked."""
    with tempfile.TemporaryDirectory() as name:
        app = open_app(service, service.settings.model_validate(_settings(Path(name))))
        try:
            return dict(app.api().openapi())
        finally:
            await app.close()


def _settings(folder: Path) -> dict[str, Any]:
    Issuer.at(folder / "issuer", "https://issuer.test", "dandelion")
    (folder / "key").write_bytes(os.urandom(32))
    (folder / "master.keys").write_text(f"k1 {base64.b64encode(os.urandom(32)).decode()}\n")
    (folder / "secret").write_text(f"whsec_{base64.b64encode(os.urandom(32)).decode()}\n")
    return {
        "database_url": f"sqlite+aiosqlite:///{folder / 'service.db'}",
        "bus_url": f"local:///{folder / 'bus.db'}",
        "jwks": str(folder / "issuer" / "jwks.json"),
        "token_issuer": "https://issuer.test",
        "fingerprint_key_file": folder / "key",
        "master_keys_file": folder / "master.keys",
        "psp_key_file": folder / "secret",
        "psp_webhook_secrets_file": folder / "secret",
    }


def descriptors(into: Path) -> None:
    """All proto files with their comments and what they import, as a FileDescriptorSet that tells buf which file is which."""
    with workspace(PROTO) as place:
        command = [tool("buf"), "build", "proto", "-o", str(into.resolve() / "dandelion.binpb")]
        subprocess.run(command, cwd=place, check=True)


def make(into: Path) -> list[str]:
    """Makes everything anew in the folder; the names of the files."""
    shutil.rmtree(into, ignore_errors=True)
    (into / "openapi").mkdir(parents=True)
    wheel(into)
    descriptors(into)
    for service in SERVICES:
        document = json.dumps(asyncio.run(openapi(service)), ensure_ascii=False, indent=1, sort_keys=True)
        (into / "openapi" / f"{service.name}.json").write_text(f"{document}\n")
    made = sorted(path for path in into.rglob("*") if path.is_file())
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(into)}\n" for path in made]
    (into / "SHA256SUMS").write_text("".join(sums))
    return [str(path.relative_to(into)) for path in made]


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist")
    for one in make(folder):
        print(f"{folder.name}/{one}")
