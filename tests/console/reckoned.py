"""What the story by clicking comes to, reckoned here from what its people type: nothing of the services' own arithmetic."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")


def yuan(amount: Decimal) -> str:
    """As pages write it in English."""
    return f"{'-' if amount < 0 else ''}CN¥{abs(amount):,.2f}"


@dataclass(frozen=True, slots=True)
class Deal:
    """A fee in yuan under the platform's first policy: ten percent on top, VAT of six percent inside it, all from the brand."""

    fee: Decimal

    @property
    def on_top(self) -> Decimal:
        return self.fee / 10

    @property
    def cost(self) -> Decimal:
        return self.fee + self.on_top

    @property
    def vat(self) -> Decimal:
        return (self.on_top * 6 / 106).quantize(CENT, ROUND_FLOOR)

    def tax(self, earned: Decimal, withheld: Decimal) -> Decimal:
        """China's cumulative method in the creator's first month with income of at most 36,000 taxable: three percent of four
        fifths of the income less 5,000, less what was withheld before."""
        base = max(Decimal(0), (earned + self.fee) * 4 / 5 - 5_000)
        assert base <= 36_000, "the first band"
        return max(Decimal(0), (base * 3 / 100).quantize(CENT, ROUND_FLOOR) - withheld)


@dataclass(frozen=True, slots=True)
class Order:
    """An order of the shop; `back` of it was refunded."""

    paid: Decimal
    back: Decimal = Decimal(0)
    is_new_customer: bool = False


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a campaign was seen to do."""

    exposures: int
    reads: int
    engagements: int
    clicks: int
    orders: tuple[Order, ...]

    @property
    def revenue(self) -> Decimal:
        return sum((one.paid - one.back for one in self.orders), Decimal(0))

    @property
    def standing(self) -> int:
        """Orders of which something was kept."""
        return sum(one.back < one.paid for one in self.orders)

    @property
    def curve(self) -> list[int]:
        """Sums of the lines."""
        return [self.exposures, self.engagements, self.clicks]

    @property
    def funnel(self) -> list[int]:
        return [self.exposures, self.reads, self.clicks, self.standing]

    def since(self, before: "Numbers") -> "Numbers":
        """What has been seen since; clicks and orders are left out."""
        names = ("exposures", "reads", "engagements")
        exposures, reads, engagements = (getattr(self, name) - getattr(before, name) for name in names)
        return Numbers(exposures, reads, engagements, 0, ())

    def totals(self, cost: Decimal) -> dict[str, str]:
        """The large numbers of the performance page."""
        counts = {"Exposures": self.exposures, "Engagements": self.engagements, "Clicks": self.clicks}
        return {
            **{name: f"{count:,}" for name, count in counts.items()},
            "Orders": str(self.standing),
            "Cost": yuan(cost),
            "Revenue": yuan(self.revenue),
            "ROI": f"{_rounded((self.revenue - cost) / cost * 100, '0.1'):,}%",
        }

    def ratios(self, cost: Decimal) -> dict[str, str]:
        """Its section on the return."""
        new = sum(one.is_new_customer for one in self.orders)
        priced = {
            "CPM": cost / self.exposures * 1_000, "CPR": cost / self.reads, "CPE": cost / self.engagements,
            "CPC": cost / self.clicks, "CAC": cost / new,
        }  # fmt: skip
        return {
            "ROAS": f"{_rounded(self.revenue / cost, '0.01').normalize()}",
            "ROI": f"{_rounded((self.revenue - cost) / cost * 100, '0.1'):,}%",
            **{name: yuan(_rounded(value, "0.01")) for name, value in priced.items()},
        }


def _rounded(value: Decimal, to: str) -> Decimal:
    return value.quantize(Decimal(to), ROUND_HALF_EVEN)


def summed(cells: Iterable[str]) -> int:
    return sum(int(cell.replace(",", "")) for cell in cells)
