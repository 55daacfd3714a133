"""Debts of brands (row 20) are paid first by what comes to them: a deposit, a refund that came back, an escrow's return.

Row 10 does the same for creators, in the chain of their release. The recovery is a leg of the chain that brings the money, so
that the brand's statement shows both.
"""

from collections.abc import Iterable, Mapping

from kernel.core.decider import Key
from services.ledger.domain.accounts import Account, Code
from services.ledger.domain.transfers import Leg, Phase, Ref, account_key, apply_legs, opened


def debts_of(legs: Iterable[Leg]) -> list[Ref]:
    """The debt accounts of the brands that the legs bring money to."""
    return [Ref(Code.BRAND_RECEIVABLE, owner) for owner, _ in _came(legs)]


def recovery_legs(accounts: Mapping[Key, Account], legs: tuple[Leg, ...]) -> tuple[Leg, ...]:
    """Of what comes to each brand: at most its debt."""
    after = apply_legs(accounts, legs) if (came := _came(legs)) else {}
    found = []
    for (owner, currency), came_minor in came.items():
        brand, debt = Ref(Code.BRAND_AVAILABLE, owner), Ref(Code.BRAND_RECEIVABLE, owner)
        key = account_key(debt, currency)
        owed_minor = (after.get(key) or accounts.get(key) or opened(key)).spendable_minor
        free_minor = after[account_key(brand, currency)].spendable_minor
        amount_minor = min(came_minor, owed_minor, free_minor)
        if amount_minor > 0:
            found.append(Leg(brand, debt, amount_minor, currency))
    return tuple(found)


def _came(legs: Iterable[Leg]) -> dict[tuple[str, str], int]:
    """What is credited to each brand and currency."""
    found: dict[tuple[str, str], int] = {}
    for leg in legs:
        if leg.credit.code is Code.BRAND_AVAILABLE and leg.phase in (Phase.POSTED, Phase.POST):
            key = (leg.credit.owner, leg.currency)
            found[key] = found.get(key, 0) + leg.amount_minor
    return found
