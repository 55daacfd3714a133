"""Decider of creators' own posts (stream `post-<content id>`): what a creator publishes for no brand, so that it can be measured.

The platform's id of the post is no part of an event: it leads to the person. The content's id is derived from it, so a post is
one content however often it is registered, and never the content of anybody else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kernel.core.decider import Context, Decider
from kernel.core.faults import Forbidden, Invalid, Refused
from kernel.core.ids import checked_id, derived_id, split_stream

OLDEST = timedelta(days=400)
AHEAD = timedelta(minutes=5)
STAFF = frozenset({"operator", "system"})


class Platform(StrEnum):
    """The platforms of the market, as common.Platform has them."""

    XIAOHONGSHU = "xiaohongshu"
    DOUYIN = "douyin"
    WEIBO = "weibo"
    BILIBILI = "bilibili"
    TIKTOK = "tiktok"
    INSTAGRAM = "instagram"
    YOUTUBE = "youtube"


class Format(StrEnum):
    """Kinds of content, as common.Format has them."""

    IMAGE_NOTE = "image_note"
    VIDEO = "video"
    LIVE_HOUR = "live_hour"
    STORY = "story"


@dataclass(frozen=True, slots=True)
class RegisterPost:
    """`published_at` is UTC."""

    creator_id: str
    platform: Platform
    format: Format
    published_at: datetime


@dataclass(frozen=True, slots=True)
class PostRegistered:
    content_id: str
    creator_id: str
    platform: Platform
    format: Format
    published_at: datetime


@dataclass(frozen=True, slots=True)
class PostState:
    registered: PostRegistered | None = None


def post_id(creator_id: str, platform: str, platform_post_id: str) -> str:
    """One content per creator, platform and the platform's id of the post."""
    return derived_id("post", creator_id, platform, platform_post_id)


def decide(command: RegisterPost, state: PostState, context: Context) -> Sequence[PostRegistered]:
    """Raises Forbidden for another creator, Invalid `post.published_out_of_range`, Refused `post.differs` for another account
    of the same post."""
    context.actor.require("creator", *STAFF)
    if context.actor.tenant != command.creator_id and not context.actor.roles & STAFF:
        raise Forbidden("post.not_yours")
    content_id = split_stream(context.stream)[1]
    made = PostRegistered(
        content_id, checked_id(command.creator_id), command.platform, command.format, command.published_at
    )
    if state.registered is None:
        _check_time(command.published_at, context.at)
        return [made]
    if state.registered != made:
        raise Refused(
            "post.differs", do="a post is registered once: leave out the second report, or correct its fields"
        )
    return []


def _check_time(published_at: datetime, at: datetime) -> None:
    if not at - OLDEST <= published_at <= at + AHEAD:
        raise Invalid("post.published_out_of_range", field="published_at", days=OLDEST.days)


def evolve(state: PostState, event: PostRegistered) -> PostState:
    return PostState(event)


POST: Decider[RegisterPost, PostState, PostRegistered] = Decider(
    "post", PostState(), decide, evolve, owner=lambda command: command.creator_id
)
