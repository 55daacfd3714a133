"""Everything that was handed in, and what was said of it: from the log at every question, as in personal.py."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.common.v1 import common_pb2 as common
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number

from kernel.core.codec import Codec
from kernel.core.ids import stream_id
from kernel.edge.page_tokens import Cursor
from kernel.eventlog.log import MAX_POSITION, Log
from services.campaigns.domain.collaboration.collaboration import COLLABORATION
from services.campaigns.domain.shared.content_events import (
    BLOCKED,
    ContentApproved,
    ContentReviewed,
    ContentSubmitted,
    RevisionRequested,
    Ruler,
    RulingRequested,
)
from services.campaigns.domain.shared.work_events import CollaborationCancelled, DeliverableLapsed
from services.campaigns.publish.wire import named, party, placement_of
from services.campaigns.rpc.personal import wire_submission

RULED_AGAINST = "content.ruled_against"


async def submissions_of(collaboration_id: str, log: Log, codec: Codec) -> list[pb.SubmissionVersion]:
    """All submissions of a collaboration, the oldest first."""
    made: dict[str, pb.SubmissionVersion] = {}
    newest: dict[str, str] = {}
    for recorded in await log.load([stream_id(COLLABORATION.category, collaboration_id)], MAX_POSITION):
        event = codec.decode(recorded.name, recorded.data)
        if isinstance(event, ContentSubmitted):
            made[event.submission_id] = _version(event)
            newest[event.deliverable_id] = event.submission_id
        for submission_id, ruling in _rulings(event, newest, recorded.recorded_at):
            made[submission_id].rulings.append(ruling)
    return list(made.values())


def newest_first(
    found: list[pb.SubmissionVersion], cursor: Cursor | None, size: int
) -> tuple[list[pb.SubmissionVersion], Cursor | None]:
    """A page of submissions given oldest first, and the cursor of the next one: the place of its last, which never moves."""
    end = min(int(cursor[0] or 0), len(found)) if cursor else len(found)
    start = max(end - size, 0)
    return found[start:end][::-1], (start,) if start else None


def _version(event: ContentSubmitted) -> pb.SubmissionVersion:
    return pb.SubmissionVersion(
        **named(pb.SubmissionVersion, event),
        stage=number(common.SubmissionStage, event.stage),
        submission=wire_submission(event),
    )


def _rulings(event: Any, newest: dict[str, str], at: datetime) -> Iterator[tuple[str, pb.SubmissionRuling]]:
    """What an event says, by submission; an end is said of the newest one of its deliverable."""
    if type(event) in RULINGS:
        yield event.submission_id, RULINGS[type(event)](event, at)
    ended = event.deliverables if isinstance(event, CollaborationCancelled) else ()
    by, reason = getattr(event, "by", None), getattr(event, "reason", "")
    if isinstance(event, DeliverableLapsed):
        ended, by = (event.ended,), Ruler.STAFF if reason == RULED_AGAINST else Ruler.CLOCK
    for each in ended:
        if each.deliverable_id in newest:
            ruling = pb.SubmissionRuling(ruling="ended", by=party(by or Ruler.CLOCK), at=stamp(at), reason=reason)
            yield newest[each.deliverable_id], ruling


def _reviewed(event: ContentReviewed, at: datetime) -> pb.SubmissionRuling:
    return pb.SubmissionRuling(
        ruling="reviewed",
        by=party(Ruler.COMPLIANCE),
        at=stamp(at),
        verdict=number(common.Verdict, event.verdict),
        findings=event.findings,
        label=event.label,
        placement=placement_of(event.placement),
    )


def _revision(event: RevisionRequested, at: datetime) -> pb.SubmissionRuling:
    """Compliance's one note is a code; the brand's are its own words."""
    by_compliance = event.by is Ruler.COMPLIANCE
    return pb.SubmissionRuling(
        ruling="revision_requested",
        by=party(event.by),
        at=stamp(at),
        notes=() if by_compliance else event.notes,
        reason=BLOCKED if by_compliance else "",
        revisions=event.revisions,
    )


def _ruling(event: RulingRequested, at: datetime) -> pb.SubmissionRuling:
    return pb.SubmissionRuling(ruling="ruling_requested", by=party(Ruler.BRAND), at=stamp(at), notes=event.notes)


def _approved(event: ContentApproved, at: datetime) -> pb.SubmissionRuling:
    return pb.SubmissionRuling(
        ruling="approved",
        by=party(event.by),
        at=stamp(at),
        label=event.label,
        placement=placement_of(event.placement),
        deemed=event.by is Ruler.CLOCK,
    )


RULINGS: dict[type, Callable[[Any, datetime], pb.SubmissionRuling]] = {
    ContentReviewed: _reviewed,
    RevisionRequested: _revision,
    RulingRequested: _ruling,
    ContentApproved: _approved,
}
"""What each event says of the submission that it names."""
