"""Envelopes of engagement, columns to rows: all columns are checked against each other before the first row is returned."""

from collections.abc import Sequence
from typing import TypeVar

from dandelion.metrics.v1.events_pb2 import EngagementEnvelope, EngagementRecorded
from google.protobuf.timestamp_pb2 import Timestamp

V = TypeVar("V")
YEAR_10000_MS = 253_402_300_800_000


class MalformedEnvelope(ValueError):
    """The columns of an envelope do not fit each other."""


def rows(envelope: EngagementEnvelope) -> list[EngagementRecorded]:
    """EngagementRecorded messages of an envelope, one a row, in order; raises MalformedEnvelope with the name of the column."""
    count = len(envelope.content)
    for name in ("metrics", "values", "observed_offset_ms"):
        if len(getattr(envelope, name)) != count:
            raise MalformedEnvelope(f"{name} has {len(getattr(envelope, name))} entries for {count} rows")
    kinds = _spread("kinds", envelope.kinds, count)
    traffic = _spread("traffic", envelope.traffic, count)
    provenance = _spread("provenance", envelope.provenance, count)
    if count and max(envelope.content) >= len(envelope.contents):
        raise MalformedEnvelope(f"content points beyond the {len(envelope.contents)} contents")
    times = [envelope.observed_base_ms + offset for offset in envelope.observed_offset_ms]
    if count and not 0 <= min(times) <= max(times) < YEAR_10000_MS:
        raise MalformedEnvelope("observed_offset_ms leads out of the years 1970 to 9999")
    return [_row(envelope, i, times[i], kinds[i], traffic[i], provenance[i]) for i in range(count)]


def _spread(name: str, column: Sequence[V], count: int) -> Sequence[V]:
    """Spreads a column over all rows: a single entry stands for every row."""
    if len(column) == 1:
        return [column[0]] * count
    if len(column) != count:
        raise MalformedEnvelope(f"{name} has {len(column)} entries for {count} rows")
    return column


def _row(
    envelope: EngagementEnvelope, i: int, at_ms: int, kind: int, traffic: int, provenance: int
) -> EngagementRecorded:
    content = envelope.contents[envelope.content[i]]
    seconds, ms = divmod(at_ms, 1_000)
    return EngagementRecorded(
        envelope_id=envelope.envelope_id,
        row=i,
        tenant=envelope.tenant,
        batch_id=envelope.batch_id,
        content_id=content.content_id,
        campaign_id=content.campaign_id,
        creator_id=content.creator_id,
        platform=content.platform,
        metric=envelope.metrics[i],
        value=envelope.values[i],
        observed_at=Timestamp(seconds=seconds, nanos=ms * 1_000_000),
        kind=kind,  # type: ignore[arg-type]
        traffic=traffic,  # type: ignore[arg-type]
        provenance=provenance,  # type: ignore[arg-type]
    )
