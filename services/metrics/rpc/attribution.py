"""Attribution side by side: the request read, the answer on the wire."""

from collections.abc import Sequence
from datetime import datetime

from dandelion.metrics.v1 import attribution_pb2 as pb
from dandelion_contracts.wire import time_of
from google.protobuf.timestamp_pb2 import Timestamp

from kernel.core.faults import Invalid
from kernel.core.ids import checked_id
from services.metrics.attribution.models import Credits
from services.metrics.domain.attribution import DEFAULT_WINDOW_S, Model, checked_window
from services.metrics.reads.attribution import Question, SideBySide, ranked

UNITS = {
    pb.ATTRIBUTION_UNIT_UNSPECIFIED: "creator_id",
    pb.ATTRIBUTION_UNIT_CREATOR: "creator_id",
    pb.ATTRIBUTION_UNIT_CONTENT: "deliverable_id",
}


def question(request: pb.GetAttributionRequest) -> Question:
    """Raises Invalid for a bad id, window, unit or time."""
    unit = UNITS.get(request.unit)
    if unit is None:
        raise Invalid("attribution.unit_unknown", field="unit")
    return Question(
        checked_id(request.campaign_id),
        unit,
        checked_window(request.window_s) if request.window_s else DEFAULT_WINDOW_S,
        _time("ordered_from", request.ordered_from) if request.HasField("ordered_from") else None,
        _time("ordered_until", request.ordered_until) if request.HasField("ordered_until") else None,
    )


def _time(field: str, told: Timestamp) -> datetime:
    try:
        return time_of(told)
    except (ValueError, OverflowError) as error:
        raise Invalid("time.out_of_range", field=field) from error


def wire_attribution(asked: Question, found: SideBySide) -> pb.GetAttributionResponse:
    most_first = sorted(found.journeys, key=lambda currency: (-len(found.journeys[currency]), currency))
    return pb.GetAttributionResponse(
        campaign_id=asked.campaign_id,
        brand_id=found.brand_id,
        window_s=asked.window_s,
        currencies=[_currency(currency, found) for currency in most_first],
        clicks_without_order=found.lost,
    )


def _currency(currency: str, found: SideBySide) -> pb.CurrencyAttribution:
    journeys = found.journeys[currency]
    models = [_model(model, found.channels, credits) for model, credits in found.credits[currency].items()]
    return pb.CurrencyAttribution(
        currency=currency, orders=len(journeys), revenue_minor=sum(journeys.value_minor), models=models
    )


def _model(model: Model, channels: Sequence[str], credits: Credits) -> pb.AttributionModel:
    shown = [
        pb.AttributionCredit(id=one, orders=orders, revenue_minor=minor)
        for one, orders, minor in ranked(channels, credits)
    ]
    return pb.AttributionModel(model=model, credits=shown)
