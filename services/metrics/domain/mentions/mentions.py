"""Decider of the comments on one content (stream `mentions-<content id>`): each is counted once, by the platform's id of it.

A text is scored where it comes in and goes no further: what is stored is its probabilities, its language, its day, and a digest
of the comment's id under the service's key, from which nobody is found. Of its author nothing is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated

from annotated_types import Len

from kernel.core.bounds import Asked
from kernel.core.decider import Context, Decider
from kernel.core.faults import Invalid, Refused

CATEGORY = "mentions"
BATCH_LIMIT = 500
CONTENT_LIMIT = 20_000
"""Comments that are counted of one content."""
MICROS = 1_000_000
OLDEST, AHEAD = timedelta(days=3_650), timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Scored:
    """Probabilities in millionths, the rest to the whole is neutral. `day` is UTC."""

    key: str
    language: str
    day: date
    negative_micros: int
    positive_micros: int


@dataclass(frozen=True, slots=True)
class RecordMentions:
    """`model` names the models that scored; `latest` is the time of the newest comment."""

    model: str
    rows: Annotated[tuple[Scored, ...], Asked(Len(1, BATCH_LIMIT))]
    earliest: datetime
    latest: datetime


@dataclass(frozen=True, slots=True)
class MentionsRecorded:
    """Comments that were not counted before."""

    content_id: str
    model: str
    rows: tuple[Scored, ...]


State = frozenset[str]
"""Keys of the comments that are counted."""


def decide(command: RecordMentions, state: State, context: Context) -> Sequence[MentionsRecorded]:
    """Raises Invalid `mentions.time_out_of_range`, Refused `mentions.too_many`; nothing for comments that are counted already."""
    if not context.at - OLDEST <= command.earliest <= command.latest <= context.at + AHEAD:
        raise Invalid("mentions.time_out_of_range", field="published_at", days=OLDEST.days)
    fresh = {one.key: one for one in command.rows if one.key not in state}
    if not fresh:
        return []
    if len(state) + len(fresh) > CONTENT_LIMIT:
        raise Refused("mentions.too_many", limit=CONTENT_LIMIT)
    return [MentionsRecorded(context.stream.removeprefix(f"{CATEGORY}-"), command.model, tuple(fresh.values()))]


def evolve(state: State, event: MentionsRecorded) -> State:
    return state.union(one.key for one in event.rows)


MENTIONS: Decider[RecordMentions, State, MentionsRecorded] = Decider(
    CATEGORY, frozenset(), decide, evolve, published=False
)
