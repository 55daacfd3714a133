"""Private events to public ones: pure, one message per stored event. What is promised is proto/dandelion/discovery/v1.

No personal field is published: a topic keeps everything, and the person's key cannot be taken out of it. A module per
stream; `wire` holds the values that events and answers share.
"""

from collections.abc import Sequence
from typing import Any, get_args

from dandelion_contracts.wire import form, refusal

from kernel.core.events import CommandRefused, Delivered
from kernel.core.ids import split_stream
from kernel.core.personal import ErasureAsked, ErasureDone
from kernel.streams.relay import OutgoingCommand, PublicEvent
from services.discovery.domain.authenticity.events import Event as AuthenticityEvent
from services.discovery.domain.contact import events as contact
from services.discovery.domain.guardians.events import GuardianConsented, GuardianConsentWithdrawn
from services.discovery.domain.match_weights.events import WeightsAdopted
from services.discovery.domain.media_kit import events as media_kit
from services.discovery.domain.proofs import events as proofs
from services.discovery.domain.saved_search.events import Event as SavedSearchEvent
from services.discovery.domain.shortlist import events as shortlists
from services.discovery.publish import authenticity, saved_searches
from services.discovery.publish.creators import wire_of

PRIVATE = (
    ErasureAsked,
    ErasureDone,
    GuardianConsented,
    GuardianConsentWithdrawn,
    WeightsAdopted,
    *get_args(proofs.Event),
    *get_args(media_kit.Event),
    *get_args(contact.Event),
    *get_args(shortlists.Event),
)


def publish(incoming: Delivered[Any]) -> Sequence[PublicEvent | OutgoingCommand]:
    """The public form of an event of a creator or of its authenticity, or of a refused command; the others are private."""
    if isinstance(incoming.event, PRIVATE):
        return []
    if isinstance(incoming.event, CommandRefused):
        return [PublicEvent(*refusal("discovery", incoming.event, incoming.at))]
    creator_id = split_stream(incoming.stream)[1]
    if isinstance(incoming.event, SavedSearchEvent):
        return [PublicEvent(*form(saved_searches.wire_of(incoming.event, creator_id, incoming.at)))]
    if isinstance(incoming.event, AuthenticityEvent):
        told = authenticity.wire_of(incoming.event, creator_id, incoming.at)
        return [PublicEvent(*form(told)), *authenticity.payouts(incoming.event, incoming.stream)]
    return [PublicEvent(*form(wire_of(incoming.event, creator_id, incoming.at)))]
