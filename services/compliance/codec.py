"""Stored names of compliance's events and stored commands. A name once stored stays readable: a new version and an upcast."""

from kernel.core.codec import Codec
from kernel.core.events import REFUSED_NAME, CommandRefused
from kernel.core.personal import EraseNow, ErasureAsked, ErasureDone, ErasurePostponed
from services.compliance.domain.erasure import ErasureDeclined, ErasureRequested, SubjectErased
from services.compliance.domain.live import (
    ContentLookedAt,
    DisclosureMissing,
    LookRequested,
    LooksEnded,
    LooksScheduled,
    RequestLook,
)
from services.compliance.domain.review import DisclosureAttached, ReviewCompleted, ReviewerDecided, ReviewOpened

EVENTS: dict[str, type] = {
    "review.opened@2": ReviewOpened,
    "review.disclosure_attached@1": DisclosureAttached,
    "review.completed@2": ReviewCompleted,
    "review.reviewer_decided@2": ReviewerDecided,
    "look.scheduled@1": LooksScheduled,
    "look.requested@1": LookRequested,
    "look.looked_at@1": ContentLookedAt,
    "look.disclosure_missing@1": DisclosureMissing,
    "look.ended@1": LooksEnded,
    "subject.erasure_requested@1": ErasureRequested,
    "subject.erased@1": SubjectErased,
    "subject.erasure_declined@1": ErasureDeclined,
}
PRIVATE: dict[str, type] = {
    "erasure.postponed@1": ErasurePostponed,
    "erasure.asked@1": ErasureAsked,
    "erasure.done@1": ErasureDone,
}
"""Of streams that are not published."""
COMMANDS: dict[str, type] = {"look.request@1": RequestLook, "erasure.erase_now@1": EraseNow}
"""What deadlines store."""
SEALED_SINCE_2 = ("review.opened@2", "review.completed@2", "review.reviewer_decided@2")
"""Version 1 of these held personal fields in plaintext (docs/adr/0014); `reseal` makes version 2 of them."""
CODEC = Codec(
    {**EVENTS, **PRIVATE, **COMMANDS, REFUSED_NAME: CommandRefused},
    {(name.partition("@")[0], 1): lambda raw: raw for name in SEALED_SINCE_2},
)
