"""Commands of other services, in: bytes of `ledger.commands.v1` to this service's commands and their streams."""

from collections.abc import Callable
from typing import Any

from dandelion.ledger.v1 import commands_pb2 as pb
from google.protobuf.message import DecodeError, Message

from services.ledger.domain.commands import (
    CancelEscrow,
    Command,
    HoldEscrow,
    ReleasePayment,
    Weight,
    stream_of,
)


def decode_command(type_: str, value: bytes) -> tuple[str, object] | None:
    """`(stream, command)`; None for a type that is not known here; ValueError or Invalid when malformed."""
    found = _COMMANDS.get(type_)
    if found is None:
        return None
    message_type, make = found
    try:
        command = make(message_type.FromString(value))
    except DecodeError as error:
        raise ValueError(f"{type_}: {error}") from error
    return stream_of(command), command


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


_COMMANDS: dict[str, tuple[type[Message], Callable[[Any], Command]]] = {
    pb.HoldEscrow.DESCRIPTOR.full_name: (pb.HoldEscrow, _hold),
    pb.ReleasePayment.DESCRIPTOR.full_name: (pb.ReleasePayment, _release),
    pb.CancelEscrow.DESCRIPTOR.full_name: (pb.CancelEscrow, _cancel),
}
