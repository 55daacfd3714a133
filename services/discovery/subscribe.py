"""Public events and commands of others, in: bytes to discovery's own small dataclasses. Types it does not need are None."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from dandelion.campaigns.v1 import events_pb2 as campaigns
from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import events_pb2 as compliance
from dandelion.discovery.v1 import commands_pb2 as own
from dandelion.metrics.v1 import events_pb2 as metrics
from dandelion_contracts.wire import decoder, time_of
from dandelion_contracts.words import word
from google.protobuf.message import Message

from kernel.core.ids import checked_id, stream_id
from kernel.core.personal import Erased
from kernel.streams.records import Topic
from services.discovery.domain.commands import ReinstateCreator, SuspendCreator
from services.discovery.domain.saved_search.commands import ReportMatches
from services.discovery.domain.saved_search.saved_search import CATEGORY

RATIO_LIMIT = 1e12
OVERDUE = "_overdue"
"""How the reasons end of what a creator did not make in time."""
MEDIANS = {"exposures": "exposure_median", "reads": "read_median", "engagements": "engagement_median"}
RATIOS = {
    "read_rate_micros": "read_rate",
    "engagement_rate_micros": "engagement_rate",
    "hundred_like_micros": "hundred_like_share",
    "thousand_like_micros": "thousand_like_share",
}
GOALS = {"exposure": "exposures", "reads": "reads", "engagement": "engagements", "sales": "sales"}
"""What creators are forecast by, by a brief's objective."""
BRIEF_CHARS = 2_000
TOPICS = (Topic("campaigns.events.v1"), Topic("compliance.events.v1"), Topic("metrics.events.v1"))


class Stage(StrEnum):
    """How far a creator came with a campaign; the first five by the application's stream, the rest by the contract's."""

    INVITED = "invited"
    APPLIED = "applied"
    COUNTERED = "countered"
    ACCEPTED = "accepted"
    ENDED = "ended"
    CONTRACTED = "contracted"
    SETTLED = "settled"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Applied:
    """An application (of the same id as the collaboration it may become) reached a stage."""

    application_id: str
    campaign_id: str
    brand_id: str
    creator_id: str
    stage: Stage
    by: str = ""
    """Who answered: "brand", "creator", "clock"."""


@dataclass(frozen=True, slots=True)
class Worked:
    """A collaboration reached a stage. `industry` is the category of its product, known of contracts."""

    collaboration_id: str
    campaign_id: str
    brand_id: str
    creator_id: str
    stage: Stage
    industry: str = ""
    by: str = ""
    """Who cancelled it: "brand", "creator", "system", ..."""


@dataclass(frozen=True, slots=True)
class Briefed:
    """What a campaign asks of creators, since its brief was published or amended. `goal` and `format` are "" where the brief
    tells none that creators are forecast by."""

    campaign_id: str
    text: str
    goal: str
    format: str
    currency: str


class Mark(StrEnum):
    FINDINGS = "findings"
    DISCLOSURES_MISSING = "disclosures_missing"
    ORDERS = "orders"


@dataclass(frozen=True, slots=True)
class Marked:
    """Something counted for a creator: `amount` replaces what `subject` (a review, look or order) counted before."""

    mark: Mark
    subject: str
    creator_id: str
    amount: int


@dataclass(frozen=True, slots=True)
class Happened:
    """A fact of a creator's conduct (tables/measured.py CREATOR_CONDUCT), on a subject of its own."""

    fact: str
    subject: str
    creator_id: str
    good: bool | None


@dataclass(frozen=True, slots=True)
class Measured:
    """A creator's grid as metrics measured it: rows of CREATOR_GRID without what all have in common."""

    creator_id: str
    measured_at: datetime
    formula: str
    cells: tuple[dict[str, Any], ...]


External = Applied | Worked | Briefed | Marked | Happened | Measured | Erased


def _applied(message: Any, stage: Stage, by: str = "") -> Applied:
    campaign_id, brand_id, creator_id = _ids(message)
    return Applied(checked_id(message.application_id), campaign_id, brand_id, creator_id, stage, by)


def _worked(message: Any, stage: Stage, by: str = "") -> Worked:
    campaign_id, brand_id, creator_id = _ids(message)
    industry = message.product_category if stage is Stage.CONTRACTED else ""
    return Worked(checked_id(message.collaboration_id), campaign_id, brand_id, creator_id, stage, industry, by)


def _briefed(message: campaigns.BriefPublished | campaigns.BriefAmended) -> Briefed:
    brief = message.brief
    told = " ".join([brief.title, *brief.key_messages, *(one.name for one in brief.products)])[:BRIEF_CHARS]
    form = word(common.Format, brief.formats[0]) if brief.formats else ""
    return Briefed(checked_id(message.campaign_id), told, GOALS.get(brief.objective, ""), form, brief.currency)


def _party(value: Any) -> str:
    return word(campaigns.Party, value)


def _happened(fact: str, subject: str, message: Any, good: bool | None = None) -> Happened:
    return Happened(fact, subject, checked_id(message.creator_id), good)


def _lapsed(message: campaigns.DeliverableLapsed) -> Happened | None:
    """What the creator did not make in time; other ends of a deliverable say nothing of it."""
    if not message.reason.endswith(OVERDUE):
        return None
    return _happened("delivery", checked_id(message.deliverable.deliverable_id), message, False)


def _revised(message: campaigns.RevisionRequested) -> Happened:
    return _happened("revision", f"{checked_id(message.deliverable_id)}/{message.revisions}", message)


def _measured(message: metrics.PerformanceUpdated) -> Measured:
    cells = tuple(map(_cell, message.cells))
    return Measured(checked_id(message.creator_id), time_of(message.measured_at), message.formula, cells)


def _micros(ratio: float) -> int:
    """Millionths; raises ValueError for what is no ratio of counts."""
    if not 0 <= ratio <= RATIO_LIMIT:
        raise ValueError(f"{ratio} is no ratio of counts")
    return round(ratio * 1_000_000)


def _cell(cell: metrics.GridCell) -> dict[str, Any]:
    told: dict[str, Any] = {
        "purpose": word(metrics.Purpose, cell.purpose),
        "format": word(common.Format, cell.format),
        "traffic": word(common.Traffic, cell.traffic) or "all",
        "window_days": cell.window_days,
        "contents": cell.contents,
        "provenance": word(common.Provenance, cell.provenance),
    }
    for column, field in MEDIANS.items():
        told[column] = getattr(cell, field) if cell.HasField(field) else None  # type: ignore[arg-type]
    for column, field in RATIOS.items():
        told[column] = _micros(getattr(cell, field)) if cell.HasField(field) else None  # type: ignore[arg-type]
    return told


def _ids(message: Any) -> tuple[str, str, str]:
    return checked_id(message.campaign_id), checked_id(message.brand_id), checked_id(message.creator_id)


def _marked(mark: Mark, subject: str, creator_id: str, amount: int) -> Marked | None:
    """None where nobody knows whose it is."""
    return Marked(mark, subject, checked_id(creator_id), amount) if creator_id else None


def _breaches(message: compliance.ReviewCompleted) -> int:
    """Findings that ask something of the creator. A notice, such as of the label that the platform adds itself, asks nothing."""
    return sum(one.severity != compliance.SEVERITY_NOTICE for one in message.findings)


READS: dict[type[Message], Callable[[Any], External | None]] = {
    campaigns.BriefPublished: _briefed,
    campaigns.BriefAmended: _briefed,
    campaigns.CreatorInvited: lambda m: _applied(m, Stage.INVITED),
    campaigns.ApplicationSubmitted: lambda m: _applied(m, Stage.APPLIED),
    campaigns.OfferCountered: lambda m: _applied(m, Stage.COUNTERED, _party(m.countered_by)),
    campaigns.ApplicationAccepted: lambda m: _applied(m, Stage.ACCEPTED, _party(m.accepted_by)),
    campaigns.ApplicationDeclined: lambda m: _applied(m, Stage.ENDED, _party(m.declined_by)),
    campaigns.ApplicationWithdrawn: lambda m: _applied(m, Stage.ENDED),
    campaigns.ApplicationExpired: lambda m: _applied(m, Stage.ENDED, "clock"),
    campaigns.CollaborationContracted: lambda m: _worked(m, Stage.CONTRACTED),
    campaigns.CollaborationSettled: lambda m: _worked(m, Stage.SETTLED),
    campaigns.CollaborationCancelled: lambda m: _worked(m, Stage.CANCELLED, _party(m.cancelled_by)),
    campaigns.ContentPublished: lambda m: _happened("delivery", checked_id(m.deliverable_id), m, True),
    campaigns.DeliverableLapsed: _lapsed,
    campaigns.RevisionRequested: _revised,
    campaigns.DisputeOpened: lambda m: _happened("dispute", checked_id(m.collaboration_id), m),
    metrics.PerformanceUpdated: _measured,
    compliance.ReviewCompleted: lambda m: _marked(Mark.FINDINGS, m.review_id, m.creator_id, _breaches(m)),
    compliance.DisclosureMissing: lambda m: _marked(Mark.DISCLOSURES_MISSING, m.look_id, m.creator_id, 1),
    compliance.SubjectErased: lambda m: Erased(m.subject_id),
    metrics.ConversionRecorded: lambda m: _marked(Mark.ORDERS, m.order_id, m.creator_id, 1),
    metrics.ConversionReversed: lambda m: _marked(Mark.ORDERS, m.order_id, m.creator_id, 0) if m.complete else None,
}
decode = decoder(READS)
"""Others' events; raises ValueError or Invalid for bytes that are no such message, None for a type that is not read."""


Command = SuspendCreator | ReinstateCreator | ReportMatches


def _suspend(asked: own.SuspendCreator) -> tuple[str, Command]:
    until = time_of(asked.until) if asked.HasField("until") else None
    return stream_id("creator", asked.creator_id), SuspendCreator(asked.reason, until, asked.requester)


def _reinstate(asked: own.ReinstateCreator) -> tuple[str, Command]:
    return stream_id("creator", asked.creator_id), ReinstateCreator(asked.reason)


def _report(asked: own.ReportSavedSearchMatches) -> tuple[str, Command]:
    return stream_id(CATEGORY, asked.search_id), ReportMatches(asked.revision, tuple(asked.creator_ids), asked.total)


COMMANDS: dict[type[Message], Callable[[Any], tuple[str, Command]]] = {
    own.SuspendCreator: _suspend,
    own.ReinstateCreator: _reinstate,
    own.ReportSavedSearchMatches: _report,
}
decode_command = decoder(COMMANDS)
"""`discovery.commands.v1`: the stream and the command of a request."""
