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
    """One row of the inline table `posts`: a platform's post, and the deliverable it was reported for ("": free).

    `spent_by` are creators whom a kill fee was paid for it before a look: for them alone it counts no more."""

    platform: str
    post_id: str
    deliverable_id: str
    spent_by: tuple[str, ...] = ()


def post_key(platform: str, post_id: str) -> tuple[str, str]:
    """The row of a post; ids that read alike are one id."""
    return platform, unicodedata.normalize("NFKC", post_id).strip()


SPENT_LIMIT = 50
"""So many creators are remembered for one post, the newest; a look compares the author of each anyway."""


def check_unclaimed(platform: str, post_id: str, deliverable_id: str, creator_id: str, context: Context) -> None:
    """Raises Refused `content.post_reported_before` for a post that counts for another deliverable, whoever's it is, and for
    one that a kill fee was paid to this creator for."""
    row = context.rows.get(POSTS, post_key(platform, post_id))
    if row is not None and (row.deliverable_id not in ("", deliverable_id) or creator_id in row.spent_by):
        raise Refused("content.post_reported_before", do="report the post that was made for this deliverable")


AUTHOR_DIFFERS = "content.author_differs"
"""Code of a look that found another author: the post is given back."""
PostEvent = ContentPublished | ContentTakenDown | BreachNoticed | DeliverableLapsed | CollaborationCancelled


def _fold(fact: DecidedEvent[PostEvent], rows: Rows) -> Iterable[tuple[Key, Post | None]]:
    """A report claims its post; a post that a look did not confirm is given back, so that a false report locks out nobody."""
    event = fact.event
    if isinstance(event, ContentPublished):
        key = post_key(event.setting.platform.value, event.post_id)
        row = rows.get(POSTS, key)
        yield key, Post(*key, event.deliverable_id, row.spent_by if row else ())
        return
    for platform, post_id, deliverable_id, spent_by in _given_back(event):
        key = post_key(platform, post_id)
        row = rows.get(POSTS, key) if post_id else None
        if row is not None and row.deliverable_id == deliverable_id:
            spent = tuple(dict.fromkeys((*row.spent_by, *spent_by)))[-SPENT_LIMIT:]
            yield key, Post(*key, "", spent) if spent else None


def _given_back(
    event: ContentTakenDown | BreachNoticed | DeliverableLapsed | CollaborationCancelled,
) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Platform, post, deliverable, and whom a kill fee was paid for it: what ended before a look is given back to everybody
    else, since nobody has seen yet whose post it is."""
    if isinstance(event, ContentTakenDown | BreachNoticed):
        yield event.platform, event.post_id, event.deliverable_id, ()
        return
    for end in (event.ended,) if isinstance(event, DeliverableLapsed) else event.deliverables:
        yield end.platform, end.post_id, end.deliverable_id, (event.parties.creator_id,) if end.kill_fee_minor else ()


POSTS: InlineTable[Post] = InlineTable("posts", Post, ("platform", "post_id"), get_args(PostEvent), _fold)
