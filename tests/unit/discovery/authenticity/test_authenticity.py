"""Judgements: from evidence to score, range and standing; appeals, rulings by four eyes, and what is held until when."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from kernel.core.decider import Actor
from services.discovery.domain.authenticity.authenticity import FALL
from services.discovery.domain.authenticity.commands import Appeal, Assess, Holds, Rule, Verdict
from services.discovery.domain.authenticity.events import (
    AuthenticityAppealed,
    AuthenticityAssessed,
    AuthenticityRuled,
    LiftProposed,
)
from services.discovery.domain.authenticity.evidence import Comments, Evidence, FollowerSample
from services.discovery.domain.authenticity.standing import FRAUD_BELOW, STRONG, STRONG_NEEDED, Standing, standing_of
from services.discovery.domain.authenticity.weighing import THRESHOLDS, UNMEASURED, Signal, weigh
from services.discovery.wiring import SERVICE
from tests.kit import decide
from tests.unit.discovery.authenticity.judged import DOUBTED, FAKE_FOLLOWERS, FRAUD, HONEST, JUMPS, assessed
from tests.unit.discovery.given import BRAND, CREATOR_ACTOR, ID, NOON, OPERATOR, STRANGER, SYSTEM

STREAM = f"authenticity-{ID}"
ANNA = Actor("r-1", "platform", frozenset({"reviewer"}))
BEN = Actor("r-2", "platform", frozenset({"reviewer"}))
FOUND = assessed(FRAUD, Holds.BOTH)
WATCHED = assessed(DOUBTED)
APPEALED = AuthenticityAppealed("a television show named me")
LIFT, UPHOLD = Rule(Verdict.LIFTED, "the show was real"), Rule(Verdict.UPHELD, "no show found")
PROPOSED = LiftProposed(LIFT.reason, "r-1")
FLOOR = max(0, FOUND.score.score - FALL)
LIFTED = AuthenticityRuled(
    Verdict.LIFTED, LIFT.reason, ("r-1", "r-2"), Standing.CREDIBLE, FLOOR, Holds.NOTHING, Holds.BOTH
)
UPHELD = AuthenticityRuled(Verdict.UPHELD, UPHOLD.reason, ("r-1",), Standing.FRAUD, 0, Holds.BOTH, Holds.BOTH)


@pytest.mark.parametrize(
    ("given", "when", "actor", "then"),
    [
        ([], Assess(ID, FRAUD, Holds.BOTH), SYSTEM, [FOUND]),
        ([], Assess(ID, HONEST, Holds.BOTH), SYSTEM, [assessed(HONEST)]),
        ([], Assess(ID, DOUBTED, Holds.BOTH), OPERATOR, [WATCHED]),
        ([], Assess(ID, Evidence()), SYSTEM, "authenticity.nothing_known"),
        (
            [],
            Assess(ID, Evidence(followers=replace(FAKE_FOLLOWERS, fake_bps=10_001))),
            SYSTEM,
            "authenticity.figure_out_of_range",
        ),
        ([], Assess("x", FRAUD), SYSTEM, "creator.id_is_not_the_stream"),
        ([], Assess(ID, FRAUD), BRAND, "actor.role_missing"),
        ([WATCHED], Appeal(APPEALED.statement), CREATOR_ACTOR, [APPEALED]),
        ([WATCHED], Appeal(APPEALED.statement), STRANGER, "authenticity.not_yours"),
        ([WATCHED], Appeal(" "), CREATOR_ACTOR, "text.empty"),
        ([WATCHED], Appeal("x" * 2_001), CREATOR_ACTOR, "text.too_long"),
        ([assessed(HONEST)], Appeal("why"), CREATOR_ACTOR, "authenticity.nothing_to_appeal"),
        ([], Appeal("why"), CREATOR_ACTOR, "authenticity.nothing_to_appeal"),
        ([WATCHED, APPEALED], Appeal("another"), CREATOR_ACTOR, "authenticity.appeal_waits"),
        ([FOUND, APPEALED], LIFT, ANNA, [PROPOSED]),
        ([FOUND, APPEALED, PROPOSED], Rule(Verdict.LIFTED, "and again"), ANNA, "authenticity.needs_another_reviewer"),
        ([FOUND, APPEALED, PROPOSED], LIFT, BEN, [LIFTED]),
        ([FOUND, APPEALED], UPHOLD, ANNA, [UPHELD]),
        ([FOUND, APPEALED], LIFT, OPERATOR, "actor.role_missing"),
        ([FOUND, APPEALED], LIFT, CREATOR_ACTOR, "actor.role_missing"),
        ([assessed(HONEST)], LIFT, ANNA, "authenticity.nothing_to_rule"),
        ([], LIFT, ANNA, "authenticity.nothing_to_rule"),
        ([FOUND, LIFTED], UPHOLD, ANNA, "authenticity.nothing_to_rule"),
    ],
)
def test_decisions(given: Sequence[Any], when: Any, actor: Actor, then: Any) -> None:
    decide.check(SERVICE, given, when, then, at=NOON, actor=actor, stream=STREAM, rows={})


def test_one_reviewer_lifts_a_watch() -> None:
    floor = WATCHED.score.score - FALL
    ruled = AuthenticityRuled(
        Verdict.LIFTED, LIFT.reason, ("r-1",), Standing.CREDIBLE, floor, Holds.NOTHING, Holds.NOTHING
    )
    decide.check(SERVICE, [WATCHED], LIFT, [ruled], at=NOON, actor=ANNA, stream=STREAM, rows={})


def after(*events: Any, evidence: Evidence) -> AuthenticityAssessed:
    """What an assessment after these events says."""
    (event,) = decide.decided(
        SERVICE, events, Assess(ID, evidence, Holds.BOTH), at=NOON, actor=SYSTEM, stream=STREAM, rows={}
    )
    assert isinstance(event, AuthenticityAssessed)
    return event


def test_what_was_lifted_stays_lifted_until_the_score_falls_under_the_floor() -> None:
    same = replace(FAKE_FOLLOWERS, fake_bps=4_790)
    told = after(FOUND, PROPOSED, LIFTED, evidence=Evidence(followers=same))
    assert (told.standing, told.holds) == (Standing.CREDIBLE, Holds.NOTHING)
    worse = Evidence(comments=Comments(400, 20, 6_000, 7_000))
    told = after(WATCHED, replace(LIFTED, floor=WATCHED.score.score - FALL), evidence=worse)
    assert told.standing is not Standing.CREDIBLE


def test_evidence_of_one_kind_leaves_the_others_as_they_were() -> None:
    told = after(FOUND, evidence=Evidence(followers=replace(FAKE_FOLLOWERS, fake_bps=300, low_bps=100, high_bps=500)))
    assert told.evidence.growth == FOUND.evidence.growth
    assert told.score.score > FOUND.score.score


def test_better_evidence_ends_a_hold() -> None:
    told = after(FOUND, evidence=HONEST)
    assert (told.standing, told.holds, told.held) == (Standing.CREDIBLE, Holds.NOTHING, Holds.BOTH)


@pytest.mark.parametrize("signal", Signal)
def test_no_signal_alone_is_fraud(signal: Signal) -> None:
    """Whatever a single signal says, the most that comes of it is a watch."""
    assert THRESHOLDS[signal].weight <= 60
    alone = weigh(Evidence(followers=FollowerSample(5_000, 10_000, 10_000, 10_000, "m")))
    assert standing_of(alone, None) is Standing.WATCH


def test_the_range_holds_the_score_and_closes_with_evidence() -> None:
    few, many = weigh(Evidence(growth=JUMPS)), weigh(FRAUD)
    for one in (few, many, weigh(HONEST), weigh(Evidence())):
        assert 0 <= one.low <= one.score <= one.high <= 100
    assert many.high - many.low < few.high - few.low
    assert UNMEASURED > 0


def test_a_wide_range_is_no_fraud() -> None:
    """A tiny sample may say anything: its lower end clears the creator, so nobody is called a fraud for it."""
    wide = replace(FAKE_FOLLOWERS, low_bps=0)
    score = weigh(Evidence(followers=wide, comments=Comments(50, 10, 1_000, 4_400)))
    assert score.score < FRAUD_BELOW
    assert sum(one.suspicion >= STRONG for one in score.signals) == STRONG_NEEDED
    assert standing_of(score, None) is Standing.WATCH


def test_standings_do_not_flicker() -> None:
    base = weigh(DOUBTED)
    between = replace(base, score=68)
    assert standing_of(between, None) is Standing.CREDIBLE
    assert standing_of(between, Standing.WATCH) is Standing.WATCH
    assert standing_of(replace(base, score=40), Standing.FRAUD) is Standing.FRAUD
    assert standing_of(replace(base, score=46), Standing.FRAUD) is Standing.WATCH


def test_too_small_a_measure_counts_for_nothing() -> None:
    assert weigh(Evidence(followers=replace(FAKE_FOLLOWERS, sample_size=99))).signals == ()
