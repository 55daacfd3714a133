"""What was found that people hardly do."""

from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.metrics.v1 import events_pb2 as events
from dandelion.metrics.v1 import queries_pb2 as pb
from dandelion.metrics.v1 import queries_pb2_grpc as grpc_pb
from dandelion_contracts.wire import stamp

from kernel.core.faults import Invalid
from kernel.core.ids import checked_id
from kernel.edge.grpc import caller
from kernel.edge.page_tokens import page_size
from kernel.host.app import App
from kernel.processors.keyset import chosen
from services.metrics.domain.anomaly.anomaly import AnomalyKind
from services.metrics.projections.anomalies import ANOMALY_LIST
from services.metrics.publish.anomalies import SAME, window_of
from services.metrics.reads.anomalies import BY, Asked, anomalies

DEFAULT, LIMIT = 100, 1_000


class AnomalyQueries(grpc_pb.RoiQueryServiceServicer):
    """A brand and a creator see their own, staff see all."""

    _app: App

    async def ListAnomalies(self, request: pb.ListAnomaliesRequest, context: Any) -> pb.ListAnomaliesResponse:  # noqa: N802
        actor, size = caller(), page_size(request.page_size, DEFAULT, LIMIT)
        campaign_id, creator_id, content_id = (
            checked_id(one) if one else "" for one in (request.campaign_id, request.creator_id, request.content_id)
        )
        asked = Asked(campaign_id, creator_id, content_id, [_kind(one) for one in dict.fromkeys(request.kinds)])
        _, falling = chosen(request.order_by, BY)
        after = self._app.page_tokens.open(request, request.page_token, actor.tenant)
        await self._app.at_least(request.at_least, ANOMALY_LIST.name)
        found = await anomalies(self._app.database, asked, falling, after, size, actor)
        token = self._app.page_tokens.seal(request, found.next, actor.tenant) if found.next else ""
        return pb.ListAnomaliesResponse(anomalies=map(_wire, found.rows), page=common.PageInfo(next_page_token=token))


def _kind(name: str) -> str:
    if name not in set(AnomalyKind):
        raise Invalid("anomaly.kind_unknown", field="kinds", value=name[:40], expected=" ".join(AnomalyKind))
    return name


def _wire(row: Any) -> events.AnomalyDetected:
    since, until = window_of(row["window_start_ms"], row["window_s"])
    return events.AnomalyDetected(
        **{name: row[name] for name in (*SAME, "kind")},
        metric=events.Metric.ValueType(row["metric"]),
        window_from=since,
        window_until=until,
        detected_at=stamp(row["detected_at"]),
    )
