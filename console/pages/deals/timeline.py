"""The life of a collaboration as a list, the newest first: from its own times, its submissions and its disputes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from dandelion.campaigns.v1.events_pb2 import PARTY_BRAND, PARTY_CREATOR, PARTY_STAFF, Party
from dandelion.campaigns.v1.queries_pb2 import (
    COLLABORATION_STATUS_CANCELLED,
    Collaboration,
    DeliverableView,
    Dispute,
    SubmissionRuling,
    SubmissionVersion,
)

from console.look.formats import at
from console.pages.deals.reasons import told
from console.words import mark

WHO: Mapping[int, str] = {
    PARTY_BRAND: mark("Brand"),
    PARTY_CREATOR: mark("Creator"),
    PARTY_STAFF: mark("Staff"),
}
"""Who did it; processes and clocks are the platform."""
RULINGS: Mapping[str, tuple[str, str]] = {
    "reviewed": (mark("Compliance looked at version {round}"), ""),
    "revision_requested": (mark("A revision of version {round} was asked for"), ""),
    "ruling_requested": (mark("Staff are to rule on version {round}"), "bad"),
    "approved": (mark("Version {round} was approved"), "good"),
    "ended": (mark("The work on version {round} ended"), "bad"),
}
OUTCOMES: Mapping[str, str] = {
    "resume": mark("Staff ruled: the work goes on"),
    "cancel": mark("Staff ruled: the work ends"),
    "withdrawn": mark("The dispute was withdrawn"),
    "moot": mark("Nothing was left to dispute"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened: when, the marked sentence with its values, by whom, why, how it is shown."""

    at: datetime
    said: str
    who: str = ""
    why: str = ""
    tone: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


def who(party: "Party.ValueType") -> str:
    return WHO.get(party, mark("Platform"))


def timeline(one: Collaboration, submissions: Iterable[SubmissionVersion], disputes: Iterable[Dispute]) -> list[Entry]:
    """All that happened, the newest first."""
    found = [*_whole(one), *(entry for view in one.deliverables for entry in _deliverable(view))]
    found += [entry for version in submissions for entry in _version(version)]
    found += [entry for dispute in disputes for entry in _dispute(dispute)]
    return sorted(found, key=lambda entry: entry.at, reverse=True)


def _whole(one: Collaboration) -> Iterator[Entry]:
    yield Entry(at(one.contracted_at), mark("The contract was made"), tone="good")
    if one.HasField("funded_at"):
        yield Entry(at(one.funded_at), mark("The money is in escrow: the work may begin"), tone="good")
    if one.status == COLLABORATION_STATUS_CANCELLED:
        cancelled = mark("The collaboration was cancelled")
        yield Entry(at(one.changed_at), cancelled, who(one.cancelled_by), told(one.reason), "bad")


def _deliverable(view: DeliverableView) -> Iterator[Entry]:
    values = {"number": str(view.deliverable.ordinal)}
    for name, said, tone in (
        ("published_at", mark("Deliverable {number} was published"), "good"),
        ("verified_at", mark("The post of deliverable {number} was seen as agreed"), "good"),
        ("settled_at", mark("Deliverable {number} was paid"), "good"),
    ):
        if view.HasField(name):  # type: ignore[arg-type]
            yield Entry(at(getattr(view, name)), said, tone=tone, values=values)


def _version(version: SubmissionVersion) -> Iterator[Entry]:
    values = {"round": str(version.round)}
    yield Entry(at(version.submitted_at), mark("Version {round} was handed in"), mark("Creator"), values=values)
    yield from (_ruling(each, values) for each in version.rulings)


def _ruling(ruling: SubmissionRuling, values: Mapping[str, str]) -> Entry:
    said, tone = RULINGS.get(ruling.ruling, RULINGS["reviewed"])
    why = mark("The brand's time was over") if ruling.deemed else told(ruling.reason) if ruling.reason else ""
    return Entry(at(ruling.at), said, who(ruling.by), why, tone, values)


def _dispute(dispute: Dispute) -> Iterator[Entry]:
    opened = mark("A dispute was opened: clocks and payments stand")
    yield Entry(at(dispute.opened_at), opened, who(dispute.opened_by), told(dispute.reason), "bad")
    if dispute.HasField("ended_at"):
        yield Entry(at(dispute.ended_at), OUTCOMES.get(dispute.outcome, OUTCOMES["resume"]))
