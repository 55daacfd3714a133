"""Who has reported which post: an inline table, exact at the head, so that no post is paid twice."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from kernel.core.decider import Context, DecidedEvent, InlineTable, Key, Rows
from kernel.core.faults import Refused
from services.campaigns.domain.shared.content_events import ContentPublished, ContentTakenDown


@dataclass(frozen=True, slots=True)
class Post:
    """One row of the inline table `posts`: a platform's post, and the deliverable it was reported for."""

    platform: str
    post_id: str
    deliverable_id: str


def post_key(platform: str, post_id: str) -> tuple[str, str]:
    """The row of a post; ids that read alike are one id."""
    return platform, unicodedata.normalize("NFKC", post_id).strip()


def check_unclaimed(platform: str, post_id: str, deliverable_id: str, context: Context) -> None:
    """Raises Refused `content.post_reported_before` for a post that counts for another deliverable, whoever's it is."""
    row = context.rows.get(POSTS, post_key(platform, post_id))
    if row is not None and row.deliverable_id != deliverable_id:
        raise Refused("content.post_reported_before", do="report the post that was made for this deliverable")


def _fold(fact: DecidedEvent[ContentPublished | ContentTakenDown], rows: Rows) -> Iterable[tuple[Key, Post | None]]:
    """A report claims its post; a post that a look did not confirm is given back, so that a false report locks out nobody."""
    event = fact.event
    if isinstance(event, ContentPublished):
        key = post_key(event.setting.platform.value, event.post_id)
        yield key, Post(*key, event.deliverable_id)
    elif event.post_id:
        key = post_key(event.platform, event.post_id)
        row = rows.get(POSTS, key)
        if row is not None and row.deliverable_id == event.deliverable_id:
            yield key, None


POSTS: InlineTable[Post] = InlineTable(
    "posts", Post, ("platform", "post_id"), (ContentPublished, ContentTakenDown), _fold
)
