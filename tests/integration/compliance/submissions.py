"""Messages of other services for the tests: submissions to review, posts to look at."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from dandelion.campaigns.v1 import events_pb2 as campaigns
from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import commands_pb2 as commands
from google.protobuf.timestamp_pb2 import Timestamp

from kernel.core.ids import new_id


def stamp(at: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(at)
    return made


@dataclass
class Deal:
    """A submission of its own brand and creator."""

    submission_id: str = field(default_factory=new_id)
    deliverable_id: str = field(default_factory=new_id)
    collaboration_id: str = field(default_factory=new_id)
    campaign_id: str = field(default_factory=new_id)
    brand_id: str = field(default_factory=new_id)
    creator_id: str = field(default_factory=new_id)

    @property
    def stream(self) -> str:
        return f"review-{self.submission_id}"

    def ids(self) -> dict[str, Any]:
        return dict(vars(self))

    def submitted(self, text: str, **changes: Any) -> commands.ReviewContent:
        given: dict[str, Any] = {
            "stage": common.SUBMISSION_STAGE_DRAFT, "round": 1, "platform": common.PLATFORM_XIAOHONGSHU,
            "format": common.FORMAT_IMAGE_NOTE, "jurisdiction": "CN", "product_category": "美妆",
            "compensation_kind": common.COMPENSATION_KIND_FIXED, "title": "周末妆容", "text": text, "tags": ["通勤"],
            "language": "zh-CN", "text_hash": sha256(text.encode()).hexdigest(), "product_used": True,
            "submitted_at": stamp(datetime.now(UTC)), "requester": self.stream,
        }  # fmt: skip
        return commands.ReviewContent(**self.ids(), **(given | changes))

    def published(self, text: str, **changes: Any) -> campaigns.ContentPublished:
        given: dict[str, Any] = {
            "platform": common.PLATFORM_XIAOHONGSHU, "format": common.FORMAT_IMAGE_NOTE, "jurisdiction": "CN",
            "url": "https://posts.example/1", "post_id": f"post-{self.deliverable_id}",
            "text_hash": sha256(text.encode()).hexdigest(), "label": "广告",
            "placement": common.LABEL_PLACEMENT_TEXT_START, "published_at": stamp(datetime.now(UTC)),
            "live_check_after_s": 0, "protection_s": 30 * 86_400,
        }  # fmt: skip
        return campaigns.ContentPublished(**self.ids(), **(given | changes))
