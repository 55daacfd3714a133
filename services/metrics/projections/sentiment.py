"""Adds up the scores of comments by content, day, language and model. Whole millionths: a rebuild gives the same sums."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from kernel.core.events import Delivered
from kernel.processors.projector import Projection, Target
from services.metrics.domain.mentions.mentions import MICROS, MentionsRecorded, Scored
from services.metrics.tables import SENTIMENT

KEY = ("content_id", "day", "language", "model")
SUMS = ("mentions", "negatives", "neutrals", "positives", "net_micros", "net_square_micros")


async def apply_sentiment(target: Target, events: Sequence[Delivered[Any]]) -> None:
    sums: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0] * len(SUMS))
    for recorded in (one.event for one in events if isinstance(one.event, MentionsRecorded)):
        for row in recorded.rows:
            held = sums[recorded.content_id, row.day.isoformat(), row.language, recorded.model]
            for at, added in enumerate(_added(row)):
                held[at] += added
    rows = [dict(zip((*KEY, *SUMS), (*key, *held), strict=True)) for key, held in sums.items()]
    await target.upsert(SENTIMENT, rows, add=SUMS)


def _added(row: Scored) -> tuple[int, ...]:
    """One comment, in the order of SUMS; of two likeliest the less good counts."""
    neutral = MICROS - row.negative_micros - row.positive_micros
    likeliest = max(row.negative_micros, neutral, row.positive_micros)
    label = [row.negative_micros, neutral, row.positive_micros].index(likeliest)
    net = row.positive_micros - row.negative_micros
    return (1, int(label == 0), int(label == 1), int(label == 2), net, net * net // MICROS)


SENTIMENT_SUMS = Projection("sentiment", 1, (SENTIMENT,), apply_sentiment)
