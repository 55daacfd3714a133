"""Moves by hand in public: what moves and whose it is, without the persons."""

from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.ledger.v1 import events_pb2 as pb
from dandelion_contracts.wire import stamp
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from services.ledger.domain.four_eyes import MoveApproved, MoveExpired, MoveProposed, MoveRejected


def public_move(
    event: MoveProposed | MoveApproved | MoveRejected | MoveExpired, proposal_id: str, at: Timestamp
) -> Message:
    """The public event of a move; the names of the persons are for staff."""
    said: dict[str, Any] = {
        "proposal_id": proposal_id, "move": event.move.command, "owner_ids": event.move.owners,
        "sums": [common.Money(minor=one.amount_minor, currency=one.currency) for one in event.move.sums],
    }  # fmt: skip
    match event:
        case MoveProposed():
            return pb.HandMoveProposed(**said, expires_at=stamp(event.expires_at), proposed_at=at)
        case MoveApproved():
            return pb.HandMoveApproved(**said, approved_at=at)
        case MoveRejected():
            return pb.HandMoveRejected(**said, rejected_at=at)
        case _:
            return pb.HandMoveExpired(**said, expired_at=at)
