"""A log of before holds personal fields in plaintext: `reseal` encrypts them where they stand, on both stores."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from kernel.core.events import Recorded
from kernel.core.faults import Invalid
from kernel.core.personal import ErasureDone, erasure_stream
from kernel.eventlog.log import Pending
from kernel.host.app import App, open_app, run_migrations
from kernel.host.main import run_reseal
from services.campaigns.codec import CODEC, SEALED_SINCE_2
from services.campaigns.settings import CampaignsSettings
from services.campaigns.wiring import SERVICE
from services.ledger.settings import LedgerSettings
from services.ledger.wiring import SERVICE as LEDGER
from tests.kit.running import settings_in
from tests.kit.servers import Ports
from tests.kit.stored import files_with
from tests.unit.campaigns.test_codec import GOLDEN

META = b'{"actor":"a","causation":"c","correlation":"c","events":1,"fingerprint":"","roles":[],"tenant":"t","traceparent":""}'
STREAM = "collaboration-018f3c1e-7a10-7c3e-9b1d-0a1b2c3d4e5f"
GONE = "018f3c1e-7a10-7c3e-9b1d-00000000dead"
FORMER = [name.replace("@2", "@1") for name in SEALED_SINCE_2]


@pytest.fixture(params=["sqlite", "postgres"])
async def app(request: pytest.FixtureRequest, tmp_path: Path, ports: Ports) -> AsyncIterator[App]:
    """Campaigns over a log of 0.1.0: every event that held a personal field, and one of a person erased since."""
    changes: dict[str, Any] = {}
    if request.param == "postgres":
        server = ports.postgres.shared()
        name = await server.create_database()
        changes["database_url"] = server.url(name)
    settings = settings_in(tmp_path, CampaignsSettings, **changes)
    await run_migrations(SERVICE, settings)
    made = open_app(SERVICE, settings)
    await made.log.append(None, [*before(), *of_the_erased()], 0)
    yield made
    await made.close()
    if request.param == "postgres":
        await server.drop_database(name)


def golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.json").read_bytes().strip()


def before() -> list[Pending]:
    names = [*FORMER, "content.approved@1"]
    return [row(STREAM, version, name, golden(name)) for version, name in enumerate(names, start=1)]


def of_the_erased() -> list[Pending]:
    raw = orjson.loads(golden("product.sent@1"))
    raw["parties"]["creator_id"] = GONE
    done = CODEC.encode(ErasureDone(GONE))
    return [row(f"{STREAM[:-1]}a", 1, "product.sent@1", orjson.dumps(raw)), row(erasure_stream(GONE), 1, *done)]


def row(stream: str, version: int, name: str, data: bytes) -> Pending:
    return Pending("t", stream, version, 0, name, data, META, f"k{version}")


async def raw_rows(app: App) -> list[Any]:
    events = app.metadata.tables["log_events"]
    async with app.database.reading() as connection:
        return list((await connection.execute(sa.select(events).order_by(events.c.position))).all())


def said(events: list[Recorded]) -> list[Any]:
    return [CODEC.decode(one.name, one.data) for one in events]


def words() -> list[str]:
    """All that version 1 of the events says of a person."""
    found = set[str]()
    for name in FORMER:
        form = CODEC.personal(f"{name[:-2]}@2")
        assert form is not None
        _, values = form.split(golden(name))
        found |= {
            one for value in orjson.loads(values).values() for one in ([value] if isinstance(value, str) else value)
        }
    return sorted(one for one in found if len(one) > 5)


async def test_a_log_of_before_is_resealed_in_place(app: App) -> None:
    rows, events = await raw_rows(app), await app.log.read(0)
    assert [one for one in words() if not any(one.encode() in bytes(row.data) for row in rows)] == []
    assert await run_reseal(SERVICE, app.settings) == len(FORMER) + 1
    after = await raw_rows(app)
    assert [one for one in words() if any(one.encode() in bytes(row.data) for row in after)] == []
    same = ("position", "tenant", "stream", "version", "partition", "meta", "command", "recorded_at")
    assert [[getattr(row, name) for name in same] for row in after] == [
        [getattr(row, name) for name in same] for row in rows
    ]
    again = await app.log.read(0)
    assert said(again)[: len(FORMER) + 1] == said(events)[: len(FORMER) + 1]
    assert await run_reseal(SERVICE, app.settings) == 0


async def test_what_is_left_of_who_was_erased_is_blanked(app: App) -> None:
    await run_reseal(SERVICE, app.settings)
    sent = said(await app.log.load([f"{STREAM[:-1]}a"], 2**62))[0]
    assert (sent.carrier, sent.tracking, sent.parties.creator_id) == ("", "", GONE)
    keys = app.metadata.tables["personal_keys"]
    async with app.database.reading() as connection:
        assert GONE not in (await connection.execute(sa.select(keys.c.subject))).scalars().all()


async def test_an_erasure_takes_what_was_resealed(app: App) -> None:
    await run_reseal(SERVICE, app.settings)
    subject = said(await app.log.load([STREAM], 2**62))[0].parties.creator_id
    assert await app.personal.erase(app.database, subject)
    sent = said(await app.log.load([STREAM], 2**62))[0]
    assert (sent.carrier, sent.tracking) == ("", "")


async def test_the_ledgers_log_is_never_rewritten(tmp_path: Path) -> None:
    settings = settings_in(
        tmp_path, LedgerSettings, psp_key_file=tmp_path / "x", psp_webhook_secrets_file=tmp_path / "x"
    )
    with pytest.raises(Invalid, match=r"personal\.no_vault"):
        await run_reseal(LEDGER, settings)


async def test_no_byte_of_the_store_holds_it_any_more(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, CampaignsSettings)
    await run_migrations(SERVICE, settings)
    made = open_app(SERVICE, settings)
    await made.log.append(None, before(), 0)
    assert files_with(tmp_path, words())
    await run_reseal(SERVICE, settings)
    await made.close()
    assert [word for word in words() if files_with(tmp_path, [word])] == []
