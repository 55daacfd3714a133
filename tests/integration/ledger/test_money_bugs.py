"""Three bugs seen in a shipped escrow, and what else must hold when everything is asked at once or twice."""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kernel.core.faults import NotFound, Refused, Unavailable
from kernel.core.ids import new_id
from services.ledger.domain import watches
from services.ledger.domain.accounts import Code
from services.ledger.domain.commands import CancelEscrow, Command, HoldEscrow, ReleasePayment
from services.ledger.domain.events import ChainKind, TransferKind, Transferred
from services.ledger.domain.rows import ACCOUNTS
from services.ledger.ports import Verdict, Word
from services.ledger.reads.rows import escrow_of, inline_row
from tests.integration.ledger.client import Ledger, running, unique
from tests.kit.until import until


def hold(brand: str, creator: str, deliverable: str, expires_s: int = 0) -> HoldEscrow:
    return HoldEscrow(
        deliverable, 1, unique("co"), unique("ca"), brand, creator, "CNY", 90_000, 9_000, expires_s=expires_s
    )


def release(deliverable: str, creator: str) -> ReleasePayment:
    return ReleasePayment(new_id(), deliverable, creator, "CNY", 90_000, 9_000)


def cancel(deliverable: str, brand: str, creator: str) -> CancelEscrow:
    return CancelEscrow(new_id(), deliverable, brand, creator, "CNY", 0, 0, "brand.cancelled")


async def spendable(ledger: Ledger, code: Code, owner: str) -> int:
    row = await inline_row(ledger.app.database, ACCOUNTS, ("CNY", code.value, owner))
    return row.spendable_minor if row else 0


async def outcomes(ledger: Ledger, commands: list[Command]) -> Counter[str]:
    """What became of commands sent at once, by the refusal's code or "done"."""

    async def one(command: Command) -> str:
        try:
            await ledger.execute(command)
        except Refused as fault:
            return fault.code
        return "done"

    return Counter(await asyncio.gather(*map(one, commands)))


async def test_accepted_and_then_silence_returns_the_money_by_the_clock(ledger: Ledger) -> None:
    brand, creator, deliverable = unique("brand"), unique("creator"), unique("deliverable")
    await ledger.deposit(99_000, brand)
    await ledger.execute(hold(brand, creator, deliverable, expires_s=1))
    assert await spendable(ledger, Code.BRAND_AVAILABLE, brand) == 0
    refund = await ledger.published("RefundIssued", deliverable_id=deliverable)
    assert (refund.amount_minor, refund.reason) == (99_000, "escrow.expired")
    assert await spendable(ledger, Code.BRAND_AVAILABLE, brand) == 99_000


async def test_the_clock_leaves_alone_what_was_released(ledger: Ledger) -> None:
    brand, creator, deliverable = unique("brand"), unique("creator"), unique("deliverable")
    await ledger.deposit(99_000, brand)
    await ledger.resident(creator)
    await ledger.execute(hold(brand, creator, deliverable, expires_s=1))
    await ledger.execute(release(deliverable, creator))
    table = ledger.app.metadata.tables["deadlines"]
    async with ledger.app.database.reading() as connection:
        streams = (await connection.execute(table.select())).mappings().all()
    assert f"escrow-{deliverable}" not in {row["stream"] for row in streams}


async def test_approve_and_reject_racing_pay_one_side_once(ledger: Ledger) -> None:
    brand, creator, deliverable = unique("brand"), unique("creator"), unique("deliverable")
    await ledger.deposit(99_000, brand)
    await ledger.resident(creator)
    await ledger.execute(hold(brand, creator, deliverable))
    racers: list[Command] = []
    for _ in range(25):
        racers += [release(deliverable, creator), cancel(deliverable, brand, creator)]
    assert await outcomes(ledger, racers) == {"done": 1, "escrow.not_held": 49}
    row = await escrow_of(ledger.app.database, deliverable)
    assert row is not None
    assert {row.released_minor, row.returned_minor} == {0, 99_000}
    paid = await spendable(ledger, Code.CREATOR_AVAILABLE, creator)
    back = await spendable(ledger, Code.BRAND_AVAILABLE, brand)
    assert (paid, back) in [(90_000, 0), (0, 99_000)]


async def test_fifty_releases_of_one_deliverable_release_once(ledger: Ledger) -> None:
    brand, creator, deliverable = unique("brand"), unique("creator"), unique("deliverable")
    await ledger.deposit(99_000, brand)
    await ledger.resident(creator)
    await ledger.execute(hold(brand, creator, deliverable))
    found = await outcomes(ledger, [release(deliverable, creator) for _ in range(50)])
    assert found == {"done": 1, "escrow.not_held": 49}
    released = [one for one in await ledger.chains(ChainKind.PAYMENT_RELEASED) if one.deal]
    assert sum(one.deal.deliverable_id == deliverable for one in released if one.deal) == 1


async def test_one_deposit_covers_as_many_holds_as_it_covers(ledger: Ledger) -> None:
    brand, creator = unique("brand"), unique("creator")
    await ledger.deposit(99_000 * 3, brand)
    await outcomes(ledger, [hold(brand, creator, unique("deliverable")) for _ in range(20)])
    held = [one for one in await ledger.chains(ChainKind.ESCROW_HELD) if one.deal and one.deal.brand_id == brand]
    assert len(held) == 3
    assert await spendable(ledger, Code.BRAND_AVAILABLE, brand) == 0


async def test_parallel_payouts_never_overdraw(ledger: Ledger) -> None:
    brand, creator, deliverable = unique("brand"), unique("creator"), unique("deliverable")
    await ledger.deposit(99_000, brand)
    await ledger.resident(creator)
    await ledger.execute(hold(brand, creator, deliverable))
    await ledger.execute(release(deliverable, creator))
    who = ("cai", creator, "creator")
    body = {"amount_minor": 40_000, "currency": "CNY", "instrument": "acct"}
    answers = await asyncio.gather(*[ledger.send("PUT", f"/payouts/{new_id()}", body, who) for _ in range(10)])
    assert Counter(answer.status_code for answer in answers) == {201: 2, 409: 8}


async def test_a_lost_answer_is_asked_for_again_under_the_same_key_and_pays_once(tmp_path: Path) -> None:
    """The provider does it, the answer is lost, the ledger does not know; nothing is sent under another id."""
    async with running(tmp_path, lost_answer_bps=10_000) as ledger:
        brand, creator, deliverable, payout = (unique(noun) for noun in ("b", "c", "d", "p"))
        await ledger.deposit(99_000, brand)
        await ledger.resident(creator)
        await ledger.execute(hold(brand, creator, deliverable))
        await ledger.execute(release(deliverable, creator))
        body = {"amount_minor": 90_000, "currency": "CNY", "instrument": "acct"}
        path, who = f"/payouts/{payout}", ("cai", creator, "creator")
        answers = await asyncio.gather(*[ledger.send("PUT", path, body, who) for _ in range(5)])
        assert {answer.status_code for answer in answers} == {201}
        await ledger.posted(ChainKind.PAYOUT_CONFIRMED, payout)
        assert len(await ledger.chains(ChainKind.PAYOUT_REQUESTED)) == 1
        assert len(await ledger.chains(ChainKind.PAYOUT_CONFIRMED)) == 1
        transfer = ledger.sandbox.psp.find("payout", payout)
        assert transfer is not None
        assert transfer.amount_minor == 90_000


async def test_a_stormy_provider_changes_no_total(tmp_path: Path) -> None:
    """Busy, answers lost, webhooks twice and out of order: every deposit counts once."""
    storm: dict[str, Any] = dict.fromkeys(["busy_bps", "lost_answer_bps", "duplicated_bps", "early_bps"], 5_000)
    async with running(tmp_path, delay_ms=20, **storm) as ledger:
        brand = unique("brand")
        ids = [unique("deposit") for _ in range(30)]
        body = {"amount_minor": 1_000, "currency": "CNY", "instrument": "tok"}
        await asyncio.gather(*[ledger.done("PUT", f"/deposits/{id_}", body, ("b", brand, "brand")) for id_ in ids])
        for id_ in ids:
            await ledger.posted(ChainKind.DEPOSIT_CONFIRMED, id_)
        await ledger.sandbox.sender.settled()
        assert len(await ledger.chains(ChainKind.DEPOSIT_CONFIRMED)) == 30
        assert await spendable(ledger, Code.BRAND_AVAILABLE, brand) == 30_000


async def test_what_no_webhook_tells_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "FIRST_LOOK", timedelta(milliseconds=50))
    async with running(tmp_path, lost_webhook_bps=10_000) as ledger:
        id_ = unique("deposit")
        body = {"amount_minor": 1_000, "currency": "CNY", "instrument": "tok"}
        await ledger.done("PUT", f"/deposits/{id_}", body, ("b", unique("brand"), "brand"))
        await ledger.posted(ChainKind.DEPOSIT_CONFIRMED, id_)


async def test_a_deposit_that_the_provider_never_confirms_expires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watches, "FIRST_LOOK", timedelta(milliseconds=50))
    monkeypatch.setattr(watches, "LIFE", timedelta(0))
    async with running(tmp_path, lost_webhook_bps=10_000, delay_ms=60_000) as ledger:
        id_ = unique("deposit")
        body = {"amount_minor": 1_000, "currency": "CNY", "instrument": "tok"}
        await ledger.done("PUT", f"/deposits/{id_}", body, ("b", unique("brand"), "brand"))
        await ledger.posted(ChainKind.DEPOSIT_FAILED, id_)
        (failed,) = await ledger.chains(ChainKind.DEPOSIT_FAILED)
        assert failed.reason == "deposit.expired"


async def test_a_payout_with_no_money_in_the_bank_waits(ledger: Ledger) -> None:
    """What is not settled yet cannot leave: the provider still has it."""
    brand, creator, deliverable = unique("brand"), unique("creator"), unique("deliverable")
    id_ = unique("deposit")
    body = {"amount_minor": 5_000, "currency": "JPY", "instrument": "tok"}
    await ledger.done("PUT", f"/deposits/{id_}", body, ("b", brand, "brand"))
    await ledger.posted(ChainKind.DEPOSIT_CONFIRMED, id_)
    held = HoldEscrow(deliverable, 1, unique("co"), unique("ca"), brand, creator, "JPY", 5_000, 0)
    await ledger.execute(held)
    await ledger.resident(creator, "JP")
    await ledger.execute(ReleasePayment(new_id(), deliverable, creator, "JPY", 5_000, 0))
    payout = {"amount_minor": 5_000, "currency": "JPY", "instrument": "acct"}
    answer = await ledger.send("PUT", f"/payouts/{new_id()}", payout, ("c", creator, "creator"))
    assert (answer.status_code, answer.json()["code"]) == (409, "transfer.not_now")
    assert set(answer.json()["facts"]) == {"do"}, "the platform's bank is not the creator's to know"


async def test_staff_can_end_an_escrow_that_no_process_ends(ledger: Ledger) -> None:
    brand, creator, deliverable = unique("brand"), unique("creator"), unique("deliverable")
    await ledger.deposit(99_000, brand)
    await ledger.resident(creator)
    await ledger.execute(hold(brand, creator, deliverable))
    path, body = f"/escrows/{deliverable}/release", {"fee_minor": 45_000, "brand_fee_minor": 4_500}
    await ledger.by_hand("POST", path, body)
    await ledger.by_hand("POST", f"/escrows/{deliverable}/cancel", {"reason": "ruled by staff"})
    row = await escrow_of(ledger.app.database, deliverable)
    assert row is not None
    assert (row.status, row.released_minor, row.returned_minor) == ("closed", 49_500, 49_500)


async def test_a_provider_that_is_gone_is_waited_for(tmp_path: Path) -> None:
    """Down: nothing is decided. Back: everything is, once."""
    calls = 0

    class Gone:
        async def submit(self, transfer: object) -> object:
            nonlocal calls
            calls += 1
            raise Unavailable("provider.unavailable")

        async def find(self, kind: object, transfer_id: str) -> object:
            raise Unavailable("provider.unavailable")

        async def close(self) -> None:
            return None

    async with running(tmp_path, provider=Gone()) as ledger:  # type: ignore[arg-type]
        body = {"amount_minor": 1_000, "currency": "CNY", "instrument": "tok"}
        await ledger.done("PUT", f"/deposits/{new_id()}", body, ("b", unique("brand"), "brand"))

        async def tried_again() -> bool:
            return calls >= 3

        await until(tried_again)
        assert await ledger.chains(ChainKind.DEPOSIT_CONFIRMED, ChainKind.DEPOSIT_FAILED) == []


async def test_an_answer_that_names_no_money_is_kept_for_finance(tmp_path: Path) -> None:
    """The answer is no fault that could pass: asked again, the provider would say the same."""

    class Terse:
        async def submit(self, transfer: Transferred) -> Verdict:
            return Verdict(reference=transfer.transfer_id, kind=transfer.kind, status=Word.SUCCEEDED)

        async def find(self, kind: TransferKind, transfer_id: str) -> Verdict:
            return Verdict(reference=transfer_id, kind=kind, status=Word.PENDING)

        async def settlement(self, batch: str) -> bytes:
            raise NotFound("settlement.no_such_batch")

        async def close(self) -> None:
            return None

    async with running(tmp_path, provider=Terse()) as ledger:
        deposit, body = new_id(), {"amount_minor": 1_000, "currency": "CNY", "instrument": "tok"}
        await ledger.done("PUT", f"/deposits/{deposit}", body, ("b", unique("brand"), "brand"))

        async def kept() -> bool:
            return [one.code for one in await ledger.work_list(deposit)] == ["money.unknown_currency"]

        await until(kept)
