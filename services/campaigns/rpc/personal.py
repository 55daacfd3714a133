"""What is personal in a collaboration, from its log at every question: no read model keeps it, so an erasure leaves no copy."""

from dandelion.campaigns.v1 import queries_pb2 as pb

from kernel.core.codec import Codec
from kernel.core.ids import stream_id
from kernel.eventlog.log import MAX_POSITION, Log
from services.campaigns.domain.collaboration.collaboration import COLLABORATION
from services.campaigns.domain.shared.content_events import ContentSubmitted, RevisionRequested, RulingRequested
from services.campaigns.domain.shared.work_events import ProductSent
from services.campaigns.publish.content import wire_evidence, wire_media


async def add_personal(made: pb.Collaboration, log: Log, codec: Codec) -> None:
    """Adds how the product was sent and, by deliverable, the newest submission and what was noted on it."""
    views = {one.deliverable.deliverable_id: one for one in made.deliverables}
    for recorded in await log.load([stream_id(COLLABORATION.category, made.collaboration_id)], MAX_POSITION):
        match codec.decode(recorded.name, recorded.data):
            case ProductSent(_, carrier, tracking):
                made.carrier, made.tracking_number = carrier, tracking
            case ContentSubmitted() as event:
                views[event.deliverable_id].submission.CopyFrom(wire_submission(event))
                del views[event.deliverable_id].notes[:]
            case RevisionRequested() | RulingRequested() as event:
                views[event.deliverable_id].notes[:] = event.notes
            case _:
                continue


def wire_submission(event: ContentSubmitted) -> pb.Submission:
    content = event.content
    return pb.Submission(
        title=content.title,
        text=content.text,
        tags=content.tags,
        links=content.links,
        media=map(wire_media, content.media),
        language=content.language,
        evidence=map(wire_evidence, content.evidence),
    )
