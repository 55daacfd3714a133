"""A service running embedded in a temporary folder: HTTP by ASGI, gRPC on a free port, others' topics to write to and read."""

import asyncio
import base64
import os
import socket
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
from dandelion_contracts.channel import connect
from google.protobuf.message import Message as Proto

from kernel.adapters.bus import PARTITIONS, BusRecord, Message
from kernel.core.clock import system_clock
from kernel.core.ids import new_id, partition_of
from kernel.edge.dev_issuer import Issuer
from kernel.host.app import App, Service, open_app, run_migrations
from kernel.runtime.settings import Settings
from tools.speed import patience

ROLES = ("relay", "project", "process", "rpc")
ISSUER = "https://issuer.test"


def settings_in(folder: Path, kind: type[Settings], **changes: Any) -> Settings:
    """Embedded settings, with keys of this folder's own."""
    (folder / "fingerprint.key").write_bytes(os.urandom(32))
    (folder / "master.keys").write_text(f"k1 {base64.b64encode(os.urandom(32)).decode()}\n")
    values: dict[str, Any] = {
        "database_url": f"sqlite+aiosqlite:///{folder / 'service.db'}",
        "bus_url": f"local:///{folder / 'bus.db'}",
        "jwks": str(folder / "issuer" / "jwks.json"),
        "token_issuer": ISSUER,
        "fingerprint_key_file": folder / "fingerprint.key",
        "master_keys_file": folder / "master.keys",
        "rpc_port": free_port(),
    }
    return kind(**(values | changes))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """The running service and its clients. A caller is `(subject, tenant, *roles)`."""

    def __init__(self, app: App, issuer: Issuer) -> None:
        self.app, self.issuer = app, issuer
        self.api = app.service.http(app)
        self.last: dict[tuple[str, int], int] = defaultdict(int)
        self.position: dict[str, int] = defaultdict(int)

    async def send(self, method: str, path: str, body: Any, who: Sequence[str], key: str = "") -> httpx.Response:
        """One command; every call has a key of its own unless one is given."""
        headers = {"Authorization": f"Bearer {self.issuer.issue(*who)}", "Idempotency-Key": key or new_id()}
        transport = httpx.ASGITransport(self.api)
        async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
            return await client.request(method, path, json=body, headers=headers)

    async def done(self, method: str, path: str, body: Any, who: Sequence[str]) -> dict[str, Any]:
        """One command that must succeed; its receipt."""
        answer = await self.send(method, path, body, who)
        assert answer.status_code in {200, 201}, answer.text
        receipt: dict[str, Any] = answer.json()
        return receipt

    async def refused(self, method: str, path: str, body: Any, who: Sequence[str]) -> str:
        """One command that must not succeed; its code."""
        answer = await self.send(method, path, body, who)
        assert 400 <= answer.status_code < 500, answer.text
        code: str = answer.json()["code"]
        return code

    @asynccontextmanager
    async def channel(self, who: Sequence[str]) -> AsyncIterator[grpc.aio.Channel]:
        """A gRPC channel to the service as a caller."""
        address = f"127.0.0.1:{self.app.settings.rpc_port}"
        async with connect(address, token=self.issuer.issue(*who)) as channel:
            yield channel

    async def tell(self, stream: str, message: Proto, tenant: str = "platform") -> None:
        """Publishes an event on its service's topic, chained as that service's relay would."""
        service = message.DESCRIPTOR.full_name.split(".")[1]
        where = (f"{service}.events.v1", partition_of(stream, PARTITIONS))
        self.position[service] += 1
        position = self.position[service]
        values = {
            "ce_specversion": "1.0", "ce_id": f"{stream}@{position}", "ce_source": service,
            "ce_type": message.DESCRIPTOR.full_name, "ce_time": system_clock().isoformat(), "ce_subject": stream,
            "ce_tenant": tenant, "ce_sequence": str(position), "ce_position": str(position),
            "ce_previous": str(self.last[where]),
        }  # fmt: skip
        self.last[where] = position
        headers = [(name, text.encode()) for name, text in values.items()]
        producer = await self.app.bus.producer()
        await producer.send({where: [Message(stream.encode(), message.SerializeToString(), headers)]}, 10)
        await producer.close()

    async def records(self, topic: str) -> list[BusRecord]:
        """Everything on a topic, in the order of its partitions."""
        reader = await self.app.bus.reader({(topic, partition): 0 for partition in range(PARTITIONS)}, "test")
        ends = await self.app.bus.end_offsets([topic])
        found: list[BusRecord] = []
        while len(found) < sum(ends.values()):
            batches = await reader.read(1_000, 1.0)
            found += [record for batch in batches.values() for record in batch]
        await reader.close()
        return found

    async def messages(self, topic: str, kind: type[Proto]) -> list[Any]:
        """The messages of one type on a topic."""
        records = await self.records(topic)
        name = kind.DESCRIPTOR.full_name
        return [kind.FromString(record.value) for record in records if record.header("ce_type") == name]


@asynccontextmanager
async def running(
    service: Service, kind: type[Settings], folder: Path, roles: Sequence[str] = ROLES, topics: Sequence[str] = (),
) -> AsyncIterator[Running]:  # fmt: skip
    """The roles of a service until the block ends; a role that fails fails the test."""
    issuer = Issuer.at(folder / "issuer", ISSUER, "dandelion")
    settings = settings_in(folder, kind)
    await run_migrations(service, settings)
    app = open_app(service, settings)
    await app.bus.ensure_topics(dict.fromkeys(topics, PARTITIONS))
    made = [role for role in await app.roles(roles) if role.name != "loop"]
    stop = asyncio.Event()
    tasks = [asyncio.create_task(_serve(role.serve, stop), name=role.name) for role in made]
    try:
        yield Running(app, issuer)
    finally:
        stop.set()
        ended = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), patience(30))
        await app.close()
        await app.bus.close()
    failed = [one for one in ended if isinstance(one, Exception)]
    if failed:
        raise ExceptionGroup("roles failed", failed)


async def _serve(serve: Any, stop: asyncio.Event) -> None:
    await serve(stop)
