"""A question of the mix planner answered: the set, why each is in or out, which bounds bind, the frontier, greedy beside it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from kernel.core.faults import Unavailable
from services.discovery.domain.mix import MixAsked
from services.discovery.planning.forecast import TENTH
from services.discovery.planning.greedy import greedy_worth
from services.discovery.planning.missing import Missing, missing
from services.discovery.planning.model import Model, Row, model_of, worth_of
from services.discovery.planning.pool import Candidate, Out
from services.discovery.planning.solver import Prices, nearly, prices_of, solve

LIMIT_S = 5.0
"""A plan is searched for so long; a plan that is not proven by then says its gap."""
NEXT_IN_LINE = 50
BUDGETS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
"""Where the frontier is looked at, in parts of the budget."""
FRONTIER_S = 1.0
TOGETHER = 0.25
"""How much pieces do well or badly together: the correlation of two creators' outcomes, an assumption on the careful side."""


class Reason(StrEnum):
    """Why a candidate is in or out: asked for, helps a bound, worth its price, kept out by a bound, not worth its price."""

    MUST = "must"
    QUOTA = "quota"
    WORTH = "worth"
    BOUND = "bound"
    DEAR = "dear"


@dataclass(frozen=True, slots=True)
class Placed:
    """A candidate and why it is where it is. `row` names the bound of QUOTA and BOUND; `edge` is what it would add to the outcome
    beyond what its costs would bring elsewhere, below 0 where it would take more."""

    candidate: Candidate
    reason: Reason
    row: str
    edge: float


@dataclass(frozen=True, slots=True)
class Range:
    """80 % of outcomes are expected between `low` and `high`."""

    low: float
    median: float
    high: float


@dataclass(frozen=True, slots=True)
class Binding:
    """A bound that holds the outcome down: one more of `unit` would bring `price` more."""

    row: Row
    used: float
    price: float


@dataclass(frozen=True, slots=True)
class Point:
    """What a budget would bring, and what no set for that budget can exceed."""

    budget_minor: int
    outcome: float
    bound: float
    spent_minor: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Nothing fits where `missing` stands; then `chosen` is empty. `gap` is (bound - outcome) / bound, of reach by tangents."""

    chosen: Sequence[Placed]
    next_in_line: Sequence[Placed]
    outcome: Range
    bound: float
    gap: float
    is_optimal: bool
    greedy: float
    greedy_holds: bool
    binding: Sequence[Binding]
    missing: Sequence[Missing]
    out: Mapping[Out, int]
    frontier: Sequence[Point]
    considered: int

    @property
    def spent_minor(self) -> int:
        return sum(one.candidate.price_minor for one in self.chosen)


def plan(asked: MixAsked, candidates: Sequence[Candidate], out: Mapping[str, Out], with_frontier: bool) -> Plan:
    """Takes up to LIMIT_S, and FRONTIER_S for each budget; raises Unavailable `mix.not_solved`."""
    model = model_of(asked, candidates)
    counts = dict(Counter(out.values()))
    unmet = _impossible(asked, model)
    found = None if unmet or not candidates else solve(model, LIMIT_S)
    worth, holds = greedy_worth(model) if candidates else (0.0, False)
    nothing = Range(0.0, 0.0, 0.0)
    if found is None or found.chosen is None:
        lacking = unmet or (missing(model, LIMIT_S) if candidates else [])
        return Plan((), (), nothing, 0.0, 0.0, False, worth, holds, (), lacking, counts, (), len(candidates))
    prices = prices_of(model, LIMIT_S)
    gap = max((found.bound - found.worth) / found.bound, 0.0) if found.bound else 0.0
    placed = _placed(asked, model, found.chosen, prices)
    return Plan(
        [one for one, is_in in zip(placed, found.chosen, strict=True) if is_in],
        _next([one for one, is_in in zip(placed, found.chosen, strict=True) if not is_in]),
        outcome(model, found.chosen),
        found.bound,
        gap,
        found.is_optimal,
        worth,
        holds,
        _binding(model, found.chosen, prices),
        (),
        counts,
        _frontier(model, asked.budget_minor) if with_frontier else (),
        len(candidates),
    )


def _impossible(asked: MixAsked, model: Model) -> list[Missing]:
    """Those that must be in and are no candidates."""
    there = {one.creator_id for one in model.candidates}
    return [
        Missing(Row(f"must:{one}", "creators", np.zeros(0, dtype=np.int64), np.zeros(0), 1, np.inf), 1)
        for one in dict.fromkeys(asked.must)
        if one not in there
    ]


def outcome(model: Model, chosen: NDArray[np.bool_]) -> Range:
    """Medians add up; so do spreads, as far as pieces do well or badly together."""
    taken = [one.forecast for one, is_in in zip(model.candidates, chosen, strict=True) if is_in]
    total, middle = sum(one.median for one in taken), worth_of(model, chosen)
    if not taken or not total:
        return Range(0.0, middle, 0.0)
    sides: list[float] = []
    for spreads in ([one.median - one.low for one in taken], [one.high - one.median for one in taken]):
        deviations = np.array(spreads) / TENTH
        variance = (1 - TOGETHER) * float((deviations**2).sum()) + TOGETHER * float(deviations.sum()) ** 2
        sides.append(TENTH * variance**0.5 / total)
    return Range(middle * max(1 - sides[0], 0.0), middle, middle * (1 + sides[1]))


def _placed(asked: MixAsked, model: Model, chosen: NDArray[np.bool_], prices: Prices) -> list[Placed]:
    """What each row's price adds to or takes from a candidate tells why; of all that pull one way, the strongest is named."""
    pulls = np.zeros((len(model.rows), model.size))
    for at, row in enumerate(model.rows):
        pulls[at, row.columns] = -prices.rows[at] * row.values
    bounds = pulls[1:] if len(pulls) > 1 else np.zeros((1, model.size))
    helped, hindered = bounds.argmax(axis=0), bounds.argmin(axis=0)
    made: list[Placed] = []
    for at, one in enumerate(model.candidates):
        reason, place = Reason.WORTH if chosen[at] else Reason.DEAR, -1
        if chosen[at] and one.creator_id in asked.must:
            reason = Reason.MUST
        elif chosen[at] and bounds[helped[at], at] > max(prices.reduced[at], 0.0):
            reason, place = Reason.QUOTA, int(helped[at])
        elif not chosen[at] and prices.reduced[at] - bounds[hindered[at], at] > 0 > bounds[hindered[at], at]:
            reason, place = Reason.BOUND, int(hindered[at])
        made.append(Placed(one, reason, model.rows[place + 1].name if place >= 0 else "", float(prices.reduced[at])))
    return made


def _next(placed: Sequence[Placed]) -> list[Placed]:
    """The nearest to being in, first."""
    return sorted(placed, key=lambda one: (-one.edge, one.candidate.creator_id))[:NEXT_IN_LINE]


def _binding(model: Model, chosen: NDArray[np.bool_], prices: Prices) -> list[Binding]:
    """Bounds with a price, the dearest in their own measure first."""
    found = [
        Binding(row, float(row.values[chosen[row.columns]].sum()), float(price))
        for row, price in zip(model.rows, prices.rows, strict=True)
        if abs(price) > 0
    ]
    return sorted(found, key=lambda one: -abs(one.price) * max(abs(one.used), 1.0))


def _frontier(model: Model, budget_minor: int) -> list[Point]:
    """Each budget with a good set, below the bound that stands beside it; budgets for which nothing fits are left out."""
    points: list[Point] = []
    prices = np.array([one.price_minor for one in model.candidates])
    for part in BUDGETS:
        budget = int(budget_minor * part)
        try:
            found = nearly(replace(model, rows=[replace(model.rows[0], high=budget), *model.rows[1:]]), FRONTIER_S)
        except Unavailable:
            continue
        if found.chosen is not None:
            spent = int(prices[found.chosen].sum())
            points.append(Point(budget, worth_of(model, found.chosen), found.bound, spent))
    return points
