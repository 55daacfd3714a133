"""Every inline table that the journal alone determines: what the writer keeps and the proof of the books makes anew."""

from typing import Any

from kernel.core.decider import InlineTable
from services.ledger.domain.discrepancies import DISCREPANCIES
from services.ledger.domain.four_eyes import HAND_SUMS, PROPOSALS
from services.ledger.domain.holds import HOLDS
from services.ledger.domain.payees import PAYOUT_ACCOUNTS
from services.ledger.domain.policies import POLICIES
from services.ledger.domain.residences import RATES, RESIDENCES
from services.ledger.domain.rows import INLINES
from services.ledger.domain.seals import SEALS
from services.ledger.domain.ties import ACCOUNT_USES, CLEARED, PARTIES, PAY_ACCOUNTS
from services.ledger.domain.waiting import WAITING

ALL: tuple[InlineTable[Any], ...] = (
    *INLINES,
    PAYOUT_ACCOUNTS,
    POLICIES,
    RESIDENCES,
    RATES,
    WAITING,
    SEALS,
    DISCREPANCIES,
    PROPOSALS,
    HAND_SUMS,
    PAY_ACCOUNTS,
    ACCOUNT_USES,
    PARTIES,
    CLEARED,
    HOLDS,
)
