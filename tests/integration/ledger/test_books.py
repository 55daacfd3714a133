"""The proof of the books sees what somebody changed behind the ledger's back; read models can be made anew; files settle."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from dandelion.ledger.v1 import queries_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from kernel.core.clock import system_clock
from kernel.core.ids import new_id
from kernel.processors.generations import Rebuild
from kernel.runtime.telemetry import REGISTRY
from services.ledger.domain import seals
from services.ledger.domain.commands import HoldEscrow, ReleasePayment
from services.ledger.domain.events import ChainKind
from services.ledger.domain.seals import LAST, SEALS
from services.ledger.gauges import GAUGES
from services.ledger.ports import open_anchors
from services.ledger.projections import PROJECTIONS
from services.ledger.reads.rows import inline_row
from services.ledger.reads.verify import verify
from services.ledger.settings import LedgerSettings
from services.ledger.wiring import open_app
from tests.integration.ledger.client import COLUMNS, FINANCE, SECOND, Ledger, running, unique
from tests.integration.ledger.test_lists import paid
from tests.kit.generations import dump
from tests.kit.until import until


@pytest.fixture(scope="module")
async def kept(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Path, LedgerSettings]]:
    """A ledger that has worked, sealed its journal twice, and stopped."""
    folder = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seals, "WINDOW_S", 1)
        async with running(folder) as ledger:
            for _ in range(2):
                await work(ledger)
                before = await inline_row(ledger.app.database, SEALS, LAST)

                async def sealed(before: seals.Seal | None = before) -> bool:
                    now = await inline_row(ledger.app.database, SEALS, LAST)
                    anchored = await open_anchors(ledger.settings.anchor_dir, None).read()
                    return now is not None and now != before and now.up_to_position in dict(anchored)

                await until(sealed)
            settings = ledger.settings
        yield folder, settings


async def work(ledger: Ledger) -> None:
    brand, creator, deliverable = unique("brand"), unique("creator"), unique("deliverable")
    await ledger.deposit(50_000, brand)
    await ledger.execute(HoldEscrow(deliverable, 1, unique("c"), unique("c"), brand, creator, "CNY", 9_000, 900))
    await ledger.resident(creator)
    await ledger.execute(ReleasePayment(new_id(), deliverable, creator, "CNY", 9_000, 900))


TAMPERINGS = {
    "a flipped byte": (
        "UPDATE log_events SET data = CAST(replace(CAST(data AS TEXT), '50000', '50001') AS BLOB) WHERE position <= 4",
        "hash_chain",
    ),
    "another stream": ("UPDATE log_events SET stream = 'escrow-x' WHERE position = 4", "hash_chain"),
    "a lost tail": (
        "DELETE FROM log_events WHERE position > 6; UPDATE log SET head = 6", "hash_chain",
    ),
    "a hole": ("DELETE FROM log_events WHERE position = 3", "events_readable"),
    "a balance": (
        "UPDATE accounts SET credits_posted = credits_posted + 1 WHERE code = 'brand_available'",
        "accounts_equal_journal",
    ),
    "an invented account": (
        "INSERT INTO accounts VALUES ('CNY', 'creator_available', 'me', 0, 0, 0, 5, 0)", "accounts_equal_journal",
    ),
    "a clearing of nobody": ("UPDATE clearing SET due_minor = due_minor + 7", "clearing_equal_journal"),
    "an escrow held again": ("UPDATE escrows SET status = 'held'", "escrows_equal_journal"),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERINGS)
async def test_tampering_is_seen(kept: tuple[Path, LedgerSettings], tmp_path: Path, what: str) -> None:
    folder, settings = kept
    shutil.copytree(folder, tmp_path / "copy")
    url = f"sqlite+aiosqlite:///{tmp_path / 'copy' / 'ledger.db'}"
    app = open_app(settings.model_copy(update={"database_url": url}))
    statements, check = TAMPERINGS[what]
    async with app.database.transaction() as connection:
        for statement in statements.split("; "):
            await connection.execute(sa.text(statement))
    found = await verify(app.log, app.service.codec, open_anchors(settings.anchor_dir, None))
    await app.close()
    await app.bus.close()
    assert not found.ok
    assert check in {one.invariant for one in found.checks if not one.ok}


async def test_what_nobody_touched_verifies_with_its_seals(kept: tuple[Path, LedgerSettings]) -> None:
    _, settings = kept
    app, steps = open_app(settings), list[tuple[int, int]]()
    anchors = open_anchors(settings.anchor_dir, None)
    found = await verify(app.log, app.service.codec, anchors, lambda done, total: steps.append((done, total)))
    await app.close()
    await app.bus.close()
    assert found.ok, [check.problems for check in found.checks]
    checked = {check.invariant: check.checked for check in found.checks}
    assert checked["seals"] >= 2
    assert len(await anchors.read()) >= 2
    assert steps[-1] == (found.position, found.position)


async def test_the_bound_in_the_table_is_a_second_lock(ledger: Ledger) -> None:
    await ledger.deposit(100, unique("brand"))
    with pytest.raises(sa.exc.IntegrityError, match="accounts_bound"):
        async with ledger.app.database.transaction() as connection:
            await connection.execute(
                sa.text("UPDATE accounts SET debits_posted = 10000000000 WHERE code = 'brand_available'")
            )


async def test_rebuilt_read_models_equal_the_live_ones(tmp_path: Path) -> None:
    async with running(tmp_path) as ledger:
        await work(ledger)
        brand = unique("brand")
        await ledger.deposit(9_000, brand)
        deliverable, nobody = unique("d"), unique("c")
        await ledger.execute(HoldEscrow(deliverable, 1, unique("c"), unique("c"), brand, nobody, "CNY", 9_000, 0))
        await ledger.execute(ReleasePayment(new_id(), deliverable, nobody, "CNY", 9_000, 0))
        await ledger.by_hand("PUT", "/reference-rates/USD/2026-10", {"cny_minor": 7, "per_minor": 1})
        policy = {"since": "2099-01-01T00:00:00Z", "brand_fee_bps": 1, "creator_fee_bps": 1}
        await ledger.done("PUT", f"/fee-policies/{new_id()}", policy, FINANCE)
        creator = unique("creator")
        await paid(ledger, unique("brand"), creator, unique("deliverable"))
        account = {"currency": "CNY", "instrument": "acct_2"}
        await ledger.done("PUT", f"/payout-accounts/{creator}", account, ("cai", creator, "creator"))
        app, token = ledger.app, f"ledger:{(await ledger.app.log.head()).position}:"
        for projection in PROJECTIONS:
            await app.at_least(token, projection.name)
            live = await dump(app.database, projection, 1)
            codec, bus = app.service.codec, app.bus
            rebuild = Rebuild(projection, app.database, app.log, codec, "ledger", bus, lambda _type, _value: None)
            assert live
            assert await dump(app.database, projection, await rebuild.run()) == live


async def test_a_settlement_file_is_booked_once_and_line_by_line(ledger: Ledger) -> None:
    brand, deposit_id, batch = unique("brand"), unique("deposit"), new_id()
    ask = {"amount_minor": 10_000, "currency": "CNY", "instrument": "tok"}
    await ledger.done("PUT", f"/deposits/{deposit_id}", ask, ("b", brand, "brand"))
    await ledger.posted(ChainKind.DEPOSIT_CONFIRMED, deposit_id)
    await ledger.by_hand("PUT", f"/own-money/{new_id()}", {"amount_minor": 1_000, "currency": "CNY"})
    lines = [
        f"{batch},1,{deposit_id},CNY,10000,60,9940", f"{batch},2,nobody,CNY,500,0,500", f"{batch},3,x,CNY,100,50,51",
        f"{batch},four,x,CNY,100,50,50", f"{batch},5,{new_id()},CNY,700,0,700",
    ]  # fmt: skip
    file = "\n".join([COLUMNS, *lines])
    for _ in range(2):
        answer = await ledger.settled(file)
        assert (answer["settled"], answer["unmatched"], answer["listed"]) == (3, 2, 0)
        assert [problem["line"] for problem in answer["problems"]] == [4, 5]
    settled = await ledger.published("DepositSettled", deposit_id=deposit_id)
    assert (settled.net_minor, settled.provider_fee_minor, settled.line) == (9_940, 60, 1)
    changed = file.replace("10000,60,9940", "10000,70,9930")
    answer = await ledger.settled(changed)
    assert "chain.exists_with_other_input" in str(answer["problems"]) or "command.id_reused" in str(answer["problems"])


async def test_two_uploads_at_once_tell_the_bank_s_change_once(ledger: Ledger) -> None:
    """Each is a request of its own; whichever books a line, one of both counts it."""
    batch, brand = new_id(), unique("brand")
    ids = [unique("deposit") for _ in range(6)]
    for deposit_id in ids:
        ask = {"amount_minor": 1_000, "currency": "CNY", "instrument": "tok"}
        await ledger.done("PUT", f"/deposits/{deposit_id}", ask, ("b", brand, "brand"))
        await ledger.posted(ChainKind.DEPOSIT_CONFIRMED, deposit_id)
    file = "\n".join([COLUMNS, *(f"{batch},{n},{id_},CNY,1000,0,1000" for n, id_ in enumerate(ids, start=1))])
    await ledger.done("POST", "/settlements", file, FINANCE)
    answers = await asyncio.gather(*[ledger.done("POST", "/settlements", file, SECOND) for _ in range(3)])
    assert [answer["settled"] for answer in answers] == [6, 6, 6]
    sums = [answer["sums"][0] for answer in answers]
    assert sum(one["bank_minor"] for one in sums) == 6_000
    assert all(one["bank_minor"] + one["before_minor"] == 6_000 for one in sums)


async def test_a_settlement_file_confirms_what_no_webhook_told(tmp_path: Path) -> None:
    async with running(tmp_path, lost_webhook_bps=10_000) as ledger:
        await ledger.by_hand("PUT", f"/own-money/{new_id()}", {"amount_minor": 60, "currency": "CNY"})
        deposit_id = unique("deposit")
        ask = {"amount_minor": 10_000, "currency": "CNY", "instrument": "tok"}
        await ledger.done("PUT", f"/deposits/{deposit_id}", ask, ("b", unique("brand"), "brand"))

        async def known() -> bool:
            return ledger.sandbox.psp.find("deposit", deposit_id) is not None

        await until(known)
        await ledger.sandbox.psp.decided()
        batch = ledger.sandbox.psp.close_batch()
        file = ledger.sandbox.psp.file(batch)
        assert file is not None
        answer = await ledger.settled(file)
        assert (answer["settled"], answer["unmatched"], answer["problems"]) == (1, 0, [])
        assert len(await ledger.chains(ChainKind.DEPOSIT_CONFIRMED)) == 1


async def test_money_in_suspense_is_identified_by_finance(ledger: Ledger) -> None:
    brand, batch = unique("brand"), new_id()
    await ledger.settled(f"{COLUMNS}\n{batch},1,?,CNY,300,0,300")
    body = {"brand_id": brand, "amount_minor": 300, "currency": "CNY", "reason": "letter of the bank"}
    receipt = await ledger.by_hand("PUT", f"/identifications/{new_id()}", body)
    async with ledger.queries("fay", "platform", "finance") as stub:
        request = pb.ListStatementRequest(
            owner_id="psp", account="suspense", at_least=receipt["token"], order_by="position desc"
        )
        lines = (await stub.ListStatement(request)).lines
    assert (lines[0].amount_minor, lines[0].counterparty) == (-300, brand)


async def test_a_statement_turns_pages_and_a_balance_knows_its_past(ledger: Ledger) -> None:
    brand = unique("brand")
    await ledger.deposit(100, brand)
    moment = Timestamp()
    moment.FromDatetime((await ledger.app.log.head()).at)
    for amount in (200, 300):
        await ledger.deposit(amount, brand)
    token = f"ledger:{(await ledger.app.log.head()).position}:"
    async with ledger.queries("bea", brand, "brand") as stub:
        amounts, page = list[int](), ""
        while True:
            asked = pb.ListStatementRequest(page_size=2, page_token=page, at_least=token)
            answer = await stub.ListStatement(asked)
            amounts += [line.amount_minor for line in answer.lines]
            page = answer.page.next_page_token
            if not page:
                break
        assert amounts == [100, 200, 300]
        past = await stub.GetBalances(pb.GetBalancesRequest(as_of=moment))
        assert [one.balance_minor for one in past.balances] == [100]


async def test_the_trial_balance_balances_and_the_ledger_verifies_over_rpc(ledger: Ledger) -> None:
    await work(ledger)
    token = f"ledger:{(await ledger.app.log.head()).position}:"
    moment = Timestamp()
    moment.FromDatetime(system_clock() + timedelta(minutes=1))
    async with ledger.queries("ada", "platform", "auditor") as stub:
        now = await stub.GetTrialBalance(pb.GetTrialBalanceRequest(at_least=token, currency="CNY"))
        past = await stub.GetTrialBalance(pb.GetTrialBalanceRequest(currency="CNY", as_of=moment))
        assert [(one.account, one.balance_minor) for one in now.rows if one.balance_minor] == [
            (one.account, one.balance_minor) for one in past.rows if one.balance_minor
        ]
        assert all(total.debits_minor == total.credits_minor > 0 for total in now.totals)
        proved = await stub.VerifyLedger(pb.VerifyLedgerRequest(at_least=token))
        assert proved.ok
        assert len(proved.root_hash) == 64


async def test_the_provider_s_account_below_its_bound_shows_in_the_gauge(
    kept: tuple[Path, LedgerSettings], tmp_path: Path
) -> None:
    folder, settings = kept
    shutil.copytree(folder, tmp_path / "copy")
    url = f"sqlite+aiosqlite:///{tmp_path / 'copy' / 'ledger.db'}"
    app = open_app(settings.model_copy(update={"database_url": url}))
    for taken_minor in (0, 10_000_000):
        async with app.database.transaction() as connection:
            change = f"UPDATE accounts SET credits_posted = credits_posted + {taken_minor} WHERE code = 'psp_clearing'"
            await connection.execute(sa.text(change))
        async with app.database.reading() as connection:
            for gauge in GAUGES:
                await gauge(connection)
        assert REGISTRY.get_sample_value("clearing_overdrawn_minor", {"currency": "CNY"}) == taken_minor
    found = await verify(app.log, app.service.codec, open_anchors(settings.anchor_dir, None))
    assert "accounts_equal_journal" in {one.invariant for one in found.checks if not one.ok}
    await app.close()
    await app.bus.close()
