"""What was measured of a creator, as queries answer it."""

from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import measured_pb2 as pb
from dandelion.discovery.v1 import queries_pb2_grpc as grpc_pb
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number

from kernel.edge.grpc import caller
from kernel.edge.grpc_errors import RpcContext
from services.discovery.measured.conduct import Rate, Reliability
from services.discovery.measured.figures import Row
from services.discovery.measured.peers import Place, Places, key_of
from services.discovery.projections import CREATORS_PROJECTION, MEASURED
from services.discovery.rpc.asked import Asked
from services.discovery.tables.measured import MONTHS

MICROS = 1_000_000
NOWHERE = Place({}, {})


class FigureQueries(Asked, grpc_pb.CreatorQueryServiceServicer):
    """What was measured of creators."""

    async def GetCreatorFigures(  # noqa: N802
        self, request: pb.GetCreatorFiguresRequest, context: RpcContext
    ) -> pb.GetCreatorFiguresResponse:
        """One creator's."""
        if request.at_least.startswith(f"{self._app.service.name}:"):
            await self._app.at_least(request.at_least, CREATORS_PROJECTION.name)
        await self._app.at_least(request.at_least, MEASURED.name)
        found = await self._figures.of(request.creator_id, caller(), self._clock())
        return pb.GetCreatorFiguresResponse(
            cells=[_cell(row, found.places) for row in found.grid],
            peer_group=found.places.group,
            compared_at=stamp(found.places.compared_at),
            followers=map(_point, found.history),
            growth=_growth(found.growth) if found.growth else None,
            reliability=_reliability(found.reliability) if found.reliability else None,
        )


def _cell(row: Row, places: Places) -> pb.MeasuredCell:
    place = places.cells.get(key_of(row), NOWHERE)
    made = pb.MeasuredCell(
        purpose=number(pb.CellPurpose, row["purpose"]),
        format=number(common.Format, row["format"]),
        window_days=row["window_days"],
        traffic=number(common.Traffic, "" if row["traffic"] == "all" else row["traffic"]),
        contents=row["contents"] or 0,
        provenance=number(common.Provenance, row["provenance"]),
        formula=row["formula"],
        measured_at=stamp(row["measured_at"]),
        read_rate=_ratio(row["read_rate_micros"]),
        hundred_like_share=_ratio(row["hundred_like_micros"]),
        thousand_like_share=_ratio(row["thousand_like_micros"]),
    )
    for name in ("exposures", "reads", "engagements"):
        if row[name] is not None:
            getattr(made, name).CopyFrom(pb.PlacedFigure(value=row[name], **_placed(place, name)))
    rate = row["engagement_rate_micros"]
    if rate is not None:
        made.engagement_rate.CopyFrom(pb.PlacedRatio(value=rate / MICROS, **_placed(place, "engagement_rate_micros")))
    return made


def _ratio(micros: int | None) -> float | None:
    return None if micros is None else micros / MICROS


def _placed(place: Place, name: str) -> dict[str, Any]:
    peers = place.peers.get(name, 0)
    return {"peers": peers, "better_than": place.better_than[name] / peers} if peers else {}


def _point(row: Row) -> pb.FollowerPoint:
    return pb.FollowerPoint(
        platform=number(common.Platform, row["platform"]),
        followers=row["followers"],
        provenance=number(common.Provenance, row["provenance"]),
        observed_at=stamp(row["observed_at"]),
    )


def _growth(row: Row) -> pb.FollowerGrowth:
    told = [(months, row[f"before_{months}m"]) for months in MONTHS]
    return pb.FollowerGrowth(
        platform=number(common.Platform, row["platform"]),
        followers=row["followers"],
        observed_at=stamp(row["observed_at"]),
        months=[_months(months, before, row["followers"]) for months, before in told if before is not None],
    )


def _months(months: int, before: int, now: int) -> pb.MonthsGrowth:
    return pb.MonthsGrowth(months=months, before=before, growth=now / before - 1 if before else None)


def _reliability(found: Reliability) -> pb.Reliability:
    return pb.Reliability(
        since=stamp(found.since),
        until=stamp(found.until),
        replies_in_48h=_rate(found.replies),
        on_time=_rate(found.on_time),
        revisions=_rate(found.revisions),
        cancellations=_rate(found.cancellations),
        disputes=_rate(found.disputes),
        findings=found.findings,
    )


def _rate(rate: Rate) -> pb.CountedRate:
    return pb.CountedRate(part=rate.part, whole=rate.whole, rate=rate.part / rate.whole if rate.whole else None)
