"""Shares sum to the whole, whatever is rounded."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.core.faults import Invalid
from services.ledger.domain.accounts import CHART, Code, bound_check_sql
from services.ledger.domain.fees import FIRST, policy_at, share_out, split_creators, vat_inside

MINOR = st.integers(0, 10**12)
BPS = st.integers(0, 10_000)


@settings(deadline=None)
@given(MINOR, MINOR, st.integers(0, 1_000), BPS, st.sampled_from(["CN", "US"]))
def test_shares_sum_to_the_gross_exactly(fee: int, brand_fee: int, fee_bps: int, agency_bps: int, where: str) -> None:
    shares = share_out(fee, brand_fee, creator_fee_bps=fee_bps, agency_bps=agency_bps, jurisdiction=where)
    parts = (
        shares.brand_revenue_minor, shares.creator_revenue_minor, shares.vat_minor, shares.agency_minor,
        shares.creator_minor,
    )  # fmt: skip
    assert sum(parts) == fee + brand_fee
    assert min(parts) >= 0


def test_a_release_in_numbers() -> None:
    shares = share_out(100_000, 10_600, creator_fee_bps=530, agency_bps=2_000, jurisdiction="CN")
    assert (shares.brand_revenue_minor, shares.creator_revenue_minor) == (10_000, 5_000)
    assert (shares.vat_minor, shares.agency_minor, shares.creator_minor) == (900, 18_940, 75_760)


def test_vat_is_inside_the_fee_and_only_where_the_platform_owes_it() -> None:
    assert vat_inside(10_600, "CN") == 600
    assert vat_inside(10_600, "US") == 0


def test_a_split_uses_largest_remainders_and_ties_go_to_the_smaller_id() -> None:
    assert split_creators(100, (("b", 1), ("a", 1), ("c", 1))) == {"a": 34, "b": 33, "c": 33}
    assert split_creators(10, (("a", 2), ("b", 1))) == {"a": 7, "b": 3}
    with pytest.raises(Invalid, match=r"money\.weights_not_positive"):
        split_creators(10, (("a", 0),))


def test_a_time_before_the_first_policy_is_refused() -> None:
    with pytest.raises(Invalid, match=r"fee\.no_policy"):
        policy_at(datetime(2024, 1, 1, tzinfo=UTC), (FIRST,))


def test_the_sql_bound_names_every_bounded_account() -> None:
    text = bound_check_sql()
    assert all((f"'{code}'" in text) == kind.bounded for code, kind in CHART.items())
    assert text.index("'bank'") < text.index("debits_posted - credits_posted") < text.index(f"'{Code.ESCROW}'")
