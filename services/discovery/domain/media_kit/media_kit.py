"""The media kit aggregate, stream `kit-<creator id>`, owned by the creator: publish, withdraw, share, revoke, count openings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import assert_never

from kernel.core.decider import Context, Decider
from kernel.core.faults import Forbidden, Invalid, Refused
from kernel.core.ids import checked_id, split_stream
from services.discovery.domain.checks import checked_few, checked_line
from services.discovery.domain.media_kit.commands import (
    Command,
    PublishKit,
    RecordOpening,
    RevokeShare,
    Section,
    ShareKit,
    WithdrawKit,
)
from services.discovery.domain.media_kit.events import (
    Event,
    KitOpened,
    KitPublished,
    KitShared,
    KitShareRevoked,
    KitWithdrawn,
)
from services.discovery.domain.profile import checked_link

CATEGORY = "kit"
LINKS_LIMIT = 50
"""Addresses that a creator may have at once."""
OPENINGS_A_DAY = 1_000
"""Of an address; more are not counted."""
LONGEST = timedelta(days=730)


@dataclass(frozen=True, slots=True)
class Share:
    """An address that was not revoked: when it ends, and the ids of its openings of the day `day` (UTC)."""

    link_id: str
    label: str
    expires_at: datetime | None
    day: date | None = None
    opened: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class State:
    """The version shown last and whether it still is; addresses by id, the oldest first."""

    published: KitPublished | None = None
    withdrawn: bool = False
    shares: tuple[Share, ...] = ()
    revoked: frozenset[str] = frozenset()

    def share(self, link_id: str) -> Share | None:
        return next((one for one in self.shares if one.link_id == link_id), None)


def decide(command: Command, state: State, context: Context) -> Sequence[Event]:
    """Raises Forbidden for anybody but the creator, Invalid for a bad value, Refused where the kit's state does not allow it."""
    if isinstance(command, RecordOpening):
        context.actor.require("system")
        return _opened(command, state, context)
    if context.actor.tenant != split_stream(context.stream)[1] or "system" in context.actor.roles:
        raise Forbidden("media_kit.not_yours")
    match command:
        case PublishKit():
            return _publish(command, state)
        case WithdrawKit():
            return [KitWithdrawn(_shown(state).version)] if not state.withdrawn else []
        case ShareKit():
            return _share(command, state, context)
        case RevokeShare():
            return _revoke(command, state)
        case _:
            assert_never(command)


def _shown(state: State) -> KitPublished:
    if state.published is None:
        raise Refused("media_kit.not_published", do="publish the kit first")
    return state.published


def _publish(command: PublishKit, state: State) -> Sequence[Event]:
    if not command.sections:
        raise Invalid("media_kit.no_section", field="sections")
    examples = tuple(map(checked_link, checked_few(command, "examples", command.examples)))
    sections = tuple(one for one in Section if one in command.sections)
    last = state.published
    event = KitPublished((last.version if last else 0) + 1, sections, command.figures, examples)
    if last and not state.withdrawn and replace(last, version=event.version) == event:
        return []
    return [event]


def _share(command: ShareKit, state: State, context: Context) -> Sequence[Event]:
    checked_id(command.link_id)
    label, known = checked_line(command, "label"), state.share(command.link_id)
    if not label:
        raise Invalid("text.empty", field="label")
    if known is not None:
        if (known.label, known.expires_at) != (label, command.expires_at):
            raise Refused("media_kit.link_differs", link_id=command.link_id)
        return []
    if command.link_id in state.revoked:
        raise Refused("media_kit.link_revoked", link_id=command.link_id, do="make a new address")
    if command.expires_at is not None and not context.at < command.expires_at <= context.at + LONGEST:
        raise Invalid("media_kit.expiry_out_of_range", field="expires_at", limit_days=LONGEST.days)
    _shown(state)
    if len([one for one in state.shares if _lives(one, context.at)]) >= LINKS_LIMIT:
        raise Refused("media_kit.too_many_links", limit=LINKS_LIMIT, do="revoke one that is not needed any more")
    return [KitShared(command.link_id, label, command.expires_at)]


def _lives(share: Share, at: datetime) -> bool:
    return share.expires_at is None or at < share.expires_at


def _revoke(command: RevokeShare, state: State) -> Sequence[Event]:
    if command.link_id in state.revoked:
        return []
    if state.share(command.link_id) is None:
        raise Refused("media_kit.link_unknown", link_id=command.link_id[:36])
    return [KitShareRevoked(command.link_id)]


def _opened(command: RecordOpening, state: State, context: Context) -> Sequence[Event]:
    """Nothing of an address that ended, or that was opened OPENINGS_A_DAY times today."""
    share = state.share(command.link_id)
    if share is None or state.withdrawn or not _lives(share, context.at):
        return []
    today = context.at.date()
    opened = share.opened if share.day == today else frozenset()
    if command.opening_id in opened or len(opened) >= OPENINGS_A_DAY:
        return []
    return [KitOpened(command.link_id, today, checked_id(command.opening_id))]


def evolve(state: State, event: Event) -> State:
    match event:
        case KitPublished():
            return replace(state, published=event, withdrawn=False)
        case KitWithdrawn():
            return replace(state, withdrawn=True)
        case KitShared():
            return replace(state, shares=(*state.shares, Share(event.link_id, event.label, event.expires_at)))
        case KitShareRevoked():
            others = tuple(one for one in state.shares if one.link_id != event.link_id)
            return replace(state, shares=others, revoked=state.revoked | {event.link_id})
        case KitOpened():
            return replace(state, shares=tuple(_counted(one, event) for one in state.shares))
        case _:
            assert_never(event)


def _counted(share: Share, event: KitOpened) -> Share:
    if share.link_id != event.link_id:
        return share
    before = share.opened if share.day == event.day else frozenset()
    return replace(share, day=event.day, opened=before | {event.opening_id})


MEDIA_KIT: Decider[Command, State, Event] = Decider(CATEGORY, State(), decide, evolve, published=False)
