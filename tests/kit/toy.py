"""The counters as a whole service, to run as a process of its own: `python -m tests.kit.toy rest relay project`."""

import asyncio
import base64
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from kernel import lease
from kernel.app import App, Service
from kernel.errors import Fault
from kernel.main import main
from kernel.run import Role
from kernel.settings import Settings
from tests.kit import counter

ROOT = Path(__file__).parents[2]
LEASE_TTL_S = "TOY_LEASE_TTL_S"
"""How long a lease lasts that is not given back, where a test must not pass by waiting for it."""


def make_api(app: App) -> FastAPI:
    """`POST /add/<stream>/<key>` adds one for `owner`; answers the position, or the fault's code."""
    api = FastAPI()

    @api.post("/add/{stream}/{key}")
    async def add(stream: str, key: str, owner: str = "all") -> JSONResponse:
        try:
            receipt = await app.writer.execute(stream, counter.Add(1, owner), counter.meta(key))
        except Fault as fault:
            return JSONResponse({"code": fault.code}, 503 if fault.kind == "unavailable" else 409)
        return JSONResponse({"position": receipt.position})

    return api


def make_rpc(app: App) -> Role:
    async def serve(stop: asyncio.Event) -> None:
        await stop.wait()

    return Role("rpc", serve)


SERVICE = Service(
    name="toys",
    metadata=counter.metadata,
    migrations=Path(__file__).parent / "migrations",
    codec=counter.CODEC,
    deciders=[counter.COUNTER, counter.ECHO.decider],
    publish=counter.publish,
    http=make_api,
    rpc=make_rpc,
    inlines=[counter.TOTALS, counter.DEADLINES],
    projections=[counter.OWN_SUMS],
    processes=[counter.ECHO],
    decode=counter.decode_event,
    decode_command=counter.decode_command,
)


def environment(folder: Path, database_url: str, http_port: int) -> dict[str, str]:
    """What the process is told; its files are in the folder."""
    (folder / "fingerprint.key").write_bytes(os.urandom(32))
    (folder / "master.keys").write_text(f"k1 {base64.b64encode(os.urandom(32)).decode()}\n")
    values: dict[str, Any] = {
        "database_url": database_url, "bus_url": f"local:///{folder / 'bus.db'}", "jwks": folder / "jwks.json",
        "token_issuer": "https://issuer.test", "fingerprint_key_file": folder / "fingerprint.key",
        "master_keys_file": folder / "master.keys", "http_port": http_port, "rpc_port": 0,
    }  # fmt: skip
    return os.environ | {f"DANDELION_{name.upper()}": str(value) for name, value in values.items()}


def start(env: dict[str, str], *roles: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", "tests.kit.toy", *roles], cwd=ROOT, env=env)


if __name__ == "__main__":
    lease.TTL_S = float(os.environ.get(LEASE_TTL_S, lease.TTL_S))
    main(SERVICE, Settings)
