"""One person of finance takes client money: an invented settlement, an account set for somebody else, a payout. Refused."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from dandelion.ledger.v1 import queries_pb2 as pb

from kernel.core.ids import new_id
from kernel.eventlog.log import MAX_POSITION
from kernel.host.revocations import revoke
from services.ledger.domain.accounts import Code
from services.ledger.domain.commands import HoldEscrow
from services.ledger.domain.events import ChainKind
from services.ledger.domain.files import FileBooked, FileRefused
from services.ledger.domain.four_eyes import MoveApproved, proposal_stream
from services.ledger.domain.rows import ACCOUNTS
from services.ledger.reads.rows import inline_row
from tests.integration.ledger.client import COLUMNS, FINANCE, SECOND, Ledger, running, unique
from tests.kit.until import until


@pytest.fixture(scope="module")
async def ledger(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ledger]:
    async with running(tmp_path_factory.mktemp("ledger")) as made:
        yield made


async def bank_minor(ledger: Ledger, currency: str) -> int:
    row = await inline_row(ledger.app.database, ACCOUNTS, (currency, Code.BANK.value, "psp"))
    return row.balance_minor if row else 0


async def moves(ledger: Ledger, *who: str) -> dict[str, pb.HandMove]:
    async with ledger.queries(*who) as stub:
        listed = await stub.ListHandMoves(pb.ListHandMovesRequest(page_size=1_000))
    return {one.proposal_id: one for one in listed.moves}


async def shown(ledger: Ledger, proposal_id: str, *who: str) -> pb.HandMove:
    """The move as somebody reads it, once the read model has it."""
    found: list[pb.HandMove] = []

    async def there() -> bool:
        found[:] = [one for id_, one in (await moves(ledger, *who)).items() if id_ == proposal_id]
        return bool(found)

    await until(there)
    return found[0]


async def test_an_invented_settlement_is_not_booked_by_one_person(ledger: Ledger) -> None:
    file = f"{COLUMNS}\n{new_id()},1,thin air,SEK,900000,0,900000"
    for _ in range(3):
        answer = await ledger.done("POST", "/settlements", file, FINANCE)
        assert (answer["settled"], bool(answer["proposal_id"])) == (0, True)
        assert await bank_minor(ledger, "SEK") == 0
    path = f"/proposals/{answer['proposal_id']}/approve"
    assert await ledger.refused("POST", path, None, SECOND) == "proposal.needs_its_file"
    booked = await ledger.done("POST", "/settlements", file, SECOND)
    assert (booked["settled"], booked["unmatched"], booked["proposal_id"]) == (1, 1, "")
    assert await bank_minor(ledger, "SEK") == 900_000


@pytest.mark.parametrize("what", ["own-money", "payout", "payout-account", "escrow", "tax-residence", "deposit"])
async def test_nobody_moves_alone_what_is_not_its_own(ledger: Ledger, what: str) -> None:
    brand, creator, deliverable = unique("brand"), unique("creator"), unique("deliverable")
    await ledger.deposit(1_000, brand)
    await ledger.execute(HoldEscrow(deliverable, 1, unique("c"), unique("c"), brand, creator, "CNY", 900, 90))
    money = {"amount_minor": 10, "currency": "CNY"}
    method, path, body = {
        "own-money": ("PUT", f"/own-money/{new_id()}", money),
        "payout": ("PUT", f"/payouts/{new_id()}", money | {"instrument": "acct_mine", "owner_id": creator}),
        "payout-account": ("PUT", f"/payout-accounts/{creator}", {"currency": "CNY", "instrument": "acct_mine"}),
        "escrow": ("POST", f"/escrows/{deliverable}/release", {}),
        "tax-residence": ("PUT", f"/tax-residences/{creator}", {"country": "GB", "reference": "x"}),
        "deposit": ("PUT", f"/deposits/{new_id()}", money | {"instrument": "tok_theirs", "brand_id": brand}),
    }[what]
    chains = len(await ledger.chains())
    id_ = await ledger.proposed(method, path, body)
    assert await ledger.refused("POST", f"/proposals/{id_}/approve", None, FINANCE) == "proposal.own"
    assert len(await ledger.chains()) == chains
    named = await shown(ledger, id_, *FINANCE)
    assert (named.status, named.proposed_by, named.approved_by) == (pb.HAND_MOVE_STATUS_PROPOSED, "fay", "")
    owner = brand if what == "deposit" else creator
    if what != "own-money":  # the owner is told, and does not learn who of finance it was
        notice = await shown(ledger, id_, "them", owner, "creator")
        assert (owner in notice.owner_ids, notice.proposed_by, notice.command) == (True, "", "")
        assert (await ledger.published("HandMoveProposed", proposal_id=id_)).owner_ids
    assert id_ not in await moves(ledger, "eve", unique("brand"), "brand"), "a stranger is told nothing"
    async with ledger.http("them", owner, "creator") as client:
        listed = (await client.get("/proposals")).json()
    assert (id_ in str(listed)) == (what != "own-money")


async def test_two_people_do_it_and_stand_in_the_log(ledger: Ledger) -> None:
    id_ = await ledger.proposed("PUT", f"/own-money/{new_id()}", {"amount_minor": 10, "currency": "CNY"})
    for _ in range(2):
        await ledger.done("POST", f"/proposals/{id_}/approve", None, SECOND)

    async def approved() -> bool:
        one = (await moves(ledger, *FINANCE)).get(id_)
        return one is not None and (one.status, one.approved_by) == (pb.HAND_MOVE_STATUS_CARRIED_OUT, "fred")

    await until(approved)
    assert await ledger.refused("POST", f"/proposals/{id_}/reject", {"reason": "late"}, FINANCE) == "proposal.not_open"
    assert await ledger.refused("POST", f"/proposals/{new_id()}/approve", None, SECOND) == "proposal.not_found"


async def approved_in_vain(ledger: Ledger, currency: str) -> str:
    """The proposal of a move that was approved and could not be carried out, as nothing is in suspense."""
    body = {"brand_id": unique("brand"), "currency": currency, "amount_minor": 70, "reason": "letter"}
    id_ = await ledger.proposed("PUT", f"/identifications/{new_id()}", body)
    assert await ledger.refused("POST", f"/proposals/{id_}/approve", None, SECOND) == "account.bound_crossed"
    return id_


async def found_money(ledger: Ledger, currency: str) -> None:
    await ledger.settled(f"{COLUMNS}\n{new_id()},1,thin air,{currency},70,0,70")


async def test_an_approved_move_that_was_not_carried_out_is_rejected(ledger: Ledger) -> None:
    id_ = await approved_in_vain(ledger, "CHF")
    await ledger.done("POST", f"/proposals/{id_}/reject", {"reason": "the letter was forged"}, FINANCE)
    await found_money(ledger, "CHF")
    assert await ledger.refused("POST", f"/proposals/{id_}/approve", None, SECOND) == "proposal.not_open"
    assert await ledger.refused("POST", f"/proposals/{id_}/approve", None, ("flo", "platform", "finance")) == (
        "proposal.not_open"
    )


async def test_an_approval_counts_no_longer_than_its_approver(ledger: Ledger) -> None:
    """Who approved was sent away before the move was carried out: a third person has to agree, the proposer cannot."""
    id_ = await approved_in_vain(ledger, "NOK")
    await found_money(ledger, "NOK")
    await revoke(ledger.app.database, "subject", "fred", await ledger.app.log.now(), "left the house")
    try:
        assert await ledger.refused("POST", f"/proposals/{id_}/approve", None, FINANCE) == "proposal.own"
        await ledger.done("POST", f"/proposals/{id_}/approve", None, ("flo", "platform", "finance"))
    finally:
        await revoke(ledger.app.database, "subject", "fred", datetime(2020, 1, 1, tzinfo=UTC), "back")

    async def carried_out() -> bool:
        one = (await moves(ledger, *FINANCE)).get(id_)
        return one is not None and (one.status, one.approved_by) == (pb.HAND_MOVE_STATUS_CARRIED_OUT, "flo")

    await until(carried_out)


async def test_a_revoked_token_voids_the_approval_that_it_brought(ledger: Ledger) -> None:
    """Its bearer is the same person with another token, and has to say it again: so has anybody else but the proposer."""
    id_ = await approved_in_vain(ledger, "DKK")
    await found_money(ledger, "DKK")
    (token_id,) = [one.token_id for one in await said(ledger, id_) if isinstance(one, MoveApproved)]
    assert token_id
    await revoke(ledger.app.database, "token", token_id, await ledger.app.log.now(), "laptop lost")
    assert await ledger.refused("POST", f"/proposals/{id_}/approve", None, FINANCE) == "proposal.own"
    await ledger.done("POST", f"/proposals/{id_}/approve", None, SECOND)
    approvals = [one.token_id for one in await said(ledger, id_) if isinstance(one, MoveApproved)]
    assert (len(approvals), approvals[0] != approvals[-1]) == (2, True)


async def said(ledger: Ledger, proposal_id: str) -> list[Any]:
    codec, stream = ledger.app.service.codec, proposal_stream(proposal_id)
    return [codec.decode(one.name, one.data) for one in await ledger.app.log.load([stream], MAX_POSITION)]


async def test_a_cancellation_returns_what_both_people_saw(ledger: Ledger) -> None:
    brand, creator, deliverable = unique("brand"), unique("creator"), unique("deliverable")
    await ledger.deposit(10_000, brand)
    hold = HoldEscrow(deliverable, 1, unique("c"), unique("c"), brand, creator, "CNY", 1_000, 100)
    await ledger.execute(hold)
    id_ = await ledger.proposed("POST", f"/escrows/{deliverable}/cancel", {"reason": "ruled by staff"})
    await ledger.execute(replace(hold, revision=2, fee_minor=5_000, brand_fee_minor=500))
    assert await ledger.refused("POST", f"/proposals/{id_}/approve", None, SECOND) == "escrow.left_differs"
    await ledger.by_hand("POST", f"/escrows/{deliverable}/cancel", {"reason": "ruled by staff"})


@pytest.mark.parametrize(
    "who", [("bea", new_id(), "brand"), ("ada", "platform", "auditor"), ("sys", "platform", "system")]
)
async def test_nobody_but_finance_has_a_say(ledger: Ledger, who: tuple[str, ...]) -> None:
    id_ = await ledger.proposed("PUT", f"/own-money/{new_id()}", {"amount_minor": 10, "currency": "CNY"})
    for path, body in ((f"/proposals/{id_}/approve", None), (f"/proposals/{id_}/reject", {"reason": "x"})):
        assert (await ledger.send("POST", path, body, who)).status_code in {401, 403}
    assert (await ledger.send("POST", "/settlements/b1/fetch", None, who)).status_code in {401, 403}


async def listed(ledger: Ledger, batch: str, *codes: str) -> bool:
    """Whether finance's work list, which an alert counts, says just that of the whole file."""
    return tuple(one.code for one in await ledger.work_list(batch) if one.word == batch) == codes


async def test_the_provider_s_own_file_is_fetched_and_needs_nobody(ledger: Ledger) -> None:
    brand, id_ = unique("brand"), new_id()
    seed, _, number = ledger.sandbox.psp.close_batch().rpartition("-")
    batch = f"{seed}-{int(number) + 1:06d}"
    await ledger.by_hand("PUT", f"/own-money/{new_id()}", {"amount_minor": 1_000, "currency": "CNY"})
    body = {"amount_minor": 7_000, "currency": "CNY", "instrument": "tok_visa"}
    await ledger.done("PUT", f"/deposits/{id_}", body, ("bea", brand, "brand"))
    await ledger.posted(ChainKind.DEPOSIT_CONFIRMED, id_)
    await ledger.done("POST", f"/settlements/{batch}/fetch", None, FINANCE)
    await until(partial(listed, ledger, batch, "settlement.no_such_batch"))
    assert ledger.sandbox.psp.close_batch() == batch
    await ledger.done("POST", f"/settlements/{batch}/fetch", None, FINANCE)
    await ledger.posted(ChainKind.LINE_SETTLED, id_)
    await until(partial(listed, ledger, batch))
    await ledger.done("POST", "/settlements/never-closed/fetch", None, FINANCE)

    async def noted() -> bool:
        codec = ledger.app.service.codec
        found = [codec.decode(one.name, one.data) for one in await ledger.app.log.read(0)]
        files = [one for one in found if isinstance(one, FileBooked | FileRefused)]
        return {one.batch for one in files} == {batch, "never-closed"}

    await until(noted)
    assert await listed(ledger, "never-closed", "settlement.no_such_batch")
    for bad in ("..", ".%2e", "a.b", "a%2Fb", "x" * 101):
        assert (await ledger.send("POST", f"/settlements/{bad}/fetch", None, FINANCE)).status_code in (404, 405, 422)


async def test_a_person_s_day_has_a_limit(tmp_path: Path) -> None:
    async with running(tmp_path) as ledger:
        most = ledger.settings.hand_limit_minor
        await ledger.proposed("PUT", f"/own-money/{new_id()}", {"amount_minor": most, "currency": "CNY"})
        more = {"amount_minor": 1, "currency": "CNY"}
        assert await ledger.refused("PUT", f"/own-money/{new_id()}", more, FINANCE) == "proposal.day_limit"
        await ledger.proposed("PUT", f"/own-money/{new_id()}", more | {"currency": "USD"})


async def test_no_line_of_a_file_makes_another_look_smaller(tmp_path: Path) -> None:
    async with running(tmp_path) as ledger:
        most = ledger.settings.hand_limit_minor
        for hidden in (f"0,-{most},{most}", f"-1,-{most},{most - 1}"):
            file = f"{COLUMNS}\n{new_id()},1,thin air,CNY,{most},0,{most}\n{new_id()},2,thin air,CNY,{hidden}"
            assert await ledger.refused("POST", "/settlements", file, FINANCE) == "proposal.day_limit"
        fee = f"{COLUMNS}\n{new_id()},1,thin air,CNY,-1,{most},-{most + 1}"
        assert await ledger.refused("POST", "/settlements", fee, FINANCE) == "proposal.day_limit"
