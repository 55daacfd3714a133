"""Stored names of discovery's events. A name once stored stays readable for ever: change by a new version and an upcast."""

from kernel.core.codec import Codec
from kernel.core.events import REFUSED_NAME, CommandRefused
from services.discovery.domain.erasure import ErasureAsked, ErasureDone
from services.discovery.domain.events import (
    AccountIdentified,
    AccountLinked,
    AccountRenamed,
    AccountVerified,
    AudienceReported,
    AvailabilityChanged,
    CreatorProfileChanged,
    CreatorRegistered,
    CreatorReinstated,
    CreatorSuspended,
    FollowersReported,
    PerformanceReported,
    RateCardChanged,
)

EVENTS: dict[str, type] = {
    "creator.registered@1": CreatorRegistered,
    "creator.profile_changed@1": CreatorProfileChanged,
    "creator.account_linked@1": AccountLinked,
    "creator.account_renamed@1": AccountRenamed,
    "creator.account_identified@1": AccountIdentified,
    "creator.account_verified@1": AccountVerified,
    "creator.rate_card_changed@1": RateCardChanged,
    "creator.audience_reported@1": AudienceReported,
    "creator.followers_reported@1": FollowersReported,
    "creator.performance_reported@1": PerformanceReported,
    "creator.availability_changed@1": AvailabilityChanged,
    "creator.suspended@1": CreatorSuspended,
    "creator.reinstated@1": CreatorReinstated,
    "erasure.asked@1": ErasureAsked,
    "erasure.done@1": ErasureDone,
    REFUSED_NAME: CommandRefused,
}
CODEC = Codec(EVENTS)
