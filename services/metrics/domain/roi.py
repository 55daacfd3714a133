"""What a campaign cost and brought: formulas with ids, exact, from integers.

A figure is a fraction of two integers; nothing is rounded before it is shown. Its unit says what the fraction means:
`ratio` is a plain number (1 = 100 %), `minor` is minor units of the currency per piece, `minor_per_1000` per thousand.
A denominator of 0 gives no figure (None), never infinity and never 0.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Unit = Literal["ratio", "minor", "minor_per_1000"]


@dataclass(frozen=True, slots=True)
class Ratio:
    """`numerator / denominator`, not reduced, so both stay readable; the denominator is positive."""

    numerator: int
    denominator: int

    def micros(self) -> int:
        """Millionths, half to even, in integers only."""
        whole, rest = divmod(self.numerator * 1_000_000, self.denominator)
        twice = 2 * rest
        return whole + (twice > self.denominator or (twice == self.denominator and whole % 2 == 1))


@dataclass(frozen=True, slots=True)
class Outcome:
    """Inputs of every formula, of one cohort (a campaign or a creator in it) and one currency.

    Money in minor units: `cost_minor` is what the brand paid (fees included), `revenue_minor` orders attributed,
    refunds already taken off. `orders` and `new_customers` leave out fully refunded orders. Counts are lifetime totals.
    """

    cost_minor: int = 0
    revenue_minor: int = 0
    orders: int = 0
    new_customers: int = 0
    exposures: int = 0
    reads: int = 0
    clicks: int = 0
    likes: int = 0
    saves: int = 0
    comments: int = 0
    shares: int = 0
    follows: int = 0

    @property
    def engagements(self) -> int:
        """The set that `cpe.likes_saves_comments_shares_follows@1` counts."""
        return self.likes + self.saves + self.comments + self.shares + self.follows


@dataclass(frozen=True, slots=True)
class Formula:
    """`id` names the formula and its version: another definition is another id. `per_count`: it divides by observations, which
    have a traffic, while what was paid has none."""

    id: str
    unit: Unit
    text: str
    numerator: Callable[[Outcome], int]
    denominator: Callable[[Outcome], int]
    per_count: bool = False

    def of(self, outcome: Outcome) -> Ratio | None:
        """The figure, or None when there is nothing to divide by."""
        denominator = self.denominator(outcome)
        return Ratio(self.numerator(outcome), denominator) if denominator > 0 else None


ROAS = Formula("roas@1", "ratio", "attributed revenue / cost", lambda o: o.revenue_minor, lambda o: o.cost_minor)
ROI = Formula(
    "roi@1",
    "ratio",
    "(attributed revenue - cost) / cost",
    lambda o: o.revenue_minor - o.cost_minor,
    lambda o: o.cost_minor,
)
CPM = Formula(
    "cpm@1", "minor_per_1000", "cost / exposures x 1000", lambda o: o.cost_minor * 1000, lambda o: o.exposures, True
)
CPR = Formula("cpr@1", "minor", "cost / reads", lambda o: o.cost_minor, lambda o: o.reads, True)
CPE = Formula(
    "cpe.likes_saves_comments_shares_follows@1",
    "minor",
    "cost / (likes + saves + comments + shares + follows)",
    lambda o: o.cost_minor,
    lambda o: o.engagements,
    True,
)
CPC = Formula("cpc@1", "minor", "cost / clicks", lambda o: o.cost_minor, lambda o: o.clicks, True)
CAC = Formula("cac@1", "minor", "cost / new customers", lambda o: o.cost_minor, lambda o: o.new_customers)

FORMULAS: Mapping[str, Formula] = {each.id: each for each in (ROAS, ROI, CPM, CPR, CPE, CPC, CAC)}


def figures(outcome: Outcome) -> dict[str, Ratio | None]:
    """Every formula's figure by its id."""
    return {name: formula.of(outcome) for name, formula in FORMULAS.items()}
