"""Names of the contracts' enum values for people: `CAMPAIGN_STATUS_IN_REVIEW` is "In review"."""

from collections.abc import Iterator
from functools import cache

from dandelion.campaigns.v1 import events_pb2 as campaign_events
from dandelion.campaigns.v1 import queries_pb2 as campaigns
from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import events_pb2 as compliance_events
from dandelion.compliance.v1 import queries_pb2 as compliance
from dandelion.discovery.v1 import events_pb2 as discovery_events
from dandelion.discovery.v1 import queries_pb2 as discovery
from dandelion.ledger.v1 import events_pb2 as ledger_events
from dandelion.ledger.v1 import queries_pb2 as ledger
from dandelion.metrics.v1 import events_pb2 as metrics_events
from dandelion.metrics.v1 import queries_pb2 as metrics
from google.protobuf.descriptor import EnumDescriptor, EnumValueDescriptor

FILES = (
    common, campaigns, campaign_events, compliance, compliance_events, discovery, discovery_events, ledger, ledger_events,
    metrics, metrics_events,
)  # fmt: skip
SPELLED = {"TIKTOK": "TikTok", "YOUTUBE": "YouTube", "CO_CREATION": "Co-creation", "OUTDONE": "Overtaken"}
OWN_NAMES = {
    "AVAILABILITY_OPEN": "Takes work",
    "DELIVERABLE_STATUS_OPEN": "To be made",
    "RECRUIT_MODE_OPEN": "Open to all",
    "RECRUIT_MODE_INVITE": "By invitation",
    "SUBMISSION_STAGE_DRAFT": "Content draft",
    "TRAFFIC_ORGANIC": "Organic traffic",
    "TRAFFIC_PAID": "Paid traffic",
}
"""Values whose name alone means another thing elsewhere."""
UPPER = frozenset(
    {"kol", "koc", "cpm", "cpe", "cpc", "cps", "cpa", "ugc", "vat", "url", "id", "us", "uk", "eu", "cn", "ai"}
)


@cache
def label(enum: EnumDescriptor, number: int) -> str:
    """English name of a value, which the catalogs have as a key; a value that this console does not know is its number."""
    value = enum.values_by_number.get(number)
    return str(number) if value is None else _named(value)


def _named(value: EnumValueDescriptor) -> str:
    if value.name in OWN_NAMES:
        return OWN_NAMES[value.name]
    name = value.name.removeprefix(_prefix(value.type))
    if name in SPELLED:
        return SPELLED[name]
    words = name.split("_")
    shown = [word if word.lower() in UPPER else word.lower() for word in words]
    shown[0] = shown[0][:1].upper() + shown[0][1:]
    return " ".join(shown)


def _prefix(enum: EnumDescriptor) -> str:
    return enum.values[0].name.removesuffix("UNSPECIFIED")


def all_labels() -> Iterator[str]:
    """The names of all values of all enums that a query can answer with."""
    seen: set[str] = set()
    for file in FILES:
        for enum in _enums(file):
            seen.update(_named(value) for value in enum.values if value.number)
    yield from sorted(seen)


def values_by_name() -> Iterator[tuple[str, str]]:
    """Each value of all enums as contracts write it, with its English name."""
    for file in FILES:
        for enum in _enums(file):
            yield from ((value.name, _named(value)) for value in enum.values if value.number)


def _enums(file: object) -> Iterator[EnumDescriptor]:
    told = file.DESCRIPTOR  # type: ignore[attr-defined]
    yield from told.enum_types_by_name.values()
    for message in told.message_types_by_name.values():
        yield from message.enum_types
