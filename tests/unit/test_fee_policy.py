"""Two services know the platform's first fee policy without an event: it is the same one."""

from services.campaigns.domain.shared import fees as campaigns
from services.ledger.domain import fees as ledger


def test_the_first_fee_policy_is_the_same_in_both() -> None:
    names = ("name", "since", "brand_fee_bps", "creator_fee_bps")
    assert [getattr(campaigns.FIRST, name) for name in names] == [getattr(ledger.FIRST, name) for name in names]
