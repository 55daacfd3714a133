"""A media kit, as its tests know it."""

from datetime import timedelta
from typing import Any

from kernel.core.ids import derived_id
from services.discovery.domain.checks import Provenance
from services.discovery.domain.media_kit.commands import Figure, Section, ShareKit, Unit
from services.discovery.domain.media_kit.events import (
    KitOpened,
    KitPublished,
    KitShared,
    KitShareRevoked,
    KitWithdrawn,
)
from tests.unit.discovery.given import BEFORE, LATER, NOON

LINK, OPENING, EXAMPLE = derived_id("test", "kit link"), derived_id("test", "opening"), "https://a.example/1"
FIGURE = Figure(
    Section.ACCOUNTS, "followers.xiaohongshu", 48_000, Unit.COUNT, "", Provenance.MANUAL, BEFORE,
)  # fmt: skip
PUBLISHED = KitPublished(1, (Section.ABOUT, Section.ACCOUNTS), (FIGURE,), (EXAMPLE,))
SHARED = KitShared(LINK, "春季品牌", LATER)
SHARE = ShareKit(LINK, "春季品牌", LATER)
TODAY = NOON.date()
YESTERDAY = TODAY - timedelta(days=1)
SAMPLES: dict[str, Any] = {
    "kit.published@1": PUBLISHED,
    "kit.withdrawn@1": KitWithdrawn(1),
    "kit.shared@1": SHARED,
    "kit.share_revoked@1": KitShareRevoked(LINK),
    "kit.opened@1": KitOpened(LINK, TODAY, OPENING),
}
