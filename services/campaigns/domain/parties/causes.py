"""Facts of the ledger about organisations; subscribe.py makes each of a public message."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AccountNamed:
    """ledger: the organisation pays from the account or is paid there; the id is the same for all who use it."""

    owner_id: str
    account_id: str


@dataclass(frozen=True, slots=True)
class TieCleared:
    """ledger: two people of finance have seen why the payee is rightly paid by a brand that uses its accounts."""

    brand_id: str
    payee_id: str
    account_ids: tuple[str, ...]
