"""Samples of what metrics stores of creators' own posts, performance grids and releases of excess."""

from typing import Any

from services.metrics.domain.engagement import Metric
from services.metrics.domain.excess import ExcessReleased
from services.metrics.domain.grid.formula import FORMULA, GridCell, Purpose, Reach
from services.metrics.domain.grid.grid import GridMeasured
from services.metrics.domain.post.post import Format, Platform, PostRegistered
from tests.unit.metrics.batches import CONTENTS
from tests.unit.metrics.given import NOON, PLACE, RED

CELL = GridCell(Purpose.DAILY, "video", 30, Reach.ORGANIC, 3, 9_000, 800, None, 88_888, None, 333_333, 0, "platform")
GRID_SAMPLES: dict[str, Any] = {
    "post.registered@1": PostRegistered(CONTENTS[0], PLACE.creator_id, Platform.XIAOHONGSHU, Format.IMAGE_NOTE, NOON),
    "grid.measured@1": GridMeasured(PLACE.creator_id, NOON, (CELL,), FORMULA),
    "excess.released@1": ExcessReleased(
        CONTENTS[0], "campaign-1", RED, "creator-1", Metric.LIKES, 4_000, "went_viral", "olga"
    ),
}
