"""The counters as a whole service, to run as a process of its own: `python -m tests.kit.toy rest relay project`.

`TOY_NAME` names the service (its topics and roles), `TOY_OUTSIDE` is the file that stands for the world outside; what a toy
does to itself on the way is told by the variables of tests/kit/crash.py.
"""

import asyncio
import base64
import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from kernel.adapters import leases
from kernel.core.clock import system_clock
from kernel.core.events import Delivered
from kernel.core.ids import derived_id, split_stream
from kernel.edge import http_errors
from kernel.host.app import App, Service
from kernel.host.main import main
from kernel.processors.processes import Effect
from kernel.runtime.settings import Settings
from tests.kit import counter, crash, forked

PR_SET_PDEATHSIG = 1
LEASE_TTL_S = "TOY_LEASE_TTL_S"
"""How long a lease lasts that is not given back, where a test must not pass by waiting for it."""


HANGS = "TOY_HANGS"
"""The world outside never answers; the file it names appears with the first call."""


def make_api(app: App) -> FastAPI:
    """`POST /add/<stream>/<key>` adds one, `POST /remind/<stream>/<key>` rings once soon; both answer the position."""
    api = FastAPI()
    http_errors.install(api)

    @api.post("/add/{stream}/{key}")
    async def add(stream: str, key: str, owner: str = "all") -> dict[str, int]:
        receipt = await app.writer.execute(stream, counter.Add(1, owner), counter.meta(key))
        return {"position": receipt.position}

    @api.post("/remind/{stream}/{key}")
    async def remind(stream: str, key: str, in_ms: int = 0) -> dict[str, int]:
        due_at = await app.writer.now() + timedelta(milliseconds=in_ms)
        receipt = await app.writer.execute(stream, counter.Remind(due_at), counter.meta(key))
        return {"position": receipt.position}

    @api.get("/clock")
    def clock() -> dict[str, str]:
        return {"at": system_clock().isoformat()}

    return api


def bells(app: App) -> list[Effect]:
    """Where there is a world outside, each Rang is called out to it and recorded on a counter of its own."""
    if "TOY_OUTSIDE" not in os.environ:
        return []

    async def ring(incoming: Delivered[Any]) -> None:
        if HANGS in os.environ:
            _note(os.environ[HANGS], incoming.id)
            await asyncio.Event().wait()
        _note(os.environ["TOY_OUTSIDE"], incoming.id)
        meta = counter.meta(derived_id("bell", incoming.id))
        await app.writer.execute(bell_of(incoming.stream), counter.Add(1, "bell"), meta)

    return [Effect("bell", (counter.Rang,), ring)]


def bell_of(stream: str) -> str:
    return f"counter-{derived_id('bell', split_stream(stream)[1])}"


def _note(file: str, intent: str) -> None:
    with open(file, "a") as outside:
        outside.write(f"{intent}\n")


def service(name: str = "toys") -> Service:
    return Service(
        name=name,
        metadata=counter.metadata,
        migrations=Path(__file__).parent / "migrations",
        codec=counter.CODEC,
        deciders=[counter.COUNTER, counter.ECHO.decider],
        publish=counter.publish,
        http=make_api,
        inlines=[counter.TOTALS, counter.DEADLINES],
        projections=[counter.OWN_SUMS],
        processes=[counter.ECHO],
        effects=bells,
        decode=counter.decode_event,
        decode_command=counter.decode_command,
    )


SERVICE = service()


def environment(folder: Path, database_url: str, http_port: int, **changes: Any) -> dict[str, str]:
    """What the process is told; its files are in the folder. `changes` are settings, or `TOY_...` variables as they are."""
    (folder / "fingerprint.key").write_bytes(os.urandom(32))
    (folder / "master.keys").write_text(f"k1 {base64.b64encode(os.urandom(32)).decode()}\n")
    values: dict[str, Any] = {
        "development": "true", "database_url": database_url,
        "bus_url": f"local:///{folder / 'bus.db'}", "jwks": folder / "jwks.json",
        "token_issuer": "https://issuer.test", "fingerprint_key_file": folder / "fingerprint.key",
        "master_keys_file": folder / "master.keys", "http_port": http_port, "rpc_port": 0,
        "TOY_OUTSIDE": folder / "outside",
    } | changes  # fmt: skip
    named = {name if name.startswith("TOY_") else f"DANDELION_{name.upper()}": str(it) for name, it in values.items()}
    return os.environ | named


def settings(env: dict[str, str]) -> Settings:
    """The settings that a process of this environment has."""
    prefix = "DANDELION_"
    return Settings(**{n.removeprefix(prefix).lower(): v for n, v in env.items() if n.startswith(prefix)})  # type: ignore[arg-type]


class Toy:
    """A toy process, forked from a server that has imported everything (else each start costs a second of imports)."""

    def __init__(self, env: dict[str, str], roles: Sequence[str]) -> None:
        self._process = forked.context().Process(target=run, args=(env, roles), daemon=True)
        self._process.start()

    def poll(self) -> int | None:
        """The exit code, minus the signal's number if one ended it; None while it runs."""
        return self._process.exitcode

    def is_frozen(self) -> bool:
        """Whether it stands in SIGSTOP."""
        return Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def resident_bytes(self) -> int:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))

    def send_signal(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        if self.poll() is None:
            os.kill(self._process.pid, number)

    def wait(self, timeout: float) -> int | None:
        """Blocks; the exit code, or None when it still runs after the limit, in seconds of this machine."""
        self._process.join(timeout)
        return self.poll()


def start(env: dict[str, str], *roles: str) -> Toy:
    return Toy(env, roles)


def run(env: dict[str, str], roles: Sequence[str]) -> None:
    """In the process itself: it ends with the one that started it, however that went."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["toy", *roles]
    leases.TTL_S = float(os.environ.get(LEASE_TTL_S, leases.TTL_S))
    crash.arm()
    main(service(os.environ.get("TOY_NAME", "toys")), Settings)


if __name__ == "__main__":
    run(dict(os.environ), sys.argv[1:])
