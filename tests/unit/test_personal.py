"""A person's data can be read only where it was put, and by nobody once the person's key is gone."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.adapters.opening import database_at
from kernel.adapters.vault.personal import (
    OPEN_LIMIT,
    PLAINTEXT_LIMIT_BYTES,
    MasterKeys,
    Personal,
    Sealed,
    SubjectKey,
    define,
)
from kernel.core.faults import Internal, Invalid, NotFound
from tests.kit.servers import Ports

AT = datetime(2026, 3, 1, tzinfo=UTC)
METADATA = sa.MetaData()
TABLES = define(METADATA)
KEY = SubjectKey("ann", os.urandom(32))


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path, ports: Ports) -> AsyncIterator[Database]:
    if request.param == "sqlite":
        url, drop = f"sqlite+aiosqlite:///{tmp_path}/unit.db", None
    else:
        server = ports.postgres.shared()
        drop = await server.create_database()
        url = server.url(drop)
    made = database_at(url, METADATA)
    async with made.transaction() as conn:
        await conn.run_sync(METADATA.create_all)
    yield made
    await made.close()
    if drop:
        await ports.postgres.shared().drop_database(drop)


@pytest.fixture
def personal() -> Personal:
    return Personal(TABLES, MasterKeys({"k1": os.urandom(32)}, "k1"))


async def store(database: Database, *sealed: Sealed) -> None:
    async with database.transaction() as conn:
        await database.upsert(conn, TABLES.fields, [asdict(one) for one in sealed])


async def opened(database: Database, personal: Personal, *wanted: tuple[str, str]) -> dict[tuple[str, str], str]:
    async with database.reading() as conn:
        return await personal.open_many(conn, wanted)


def test_what_is_sealed_opens_and_shows_nothing_before() -> None:
    sealed = KEY.seal("name", "r1", "安·李")
    assert KEY.open(sealed) == "安·李"
    assert "安".encode() not in sealed.ciphertext
    assert repr(KEY.data_key) not in repr(KEY)


def test_sealing_twice_never_gives_the_same_bytes() -> None:
    assert KEY.seal("name", "r1", "Ann").ciphertext != KEY.seal("name", "r1", "Ann").ciphertext


@pytest.mark.parametrize(
    "swap",
    [{"field": "contact"}, {"revision": "r2"}, {"ciphertext": b""}, {"ciphertext": b"x" * 40}],
    ids=["field", "revision", "empty", "noise"],
)
def test_a_ciphertext_moved_or_changed_does_not_open(swap: dict[str, str | bytes]) -> None:
    sealed = KEY.seal("name", "r1", "Ann")
    with pytest.raises(Internal, match=r"personal\.unreadable"):
        KEY.open(replace(sealed, **swap))  # type: ignore[arg-type]


def test_a_ciphertext_of_another_subject_does_not_open_even_under_one_key() -> None:
    sealed = KEY.seal("name", "r1", "Ann")
    with pytest.raises(Internal):
        SubjectKey("bob", KEY.data_key).open(sealed)


def test_a_data_key_opens_only_for_its_subject(personal: Personal) -> None:
    wrapped = personal.masters.wrap(KEY)
    assert personal.masters.unwrap("ann", "k1", wrapped) == KEY
    with pytest.raises(Internal, match=r"personal\.key_unreadable"):
        personal.masters.unwrap("bob", "k1", wrapped)
    with pytest.raises(Internal, match=r"personal\.master_key_missing"):
        personal.masters.unwrap("ann", "k0", wrapped)


def test_plaintext_is_bounded() -> None:
    with pytest.raises(Invalid, match=r"personal\.too_large"):
        KEY.seal("name", "r1", "x" * (PLAINTEXT_LIMIT_BYTES + 1))


async def test_fields_are_read_in_one_query(database: Database, personal: Personal) -> None:
    ann, bob = [await personal.make_key(database, name, AT) for name in ("ann", "bob")]
    await store(database, ann.seal("name", "r1", "Ann"), ann.seal("bio", "r1", "Cook"), bob.seal("name", "r1", "Bob"))
    wanted = ("ann", "name"), ("ann", "bio"), ("bob", "name"), ("eve", "name"), ("bob", "bio")
    texts = await opened(database, personal, *wanted)
    assert texts == {("ann", "name"): "Ann", ("ann", "bio"): "Cook", ("bob", "name"): "Bob"}
    assert await opened(database, personal) == {}


async def test_too_many_fields_at_once_are_refused(database: Database, personal: Personal) -> None:
    with pytest.raises(Invalid, match=r"personal\.too_many"):
        await opened(database, personal, *[(str(n), "name") for n in range(OPEN_LIMIT + 1)])


async def test_rows_swapped_in_the_table_are_noticed(database: Database, personal: Personal) -> None:
    ann = await personal.make_key(database, "ann", AT)
    await store(database, replace(ann.seal("name", "r1", "Ann"), field="bio"))
    with pytest.raises(Internal, match=r"personal\.unreadable"):
        await opened(database, personal, ("ann", "bio"))


async def test_ten_at_once_make_one_key(database: Database, personal: Personal) -> None:
    keys = await asyncio.gather(*[personal.make_key(database, "ann", AT) for _ in range(10)])
    assert len({key.data_key for key in keys}) == 1


async def test_an_erased_subject_is_gone_whatever_copies_exist(database: Database, personal: Personal) -> None:
    ann = await personal.make_key(database, "ann", AT)
    copy = ann.seal("name", "r1", "Ann")
    await store(database, copy)
    assert await personal.erase(database, "ann")
    assert not await personal.erase(database, "ann")
    assert await opened(database, personal, ("ann", "name")) == {}
    async with database.reading() as conn:
        with pytest.raises(NotFound):
            await personal.key(conn, "ann")
    with pytest.raises(sa.exc.IntegrityError):
        await store(database, copy)


async def test_master_keys_rotate(database: Database, personal: Personal) -> None:
    for name in ("ann", "bob", "eve"):
        key = await personal.make_key(database, name, AT)
        await store(database, key.seal("name", "r1", name))
    both = Personal(TABLES, MasterKeys({**personal.masters.keys, "k2": os.urandom(32)}, "k2"))
    assert [await both.rewrap(database, limit=2) for _ in range(3)] == [2, 1, 0]
    only_new = Personal(TABLES, MasterKeys({"k2": both.masters.keys["k2"]}, "k2"))
    assert await opened(database, only_new, ("eve", "name")) == {("eve", "name"): "eve"}


def test_master_keys_come_from_a_file_the_first_is_current(tmp_path: Path) -> None:
    path = tmp_path / "master"
    path.write_text("".join(f"{name} {base64.b64encode(os.urandom(32)).decode()}\n" for name in ("k2", "k1")))
    keys = MasterKeys.read(path)
    assert (keys.current, set(keys.keys)) == ("k2", {"k1", "k2"})
    assert base64.b64encode(keys.keys["k1"]).decode() not in repr(keys)


@pytest.mark.parametrize("text", ["", "k1", "k1 not-base64!", "k1 c2hvcnQ=", "k1 a b"])
def test_a_malformed_key_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "master").write_text(text)
    with pytest.raises(ValueError):
        MasterKeys.read(tmp_path / "master")
