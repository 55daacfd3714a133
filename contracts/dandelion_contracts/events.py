"""Registries of message classes by `ce_type`: EVENTS and COMMANDS.

An event is a message of a service's events.proto that no other message embeds, or the CommandRefused of common.proto. The
`ce_type` of a message is its full protobuf name, e.g. `dandelion.campaigns.v1.ContentPublished`. Engagement is in neither
registry, because it has a topic and a form of its own.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType, ModuleType

from dandelion.campaigns.v1 import commands_pb2 as campaigns_commands
from dandelion.campaigns.v1 import events_pb2 as campaigns_events
from dandelion.common.v1.common_pb2 import CommandRefused
from dandelion.compliance.v1 import commands_pb2 as compliance_commands
from dandelion.compliance.v1 import events_pb2 as compliance_events
from dandelion.discovery.v1 import commands_pb2 as discovery_commands
from dandelion.discovery.v1 import events_pb2 as discovery_events
from dandelion.ledger.v1 import commands_pb2 as ledger_commands
from dandelion.ledger.v1 import events_pb2 as ledger_events
from dandelion.metrics.v1 import commands_pb2 as metrics_commands
from dandelion.metrics.v1 import events_pb2 as metrics_events
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

Registry = Mapping[str, type[Message]]

SERVICES = ("discovery", "campaigns", "ledger", "compliance", "metrics")
ENGAGEMENT_TOPIC = "metrics.engagement.v1"
ENVELOPE = metrics_events.EngagementEnvelope
ENVELOPE_TYPE = ENVELOPE.DESCRIPTOR.full_name


def events_topic(service: str) -> str:
    """Topic of a service's events, `<service>.events.v1`; raises ValueError for a service that does not exist."""
    if service not in SERVICES:
        raise ValueError(f"no service {service!r}, only {', '.join(SERVICES)}")
    return f"{service}.events.v1"


def type_name(message: type[Message] | Message) -> str:
    """`ce_type` of a message or of its class."""
    return message.DESCRIPTOR.full_name


def _top_level(*modules: ModuleType) -> Iterator[Descriptor]:
    for module in modules:
        yield from module.DESCRIPTOR.message_types_by_name.values()


def _registry(*modules: ModuleType, shared: tuple[type[Message], ...] = ()) -> Registry:
    found = list(_top_level(*modules))
    embedded = {field.message_type.full_name for each in found for field in each.fields if field.message_type}
    apart = {ENVELOPE_TYPE, metrics_events.EngagementRecorded.DESCRIPTOR.full_name}
    names = sorted(each.full_name for each in found if each.full_name not in embedded | apart)
    classes = {each.full_name: GetMessageClass(each) for each in found}
    return MappingProxyType({name: classes[name] for name in names} | {type_name(each): each for each in shared})


EVENTS: Registry = _registry(
    discovery_events, campaigns_events, ledger_events, compliance_events, metrics_events, shared=(CommandRefused,)
)  # fmt: skip
"""Every event of the `<service>.events.v1` topics by its `ce_type`."""

COMMANDS: Registry = _registry(
    discovery_commands, campaigns_commands, ledger_commands, compliance_commands, metrics_commands
)  # fmt: skip
"""Every command of the `<service>.commands.v1` topics by its `ce_type`."""
