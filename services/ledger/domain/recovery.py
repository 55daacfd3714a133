"""Debts are paid first by what comes to who owes: a brand's (row 20) by a deposit, a refund that came back, an escrow's return;
a creator's (row 19) by a payout that failed or came back.

Of a release row 10 does the same, payee by payee, in its own legs. The recovery is a leg of the chain that brings the money, so
that the statement shows both.
"""

from collections.abc import Iterable, Mapping

from kernel.core.decider import Key
from services.ledger.domain.accounts import Account, Code
from services.ledger.domain.transfers import Leg, Phase, Ref, account_key, apply_legs, opened

DEBTS = {Code.BRAND_AVAILABLE: Code.BRAND_RECEIVABLE, Code.CREATOR_AVAILABLE: Code.CREATOR_RECEIVABLE}
"""What an organisation has free, and where it owes."""


def debts_of(legs: Iterable[Leg]) -> list[Ref]:
    """The debt accounts of those that the legs bring money to."""
    return [_debt(home) for home, _ in _came(legs)]


def recovery_legs(accounts: Mapping[Key, Account], legs: tuple[Leg, ...]) -> tuple[Leg, ...]:
    """Of what comes to each: at most its debt, and nothing that the legs pay themselves."""
    came = {one: minor for one, minor in _came(legs).items() if _owed(accounts, *one)}
    after = apply_legs(accounts, legs) if came else {}
    found = []
    for (home, currency), came_minor in came.items():
        debt = _debt(home)
        free_minor = after[account_key(home, currency)].spendable_minor
        amount_minor = min(came_minor, _owed({**accounts, **after}, home, currency), free_minor)
        if amount_minor > 0:
            found.append(Leg(home, debt, amount_minor, currency))
    return tuple(found)


def _debt(home: Ref) -> Ref:
    return Ref(DEBTS[home.code], home.owner)


def _owed(accounts: Mapping[Key, Account], home: Ref, currency: str) -> int:
    key = account_key(_debt(home), currency)
    return (accounts.get(key) or opened(key)).spendable_minor


def _came(legs: Iterable[Leg]) -> dict[tuple[Ref, str], int]:
    """What is credited to each account and currency, less what of it pays a debt already."""
    found: dict[tuple[Ref, str], int] = {}
    for leg in legs:
        if leg.phase not in (Phase.POSTED, Phase.POST):
            continue
        if leg.credit.code in DEBTS:
            key = (leg.credit, leg.currency)
            found[key] = found.get(key, 0) + leg.amount_minor
        elif DEBTS.get(leg.debit.code) is leg.credit.code:
            key = (leg.debit, leg.currency)
            found[key] = found.get(key, 0) - leg.amount_minor
    return {one: minor for one, minor in found.items() if minor > 0}
