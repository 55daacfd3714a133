"""What happens to a collaboration while its money is not held yet. Stored for ever; see docs/change-an-event.md."""

from dataclasses import dataclass
from datetime import datetime

from services.campaigns.domain.shared.contract import Parties


@dataclass(frozen=True, slots=True)
class FundingWaits:
    """The ledger does not hold `uncovered_minor` of the contract, for `reason`; what it holds stays held. The platform tries
    again by itself at `retry_at`, the brand whenever it likes, until the funding clock ends the wait. `attempt` counts from 1."""

    parties: Parties
    reason: str
    uncovered_minor: int
    currency: str
    attempt: int
    retry_at: datetime


@dataclass(frozen=True, slots=True)
class FundingRetried:
    """What was not held is asked for again, as `attempt`."""

    parties: Parties
    attempt: int


FundingStepEvent = FundingWaits | FundingRetried
