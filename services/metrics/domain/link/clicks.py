"""The clicks on tracking links.

`click-<uuid>` streams are private: one event each, a click or a request that is none, made before the visitor is redirected.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from kernel.core.decider import Context, DecidedEvent, Decider, InlineTable, Key, Rows
from kernel.core.faults import NotFound
from kernel.core.ids import split_stream
from services.metrics.domain.attribution import Placement, Touch
from services.metrics.domain.link.link import LINK_CODES


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
