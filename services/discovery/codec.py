"""Stored names of discovery's events. A name once stored stays readable for ever: change by a new version and an upcast."""

from kernel.core.codec import Codec
from kernel.core.events import REFUSED_NAME, CommandRefused
from kernel.core.personal import ErasureAsked, ErasureDone
from services.discovery.domain.authenticity.events import (
    AuthenticityAppealed,
    AuthenticityAssessed,
    AuthenticityRuled,
    LiftProposed,
)
from services.discovery.domain.contact.events import (
    AddressVerified,
    ConsentGiven,
    ConsentWithdrawn,
    ContactForgotten,
    ContactRead,
    MailCodeAsked,
    MailCodeMistaken,
    MailCodeUndelivered,
)
from services.discovery.domain.events import (
    AccountIdentified,
    AccountLinked,
    AccountRenamed,
    AccountVerified,
    AudienceReported,
    AvailabilityChanged,
    CreatorForgotten,
    CreatorProfileChanged,
    CreatorRegistered,
    CreatorReinstated,
    CreatorSuspended,
    FollowersReported,
    PerformanceReported,
    RateCardChanged,
)
from services.discovery.domain.guardians.events import GuardianConsented, GuardianConsentWithdrawn, OfferBarChanged
from services.discovery.domain.match_weights.events import WeightsAdopted
from services.discovery.domain.media_kit.events import (
    KitOpened,
    KitPublished,
    KitShared,
    KitShareRevoked,
    KitWithdrawn,
)
from services.discovery.domain.proofs.events import ProofAccepted, ProofAsked, ProofLookRequested, ProofMissed
from services.discovery.domain.saved_search.events import (
    MatchesSeen,
    SavedSearchDeleted,
    SavedSearchLooked,
    SavedSearchMatched,
    SearchSaved,
)
from services.discovery.domain.shortlist.events import (
    CreatorNoted,
    CreatorsShortlisted,
    CreatorsTakenOff,
    ShortlistBegun,
    ShortlistDeleted,
    ShortlistRenamed,
)

EVENTS: dict[str, type] = {
    "creator.registered@2": CreatorRegistered,
    "creator.profile_changed@2": CreatorProfileChanged,
    "creator.account_linked@2": AccountLinked,
    "creator.account_renamed@2": AccountRenamed,
    "creator.account_identified@2": AccountIdentified,
    "creator.account_verified@2": AccountVerified,
    "creator.rate_card_changed@1": RateCardChanged,
    "creator.audience_reported@1": AudienceReported,
    "creator.followers_reported@1": FollowersReported,
    "creator.performance_reported@1": PerformanceReported,
    "creator.availability_changed@1": AvailabilityChanged,
    "creator.suspended@1": CreatorSuspended,
    "creator.reinstated@1": CreatorReinstated,
    "creator.forgotten@1": CreatorForgotten,
    "authenticity.assessed@1": AuthenticityAssessed,
    "authenticity.appealed@1": AuthenticityAppealed,
    "authenticity.lift_proposed@1": LiftProposed,
    "authenticity.ruled@1": AuthenticityRuled,
    "proof.asked@1": ProofAsked,
    "proof.look_requested@1": ProofLookRequested,
    "proof.accepted@1": ProofAccepted,
    "proof.missed@1": ProofMissed,
    "contact.code_asked@1": MailCodeAsked,
    "contact.code_undelivered@1": MailCodeUndelivered,
    "contact.code_mistaken@1": MailCodeMistaken,
    "contact.address_verified@1": AddressVerified,
    "contact.consent_given@1": ConsentGiven,
    "contact.consent_withdrawn@1": ConsentWithdrawn,
    "contact.read@1": ContactRead,
    "contact.forgotten@1": ContactForgotten,
    "creator.guardian_consented@1": GuardianConsented,
    "creator.guardian_consent_withdrawn@1": GuardianConsentWithdrawn,
    "creator.offer_bar_changed@1": OfferBarChanged,
    "kit.published@1": KitPublished,
    "kit.withdrawn@1": KitWithdrawn,
    "kit.shared@1": KitShared,
    "kit.share_revoked@1": KitShareRevoked,
    "kit.opened@1": KitOpened,
    "weights.adopted@1": WeightsAdopted,
    "search.saved@1": SearchSaved,
    "search.looked@1": SavedSearchLooked,
    "search.matched@1": SavedSearchMatched,
    "search.matches_seen@1": MatchesSeen,
    "search.deleted@1": SavedSearchDeleted,
    "shortlist.begun@1": ShortlistBegun,
    "shortlist.renamed@1": ShortlistRenamed,
    "shortlist.creators_added@1": CreatorsShortlisted,
    "shortlist.creators_removed@1": CreatorsTakenOff,
    "shortlist.noted@1": CreatorNoted,
    "shortlist.deleted@1": ShortlistDeleted,
    "erasure.asked@1": ErasureAsked,
    "erasure.done@1": ErasureDone,
    REFUSED_NAME: CommandRefused,
}
SEALED_SINCE_2 = (
    "registered",
    "profile_changed",
    "account_linked",
    "account_renamed",
    "account_identified",
    "account_verified",
)
"""Version 1 of these held personal fields in plaintext; a replica that knows no version 2 stops rather than reads blanks."""
CODEC = Codec(EVENTS, {(f"creator.{verb}", 1): lambda raw: raw for verb in SEALED_SINCE_2})
