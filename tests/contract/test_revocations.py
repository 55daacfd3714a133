"""The list of revoked tokens over both stores: an edge reads what is new, and misses nothing that others write at once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kernel.adapters.database import Database
from kernel.edge.tokens.claims import Revoked
from kernel.host import revocations
from kernel.host.revocations import Revocations, revoke


async def test_an_edge_reads_what_is_new_only(store: Database) -> None:
    heard, now = list[Revoked](), datetime.now(UTC)
    known = Revocations(store, 86_400, heard.append)
    pages = list[int]()
    read = known._page

    async def counting(since: datetime) -> list[Any]:
        pages.append(len(found := await read(since)))
        return found

    known._page = counting  # type: ignore[method-assign]
    for number in range(6):
        await revoke(store, "token", f"t{number}", now, "x")
    await revoke(store, "token", "old", now - timedelta(days=9), "its token has ended")
    await known.look()
    assert heard[-1].tokens == {f"t{number}" for number in range(6)}
    pages.clear()
    await known.look()
    assert (pages, len(heard)) == ([0], 1), "nothing new is nothing read and nobody told"
    await revoke(store, "subject", "eve", now, "x")
    await revoke(store, "token", "t0", now + timedelta(seconds=1), "again")
    pages.clear()
    await known.look()
    assert pages == [2]
    assert (set(heard[-1].subjects), len(heard[-1].tokens)) == ({"eve"}, 6)


async def test_more_than_a_page_is_read_whole_and_memory_is_bounded(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocations, "PAGE", 2)
    monkeypatch.setattr(revocations, "KEPT_LIMIT", 4)
    heard, now = list[Revoked](), datetime.now(UTC)
    for number in range(5):
        await revoke(store, "token", f"t{number}", now + timedelta(seconds=number), "x")
    await Revocations(store, 86_400, heard.append).look()
    assert [one.tokens for one in heard] == [{"t1", "t2", "t3", "t4"}], "the earliest is dropped"


async def test_those_who_revoke_at_once_are_all_heard(store: Database) -> None:
    """Also where they commit in another order than they began: no number is seen before the numbers below it."""
    heard = list[Revoked]()
    known = Revocations(store, 86_400, heard.append)
    done = asyncio.gather(*[revoke(store, "token", f"t{number}", datetime.now(UTC), "x") for number in range(8)])
    while not done.done():
        await known.look()
    await done
    await known.look()
    assert len(heard[-1].tokens) == 8
