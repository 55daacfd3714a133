"""Cumulative withholding: worked examples, arrival order, year ends, and what stands in the stored result."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ledger.domain.tax import (
    CN_BANDS,
    ReferenceRate,
    Rule,
    TaxYear,
    cn_base,
    cn_tax,
    rate_month,
    withhold,
    year_after,
    year_key,
)

CREATOR = "c"


def month(number: int, year: int = 2026) -> datetime:
    return datetime(year, number, 10, tzinfo=UTC)


def paid(*payments: tuple[int, int]) -> list[int]:
    """Tax of each (month, income in fen) of one year, in order."""
    row: TaxYear | None = None
    taxes = []
    for number, income in payments:
        tax = withhold("CN", income, row, month(number))
        row = year_after(row, CREATOR, tax)
        taxes.append(tax.withheld_minor)
    return taxes


@pytest.mark.parametrize(
    ("payments", "taxes"),
    [
        pytest.param([(1, 625_000)], [0], id="6250_yuan_a_month_is_free"),
        pytest.param([(1, 1_000_000)], [9_000], id="10000_yuan_once_80_percent_less_5000_at_3_percent"),
        pytest.param([(1, 625_000), (2, 625_000)], [0, 0], id="months_add_up"),
        pytest.param([(1, 1_000_000), (3, 1_000_000)], [9_000, 0], id="an_empty_month_still_counts"),
        pytest.param([(1, 1_000_000), (6, 100)], [9_000, 0], id="never_paid_back_during_the_year"),
        pytest.param([(1, 5_000_000), (1, 5_000_000)], [105_000, 393_000], id="second_band"),
        pytest.param([(12, 200_000_000)], [53_583_000], id="top_band"),
    ],
)  # fmt: skip
def test_worked_examples(payments: list[tuple[int, int]], taxes: list[int]) -> None:
    assert paid(*payments) == taxes


@pytest.mark.parametrize("band", range(len(CN_BANDS) - 1))
def test_bands_meet_without_a_step(band: int) -> None:
    limit, _, _ = CN_BANDS[band]
    assert limit is not None
    _, at_limit = cn_tax(limit)
    _, beyond = cn_tax(limit + 100)
    assert 0 <= beyond - at_limit <= 45


@settings(deadline=None)
@given(st.lists(st.integers(1, 5_000_000), min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_within_a_month_the_order_of_payments_does_not_matter(incomes: list[int], random: object) -> None:
    shuffled = list(incomes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert sum(paid(*[(5, income) for income in incomes])) == sum(paid(*[(5, income) for income in shuffled]))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 50_000_000)), min_size=1, max_size=8))
def test_base_and_sums_are_those_of_the_year(payments: list[tuple[int, int]]) -> None:
    row: TaxYear | None = None
    for number, income in sorted(payments):
        tax = withhold("CN", income, row, month(number))
        assert tax.withheld_minor <= income
        assert tax.income_to_date_minor == (row.income_minor if row else 0) + income
        row = year_after(row, CREATOR, tax)
    assert row is not None
    assert row.income_minor == sum(income for _, income in payments)


def test_the_stored_result_names_rule_inputs_base_and_result() -> None:
    tax = withhold("CN", 1_000_000, TaxYear(CREATOR, "2026", 1, 1_000_000, 9_000), month(3))
    assert tax.rule is Rule.CN_CUMULATIVE_2025
    assert (tax.authority, tax.year, tax.month, tax.first_month) == ("cn-sta", 2026, 3, 1)
    assert (tax.income_minor, tax.income_to_date_minor, tax.withheld_before_minor) == (1_000_000, 2_000_000, 9_000)
    assert (tax.base_minor, tax.rate_bps, tax.withheld_minor) == (100_000, 300, 0)


def test_the_tax_year_ends_in_china_not_in_greenwich() -> None:
    assert year_key(CREATOR, datetime(2026, 12, 31, 15, 59, tzinfo=UTC)) == (CREATOR, "2026")
    assert year_key(CREATOR, datetime(2026, 12, 31, 16, 0, tzinfo=UTC)) == (CREATOR, "2027")
    assert withhold("CN", 1, None, datetime(2026, 12, 31, 16, 0, tzinfo=UTC)).month == 1


@pytest.mark.parametrize("country", ["US", "GB", "FR", "HK", ""])
def test_elsewhere_nothing_is_withheld_and_the_rule_says_so(country: str) -> None:
    tax = withhold(country, 10**9, None, month(1))
    assert (tax.rule, tax.withheld_minor) == (Rule.NONE, 0)


DOLLAR = ReferenceRate("USD", "2026-10", 71_234, 10_000)
YEN = ReferenceRate("JPY", "2026-10", 462, 100)


@pytest.mark.parametrize("rate", [DOLLAR, YEN], ids=["USD", "JPY"])
def test_pay_in_another_currency_counts_in_fen(rate: ReferenceRate) -> None:
    row: TaxYear | None = None
    incomes = withheld = 0
    for income in (100_000, 250_001, 3):
        tax = withhold("CN", income, row, month(11), rate)
        assert tax.income_fen == income * rate.cny_minor // rate.per_minor
        assert tax.withheld_minor <= income
        assert tax.withheld_fen == tax.withheld_minor * rate.cny_minor // rate.per_minor
        row = year_after(row, CREATOR, tax)
        incomes, withheld = incomes + tax.income_fen, withheld + tax.withheld_fen
    assert row is not None
    assert (row.income_minor, row.withheld_minor) == (incomes, withheld)
    _, owed = cn_tax(cn_base(incomes, 1))
    assert 0 <= owed - withheld <= rate.cny_minor // rate.per_minor + 1


def test_yuan_and_dollars_of_one_year_share_the_bands() -> None:
    yuan = year_after(None, CREATOR, withhold("CN", 5_000_000, None, month(11)))
    mixed = withhold("CN", 701_910, yuan, month(11), DOLLAR)
    assert mixed.income_fen == 4_999_985
    assert (mixed.income_to_date_minor, mixed.withheld_before_minor, mixed.rate_bps) == (9_999_985, 105_000, 1_000)
    assert mixed.withheld_minor == (cn_tax(mixed.base_minor)[1] - 105_000) * 10_000 // 71_234


def test_the_rate_is_that_of_the_month_before_in_china() -> None:
    assert rate_month(datetime(2026, 12, 31, 15, 59, tzinfo=UTC)) == "2026-11"
    assert rate_month(datetime(2026, 12, 31, 16, 0, tzinfo=UTC)) == "2026-12"
    assert rate_month(datetime(2026, 1, 31, tzinfo=UTC)) == "2025-12"
