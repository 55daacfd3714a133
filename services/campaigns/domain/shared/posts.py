"""Who has reported which post: an inline table, exact at the head, so that no post is paid twice."""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import get_args

from kernel.core.decider import Context, DecidedEvent, InlineTable, Key, Rows
from kernel.core.faults import Refused
from services.campaigns.domain.shared.content_events import BreachNoticed, ContentPublished, ContentTakenDown
from services.campaigns.domain.shared.work_events import CollaborationCancelled, DeliverableLapsed


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


AUTHOR_DIFFERS = "content.author_differs"
"""Code of a look that found another author: the post is given back."""
PostEvent = ContentPublished | ContentTakenDown | BreachNoticed | DeliverableLapsed | CollaborationCancelled


def _fold(fact: DecidedEvent[PostEvent], rows: Rows) -> Iterable[tuple[Key, Post | None]]:
    """A report claims its post; a post that a look did not confirm is given back, so that a false report locks out nobody."""
    event = fact.event
    if isinstance(event, ContentPublished):
        key = post_key(event.setting.platform.value, event.post_id)
        yield key, Post(*key, event.deliverable_id)
        return
    for platform, post_id, deliverable_id in _given_back(event):
        key = post_key(platform, post_id)
        row = rows.get(POSTS, key) if post_id else None
        if row is not None and row.deliverable_id == deliverable_id:
            yield key, None


def _given_back(
    event: ContentTakenDown | BreachNoticed | DeliverableLapsed | CollaborationCancelled,
) -> Iterator[tuple[str, str, str]]:
    """Platform, post and deliverable. What ended before a look and cost something has been paid for: its post stays counted."""
    if isinstance(event, ContentTakenDown | BreachNoticed):
        yield event.platform, event.post_id, event.deliverable_id
        return
    for end in (event.ended,) if isinstance(event, DeliverableLapsed) else event.deliverables:
        if not end.kill_fee_minor:
            yield end.platform, end.post_id, end.deliverable_id


POSTS: InlineTable[Post] = InlineTable("posts", Post, ("platform", "post_id"), get_args(PostEvent), _fold)
