"""The list of moves by hand over gRPC."""

import json
from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.ledger.v1 import queries_pb2 as pb
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number, word

from kernel.core.decider import Actor
from kernel.edge.page_tokens import page_size
from kernel.host.app import App
from kernel.processors.keyset import Row, chosen
from services.ledger.projections import MOVES_PROJECTION
from services.ledger.reads.moves import MoveReads, owners_of, shown_to

LINES_DEFAULT, LINES_LIMIT = 100, 1_000


async def list_moves(app: App, request: pb.ListHandMovesRequest, actor: Actor) -> pb.ListHandMovesResponse:
    """A page of what the caller may see."""
    tokens = app.page_tokens
    await app.at_least(request.at_least, MOVES_PROJECTION.name)
    _, falling = chosen(request.order_by, ("proposed_at desc", "proposed_at"))
    size = page_size(request.page_size, LINES_DEFAULT, LINES_LIMIT)
    after = tokens.open(request, request.page_token, actor.tenant)
    found = await MoveReads(app.database).page(word(pb.HandMoveStatus, request.status), falling, after, size, actor)
    token = tokens.seal(request, found.next, actor.tenant) if found.next else ""
    return pb.ListHandMovesResponse(
        moves=[_move(row, actor) for row in found.rows], page=common.PageInfo(next_page_token=token)
    )


def _move(row: Row, actor: Actor) -> pb.HandMove:
    sums: list[dict[str, Any]] = json.loads(row["sums"])
    return pb.HandMove(
        proposal_id=row["proposal_id"], move=row["move"], status=number(pb.HandMoveStatus, row["status"]),
        owner_ids=owners_of(row),
        sums=[common.Money(minor=one["amount_minor"], currency=one["currency"]) for one in sums],
        proposed_at=stamp(row["proposed_at"]), expires_at=stamp(row["expires_at"]),
        changed_at=stamp(row["changed_at"]), **shown_to(row, actor),
    )  # fmt: skip
