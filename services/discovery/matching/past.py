"""Weights learned from what came of past briefs: whom the brand took, whose work was settled, and whom it refused.

Parts are valued as creators are today, without what this very work added to a creator's record. Newer briefs rank what only
older briefs taught; the weights that are proposed are then learned from all.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, groupby
from statistics import fmean
from typing import Any

import sqlalchemy as sa

from kernel.core.decider import Actor
from kernel.core.faults import Refused
from kernel.processors.access import may_read, reading_as
from services.discovery.domain.match_weights.commands import Learning, PartWeight
from services.discovery.domain.match_weights.match_weights import WHOLE_MICROS
from services.discovery.domain.matching import Brief
from services.discovery.domain.mix import Goal
from services.discovery.domain.rate_card import Format
from services.discovery.matching.learning import Values, learned, ndcg
from services.discovery.matching.matcher import SERVICE, Matcher
from services.discovery.matching.parts import parts, score
from services.discovery.matching.proposals import Proposal
from services.discovery.matching.suiting import Suitor, price_of, weighed
from services.discovery.planning.portraits import Portrait
from services.discovery.tables.match_weights import MATCH_BRIEFS, MATCH_OUTCOMES

BRIEFS_LIMIT, OUTCOMES_LIMIT = 400, 10_000
"""The newest so many are learned from."""
PAIRS_OF_BRIEF = 100
LEAST_BRIEFS, LEAST_PAIRS = 8, 40
TOP = 10
NOT, TAKEN, SETTLED = 0.0, 1.0, 2.0
"""What came of it: refused or broken off by the creator, taken, settled."""
OF_WORK = {"settled": SETTLED, "broken": NOT}
OF_ANSWER = {"taken": TAKEN, "refused": NOT}
RECORD = {"running": "contracted", "settled": "settled", "broken": "cancelled", "ended": "cancelled"}
"""Where the work itself stands in a creator's record."""
Weights = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Told:
    """The creators of one brief: the values of their parts, what came of each, and their followers."""

    values: Sequence[Values]
    grades: Sequence[float]
    followers: Sequence[int]


async def learned_weights(matcher: Matcher, before: Weights, actor: Actor) -> Proposal:
    """The proposed weights, and what they were learned from.

    Raises Refused `weights.too_few_outcomes` below LEAST_BRIEFS briefs with a difference among their creators, or LEAST_PAIRS.
    """
    rows = await _outcomes(matcher, actor)
    async with reading_as(matcher.database, SERVICE, actor) as connection:
        ids = sorted({row["creator_id"] for row in rows})
        portraits = {one.creator_id: one for one in await matcher.portraits.read(connection, ids, actor)}
    await matcher.style(list(portraits.values()))
    told = []
    for _, of_brief in groupby(rows, lambda row: row["campaign_id"]):
        found = [row for row in of_brief if row["creator_id"] in portraits]
        if len({_grade(row) for row in found}) > 1:
            told.append(await _told(matcher, found, portraits))
    return await asyncio.to_thread(propose, told, before)


async def _outcomes(matcher: Matcher, actor: Actor) -> Sequence[Mapping[str, Any]]:
    """Rows of the newest briefs, brief by brief, the oldest first."""
    briefs, outcomes = MATCH_BRIEFS.c, MATCH_OUTCOMES.c
    newest = sa.select(MATCH_BRIEFS).where(may_read(MATCH_BRIEFS, actor), briefs.goal != "", briefs.format != "")
    ended = sa.exists().where(outcomes.campaign_id == briefs.campaign_id)
    newest = newest.where(ended).order_by(briefs.published_at.desc(), briefs.campaign_id).limit(BRIEFS_LIMIT)
    brief = newest.subquery()
    query = (
        sa.select(brief, outcomes.creator_id, outcomes.answer, outcomes.work)
        .join(MATCH_OUTCOMES, outcomes.campaign_id == brief.c.campaign_id)
        .where(may_read(MATCH_OUTCOMES, actor))
        .order_by(brief.c.published_at.desc(), brief.c.campaign_id, outcomes.creator_id)
    )
    async with reading_as(matcher.database, SERVICE, actor) as connection:
        found = (await connection.execute(query.limit(OUTCOMES_LIMIT))).mappings()
        rows: list[Mapping[str, Any]] = [dict(row) for row in found]
    return sorted(rows, key=lambda row: (row["published_at"], row["campaign_id"]))


def _grade(row: Mapping[str, Any]) -> float:
    """By how the work ended, else by the answer; a contract whose acceptance is not heard yet was taken."""
    return OF_WORK.get(row["work"], OF_ANSWER.get(row["answer"], TAKEN))


async def _told(matcher: Matcher, rows: Sequence[Mapping[str, Any]], portraits: Mapping[str, Portrait]) -> Told:
    first = rows[0]
    brief = Brief(first["text"], Goal(first["goal"]), Format(first["format"]), first["currency"])
    words = await matcher.vectors.of_text(brief.text)
    drawn = [without_work(portraits[row["creator_id"]], row["work"]) for row in rows]
    suitors = [Suitor(one, matcher.vectors.of(one.creator_id)) for one in drawn]
    prices = {one.portrait.creator_id: price_of(brief, one.portrait, first["published_at"]) for one in suitors}
    values = weighed(brief, words, suitors, prices)
    followers = [one.portrait.state.largest_followers() for one in suitors]
    return Told(values, [_grade(row) for row in rows], followers)


def without_work(portrait: Portrait, work: str) -> Portrait:
    """The creator without one piece of work in its record, which would tell what came of it."""
    mine = RECORD.get(work, "")
    if not portrait.records.get(mine):
        return portrait
    return replace(portrait, records={**portrait.records, mine: portrait.records[mine] - 1})


def propose(told: Sequence[Told], before: Weights) -> Proposal:
    """Of briefs in the order of their publication. Pure."""
    pairs = [pair for one in told for pair in pairs_of(one)]
    if len(told) < LEAST_BRIEFS or len(pairs) < LEAST_PAIRS:
        raise Refused(
            "weights.too_few_outcomes",
            briefs=len(told),
            briefs_needed=LEAST_BRIEFS,
            pairs=len(pairs),
            pairs_needed=LEAST_PAIRS,
            do="wait until more applications were answered and more work was settled",
        )
    older, newer = told[: len(told) // 2], told[len(told) // 2 :]
    taught = learned([pair for one in older for pair in pairs_of(one)], before)
    learning = Learning(
        len(told),
        len(pairs),
        len(newer),
        _quality(newer, lambda one, at: score(parts(one.values[at], taught))),
        _quality(newer, lambda one, at: score(parts(one.values[at], before))),
        _quality(newer, lambda one, at: float(one.followers[at])),
    )
    return Proposal(in_micros(learned(pairs, before)), learning)


def pairs_of(one: Told) -> list[tuple[Values, Values]]:
    """(better, worse) of one brief, evenly taken where there are more than PAIRS_OF_BRIEF."""
    apart = [
        (first, second) if one.grades[first] > one.grades[second] else (second, first)
        for first, second in combinations(range(len(one.grades)), 2)
        if one.grades[first] != one.grades[second]
    ]
    step = max(len(apart) / PAIRS_OF_BRIEF, 1.0)
    chosen = [apart[int(at * step)] for at in range(min(len(apart), PAIRS_OF_BRIEF))]
    return [(one.values[better], one.values[worse]) for better, worse in chosen]


def _quality(told: Sequence[Told], rank: Callable[[Told, int], float]) -> int:
    """The mean NDCG@10 of an order, in millionths."""
    found = []
    for one in told:
        order = sorted(range(len(one.values)), key=lambda at: (-rank(one, at), at))
        found.append(ndcg([one.grades[at] for at in order], one.grades, TOP))
    return round(fmean(found) * WHOLE_MICROS)


def in_micros(weights: Weights) -> tuple[PartWeight, ...]:
    """Weights that sum to 1 as whole millionths that sum to the whole: the largest remainders are rounded up."""
    floors = {part: int(weight * WHOLE_MICROS) for part, weight in weights.items()}
    left = WHOLE_MICROS - sum(floors.values())
    by_rest = sorted(weights, key=lambda part: floors[part] - weights[part] * WHOLE_MICROS)
    return tuple(PartWeight(part, floors[part] + (part in by_rest[:left])) for part in weights)
