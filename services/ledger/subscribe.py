"""Commands of other services, in: bytes of `ledger.commands.v1` to this service's commands and their streams."""

from collections.abc import Callable
from typing import Any

from dandelion.ledger.v1 import commands_pb2 as pb
from dandelion_contracts.wire import decoder
from google.protobuf.message import Message

from services.ledger.domain.commands import (
    CancelEscrow,
    ClawBackPayment,
    Command,
    HoldEscrow,
    ReleasePayment,
    Weight,
    stream_of,
)
from services.ledger.domain.holds import HoldCommand, HoldPayouts, ResumePayouts, hold_stream


def _hold(message: Any) -> Command:
    return HoldEscrow(
        message.deliverable_id,
        message.revision or 1,
        message.collaboration_id,
        message.campaign_id,
        message.brand_id,
        message.creator_id,
        message.currency,
        message.fee_minor,
        message.brand_fee_minor,
        message.jurisdiction,
        message.agency_id,
        message.agency_bps,
        message.expires_s,
        message.fee_policy,
    )


def _release(message: Any) -> Command:
    return ReleasePayment(
        message.release_id,
        message.deliverable_id,
        message.creator_id,
        message.currency,
        message.fee_minor,
        message.brand_fee_minor,
        message.creator_fee_bps,
        tuple(Weight(part.creator_id, part.weight) for part in message.split),
    )


def _cancel(message: Any) -> Command:
    return CancelEscrow(
        message.refund_id,
        message.deliverable_id,
        message.brand_id,
        message.creator_id,
        message.currency,
        message.kill_fee_minor,
        message.creator_fee_bps,
        message.reason,
    )


def _claw_back(message: Any) -> Command:
    return ClawBackPayment(
        message.claw_back_id,
        message.deliverable_id,
        message.brand_id,
        message.creator_id,
        message.currency,
        message.amount_minor,
        message.reason,
    )


HOLDS: dict[type[Message], Callable[[Any], HoldCommand]] = {
    pb.HoldPayouts: lambda message: HoldPayouts(message.owner_id, message.reason),
    pb.ResumePayouts: lambda message: ResumePayouts(message.owner_id, message.reason),
}
COMMANDS: dict[type[Message], Callable[[Any], Command]] = {
    pb.HoldEscrow: _hold,
    pb.ReleasePayment: _release,
    pb.CancelEscrow: _cancel,
    pb.ClawBackPayment: _claw_back,
}
_command, _hold_of = decoder(COMMANDS), decoder(HOLDS)


def decode_command(name: str, value: bytes) -> tuple[str, Command | HoldCommand] | None:
    """`ledger.commands.v1`: the stream and the command of a request; ValueError or Invalid when malformed."""
    holding = _hold_of(name, value)
    if holding is not None:
        return hold_stream(holding.owner), holding
    command = _command(name, value)
    return None if command is None else (stream_of(command), command)
