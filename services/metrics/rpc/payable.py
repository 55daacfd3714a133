"""The payable numbers of a content on the wire."""

from dandelion.metrics.v1 import queries_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from services.metrics.domain.payable import FORMULA, Payable
from services.metrics.reads.payable import PayableNumbers

IDS = ("content_id", "campaign_id", "creator_id", "brand_id")


def payable_numbers(found: PayableNumbers) -> pb.GetPayableNumbersResponse:
    """`fresh_at` is left out where nobody has counted anything."""
    fresh_at = Timestamp()
    fresh_at.FromMilliseconds(found.fresh_ms)
    return pb.GetPayableNumbersResponse(
        **{name: found.content[name] for name in IDS}, formula=FORMULA, numbers=map(_number, found.numbers),
        fresh_at=fresh_at if found.fresh_ms else None,
    )  # fmt: skip


def _number(one: Payable) -> pb.PayableNumber:
    aside = [pb.SetAside(reason=each.reason, count=each.count) for each in one.set_aside]
    return pb.PayableNumber(metric=one.metric.name.lower(), payable=one.payable, set_aside=aside, released=one.released)
