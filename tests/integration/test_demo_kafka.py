"""The story on Kafka and PostgreSQL, every process killed once on the way, ends whole and in the embedded demo's numbers."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from cli.cross_service_checks import check_across_services
from cli.distributed import SANDBOX, Servers
from cli.open_services import open_services
from cli.platform import LocalPlatform, Name
from kernel.verify.invariants import broken, check_service
from tests.kit.story import embedded_numbers, tell
from tests.kit.together import EDGES, FOLLOWERS, STREAMS, together
from tools.servers import KafkaServer, PostgresServer

ROUNDS: list[list[Name]] = [list(EDGES), list(FOLLOWERS), list(STREAMS)]
"""One process of every service at a time; edges first, as clicks (later in the story) are not commands and come once."""
FROM, LAST = "collaborations to settlement", "numbers, trial balance, verify"


class Killer:
    """kill -9 and restart of every process in turn, from the first collaboration on; all done before the final numbers."""

    def __init__(self, platform: LocalPlatform) -> None:
        self.killed: list[Name] = []
        self._platform = platform
        self._edge_is_back = asyncio.Event()
        self._killing: asyncio.Task[None] | None = None

    async def on_part(self, part: str) -> None:
        if part == FROM:
            self._killing = asyncio.create_task(self._kill_all())
        if part == "links, coupons, orders, refunds":
            await self._edge_is_back.wait()
        if part == LAST and self._killing is not None:
            await self._killing

    async def _kill_all(self) -> None:
        for names in ROUNDS:
            await self._kill(names)
            self._edge_is_back.set()

    async def _kill(self, names: Sequence[Name]) -> None:
        for name in names:
            await asyncio.to_thread(self._platform.kill, name)
            self.killed.append(name)
        for name in names:
            await asyncio.to_thread(self._platform.restart, name)
        await self._platform.wait(names)


async def test_killing_every_process_changes_no_number(
    fresh_kafka: KafkaServer, fresh_postgres: PostgresServer, tmp_path: Path
) -> None:
    servers, groups = Servers(fresh_kafka, fresh_postgres), {**EDGES, **FOLLOWERS, **STREAMS}
    with await together(servers, tmp_path / "together", groups) as platform:
        await platform.wait()
        killer = Killer(platform)
        numbers = await tell(platform, killer.on_part)
        async with open_services(platform.layout) as apps:
            found = [*[one for app in apps for one in await check_service(app)], *await check_across_services(apps)]
    assert set(killer.killed) == {name for name in platform.names() if name != SANDBOX}
    assert broken(found) == []
    assert numbers == await embedded_numbers()
