"""Stored names of compliance's events and stored commands. A name once stored stays readable: a new version and an upcast."""

from kernel.core.codec import Codec
from kernel.core.events import REFUSED_NAME, CommandRefused
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
    "review.opened@1": ReviewOpened,
    "review.disclosure_attached@1": DisclosureAttached,
    "review.completed@1": ReviewCompleted,
    "review.reviewer_decided@1": ReviewerDecided,
    "look.scheduled@1": LooksScheduled,
    "look.requested@1": LookRequested,
    "look.looked_at@1": ContentLookedAt,
    "look.disclosure_missing@1": DisclosureMissing,
    "look.ended@1": LooksEnded,
    "subject.erasure_requested@1": ErasureRequested,
    "subject.erased@1": SubjectErased,
    "subject.erasure_declined@1": ErasureDeclined,
}
COMMANDS: dict[str, type] = {"look.request@1": RequestLook}
"""What deadlines store."""
CODEC = Codec({**EVENTS, **COMMANDS, REFUSED_NAME: CommandRefused})
