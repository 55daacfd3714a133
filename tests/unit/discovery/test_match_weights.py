"""Weights of a match: adopted and put back by operators, learned from past briefs, proposed under a seal."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.core.decider import Actor
from kernel.core.faults import Invalid, Refused
from services.discovery.domain.match_weights.commands import (
    AdoptWeights,
    Command,
    Learning,
    PartWeight,
    RestoreWeights,
)
from services.discovery.domain.match_weights.events import Event, WeightsAdopted
from services.discovery.domain.match_weights.match_weights import OWN, STREAM, WHOLE_MICROS
from services.discovery.domain.matching import PARTS
from services.discovery.matching.past import PAIRS_OF_BRIEF, Told, in_micros, pairs_of, propose, without_work
from services.discovery.matching.proposals import Proposal, opened, sealed
from services.discovery.matching.suiting import WEIGHTS
from services.discovery.wiring import SERVICE
from tests.kit import decide
from tests.unit.discovery.given import BRAND, NOON, OPERATOR
from tests.unit.discovery.test_matching import portrait

STYLE = (PartWeight("style", WHOLE_MICROS), *(PartWeight(part, 0) for part in PARTS[1:]))
BY = OPERATOR.id
ADOPTED = WeightsAdopted(1, STYLE, "style sells", BY)
RESTORED = WeightsAdopted(2, OWN, "it did not", BY, restored=0)
ADOPT = AdoptWeights(STYLE, "style sells")


@pytest.mark.parametrize(
    ("given", "when", "actor", "then"),
    [
        pytest.param([], ADOPT, OPERATOR, [ADOPTED], id="adopted"),
        pytest.param([ADOPTED], ADOPT, OPERATOR, [], id="in_force_already"),
        pytest.param([], replace(ADOPT, weights=STYLE[::-1]), OPERATOR, [ADOPTED], id="in_the_order_of_the_parts"),
        pytest.param([], replace(ADOPT, weights=OWN), OPERATOR, [], id="what_the_platform_came_with"),
        pytest.param([ADOPTED], RestoreWeights(0, "it did not"), OPERATOR, [RESTORED], id="put_back"),
        pytest.param(
            [ADOPTED, RESTORED], RestoreWeights(1, "it did"), OPERATOR, [WeightsAdopted(3, STYLE, "it did", BY, restored=1)],
            id="and_again",
        ),
        pytest.param([ADOPTED], RestoreWeights(1, "x"), OPERATOR, [], id="put_back_what_is_in_force"),
        pytest.param([], RestoreWeights(1, "x"), OPERATOR, "weights.version_unknown", id="never_was"),
        pytest.param([], ADOPT, BRAND, "actor.role_missing", id="a_brand_adopts_nothing"),
        pytest.param([], replace(ADOPT, reason=""), OPERATOR, "text.empty", id="for_no_reason"),
        pytest.param([], replace(ADOPT, weights=STYLE[:-1]), OPERATOR, "weights.parts_differ", id="a_part_is_missing"),
        pytest.param([], replace(ADOPT, weights=(STYLE[0],) * 8), OPERATOR, "weights.parts_differ", id="a_part_twice"),
        pytest.param(
            [], replace(ADOPT, weights=(PartWeight("style", 999_999), *STYLE[1:])), OPERATOR, "weights.do_not_sum",
            id="not_whole",
        ),
        pytest.param(
            [], replace(ADOPT, weights=(PartWeight("style", 1_000_001), PartWeight("category", -1), *STYLE[2:])), OPERATOR,
            "weights.do_not_sum", id="against_a_creator",
        ),
    ],
)  # fmt: skip
def test_decisions(given: Sequence[Event], when: Command, actor: Actor, then: list[Event] | str) -> None:
    decide.check(SERVICE, given, when, then, at=NOON, actor=actor, stream=STREAM, tenant="platform")


def brief(draw: Random, liked: str) -> Told:
    """Ten creators, of whom those were settled that are good in one part, and those refused that are not."""
    values = [{part: draw.random() for part in PARTS} for _ in range(10)]
    grades = [2.0 if one[liked] > 0.6 else 1.0 if one[liked] > 0.4 else 0.0 for one in values]
    return Told(values, grades, [draw.randint(1_000, 1_000_000) for _ in values])


def test_what_did_well_weighs_more_and_the_figures_are_of_briefs_that_taught_nothing() -> None:
    draw = Random(7)
    told = [brief(draw, "reliability") for _ in range(40)]
    proposal = propose(told, WEIGHTS)
    weights = {one.part: one.micros for one in proposal.weights}
    assert max(weights, key=lambda part: weights[part]) == "reliability"
    learning = proposal.learning
    assert (learning.briefs, learning.briefs_ranked, learning.pairs) == (
        40,
        20,
        sum(len(pairs_of(one)) for one in told),
    )
    assert learning.ndcg_followers_micros < learning.ndcg_before_micros < learning.ndcg_micros <= WHOLE_MICROS
    spoilt = [*told[:20], *(replace(one, grades=one.grades[::-1]) for one in told[20:])]
    assert propose(spoilt, WEIGHTS).learning.ndcg_micros < learning.ndcg_micros


@pytest.mark.parametrize("count", [0, 1, 7])
def test_a_few_briefs_teach_nothing(count: int) -> None:
    with pytest.raises(Refused, match=r"weights\.too_few_outcomes"):
        propose([brief(Random(1), "price")] * count, WEIGHTS)


@pytest.mark.parametrize(
    ("work", "column"),
    [("running", "contracted"), ("settled", "settled"), ("broken", "cancelled"), ("ended", "cancelled")],
)
def test_a_creator_is_valued_without_the_work_itself(work: str, column: str) -> None:
    """Its record would tell what came of it."""
    counted = portrait("a", counts={"contracted": 1, "settled": 2, "cancelled": 3})
    less = without_work(counted, work).records
    assert {name for name in less if less[name] != counted.records[name]} == {column}
    assert less[column] == counted.records[column] - 1
    assert without_work(portrait("a"), work).records == portrait("a").records
    assert without_work(counted, "") == counted


def test_a_large_brief_teaches_no_more_than_another() -> None:
    draw = Random(3)
    many = Told([{"style": draw.random()} for _ in range(60)], [float(at % 3) for at in range(60)], [0] * 60)
    assert len(pairs_of(many)) == PAIRS_OF_BRIEF


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8).filter(lambda given: sum(given) > 1e-6))
def test_whole_millionths_sum_to_the_whole(given: list[float]) -> None:
    weights = {str(at): one / sum(given) for at, one in enumerate(given)}
    made = in_micros(weights)
    assert sum(one.micros for one in made) == WHOLE_MICROS
    assert all(abs(one.micros - weights[one.part] * WHOLE_MICROS) <= 1 for one in made)


def test_a_proposal_comes_back_whole_or_not_at_all() -> None:
    proposal, key = Proposal(STYLE, Learning(8, 40, 4, 900_000, 800_000, 300_000)), b"k" * 32
    text = sealed(key, proposal)
    assert opened(key, text) == proposal
    other = text[:-6] + ("A" if text[-6] != "A" else "B") + text[-5:]
    for wrong in (other, text[8:], "", "…", sealed(b"x" * 32, proposal)):
        with pytest.raises(Invalid, match=r"weights\.proposal_malformed"):
            opened(key, wrong)
