"""Public events and commands of others, in: bytes to compliance's own dataclasses. Types it does not need are None."""

from collections.abc import Callable
from datetime import date
from typing import Any

from dandelion.campaigns.v1 import events_pb2 as campaigns
from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import commands_pb2 as own
from dandelion_contracts.wire import decoder, time_of
from dandelion_contracts.words import word
from google.protobuf.message import Message

from kernel.core.ids import checked_id, stream_id
from kernel.streams.records import Topic
from services.compliance.domain.findings import Content, Evidence
from services.compliance.domain.live import ContentPublished, ContentTakenDown, Post
from services.compliance.domain.review import About, ReviewContent

CAMPAIGNS = Topic("campaigns.events.v1")
External = ContentPublished | ContentTakenDown


def _published(message: campaigns.ContentPublished) -> ContentPublished:
    post = Post(
        word(common.Platform, message.platform),
        message.post_id,
        message.url,
        message.label,
        message.jurisdiction,
        message.text_hash,
        message.normal_form,
        word(common.LabelPlacement, message.placement),
        message.author_hash,
    )
    at = time_of(message.published_at)
    return ContentPublished(_about(message), post, at, message.live_check_after_s, message.protection_s)


def _taken_down(message: campaigns.ContentTakenDown) -> ContentTakenDown:
    return ContentTakenDown(checked_id(message.deliverable_id), message.reason)


READS: dict[type[Message], Callable[[Any], External]] = {
    campaigns.ContentPublished: _published,
    campaigns.ContentTakenDown: _taken_down,
}
decode = decoder(READS)
"""Others' events; raises ValueError or Invalid for bytes that are no such message, None for a type that is not read."""


def _evidence(asked: own.ReviewContent) -> tuple[Evidence, ...]:
    """Evidence that was handed in with the submission, and the approval numbers of the brief's products."""
    approvals = [Evidence("approval", one.name, one.approval_number) for one in asked.products if one.approval_number]
    return (*map(_shown, asked.evidence), *approvals)


def _shown(wire: campaigns.Evidence) -> Evidence:
    expires_on = date.fromisoformat(wire.expires_on) if wire.expires_on else None
    return Evidence(wire.kind, wire.phrase, wire.reference, expires_on)


def _content(asked: own.ReviewContent) -> Content:
    return Content(
        text=asked.text,
        title=asked.title,
        tags=tuple(asked.tags),
        links=tuple(asked.links),
        platform=word(common.Platform, asked.platform),
        format=word(common.Format, asked.format),
        jurisdiction=asked.jurisdiction,
        product_category=asked.product_category,
        compensation=word(common.CompensationKind, asked.compensation_kind),
        stage=word(common.SubmissionStage, asked.stage),
        product_used=asked.product_used,
        ai_made=asked.virtual_human or any(media.ai_made for media in asked.media),
        evidence=_evidence(asked),
    )


def _about(message: Any) -> About:
    return About(
        checked_id(message.submission_id),
        checked_id(message.deliverable_id),
        checked_id(message.collaboration_id),
        checked_id(message.campaign_id),
        checked_id(message.brand_id),
        checked_id(message.creator_id),
    )


def _review(asked: own.ReviewContent) -> tuple[str, ReviewContent]:
    command = ReviewContent(
        _about(asked), _content(asked), asked.round, asked.language, asked.text_hash, time_of(asked.submitted_at)
    )
    return stream_id("review", asked.submission_id), command


COMMANDS: dict[type[Message], Callable[[Any], tuple[str, ReviewContent]]] = {own.ReviewContent: _review}
decode_command = decoder(COMMANDS)
"""`compliance.commands.v1`: the stream and the command of a request."""
