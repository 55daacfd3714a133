"""A service running embedded in a temporary folder: HTTP by ASGI, gRPC on a free port, others' topics to write to and read.

`Running` is what every service has; tests/integration/<service>/client.py adds what is that service's own.
"""

import asyncio
import base64
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import grpc
import httpx
from dandelion_contracts.channel import connect
from google.protobuf.message import Message as Proto

from kernel.adapters.bus import PARTITIONS, BusRecord, Message
from kernel.core.clock import system_clock
from kernel.core.ids import new_id, partition_of
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.host.app import App, Service, open_app, run_migrations
from kernel.runtime.settings import Settings
from tools.servers.places import free_port
from tools.speed import patience

S = TypeVar("S", bound=Settings)
ROLES = ("relay", "project", "process", "rpc")
ISSUER = "https://issuer.test"
RATES = dict.fromkeys(("rate_per_s", "rate_burst", "tenant_rate_per_s", "tenant_rate_burst"), 10_000)
"""One caller asks everything: within the usual limits a fast machine would be answered 429 in place of what is judged."""


def settings_in(folder: Path, kind: type[S], **changes: Any) -> S:
    """Embedded settings, with keys of this folder's own; a test of rates gives rates of its own."""
    if not (folder / "fingerprint.key").exists():
        (folder / "fingerprint.key").write_bytes(os.urandom(32))
        (folder / "master.keys").write_text(f"k1 {base64.b64encode(os.urandom(32)).decode()}\n")
    values: dict[str, Any] = {
        "database_url": f"sqlite+aiosqlite:///{folder / 'service.db'}",
        "development": True,
        "bus_url": f"local:///{folder / 'bus.db'}",
        "jwks": str(folder / "issuer" / "jwks.json"),
        "token_issuer": ISSUER,
        "fingerprint_key_file": folder / "fingerprint.key",
        "master_keys_file": folder / "master.keys",
        "rpc_port": free_port(),
    }
    return kind(**(values | RATES | changes))


def issuer_in(folder: Path) -> Issuer:
    """Who signs the tokens that services with settings of this folder take."""
    return Issuer.at(folder / "issuer", ISSUER, "dandelion")


class Running:
    """The running service and its clients. A caller is `(subject, tenant, *roles)`."""

    caller: Sequence[str] = ()
    """Who sends commands where a test does not say it."""

    def __init__(self, app: App, issuer: Issuer) -> None:
        self.app, self.issuer = app, issuer
        self.api = app.api()
        self.last: dict[tuple[str, int], int] = defaultdict(int)
        self.position: dict[str, int] = defaultdict(int)

    def http(self, *who: str) -> httpx.AsyncClient:
        """A client of the HTTP API as a caller, or as nobody."""
        headers = {"Authorization": f"Bearer {self.issuer.issue(*who)}"} if who else {}
        transport = httpx.ASGITransport(self.api)
        return httpx.AsyncClient(transport=transport, base_url="http://service.test", headers=headers)

    async def send(self, method: str, path: str, body: Any, who: Sequence[str] = (), key: str = "") -> httpx.Response:
        """One command; every call has a key of its own unless one is given. Text and bytes are sent as CSV."""
        headers = {"Idempotency-Key": key or new_id()}
        async with self.http(*(who or self.caller)) as client:
            if isinstance(body, str | bytes):
                return await client.request(method, path, content=body, headers=headers | {"Content-Type": "text/csv"})
            return await client.request(method, path, json=body, headers=headers)

    async def done(self, method: str, path: str, body: Any, who: Sequence[str] = (), key: str = "") -> Any:
        """One command that must succeed; its answer."""
        answer = await self.send(method, path, body, who, key)
        assert answer.status_code in {200, 201, 202}, answer.text
        return answer.json()

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

    async def tell(self, stream: str, message: Proto, tenant: str = "platform", at: datetime | None = None) -> str:
        """Publishes an event on its service's topic, chained as that service's relay would; a token that waits for it."""
        service = message.DESCRIPTOR.full_name.split(".")[1]
        where = (f"{service}.events.v1", partition_of(stream, PARTITIONS))
        self.position[service] += 1
        position = self.position[service]
        values = {
            "ce_specversion": "1.0", "ce_id": f"{stream}@{position}", "ce_source": service,
            "ce_type": message.DESCRIPTOR.full_name, "ce_time": (at or system_clock()).isoformat(),
            "ce_subject": stream, "ce_tenant": tenant, "ce_sequence": str(position), "ce_position": str(position),
            "ce_previous": str(self.last[where]),
        }  # fmt: skip
        self.last[where] = position
        await self.put(where, _message(stream, message, values))
        return f"{service}:{position}:{where[1]}"

    async def ask(
        self, stream: str, message: Proto, requester: str, identity: str = "", source: str = "campaigns"
    ) -> str:
        """Puts a command on the service's command topic as another service's relay would; its message id."""
        where, identity = (
            (f"{self.app.service.name}.commands.v1", partition_of(stream, PARTITIONS)),
            identity or new_id(),
        )
        values = {
            "ce_specversion": "1.0", "ce_id": identity, "ce_source": source, "ce_subject": stream,
            "ce_type": message.DESCRIPTOR.full_name, "ce_time": system_clock().isoformat(), "ce_tenant": "platform",
            "ce_requester": requester, "ce_causation": requester, "ce_correlation": identity,
        }  # fmt: skip
        await self.put(where, _message(stream, message, values))
        return identity

    async def put(self, where: tuple[str, int], message: Message) -> None:
        """One record on a topic's partition, whatever it is."""
        producer = await self.app.bus.producer()
        await producer.send({where: [message]}, 10)
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


def _message(stream: str, message: Proto, headers: dict[str, str]) -> Message:
    return Message(
        stream.encode(), message.SerializeToString(), [(name, one.encode()) for name, one in headers.items()]
    )


@asynccontextmanager
async def running(
    service: Service, kind: type[Settings], folder: Path, roles: Sequence[str] = ROLES, topics: Sequence[str] = (),
    **changes: Any,
) -> AsyncIterator[Running]:  # fmt: skip
    """The roles of a service until the block ends; a role that fails fails the test."""
    settings = settings_in(folder, kind, **changes)
    await run_migrations(service, settings)
    app = open_app(service, settings)
    await app.bus.ensure_topics(dict.fromkeys(topics, PARTITIONS))
    async with serving(app, roles):
        yield Running(app, issuer_in(folder))


@asynccontextmanager
async def serving(app: App, roles: Sequence[str] = ROLES) -> AsyncIterator[None]:
    """The roles of an app until the block ends, when it is closed; a role that fails fails the test."""
    made = [role for role in await app.roles(roles) if role.name != "loop"]
    stop = asyncio.Event()
    tasks = [asyncio.create_task(_serve(role.serve, stop), name=role.name) for role in made]
    try:
        yield
    finally:
        stop.set()
        ended = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), patience(60))
        await app.close()
        await app.bus.close()
    failed = [one for one in ended if isinstance(one, Exception)]
    if failed:
        raise ExceptionGroup("roles failed", failed)


async def _serve(serve: Any, stop: asyncio.Event) -> None:
    await serve(stop)
