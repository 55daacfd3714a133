"""The mix planner: the solver equals the best of all sets where all can be tried, and says what keeps a plan from fitting."""

from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.core.faults import Invalid
from services.discovery.domain.mix import Goal, MixAsked, Quota, QuotaKind, checked_mix
from services.discovery.domain.rate_card import Format
from services.discovery.planning.greedy import greedy_worth
from services.discovery.planning.missing import missing
from services.discovery.planning.model import Model, broken, model_of, worth_of
from services.discovery.planning.plan import Plan, Reason, plan
from services.discovery.planning.pool import Candidate, Forecast, Out, Source
from services.discovery.planning.solver import nearly, solve
from tests.unit.discovery.given import ID, OTHER

ASKED = MixAsked(Goal.READS, Format.VIDEO, "CNY", 1_000)
TIERS, CATEGORIES = ("head", "koc", "nano"), ("美妆", "美食")


def candidate(name: str, price: int, reads: float, tier: str = "koc", category: str = "美妆") -> Candidate:
    labels = frozenset({("tier", tier), ("category", category)})
    return Candidate(name, price, Forecast(reads / 2, reads, reads * 2, Source.TOLD), labels, {category: reads})


def best(model: Model) -> float | None:
    """Of all sets."""
    sets = (np.array(one, dtype=bool) for one in product((False, True), repeat=model.size))
    fitting = [worth_of(model, one) for one in sets if not any(broken(row, one) for row in model.rows)]
    return max(fitting, default=None)


def drawn(seed: int) -> tuple[MixAsked, list[Candidate]]:
    """A small question of any shape."""
    draw = Random(seed)
    made = [
        candidate(f"c{at}", draw.randint(1, 400), draw.randint(1, 5_000), draw.choice(TIERS), draw.choice(CATEGORIES))
        for at in range(draw.randint(1, 9))
    ]
    quotas = tuple(
        Quota(kind, value, low, draw.choice((0, low + 1)), draw.choice((0, 0, 1_000)), draw.choice((0, 6_000, 10_000)))
        for kind, values in ((QuotaKind.TIER, TIERS), (QuotaKind.CATEGORY, CATEGORIES))
        for value in values
        if draw.random() < 0.4 and (low := draw.randint(0, 2)) >= 0
    )
    most = draw.choice((0, 3, 6))
    goal = draw.choice((Goal.READS, Goal.READS, Goal.REACH))
    budget = draw.randint(1, 1_200)
    return MixAsked(goal, Format.VIDEO, "CNY", budget, creators_max=most, quotas=quotas), made


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_no_set_is_better_than_the_solvers(seed: int) -> None:
    asked, candidates = drawn(seed)
    model = model_of(asked, candidates)
    found, wanted = solve(model, 60), best(model)
    if wanted is None:
        assert found.chosen is None
        assert missing(model, 60), "what does not fit is named"
        return
    assert found.chosen is not None
    assert found.is_optimal
    assert not any(broken(row, found.chosen) for row in model.rows)
    worth = worth_of(model, found.chosen)
    if asked.goal is Goal.REACH:  # the model has the curve by its tangents, which lie above it by a few percent
        assert 0.9 * wanted <= worth <= wanted + 1e-6
        assert found.bound >= wanted * (1 - 1e-6)
    else:
        assert worth == pytest.approx(wanted, rel=1e-6)
    greedy, holds = greedy_worth(model)
    assert not holds or greedy <= wanted + 1e-6
    near = nearly(model, 60)
    assert near.chosen is None or worth_of(model, near.chosen) <= near.bound + 1e-6 * abs(near.bound)


def planned(asked: MixAsked, *candidates: Candidate, with_frontier: bool = False) -> Plan:
    return plan(checked_mix(asked), candidates, {"x": Out.CLOSED, "y": Out.CLOSED}, with_frontier)


def names(found: Plan) -> set[str]:
    return {one.candidate.creator_id for one in found.chosen}


A, B, C = candidate("a", 600, 900, "head"), candidate("b", 500, 700), candidate("c", 500, 600, "nano", "美食")


def test_the_best_set_is_not_the_one_with_the_best_creator() -> None:
    found = planned(ASKED, A, B, C)
    assert names(found) == {"b", "c"}
    assert (found.outcome.median, found.spent_minor, found.is_optimal, found.gap) == (1_300, 1_000, True, 0)
    assert (found.greedy, found.greedy_holds) == (900, True)
    assert found.outcome.low < 1_300 < found.outcome.high
    assert found.out == {Out.CLOSED: 2}
    assert [(one.candidate.creator_id, one.reason) for one in found.next_in_line] == [("a", Reason.DEAR)]


def test_two_pieces_scatter_less_than_one_of_their_size() -> None:
    two, one = planned(ASKED, B, C), planned(ASKED, candidate("d", 1_000, 1_300))
    assert one.outcome.low < two.outcome.low < two.outcome.high < one.outcome.high


def test_who_is_in_for_a_bound_is_told_by_it() -> None:
    asked = MixAsked(Goal.READS, Format.VIDEO, "CNY", 1_000, quotas=(Quota(QuotaKind.CATEGORY, "美食", 1),))
    found = planned(asked, candidate("a", 400, 900), candidate("b", 500, 890), candidate("c", 600, 10, "nano", "美食"))
    told = {one.candidate.creator_id: (one.reason, one.row) for one in found.chosen}
    assert told == {"a": (Reason.WORTH, ""), "c": (Reason.QUOTA, "category:美食:creators")}


def test_who_is_out_for_a_bound_is_told_by_it() -> None:
    quotas = (Quota(QuotaKind.TIER, "koc", creators_max=1),)
    asked = MixAsked(Goal.READS, Format.VIDEO, "CNY", 1_000, quotas=quotas)
    found = planned(asked, candidate("a", 400, 900), candidate("b", 400, 890), candidate("c", 600, 10, "nano"))
    assert names(found) == {"a", "c"}
    assert [(one.reason, one.row) for one in found.next_in_line] == [(Reason.BOUND, "tier:koc:creators")]
    assert [one.row.name for one in found.binding] == ["tier:koc:creators"]


@pytest.mark.parametrize(
    ("asked", "name", "by"),
    [
        (MixAsked(Goal.READS, Format.VIDEO, "CNY", 300), "budget", 200),
        (MixAsked(Goal.READS, Format.VIDEO, "CNY", 9_000), "creators", 1),
    ],
    ids=["too little money", "too few creators"],
)
def test_what_does_not_fit_is_named_with_how_much(asked: MixAsked, name: str, by: float) -> None:
    creators_min = 1 if name == "budget" else 4
    found = planned(MixAsked(asked.goal, asked.format, "CNY", asked.budget_minor, creators_min=creators_min), A, B, C)
    assert not found.chosen
    assert [one.row.name for one in found.missing] == [name]
    assert found.missing[0].by == pytest.approx(by, rel=1e-3)


def test_who_must_be_in_and_cannot_is_what_does_not_fit() -> None:
    found = planned(MixAsked(Goal.READS, Format.VIDEO, "CNY", 1_000, must=(OTHER,)), A, B)
    assert [one.row.name for one in found.missing] == [f"must:{OTHER}"]
    assert not found.chosen


def test_a_set_for_more_money_brings_no_less() -> None:
    found = planned(ASKED, A, B, C, with_frontier=True)
    outcomes = [one.outcome for one in found.frontier]
    assert outcomes == sorted(outcomes)
    assert [one.budget_minor for one in found.frontier] == [250, 500, 750, 1_000, 1_250, 1_500, 2_000]
    assert outcomes[-1] == 2_200
    assert all(one.outcome <= one.bound + 1e-6 and one.spent_minor <= one.budget_minor for one in found.frontier)


def test_reach_prefers_people_who_are_not_reached_yet() -> None:
    asked = MixAsked(Goal.REACH, Format.VIDEO, "CNY", 200)
    twice = [candidate("a", 100, 1_000), candidate("b", 100, 1_000), candidate("c", 100, 800, "koc", "美食")]
    assert names(planned(asked, *twice)) == {"a", "c"} or names(planned(asked, *twice)) == {"b", "c"}


def test_nobody_to_plan_with_is_no_plan() -> None:
    found = planned(ASKED)
    assert (found.chosen, found.considered, found.outcome.median) == ((), 0, 0)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"budget_minor": 0}, "mix.bound_out_of_range"),
        ({"currency": "RMB"}, "money.unknown_currency"),
        ({"industry": "cars"}, "category.unknown"),
        ({"creators_max": 501}, "mix.bound_out_of_range"),
        ({"creators_min": 3, "creators_max": 2}, "mix.range_empty"),
        ({"authenticity_min": 101}, "mix.bound_out_of_range"),
        ({"competitors": ("x",)}, "id.malformed"),
        ({"must": (OTHER,) * 201}, "mix.too_many"),
        ({"must": (OTHER,), "never": (OTHER,)}, "mix.must_and_never"),
        ({"must": (OTHER, ID), "creators_max": 1}, "mix.bound_out_of_range"),
        ({"quotas": (Quota(QuotaKind.TIER, "huge"),)}, "mix.quota_unknown"),
        ({"quotas": (Quota(QuotaKind.CATEGORY, "beauty"),)}, "mix.quota_unknown"),
        ({"quotas": (Quota(QuotaKind.PLACE, "CN//x"),)}, "mix.quota_unknown"),
        ({"quotas": (Quota(QuotaKind.PLATFORM, "weibo", spend_max_bps=10_001),)}, "mix.bound_out_of_range"),
        ({"quotas": (Quota(QuotaKind.PLATFORM, "weibo", 5, 2),)}, "mix.range_empty"),
        ({"quotas": (Quota(QuotaKind.PLATFORM, "weibo"),) * 101}, "mix.too_many"),
    ],
)
def test_a_question_that_cannot_be_is_refused(changes: dict[str, object], code: str) -> None:
    asked = {"goal": Goal.READS, "format": Format.VIDEO, "currency": "CNY", "budget_minor": 1, **changes}
    with pytest.raises(Invalid) as refused:
        checked_mix(MixAsked(**asked))  # type: ignore[arg-type]
    assert refused.value.code == code
