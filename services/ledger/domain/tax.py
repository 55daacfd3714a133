"""Tax withheld from creators. A rule is a pure function; its id, inputs, base and result are stored with the release.

China: since 1 October 2025 internet platform companies pre-withhold individual income tax on labour remuneration of
the people working on them by the cumulative method (STA Announcement 2025 No. 16; reporting by State Council Decree
810 of 2025 and STA Announcement 2025 No. 15):

    taxable to date  = income to date - 20 % cost of it - 5,000 CNY x months
    withheld now     = taxable to date x rate - quick deduction - withheld to date, never below zero

with the seven cumulative bands of the comprehensive-income table (Individual Income Tax Law, schedule 1; STA
Announcement 2018 No. 61, annex 2). Months run from the month of the first income on this platform in the tax year to
the present month, in China Standard Time. Income is the creator's own share without VAT; small-scale VAT relief is
assumed. Exempt income and other lawful deductions are not known to a platform and are left to the annual settlement.
The result is rounded down to the fen; the cumulative method makes up for it with the next payment.
Whose tax it is follows from the payee's verified residence, never from the law of the advertising. Income in another
currency is converted at the central parity rate of the last day of the month before (Regulation for the Implementation
of the Individual Income Tax Law, Article 32); the year is counted in fen. Of residents of other countries nothing is
withheld, and the rule id says so. Not tax advice.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kernel.core.faults import Invalid
from kernel.core.money import BASIS_POINTS, share_down

CHINA_STANDARD_TIME = timedelta(hours=8)
CN_AUTHORITY = "cn-sta"
CN_COUNTRY = "CN"
CN_CURRENCY = "CNY"
CN_MONTHLY_DEDUCTION_MINOR = 500_000
CN_COST_BPS = 2_000
CN_BANDS = (
    (3_600_000, 300, 0),
    (14_400_000, 1_000, 252_000),
    (30_000_000, 2_000, 1_692_000),
    (42_000_000, 2_500, 3_192_000),
    (66_000_000, 3_000, 5_292_000),
    (96_000_000, 3_500, 8_592_000),
    (None, 4_500, 18_192_000),
)
"""(taxable income up to, rate in basis points, quick deduction), in fen."""


class Rule(StrEnum):
    """Which rule was applied; the id is stored for ever and never reused for another calculation."""

    CN_CUMULATIVE_2025 = "cn-labour-cumulative@2025-10-01"
    NONE = "no-withholding@2025-01-01"


@dataclass(frozen=True, slots=True)
class TaxYear:
    """One row of the inline table `tax_years`: a creator's tax year so far, amounts in minor units (fen)."""

    creator_id: str
    tax_year: str
    first_month: int
    income_minor: int
    withheld_minor: int


@dataclass(frozen=True, slots=True)
class ReferenceRate:
    """One row of the inline table `reference_rates`: at a month's end `cny_minor` fen were worth `per_minor` minor units."""

    currency: str
    month: str
    cny_minor: int
    per_minor: int

    def in_fen(self, amount_minor: int) -> int:
        """The amount in fen, rounded down."""
        return amount_minor * self.cny_minor // self.per_minor

    def of_fen(self, fen: int) -> int:
        """The fen in minor units of the currency, rounded down."""
        return fen * self.per_minor // self.cny_minor


@dataclass(frozen=True, slots=True)
class Withholding:
    """One calculation with everything it was made from: `base_minor` is the taxable amount of the year to date.

    `income_minor` and `withheld_minor` are in the currency of the payment, the sums of the year in fen. Of a payment in
    another currency `income_fen` and `withheld_fen` are the same two in fen, at `rate_cny_minor` for `rate_per_minor`;
    of one in yuan all four are 0.
    """

    rule: Rule
    authority: str
    year: int
    month: int
    first_month: int
    income_minor: int
    income_to_date_minor: int
    withheld_before_minor: int
    base_minor: int
    rate_bps: int
    withheld_minor: int
    income_fen: int = 0
    withheld_fen: int = 0
    rate_cny_minor: int = 0
    rate_per_minor: int = 0

    @property
    def of_the_year(self) -> tuple[int, int]:
        """Growth of the tax year: income and tax, in fen."""
        return (self.income_fen, self.withheld_fen) if self.rate_per_minor else (self.income_minor, self.withheld_minor)


def withhold(
    country: str, income_minor: int, year_to_date: TaxYear | None, at: datetime, rate: ReferenceRate | None = None
) -> Withholding:
    """The tax on one payment of `income_minor` at `at` to a resident of `country`; pure, so a replay reads the stored
    result instead. `rate` converts a payment in another currency than yuan."""
    local = at + CHINA_STANDARD_TIME
    if country != CN_COUNTRY:
        return Withholding(Rule.NONE, "", at.year, at.month, at.month, income_minor, income_minor, 0, 0, 0, 0)
    income = rate.in_fen(income_minor) if rate else income_minor
    first_month = year_to_date.first_month if year_to_date else local.month
    income_to_date = income + (year_to_date.income_minor if year_to_date else 0)
    before = year_to_date.withheld_minor if year_to_date else 0
    base = cn_base(income_to_date, local.month - first_month + 1)
    rate_bps, tax = cn_tax(base)
    due = min(income, max(0, tax - before))
    withheld_minor = min(income_minor, rate.of_fen(due)) if rate else due
    converted = (income, rate.in_fen(withheld_minor), rate.cny_minor, rate.per_minor) if rate else ()
    return Withholding(
        Rule.CN_CUMULATIVE_2025, CN_AUTHORITY, local.year, local.month, first_month,
        income_minor, income_to_date, before, base, rate_bps, withheld_minor, *converted,
    )  # fmt: skip


def checked_month(month: str) -> str:
    """A month like `2026-10`; raises Invalid `tax.month_malformed`."""
    if not _MONTH.fullmatch(month):
        raise Invalid("tax.month_malformed", month=month[:10], expected="a year and a month, e.g. 2026-10")
    return month


_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


def rate_month(at: datetime) -> str:
    """The month whose last day gives the rate of a payment at `at`: the one before, in China Standard Time."""
    before = (at + CHINA_STANDARD_TIME).replace(day=1) - timedelta(days=1)
    return f"{before.year}-{before.month:02d}"


def cn_base(income_to_date_minor: int, months: int) -> int:
    """Taxable income of the year to date, in fen, never below zero."""
    cost = share_down(income_to_date_minor, CN_COST_BPS)
    return max(0, income_to_date_minor - cost - CN_MONTHLY_DEDUCTION_MINOR * months)


def cn_tax(base_minor: int) -> tuple[int, int]:
    """(rate in basis points, tax in fen rounded down) of a cumulative base."""
    rate, quick = next((rate, quick) for limit, rate, quick in CN_BANDS if limit is None or base_minor <= limit)
    return rate, max(0, base_minor * rate // BASIS_POINTS - quick)


def year_key(creator_id: str, at: datetime) -> tuple[str, str]:
    """The key of the creator's tax year at a moment, in China Standard Time."""
    return creator_id, str((at + CHINA_STANDARD_TIME).year)


def year_after(row: TaxYear | None, creator_id: str, tax: Withholding) -> TaxYear:
    """The creator's tax year after a payment, in fen."""
    income, withheld = tax.of_the_year
    if row is None:
        return TaxYear(creator_id, str(tax.year), tax.first_month, income, withheld)
    return TaxYear(creator_id, row.tax_year, row.first_month, row.income_minor + income, row.withheld_minor + withheld)
