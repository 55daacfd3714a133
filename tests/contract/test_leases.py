"""Leases share work out fairly among replicas and pass it on when one is gone; on SQLite one process holds all."""

import pytest
import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.adapters.leases import Leases

NAMES = [str(number) for number in range(12)]
POSTGRES = pytest.mark.parametrize("store_url", ["postgres"], indirect=True)


@pytest.fixture(autouse=True)
def always_renew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kernel.adapters.leases.RENEW_S", 0.0)


async def settle(replicas: list[Leases], rounds: int = 4) -> list[frozenset[str]]:
    """What each holds after all have looked a few times."""
    for _ in range(rounds):
        found = [await replica.held() for replica in replicas]
    return found


def check_share(found: list[frozenset[str]], share: int) -> None:
    assert [len(held) for held in found] == [share] * len(found)
    assert frozenset().union(*found) == frozenset(NAMES)


@POSTGRES
async def test_three_replicas_share_fairly_whoever_came_first(store: Database) -> None:
    replicas = [Leases(store, "sums/topics", NAMES) for _ in range(3)]
    for number, share in ((1, 12), (2, 6), (3, 4)):
        check_share(await settle(replicas[:number]), share)


@POSTGRES
async def test_a_replica_that_is_gone_loses_its_share_and_cannot_have_it_back(store: Database) -> None:
    gone, *others = [Leases(store, "sums/topics", NAMES) for _ in range(3)]
    check_share(await settle([gone, *others]), 4)
    table = store.metadata.tables["leases"]
    async with store.transaction() as connection:
        past = sa.text("clock_timestamp() - interval '1 second'")
        await connection.execute(sa.update(table).where(table.c.owner == gone.owner).values(until=past))
    check_share(await settle(others), 6)
    assert (await settle([gone, *others], 1))[0] == frozenset()
    check_share(await settle([gone, *others]), 4)


@POSTGRES
async def test_what_is_given_back_is_free_at_once(store: Database) -> None:
    first, second = Leases(store, "relay", ["relay"]), Leases(store, "relay", ["relay"])
    assert await settle([first, second]) == [{"relay"}, frozenset()]
    await first.release()
    assert await second.held() == {"relay"}


@POSTGRES
async def test_who_leaves_before_its_share_was_free_leaves_it_to_the_others(store: Database) -> None:
    first, second, third = [Leases(store, "sums/topics", NAMES) for _ in range(3)]
    check_share(await settle([first, second]), 6)
    assert await third.held() == frozenset()
    await third.release()
    check_share(await settle([first, second]), 6)


@POSTGRES
async def test_prefixes_do_not_mix(store: Database) -> None:
    one, other = Leases(store, "a_b", NAMES), Leases(store, "aXb", NAMES)
    check_share([(await settle([one, other]))[0]], 12)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_one_process_holds_all_on_sqlite(store: Database) -> None:
    assert await Leases(store, "sums", NAMES).held() == frozenset(NAMES)
