"""How far a collaboration is, and whose turn it is: worked out from what GetCollaboration and ListCollaborations say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from dandelion.campaigns.v1.queries_pb2 import (
    COLLABORATION_STATUS_CANCELLED,
    COLLABORATION_STATUS_CONTRACTED,
    COLLABORATION_STATUS_SETTLED,
    Collaboration,
    DeliverableView,
)

from console.look.formats import at
from console.words import mark

BRAND, CREATOR, PLATFORM, STAFF, NOBODY = mark("Brand"), mark("Creator"), mark("Platform"), mark("Staff"), ""
STEPS: Mapping[str, tuple[str, str]] = {
    "waiting": (NOBODY, mark("The work has not begun")),
    "open": (CREATOR, mark("Content is to be handed in")),
    "outline_submitted": (BRAND, mark("An outline waits for the brand")),
    "outlined": (CREATOR, mark("The draft is to be handed in")),
    "draft_submitted": (PLATFORM, mark("Compliance looks at the draft")),
    "in_review": (BRAND, mark("The draft waits for the brand")),
    "revision_requested": (CREATOR, mark("A revision is to be handed in")),
    "in_ruling": (STAFF, mark("Staff rule on the draft")),
    "approved": (CREATOR, mark("Approved: to be scheduled or published")),
    "scheduled": (CREATOR, mark("Scheduled: to be published")),
    "published": (PLATFORM, mark("The platform looks at the post")),
    "taken_down": (CREATOR, mark("The post did not hold: publish it again")),
    "verified": (PLATFORM, mark("Verified: paid after the delay")),
    "paying": (PLATFORM, mark("Being paid")),
    "settled": (NOBODY, mark("Paid")),
    "breached": (CREATOR, mark("The post is gone or changed: restore it")),
    "curing": (PLATFORM, mark("The platform looks whether the post is restored")),
    "clawing": (PLATFORM, mark("Money is being taken back")),
    "clawed_back": (NOBODY, mark("Money went back to the brand")),
    "ended": (NOBODY, mark("Ended")),
}
"""Whose turn it is at each step of a deliverable, and what is to happen."""
DONE = frozenset({"settled", "clawed_back", "ended"})
COLUMNS: tuple[tuple[str, str], ...] = (
    ("funding", mark("Contract and money")),
    ("product", mark("Product")),
    ("content", mark("Content")),
    ("review", mark("Review")),
    ("publication", mark("Publication")),
    ("live", mark("Online")),
    ("settled", mark("Settled")),
    ("over", mark("Cancelled")),
)
"""The board's columns in their order."""
COLUMN_OF: Mapping[str, str] = {
    **dict.fromkeys(("waiting", "open", "outlined", "revision_requested"), "content"),
    **dict.fromkeys(("outline_submitted", "draft_submitted", "in_review", "in_ruling"), "review"),
    **dict.fromkeys(("approved", "scheduled", "taken_down"), "publication"),
    **dict.fromkeys(("published", "verified", "paying", "breached", "curing", "clawing"), "live"),
}
ORDER = [name for name, _ in COLUMNS]


@dataclass(frozen=True, slots=True)
class Turn:
    """The next step of a deliverable or of the whole: who takes it, the marked sentence, by when, whether that has passed."""

    who: str
    said: str
    until: datetime | None = None
    is_late: bool = False
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Late:
    """A step past its time, or that the platform owes."""

    work: Collaboration
    turn: Turn


def column_of(one: Collaboration) -> str:
    """The board's column: of a running collaboration that of the deliverable which is the furthest behind."""
    if one.status == COLLABORATION_STATUS_CANCELLED:
        return "over"
    if one.status == COLLABORATION_STATUS_SETTLED:
        return "settled"
    if one.status == COLLABORATION_STATUS_CONTRACTED:
        return "funding"
    if one.product in ("awaited", "sent"):
        return "product"
    columns = [COLUMN_OF[each.step] for each in one.deliverables if each.step in COLUMN_OF]
    return min(columns, key=ORDER.index, default="live")


def board(works: Iterable[Collaboration]) -> dict[str, list[Collaboration]]:
    """Collaborations by column, in the board's order."""
    columns: dict[str, list[Collaboration]] = {name: [] for name in ORDER}
    for one in works:
        columns[column_of(one)].append(one)
    return columns


def turn_of(view: DeliverableView, now: datetime) -> Turn:
    """Whose turn a deliverable is."""
    who, said = STEPS.get(view.step, (NOBODY, mark("Ended")))
    until = at(view.deliverable.due_at) if view.deliverable.HasField("due_at") and view.step not in DONE else None
    late = bool(view.awaits) or (until is not None and until < now)
    return Turn(who, said, until, late, _tone(view.step, late))


def _tone(step: str, late: bool) -> str:
    if late or step in ("breached", "taken_down"):
        return "bad"
    if step in ("settled", "verified"):
        return "good"
    return "" if step in DONE or step == "waiting" else "calm" if STEPS[step][0] == PLATFORM else "warn"


def whole_turn(one: Collaboration, now: datetime) -> Turn | None:
    """What the collaboration as a whole waits for: a ruling, money, or the product; None: its deliverables say it."""
    until = at(one.due_at) if one.HasField("due_at") else None
    late = until is not None and until < now
    if one.HasField("disputed_at"):
        due = at(one.dispute_due_at) if one.HasField("dispute_due_at") else None
        return Turn(STAFF, mark("A dispute is open: staff rule"), due, due is not None and due < now, "bad")
    if one.status == COLLABORATION_STATUS_CONTRACTED and one.funding_waits_for:
        return Turn(BRAND, mark("The escrow waits for the brand's deposit"), until, late, "bad")
    if one.status == COLLABORATION_STATUS_CONTRACTED:
        return Turn(PLATFORM, mark("The money is being put into escrow"), until, late, "calm")
    if one.product == "awaited" and until is not None:
        return Turn(BRAND, mark("The product is to be sent"), until, late, "bad" if late else "warn")
    if one.product == "sent" and until is not None:
        return Turn(
            CREATOR, mark("The creator is to confirm that the product came"), until, late, "bad" if late else "warn"
        )
    return None


def turns_of(one: Collaboration, now: datetime) -> list[Turn]:
    """All that a collaboration waits for."""
    whole = whole_turn(one, now)
    return [whole] if whole else [turn_of(each, now) for each in one.deliverables if each.step not in DONE]


def next_turn(one: Collaboration, now: datetime) -> Turn | None:
    """The most urgent of them."""
    turns = turns_of(one, now)
    return min(turns, key=lambda turn: (not turn.is_late, turn.until is None, turn.until or now), default=None)


def late_ones(works: Iterable[Collaboration], now: datetime) -> list[Late]:
    """Steps past their time, the oldest first."""
    found = [Late(one, turn) for one in works for turn in turns_of(one, now) if turn.is_late]
    return sorted(found, key=lambda late: late.turn.until or now)
