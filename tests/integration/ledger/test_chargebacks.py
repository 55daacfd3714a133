"""Chargebacks by webhook: what they take, what is won of them, and which case a word without a reference means."""

from services.ledger.domain.accounts import Code
from services.ledger.domain.commands import HoldEscrow
from tests.integration.ledger.client import Ledger, unique
from tests.integration.ledger.test_webhooks import confirmed, deliver, spendable


async def test_a_chargeback_takes_what_is_there_and_the_rest_is_a_debt_until_it_is_won(ledger: Ledger) -> None:
    brand, deliverable = unique("brand"), unique("deliverable")
    data = await confirmed(ledger, brand)
    held = HoldEscrow(deliverable, 1, unique("co"), unique("ca"), brand, unique("c"), "CNY", 600, 0)
    await ledger.execute(held)
    case = {key: value for key, value in data.items() if key != "status"} | {"provider_ref": "cb_1", "fee_minor": 0}
    for _ in range(2):
        assert (await deliver(ledger, case, type_="chargeback.opened")).status_code == 200
    assert await spendable(ledger, Code.BRAND_AVAILABLE, brand) == 0
    assert await spendable(ledger, Code.BRAND_RECEIVABLE, brand) == 600
    told = await ledger.published("DepositReversed", deposit_id=data["reference"])
    assert (told.amount_minor, told.debt_minor, told.reference) == (700, 600, "cb_1")
    for type_ in ("chargeback.lost", "chargeback.won", "chargeback.won"):
        assert (await deliver(ledger, case, type_=type_)).status_code == 200
    assert await spendable(ledger, Code.BRAND_AVAILABLE, brand) == 100
    assert await spendable(ledger, Code.BRAND_RECEIVABLE, brand) == 0
    assert (await ledger.published("DepositRestored", deposit_id=data["reference"])).amount_minor == 700


async def test_chargebacks_without_a_reference_are_told_apart_by_their_times(ledger: Ledger) -> None:
    """Two of one sum are two debts; each is won once, by a word that names no case either."""
    brand = unique("brand")
    data = await confirmed(ledger, brand)
    case = {name: value for name, value in data.items() if name not in ("status", "provider_ref")}
    case |= {"fee_minor": 0, "amount_minor": 200}
    for at in ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"):
        assert (await deliver(ledger, case, type_="chargeback.opened", at=at)).status_code == 200
    assert await spendable(ledger, Code.BRAND_AVAILABLE, brand) == 300
    await deliver(ledger, case, type_="chargeback.won", at="2026-01-03T00:00:00Z")
    assert [one.code for one in await ledger.work_list(str(data["reference"]))] == ["deposit.case_unknown"]
    await deliver(ledger, case, type_="chargeback.opened")
    codes = {one.code for one in await ledger.work_list(str(data["reference"]))}
    assert codes == {"deposit.case_unknown", "deposit.case_unnamed"}
    assert await spendable(ledger, Code.BRAND_AVAILABLE, brand) == 300


async def test_the_one_open_case_without_a_reference_is_won(ledger: Ledger) -> None:
    brand = unique("brand")
    data = await confirmed(ledger, brand)
    case = {name: value for name, value in data.items() if name not in ("status", "provider_ref")}
    case |= {"fee_minor": 0, "amount_minor": 200}
    for day, type_ in ((1, "opened"), (2, "won"), (3, "opened"), (2, "won"), (4, "won")):
        await deliver(ledger, case, type_=f"chargeback.{type_}", at=f"2026-01-0{day}T00:00:00Z")
    assert await spendable(ledger, Code.BRAND_AVAILABLE, brand) == 700
    kept = await ledger.work_list(str(data["reference"]))
    assert [one.code for one in kept] == ["deposit.case_unknown"], "a word that was said before wins no later case"
