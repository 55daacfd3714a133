"""Planted fraud is found, honest creators are left alone: rates on fixed seeds, and each measure on a series of its own."""

from datetime import UTC, datetime, timedelta

import pytest

from services.discovery.authenticity.comments import Comment, comments_of
from services.discovery.authenticity.growth import growth_of
from services.discovery.authenticity.posts import likes_of
from tools.authenticity.planted import Found, measured

RATES = {found.kind: found for found in measured(each=60)}
START = datetime(2026, 1, 1, tzinfo=UTC)
FLOORS = {"bought followers": 0.95, "bought likes": 0.75, "growth spike": 0.60, "pod": 0.90}
"""Least part of the creators with this plant that are doubted."""
FALSE_ALARMS = 0.05


@pytest.mark.parametrize(("kind", "floor"), FLOORS.items())
def test_planted_fraud_is_found(kind: str, floor: float) -> None:
    found = RATES[kind]
    assert found.doubted / found.creators >= floor


def test_honest_creators_are_rarely_doubted_and_never_called_fraud() -> None:
    honest: Found = RATES["honest"]
    assert honest.doubted / honest.creators <= FALSE_ALARMS
    assert honest.fraud == 0


def series(*gains: int) -> list[tuple[datetime, int]]:
    counts, total = [], 10_000
    for day, gain in enumerate((0, *gains)):
        total += gain
        counts.append((START + timedelta(days=day), total))
    return counts


def test_a_jump_without_a_tail_is_named_with_its_day() -> None:
    found = growth_of(series(20, 25, 18, 22, 3_000, 21, 24, 19, 23, 20))
    assert found is not None
    assert [(one.day, one.gained) for one in found.jumps] == [(START.date() + timedelta(days=5), 3_000)]
    assert found.jump_bps > 2_000


def test_a_post_that_spreads_is_no_jump() -> None:
    found = growth_of(series(20, 25, 18, 22, 3_000, 1_600, 800, 400, 210, 100, 50, 20, 22))
    assert found is not None
    assert found.jumps == ()


def test_the_newest_gain_is_not_judged_before_its_next_days() -> None:
    found = growth_of(series(20, 25, 18, 22, 21, 24, 19, 3_000))
    assert found is not None
    assert found.jumps == ()


def test_few_counts_say_nothing() -> None:
    assert growth_of(series(1, 2, 3)) is None
    assert likes_of([(10, 1)] * 5) is None
    assert comments_of([Comment("p", "a", "hello there")] * 5) is None


def test_likes_without_their_comments_are_odd() -> None:
    honest = [(1_000 + 17 * place, 40 + place % 7) for place in range(40)]
    bought = [
        (likes * 6, comments) if place % 4 == 0 else (likes, comments) for place, (likes, comments) in enumerate(honest)
    ]
    fine, odd = likes_of(honest), likes_of(bought)
    assert fine is not None
    assert odd is not None
    assert fine.odd_bps == 0
    assert odd.odd_bps == 2_500


def test_posts_that_scatter_to_both_sides_are_honest() -> None:
    posts = [(1_000, 40)] * 30 + [(1_000, 3)] * 5 + [(1_000, 600)] * 5
    found = likes_of(posts)
    assert found is not None
    assert found.odd_bps == 0


def test_the_same_words_in_other_dress_are_the_same() -> None:
    told = [Comment(str(one), f"u{one}", f"So INSPIRING, thank you {one}!!") for one in range(60)]
    found = comments_of(told)
    assert found is not None
    assert found.same_bps == 10_000


def test_short_praise_is_everybodys() -> None:
    found = comments_of([Comment(str(one), f"u{one}", "好看") for one in range(60)])
    assert found is not None
    assert found.same_bps == 0


def test_a_circle_is_who_comes_to_most_posts() -> None:
    told = [Comment(str(post), f"m{one}", f"text {post}{one}") for post in range(10) for one in range(6)]
    told += [Comment(str(post), f"u{post}{one}", "other words") for post in range(10) for one in range(6)]
    found = comments_of(told)
    assert found is not None
    assert found.circle_bps == 5_000
