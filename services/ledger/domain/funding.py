"""Client money (invariant 7): what is held for clients covers what clients are owed; costs are paid from own money.

Provider fees come out of the same pot as client money. So every chain looks at the shortfall it leaves and moves own
money (`bank -> bank_own`) to cover it. When own money is used up the chain is posted all the same (it is a fact), the
shortfall stays visible in `client_money`, and payouts stop until the platform has paid in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from kernel.core.decider import Key
from services.ledger.domain.accounts import CHART, PLATFORM, PROVIDER, Account, Code, Stake
from services.ledger.domain.transfers import Leg, Phase, Ref, account_key, apply_legs

BANK = Ref(Code.BANK, PROVIDER)
BANK_OWN = Ref(Code.BANK_OWN, PLATFORM)


@dataclass(frozen=True, slots=True)
class ClientMoney:
    """One row of the inline table `client_money` per currency: posted assets held and claims owed, minor units."""

    currency: str
    assets_minor: int = 0
    claims_minor: int = 0

    @property
    def short_minor(self) -> int:
        return max(0, self.claims_minor - self.assets_minor)


def moved(row: ClientMoney, legs: Iterable[Leg]) -> ClientMoney:
    """The row after the posted legs of its currency."""
    assets = claims = 0
    for leg in legs:
        if leg.currency == row.currency and leg.phase in (Phase.POSTED, Phase.POST):
            assets += leg.amount_minor * (_is(leg.debit, Stake.ASSET) - _is(leg.credit, Stake.ASSET))
            claims += leg.amount_minor * (_is(leg.credit, Stake.CLAIM) - _is(leg.debit, Stake.CLAIM))
    return replace(row, assets_minor=row.assets_minor + assets, claims_minor=row.claims_minor + claims)


def _is(ref: Ref, stake: Stake) -> int:
    return int(CHART[ref.code].stake is stake)


def funding_legs(row: ClientMoney, accounts: Mapping[Key, Account], legs: tuple[Leg, ...]) -> tuple[Leg, ...]:
    """The funding leg for the shortfall the legs leave behind: at most what `bank_own` has."""
    short_minor = moved(row, legs).short_minor
    if not short_minor:
        return ()
    key = account_key(BANK_OWN, row.currency)
    own = apply_legs(accounts, legs).get(key) or accounts.get(key)
    amount_minor = min(short_minor, own.spendable_minor if own else 0)
    return (Leg(BANK, BANK_OWN, amount_minor, row.currency),) if amount_minor > 0 else ()
