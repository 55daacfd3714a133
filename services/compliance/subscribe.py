"""Public events and commands of others, in: bytes to compliance's own dataclasses. Types it does not need are None."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from dandelion.campaigns.v1 import events_pb2 as campaigns
from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import commands_pb2 as own
from dandelion_contracts.words import word
from google.protobuf.message import DecodeError, Message

from kernel.core.ids import checked_id, stream_id
from kernel.streams.records import Topic
from services.compliance.domain.findings import Content, Evidence
from services.compliance.domain.live import ContentPublished, ContentTakenDown, Post
from services.compliance.domain.review import About, ReviewContent

CAMPAIGNS = Topic("campaigns.events.v1")
External = ContentPublished | ContentTakenDown


def decode(kind: str, value: bytes) -> External | None:
    """Raises ValueError or Invalid for bytes that are no such message."""
    found = READS.get(kind)
    return None if found is None else found[1](_parsed(found[0], value))


def _published(message: campaigns.ContentPublished) -> ContentPublished:
    post = Post(
        word(common.Platform, message.platform),
        message.post_id,
        message.url,
        message.label,
        message.jurisdiction,
        message.text_hash,
    )
    at = _time(message.published_at)
    return ContentPublished(_about(message), post, at, message.live_check_after_s, message.protection_s)


def _taken_down(message: campaigns.ContentTakenDown) -> ContentTakenDown:
    return ContentTakenDown(checked_id(message.deliverable_id), message.reason)


READS: dict[str, tuple[type[Message], Callable[[Any], External]]] = {
    campaigns.ContentPublished.DESCRIPTOR.full_name: (campaigns.ContentPublished, _published),
    campaigns.ContentTakenDown.DESCRIPTOR.full_name: (campaigns.ContentTakenDown, _taken_down),
}


def decode_command(kind: str, value: bytes) -> tuple[str, ReviewContent] | None:
    """`compliance.commands.v1`: the stream and the command of a request."""
    if kind != own.ReviewContent.DESCRIPTOR.full_name:
        return None
    asked: own.ReviewContent = _parsed(own.ReviewContent, value)
    command = ReviewContent(
        _about(asked), _content(asked), asked.round, asked.language, asked.text_hash, _time(asked.submitted_at)
    )
    return stream_id("review", asked.submission_id), command


def _content(asked: own.ReviewContent) -> Content:
    approvals = [Evidence("approval", one.name, one.approval_number) for one in asked.products if one.approval_number]
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
        ai_made=any(media.ai_made for media in asked.media),
        evidence=tuple(approvals),
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


def _parsed(kind: type[Message], value: bytes) -> Any:
    message = kind()
    try:
        message.ParseFromString(value)
    except DecodeError as error:
        raise ValueError(f"not a {kind.DESCRIPTOR.full_name}") from error
    return message


def _time(stamp: Any) -> datetime:
    """ValueError for a time that no calendar has."""
    when: datetime = stamp.ToDatetime(tzinfo=UTC)
    return when
