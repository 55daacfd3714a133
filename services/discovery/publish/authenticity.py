"""The public form of each event of an `authenticity-` stream, and what it asks of the ledger."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from dandelion.discovery.v1 import events_pb2 as pb
from dandelion.ledger.v1 import commands_pb2 as ledger
from dandelion_contracts.wire import form, stamp
from dandelion_contracts.words import number
from google.protobuf.message import Message

from kernel.core.ids import split_stream, stream_id
from kernel.streams.relay import OutgoingCommand
from services.discovery.domain.authenticity.events import (
    AuthenticityAppealed,
    AuthenticityAssessed,
    AuthenticityRuled,
    Event,
    LiftProposed,
)
from services.discovery.domain.authenticity.weighing import Weighed

FRAUD = "authenticity.fraud"
HOLD = "hold"
"""Category of the ledger's streams that hold payouts."""


def wire_of(event: Event, creator_id: str, at: datetime) -> Message:
    return FORMS[type(event)](event, creator_id, at)


def wire_signal(one: Weighed) -> pb.AuthenticitySignal:
    figures = ("value_bps", "low_bps", "high_bps", "size", "clear_bps", "full_bps", "weight")
    doubts = ("suspicion", "suspicion_low", "suspicion_high")
    told = {name: getattr(one, name) for name in (*figures, *doubts)}
    return pb.AuthenticitySignal(kind=number(pb.AuthenticitySignalKind, one.signal), **told)


def _assessed(event: AuthenticityAssessed, creator_id: str, at: datetime) -> Message:
    return pb.AuthenticityAssessed(
        creator_id=creator_id,
        score=event.score.score,
        score_low=event.score.low,
        score_high=event.score.high,
        standing=number(pb.AuthenticityStanding, event.standing),
        signals=map(wire_signal, event.score.signals),
        formula=event.score.formula,
        holds_offers=event.holds.offers,
        holds_payouts=event.holds.payouts,
        assessed_at=stamp(at),
    )


def _appealed(event: AuthenticityAppealed, creator_id: str, at: datetime) -> Message:
    return pb.AuthenticityAppealed(creator_id=creator_id, appealed_at=stamp(at))


def _proposed(event: LiftProposed, creator_id: str, at: datetime) -> Message:
    return pb.AuthenticityLiftProposed(creator_id=creator_id, proposed_at=stamp(at))


def _ruled(event: AuthenticityRuled, creator_id: str, at: datetime) -> Message:
    return pb.AuthenticityRuled(
        creator_id=creator_id,
        verdict=number(pb.AuthenticityVerdict, event.verdict),
        standing=number(pb.AuthenticityStanding, event.standing),
        floor=event.floor,
        holds_offers=event.holds.offers,
        holds_payouts=event.holds.payouts,
        ruled_at=stamp(at),
    )


FORMS: dict[type, Callable[[Any, str, datetime], Message]] = {
    AuthenticityAssessed: _assessed,
    AuthenticityAppealed: _appealed,
    LiftProposed: _proposed,
    AuthenticityRuled: _ruled,
}
"""The public form of each event of an `authenticity-` stream."""


def payouts(event: Event, stream: str) -> Sequence[OutgoingCommand]:
    """HoldPayouts or ResumePayouts, where an event begins or ends a hold."""
    if not isinstance(event, AuthenticityAssessed | AuthenticityRuled) or event.holds.payouts == event.held.payouts:
        return []
    owner_id = split_stream(stream)[1]
    kind = ledger.HoldPayouts if event.holds.payouts else ledger.ResumePayouts
    message = kind(owner_id=owner_id, reason=FRAUD, requester=stream)
    return [OutgoingCommand("ledger", stream_id(HOLD, owner_id), *form(message))]
