"""Sentiment: texts as n-grams, the models' answers on texts that nobody trained on, comments counted once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.core.decider import Actor, Context, GivenRows
from kernel.core.faults import Refused
from services.metrics.domain.mentions.mentions import (
    CONTENT_LIMIT,
    MENTIONS,
    MICROS,
    MentionsRecorded,
    RecordMentions,
    Scored,
)
from services.metrics.projections.sentiment import _added
from services.metrics.reads.sentiment import feeling
from services.metrics.sentiment.features import counted, normal
from services.metrics.sentiment.models import models, version
from services.metrics.sentiment.scores import language_of, scored
from services.metrics.wiring import SERVICE
from tests.kit import decide
from tests.unit.metrics.given import BRAND, NOON, PLACE, SYSTEM

CONTENT = PLACE.deliverable_id
STREAM = f"mentions-{CONTENT}"
ONE, TWO = (Scored(key * 24, "zh", NOON.date(), 10_000, 980_000) for key in "ab")
RECORD = RecordMentions("sentiment@1", (ONE,), NOON, NOON)
RECORDED = MentionsRecorded(CONTENT, "sentiment@1", (ONE,))

GOOD = (
    "这款面霜我用了两个月，皮肤明显变得细腻，味道清淡，吸收也快，物流很给力，客服态度特别好，以后还会一直回购，强烈推荐给大家。",
    "房间干净整洁，位置就在地铁口旁边，早餐种类丰富，前台服务热情周到，性价比非常高，下次来出差一定还住这里。",
    "The best lipstick I have ever bought. The colour lasts all day and I love the packaging, thank you so much!",
)
BAD = (
    "买回来第三天就坏了，联系客服一直不理人，退货还要自己出运费，质量差得离谱，和宣传的完全不一样，太失望了，再也不会买。",
    "房间又小又吵，床单上还有污渍，空调坏了打电话半天没人来修，服务态度恶劣，这个价格简直是抢钱，绝对不会再来。",
    "Terrible service. They sent me a broken phone and refused to give my money back. I hate this company.",
)
NEUTRAL = ("The store opens at nine and closes at six.", "What time does the next train leave?")


@pytest.mark.parametrize("text", GOOD)
def test_praise_is_positive(text: str) -> None:
    (one,) = scored([text])
    assert (one.label, one.positive > 0.7) == ("positive", True), one


@pytest.mark.parametrize("text", BAD)
def test_complaint_is_negative(text: str) -> None:
    (one,) = scored([text])
    assert (one.label, one.negative > 0.7) == ("negative", True), one


@pytest.mark.parametrize("text", NEUTRAL)
def test_a_plain_statement_is_neutral(text: str) -> None:
    assert scored([text])[0].label == "neutral"


def test_traditional_characters_are_read_like_simplified_ones() -> None:
    traditional, simplified = scored(["這款面霜非常好用，強烈推薦給大家", "这款面霜非常好用，强烈推荐给大家"])
    assert traditional == simplified
    assert normal("ＡＢＣ 這", "zh") == "abc 这"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("很好用", "zh"),
        ("nice", "en"),
        ("iPhone 很好用", "zh"),
        ("とても良い", ""),
        ("좋아요", ""),
        ("12345 !!", ""),
        ("", ""),
    ],
)
def test_the_language_is_that_of_the_script(text: str, language: str) -> None:
    assert language_of(text) == language


def test_a_text_that_no_model_reads_has_no_label() -> None:
    unread, read = scored(["とても良い", "很好用"])
    assert (unread.label, unread.language, unread.positive) == ("", "", 0.0)
    assert read.label == "positive"
    assert scored([]) == []


def test_a_text_is_scored_alike_alone_and_among_others() -> None:
    together = scored([*GOOD, *BAD, *NEUTRAL])
    for text, among in zip([*GOOD, *BAD, *NEUTRAL], together, strict=True):
        (alone,) = scored([text])
        assert (alone.language, alone.label) == (among.language, among.label)
        assert alone.positive == pytest.approx(among.positive, abs=1e-3)


@given(st.lists(st.text(max_size=40), max_size=8), st.sampled_from(["zh", "en"]))
def test_any_text_has_grams_of_its_own_only(texts: list[str], language: str) -> None:
    together = counted(texts, language, 12)
    for at, text in enumerate(texts):
        alone = counted([text], language, 12)
        mine = together.doc == at
        assert np.array_equal(together.column[mine], alone.column)
        assert np.allclose(together.value[mine], alone.value)


@given(st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=5))
def test_probabilities_are_a_whole(texts: list[str]) -> None:
    for one in scored(texts):
        assert one.negative + one.neutral + one.positive == pytest.approx(1 if one.language else 0, abs=1e-4)


def test_the_models_are_named_by_their_file() -> None:
    assert version().startswith("sentiment@")
    assert set(models()) == {"zh", "en"}


@pytest.mark.parametrize(
    ("given", "when", "actor", "then"),
    [
        pytest.param([], RECORD, SYSTEM, [RECORDED], id="recorded"),
        pytest.param([RECORDED], RECORD, SYSTEM, [], id="counted_already"),
        pytest.param([], replace(RECORD, rows=(ONE, ONE)), SYSTEM, [RECORDED], id="twice_in_one_batch"),
        pytest.param(
            [RECORDED], replace(RECORD, rows=(ONE, TWO)), BRAND, [replace(RECORDED, rows=(TWO,))], id="the_new_ones_only",
        ),
        pytest.param(
            [], replace(RECORD, latest=NOON + timedelta(hours=1)), SYSTEM, "mentions.time_out_of_range", id="tomorrow",
        ),
        pytest.param(
            [], replace(RECORD, earliest=NOON - timedelta(days=4_000)), SYSTEM, "mentions.time_out_of_range", id="old",
        ),
    ],
)  # fmt: skip
def test_decisions(
    given: Sequence[MentionsRecorded], when: RecordMentions, actor: Actor, then: list[MentionsRecorded] | str
) -> None:
    decide.check(SERVICE, given, when, then, at=NOON, actor=actor, stream=STREAM, tenant="platform")


def test_a_content_has_its_limit() -> None:
    state = frozenset(map(str, range(CONTENT_LIMIT)))
    with pytest.raises(Refused, match=r"mentions\.too_many"):
        MENTIONS.decide(RECORD, state, Context(NOON, SYSTEM, GivenRows({}), STREAM, "platform"))


def test_the_mean_and_its_interval() -> None:
    """Worked by hand: three of net 1, one of net -1; mean 0.5, variance 0.75, half 1.96 * sqrt(0.75 / 4)."""
    rows = [Scored("a", "zh", NOON.date(), 0, MICROS)] * 3 + [Scored("b", "zh", NOON.date(), MICROS, 0)]
    sums = [sum(each) for each in zip(*map(_added, rows), strict=True)]
    names = ("mentions", "negatives", "neutrals", "positives", "net_micros", "net_square_micros")
    found = feeling("x", dict(zip(names, sums, strict=True)))
    assert (found.mentions, found.negatives, found.neutrals, found.positives) == (4, 1, 0, 3)
    assert found.net == 0.5
    assert found.low == pytest.approx(0.5 - 1.96 * 0.4330127)
    assert found.high == 1.0
    assert feeling("x", dict.fromkeys(names)).net is None
