"""Tracking links and the clicks on them.

`link-<uuid>` is published; a code is unique over the whole installation because it is a public path (`/l/<code>`).
`click-<uuid>` streams are private: one event each, a click or a request that is none, made before the visitor is redirected.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from kernel.core.decider import Context, DecidedEvent, Decider, InlineTable, Key, Rows
from kernel.core.faults import Forbidden, Invalid, NotFound, Refused
from kernel.core.ids import split_stream
from services.metrics.domain.attribution import Placement, Touch, owns
from services.metrics.domain.site.targets import check_target

MAX_URL = 2048
CODE = re.compile(r"[A-Za-z0-9_-]{4,32}")
LINKS_PER_BRAND = 10_000


@dataclass(frozen=True, slots=True)
class IssueLink:
    """`target_url` is where a visitor goes (https); `code` the public path, 4..32 of A-Z a-z 0-9 _ -."""

    brand_id: str
    placement: Placement
    target_url: str
    code: str
    limit: int = LINKS_PER_BRAND
    """Links that the brand may have; the edge says it, from a setting."""


@dataclass(frozen=True, slots=True)
class LinkIssued:
    """A tracking link stands; `brand_id` owns it."""

    link_id: str
    brand_id: str
    placement: Placement
    target_url: str
    code: str


@dataclass(frozen=True, slots=True)
class LinkState:
    issued: LinkIssued | None = None


@dataclass(frozen=True, slots=True)
class LinkCode:
    """Inline row: who holds a code, and where it leads."""

    code: str
    link_id: str
    brand_id: str
    campaign_id: str
    collaboration_id: str
    deliverable_id: str
    creator_id: str
    target_url: str

    @property
    def placement(self) -> Placement:
        return Placement(self.campaign_id, self.collaboration_id, self.deliverable_id, self.creator_id)


def _fold_code(fact: DecidedEvent[Any], rows: Rows) -> Iterable[tuple[Key, LinkCode | None]]:
    made: LinkIssued = fact.event
    at = made.placement
    row = LinkCode(
        made.code, made.link_id, made.brand_id, at.campaign_id, at.collaboration_id, at.deliverable_id, at.creator_id,
        made.target_url,
    )  # fmt: skip
    yield (made.code,), row


LINK_CODES: InlineTable[LinkCode] = InlineTable("link_codes", LinkCode, ("code",), (LinkIssued,), _fold_code)


@dataclass(frozen=True, slots=True)
class LinkCount:
    """Inline row: how many links a brand has."""

    brand_id: str
    issued: int


def _fold_count(fact: DecidedEvent[LinkIssued], rows: Rows) -> Iterable[tuple[Key, LinkCount]]:
    brand_id = fact.event.brand_id
    row = rows.get(LINK_COUNTS, (brand_id,))
    yield (brand_id,), LinkCount(brand_id, (row.issued if row else 0) + 1)


LINK_COUNTS: InlineTable[LinkCount] = InlineTable("link_counts", LinkCount, ("brand_id",), (LinkIssued,), _fold_count)


def _check_limit(command: IssueLink, context: Context) -> None:
    row = context.rows.get(LINK_COUNTS, (command.brand_id,))
    if row is not None and row.issued >= command.limit:
        do = "ask the platform's operator for a higher limit (links_per_tenant); links that stand are kept for their clicks"
        raise Refused("link.limit_reached", limit=command.limit, do=do)


def checked_url(url: str) -> str:
    """`url` itself; raises Invalid `link.url_not_allowed` unless it is https with a plain host and no credentials."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "https" and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        usable = False
    if not usable or len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise Invalid("link.url_not_allowed", rule="https, ASCII, no credentials, at most 2048 characters")
    return url


def decide_link(command: IssueLink, state: LinkState, context: Context) -> Sequence[LinkIssued]:
    """Raises Forbidden for another brand, Invalid on bad values, Refused when the link or its code is taken or the brand has not
    proven where it leads. A link that stands goes on when the proof is gone."""
    if not owns(context, command.brand_id):
        raise Forbidden("link.not_a_party")
    made = _issued(command, context)
    if state.issued is not None:
        return _repeated(made, state.issued)
    if context.rows.get(LINK_CODES, (command.code,)) is not None:
        raise Refused("link.code_taken", link_code=command.code)
    _check_limit(command, context)
    check_target(command.target_url, command.brand_id, context)
    return [made]


def _issued(command: IssueLink, context: Context) -> LinkIssued:
    if not CODE.fullmatch(command.code):
        raise Invalid("link.code_malformed", rule="4 to 32 of A-Z a-z 0-9 _ -")
    link_id = split_stream(context.stream)[1]
    url = checked_url(command.target_url)
    return LinkIssued(link_id, command.brand_id, command.placement.checked(), url, command.code)


def _repeated(made: LinkIssued, stands: LinkIssued) -> list[LinkIssued]:
    if made != stands:
        raise Refused("link.already_issued", link_id=stands.link_id)
    return []


def evolve_link(state: LinkState, event: LinkIssued) -> LinkState:
    return LinkState(event)


def _reads_link(command: IssueLink, state: LinkState) -> Iterable[tuple[InlineTable[Any], Key]]:
    yield LINK_CODES, (command.code,)
    yield LINK_COUNTS, (command.brand_id,)


LINK: Decider[IssueLink, LinkState, LinkIssued] = Decider(
    "link",
    LinkState(),
    decide_link,
    evolve_link,
    owner=lambda command: command.brand_id,
    reads=_reads_link,
)


class NotAClick(StrEnum):
    """Why a request of a link is no click."""

    ROBOT = "robot"
    """A crawler, the preview of a chat or network, a library, or somebody that does not say what it is."""
    PREFETCH = "prefetch"
    """Made ahead by a browser: the visitor may never come."""
    PREVIEW = "preview"
    EMBEDDED = "embedded"
    """Loaded by a page as its image, frame or script: nobody followed the link."""
    REPEAT = "repeat"
    """The same visitor again within the window: a reload, or a second tap."""
    NO_VISITOR = "no_visitor"
    """The request has no Accept-Language, which every browser sends when a person follows a link."""
    CROWD = "crowd"
    """The address has used up its clicks of the day: one program may give itself the headers of many visitors."""


@dataclass(frozen=True, slots=True)
class RecordClick:
    """A visitor follows the link with this code; said by the redirect itself before it answers."""

    code: str


@dataclass(frozen=True, slots=True)
class RecordRequest:
    """The link with this code was asked for, and nobody followed it; said by the redirect itself."""

    code: str
    why: NotAClick


ClickCommand = RecordClick | RecordRequest


@dataclass(frozen=True, slots=True)
class LinkClicked:
    """One click, counted by us (first party), not by a platform. It is a request of the link too."""

    click_id: str
    link_id: str
    brand_id: str
    placement: Placement


@dataclass(frozen=True, slots=True)
class LinkRequested:
    """One request of a link that is no click: counted apart, and no evidence for an order."""

    request_id: str
    link_id: str
    brand_id: str
    placement: Placement
    why: NotAClick


ClickEvent = LinkClicked | LinkRequested


@dataclass(frozen=True, slots=True)
class ClickState:
    made: ClickEvent | None = None


@dataclass(frozen=True, slots=True)
class Click:
    """Inline row: what an order's click id stands for."""

    click_id: str
    link_id: str
    brand_id: str
    campaign_id: str
    collaboration_id: str
    deliverable_id: str
    creator_id: str
    clicked_at: datetime

    def touch(self) -> Touch:
        """The click as attribution sees it."""
        placement = Placement(self.campaign_id, self.collaboration_id, self.deliverable_id, self.creator_id)
        return Touch(self.click_id, self.link_id, placement, self.clicked_at)


def _fold_click(fact: DecidedEvent[Any], rows: Rows) -> Iterable[tuple[Key, Click | None]]:
    made: LinkClicked = fact.event
    at = made.placement
    row = Click(
        made.click_id, made.link_id, made.brand_id, at.campaign_id, at.collaboration_id, at.deliverable_id,
        at.creator_id, fact.at,
    )  # fmt: skip
    yield (made.click_id,), row


CLICKS: InlineTable[Click] = InlineTable("clicks", Click, ("click_id",), (LinkClicked,), _fold_click)


def decide_click(command: ClickCommand, state: ClickState, context: Context) -> Sequence[ClickEvent]:
    """Raises NotFound `link.unknown_code`. A click stream holds one click, or one request that is none."""
    context.actor.require("system")
    if state.made is not None:
        return []
    link = context.rows.get(LINK_CODES, (command.code,))
    if link is None:
        raise NotFound("link.unknown_code")
    id_ = split_stream(context.stream)[1]
    if isinstance(command, RecordRequest):
        return [LinkRequested(id_, link.link_id, link.brand_id, link.placement, command.why)]
    return [LinkClicked(id_, link.link_id, link.brand_id, link.placement)]


def evolve_click(state: ClickState, event: ClickEvent) -> ClickState:
    return ClickState(event)


CLICK: Decider[ClickCommand, ClickState, ClickEvent] = Decider(
    "click",
    ClickState(),
    decide_click,
    evolve_click,
    published=False,
    reads=lambda command, state: [(LINK_CODES, (command.code,))],
)
