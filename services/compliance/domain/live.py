"""Live checks: the published post is looked at again through its protection period.

Stream `look-<deliverable uuid>`. The first look is due when the campaign's terms say (an hour by default), the second a day
after publication, then one a day until protection ends. A deadline makes a look due, the intent LookRequested is carried
out outside, RecordLook brings back what was seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, assert_never

from kernel.core.decider import Context, Decider
from kernel.core.events import Delivered
from kernel.core.faults import Refused
from kernel.core.ids import derived_id
from services.compliance.domain.review import About

DAY = timedelta(days=1)
MAX_LOOKS = 400
"""The longest protection is a year; no deliverable is looked at more often."""


@dataclass(frozen=True, slots=True)
class Post:
    """What is out there: the platform's id of the post, and what was agreed to stand on it.

    `text_hash` is of the text in `normal_form` (dandelion_posts); "" is the text as it came. `placement`, a word of
    common.v1.LabelPlacement, says where the label stands; "" in events of 0.1.0.
    `author_hash` is the digest of the account that posts it, "" is any.
    """

    platform: str
    post_id: str
    url: str
    label: str
    jurisdiction: str
    text_hash: str
    normal_form: str = ""
    placement: str = ""
    author_hash: str = ""


@dataclass(frozen=True, slots=True)
class ContentPublished:
    """From campaigns: the post is up. Both spans count from `published_at`."""

    about: About
    post: Post
    published_at: datetime
    live_check_after_s: int
    protection_s: int


@dataclass(frozen=True, slots=True)
class ContentTakenDown:
    """From campaigns: the post was taken down; there is nothing to look at until another is published."""

    deliverable_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class RequestLook:
    """By the clock: look number `ordinal` is due."""

    ordinal: int


@dataclass(frozen=True, slots=True)
class RecordLook:
    """By the effect: what was seen. `text_hash` is the hash of what stands there now, "" when nothing was found.

    `unreadable` is why nobody can tell what stands there, "" where somebody can.
    """

    ordinal: int
    found: bool
    label_present: bool
    text_unchanged: bool
    text_hash: str
    unreadable: str = ""
    author_differs: bool = False


Command = Delivered[ContentPublished] | Delivered[ContentTakenDown] | RequestLook | RecordLook


@dataclass(frozen=True, slots=True)
class LooksScheduled:
    """The post will be looked at: first at `first_at` as look `ordinal`, until protection ends at `until`."""

    about: About
    post: Post
    published_at: datetime
    first_at: datetime
    until: datetime
    ordinal: int


@dataclass(frozen=True, slots=True)
class LookRequested:
    """The intent: look now. `next_at` None: this is the last look."""

    look_id: str
    about: About
    post: Post
    ordinal: int
    requested_at: datetime
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class ContentLookedAt:
    """The post was looked at. `unreadable` not "": the platform's answer does not say what stands there, and proves nothing."""

    look_id: str
    about: About
    post: Post
    ordinal: int
    found: bool
    label_present: bool
    text_unchanged: bool
    text_hash: str
    looked_at: datetime
    unreadable: str = ""
    author_differs: bool = False

    @property
    def ok(self) -> bool:
        """Found, labelled, unchanged, and posted by whom it should be."""
        return self.found and self.label_present and self.text_unchanged and not self.author_differs


@dataclass(frozen=True, slots=True)
class DisclosureMissing:
    """The post stands there without its label."""

    look_id: str
    about: About
    post: Post
    looked_at: datetime


@dataclass(frozen=True, slots=True)
class LooksEnded:
    """No more looks: `reason` is "content.taken_down" or the reason campaigns gave."""

    about: About
    reason: str
    ended_at: datetime


Event = LooksScheduled | LookRequested | ContentLookedAt | DisclosureMissing | LooksEnded


@dataclass(frozen=True, slots=True)
class State:
    """`requested` is the number of the last look asked for, `seen` the numbers that were recorded (late ones count)."""

    scheduled: LooksScheduled | None = None
    requested: int = 0
    seen: frozenset[int] = frozenset()
    ended: bool = False


def decide(command: Command, state: State, context: Context) -> Sequence[Event]:
    match command:
        case Delivered(event=ContentPublished() as published):
            return _schedule(published, state)
        case Delivered(event=ContentTakenDown() as down):
            return _end(down, state, context)
        case RequestLook():
            return _request(command, state, context)
        case RecordLook():
            return _record(command, state, context)
        case _:
            raise Refused("look.unknown_command")


def _schedule(published: ContentPublished, state: State) -> Sequence[Event]:
    """A post that replaces one taken down is looked at anew; the numbers of looks go on."""
    running = state.scheduled
    if running is not None and published.published_at <= running.published_at:
        return []
    at, ordinal = published.published_at, state.requested + 1
    first_at = at + timedelta(seconds=published.live_check_after_s)
    until = at + timedelta(seconds=published.protection_s)
    return [LooksScheduled(published.about, published.post, at, first_at, until, ordinal)]


def _end(down: ContentTakenDown, state: State, context: Context) -> Sequence[Event]:
    if state.scheduled is None or state.ended:
        return []
    return [LooksEnded(state.scheduled.about, down.reason or "content.taken_down", context.at)]


def _request(command: RequestLook, state: State, context: Context) -> Sequence[Event]:
    context.actor.require("system", "reviewer", "operator")
    scheduled = state.scheduled
    if scheduled is None:
        raise Refused("look.not_scheduled")
    if state.ended or command.ordinal <= state.requested:
        return []
    if command.ordinal != state.requested + 1:
        raise Refused("look.out_of_order", expected=state.requested + 1)
    following = next_look(scheduled, command.ordinal, context.at)
    return [
        LookRequested(
            look_id(scheduled.about, command.ordinal),
            scheduled.about,
            scheduled.post,
            command.ordinal,
            context.at,
            following,
        )
    ]


def look_id(about: About, ordinal: int) -> str:
    return derived_id("look", about.deliverable_id, str(ordinal))


def next_look(scheduled: LooksScheduled, ordinal: int, at: datetime) -> datetime | None:
    """When look `ordinal + 1` is due: the first full day after publication that lies ahead; None past the protection."""
    days = max(1, (at - scheduled.published_at) // DAY + 1)
    due = max(scheduled.published_at + days * DAY, scheduled.first_at + timedelta(seconds=1))
    return due if due < scheduled.until and ordinal < MAX_LOOKS else None


def _record(command: RecordLook, state: State, context: Context) -> Sequence[Event]:
    context.actor.require("system")
    scheduled = state.scheduled
    if scheduled is None or command.ordinal > state.requested:
        raise Refused("look.not_requested", requested=state.requested)
    if command.ordinal in state.seen or command.ordinal < scheduled.ordinal:
        return []  # seen, or a look at a post that another has replaced
    seen = _looked_at(command, scheduled, context.at)
    if seen.found and not seen.label_present:
        return [seen, DisclosureMissing(seen.look_id, seen.about, seen.post, seen.looked_at)]
    return [seen]


def _looked_at(command: RecordLook, scheduled: LooksScheduled, at: datetime) -> ContentLookedAt:
    about = scheduled.about
    found = command.found
    return ContentLookedAt(
        look_id(about, command.ordinal), about, scheduled.post, command.ordinal, found, found and command.label_present,
        found and command.text_unchanged, command.text_hash, at, command.unreadable, found and command.author_differs,
    )  # fmt: skip


def evolve(state: State, event: Event) -> State:
    match event:
        case LooksScheduled():
            return replace(state, scheduled=event, ended=False)
        case LookRequested():
            return replace(state, requested=event.ordinal)
        case ContentLookedAt():
            return replace(state, seen=state.seen | {event.ordinal})
        case LooksEnded():
            return replace(state, ended=True)
        case DisclosureMissing():
            return state
        case _:
            assert_never(event)


LOOK: Decider[Command, State, Event] = Decider("look", State(), decide, evolve)


def route(incoming: Delivered[Any]) -> str | None:
    """One stream per deliverable."""
    match incoming.event:
        case ContentPublished(about=about):
            return f"{LOOK.category}-{about.deliverable_id}"
        case ContentTakenDown(deliverable_id=deliverable_id):
            return f"{LOOK.category}-{deliverable_id}"
        case _:
            return None
